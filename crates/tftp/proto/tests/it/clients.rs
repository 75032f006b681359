//! What boot clients send, octet by octet.

use purlin_tftp_proto::{ErrorCode, Mode, Packet, ParseError, Request, Wishes};

fn read(datagram: &[u8]) -> Request<'_> {
    match Packet::parse(datagram) {
        Ok(Packet::Read(request)) => request,
        other => panic!("not a read request: {other:?}"),
    }
}

#[test]
fn edk2_probes_the_size_and_hangs_up() {
    let probe = read(b"\0\x01bootx64.efi\0octet\0tsize\x000\0blksize\x001468\0windowsize\x004\0");
    assert_eq!(
        (probe.name(), probe.mode()),
        (&b"bootx64.efi"[..], Some(Mode::Octet))
    );
    let wishes = Wishes::of(probe.options()).unwrap();
    assert_eq!(
        (wishes.tsize, wishes.blksize, wishes.windowsize),
        (Some(0), Some(1468), Some(4))
    );
    let hang_up = Packet::parse(b"\0\x05\0\x08User aborted the transfer\0").unwrap();
    let Packet::Error { code, text } = hang_up else {
        panic!("{hang_up:?}");
    };
    assert_eq!(
        (code, text),
        (ErrorCode::Option, &b"User aborted the transfer"[..])
    );
}

#[test]
fn ipxe_pxelinux_and_grub_ask_in_their_ways() {
    let ipxe = read(b"\0\x01boot.ipxe\0octet\0blksize\x001432\0tsize\x000\0");
    assert_eq!(Wishes::of(ipxe.options()).unwrap().blksize, Some(1432));
    let pxelinux = read(b"\0\x01pxelinux.cfg/01-52-54-00-12-34-56\0octet\0tsize\x000\0blksize\x001408\0");
    assert_eq!(pxelinux.options().count(), 2);
    let grub = read(b"\0\x01/boot/grub/x86_64-efi/normal.mod\0octet\0blksize\x001024\0tsize\x000\0");
    assert_eq!(grub.name()[0], b'/');
}

#[test]
fn curl_asks_for_a_timeout() {
    let curl = read(b"\0\x01f\0octet\0tsize\x000\0blksize\x00512\0timeout\x006\0");
    assert_eq!(Wishes::of(curl.options()).unwrap().timeout, Some(6));
}

#[test]
fn plain_clients_send_no_option_and_write_modes_as_they_like() {
    let plain = read(b"\0\x01file\0NetASCII\0");
    assert_eq!(plain.mode(), Some(Mode::Netascii));
    assert!(Wishes::of(plain.options()).unwrap().is_empty());
    assert_eq!(read(b"\0\x01user\0mail\0").mode(), Some(Mode::Mail));
    assert_eq!(read(b"\0\x01file\0binary\0").mode(), None);
}

#[test]
fn firmware_pads_its_packets() {
    let padded = [&b"\0\x04\0\x09"[..], &[0; 14]].concat();
    assert_eq!(Packet::parse(&padded), Ok(Packet::Ack { block: 9 }));
    let padded = [&b"\0\x01f\0octet\0blksize\x001468\0"[..], &[0; 30]].concat();
    assert_eq!(Wishes::of(read(&padded).options()).unwrap().blksize, Some(1468));
}

#[test]
fn what_is_no_packet_is_named() {
    for (datagram, fault) in [
        (&b""[..], ParseError::Short),
        (b"\0", ParseError::Short),
        (b"\0\x03\0", ParseError::Short),
        (b"\0\x04", ParseError::Short),
        (b"\0\x05\0", ParseError::Short),
        (b"\0\0abc", ParseError::Opcode(0)),
        (b"\0\x07abc", ParseError::Opcode(7)),
        (b"\x01\0abc\0octet\0", ParseError::Opcode(256)),
        (b"\0\x01", ParseError::Request),
        (b"\0\x01name", ParseError::Request),
        (b"\0\x01name\0", ParseError::Request),
        (b"\0\x01name\0octet", ParseError::Request),
        (b"\0\x02\0octet\0", ParseError::Request),
    ] {
        assert_eq!(Packet::parse(datagram), Err(fault), "{}", datagram.escape_ascii());
    }
}

#[test]
fn an_error_without_its_terminator_is_an_error_all_the_same() {
    let bare = Packet::parse(b"\0\x05\0\0").unwrap();
    assert_eq!(
        bare,
        Packet::Error {
            code: ErrorCode::Undefined,
            text: b""
        }
    );
    let open = Packet::parse(b"\0\x05\0\x03full").unwrap();
    assert_eq!(
        open,
        Packet::Error {
            code: ErrorCode::Full,
            text: b"full"
        }
    );
}
