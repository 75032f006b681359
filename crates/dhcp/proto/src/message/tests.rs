//! Claims about reading messages.

use super::*;
use crate::code;
use crate::{Arch, MessageType};

/// A request with the given octets behind the cookie.
fn request(options: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; HEADER_LEN];
    payload[..4].copy_from_slice(&[1, 1, 6, 0]);
    payload[4..8].copy_from_slice(&[0xde, 0xad, 0xbe, 0xef]);
    payload[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    payload.extend_from_slice(&COOKIE);
    payload.extend_from_slice(options);
    payload
}

#[test]
fn the_fixed_header_is_read_from_its_places() {
    let mut payload = request(&[255]);
    for (at, octet) in payload.iter_mut().enumerate().take(28).skip(3) {
        *octet = at as u8;
    }
    payload[10] = 0x80;
    payload[44..49].copy_from_slice(b"boot\0");
    payload[108..113].copy_from_slice(b"a.efi");
    let message = Message::parse(&payload).unwrap();
    assert_eq!(
        (message.op(), message.htype(), message.hlen(), message.hops()),
        (1, 1, 6, 3)
    );
    assert_eq!(message.xid(), 0x0405_0607);
    assert_eq!((message.secs(), message.flags()), (0x0809, 0x800b));
    assert!(message.broadcast());
    assert_eq!(message.ciaddr(), Ipv4Addr::new(12, 13, 14, 15));
    assert_eq!(message.yiaddr(), Ipv4Addr::new(16, 17, 18, 19));
    assert_eq!(message.siaddr(), Ipv4Addr::new(20, 21, 22, 23));
    assert_eq!(message.giaddr(), Ipv4Addr::new(24, 25, 26, 27));
    assert_eq!(message.mac(), Some(Mac([2, 0, 0, 0, 0, 1])));
    assert_eq!((message.sname(), message.file()), (&b"boot"[..], &b"a.efi"[..]));
}

#[test]
fn a_message_shorter_than_its_header_is_refused() {
    assert_eq!(Message::parse(&[]).unwrap_err(), ParseError::TooShort { len: 0 });
    assert_eq!(
        Message::parse(&request(&[])[..235]).unwrap_err(),
        ParseError::TooShort { len: 235 }
    );
}

#[test]
fn neither_request_nor_reply_is_refused() {
    let mut payload = request(&[]);
    payload[0] = 3;
    assert_eq!(Message::parse(&payload).unwrap_err(), ParseError::Op(3));
    payload[0] = 2;
    payload[2] = 17;
    assert_eq!(
        Message::parse(&payload).unwrap_err(),
        ParseError::HardwareLength(17)
    );
}

#[test]
fn bootp_without_cookie_has_no_options() {
    let mut payload = request(&[53, 1, 1]);
    payload[236] = 0;
    for len in [236, 238, payload.len()] {
        let message = Message::parse(&payload[..len]).unwrap();
        assert!(message.is_bootp() && !message.has_cookie() && message.option_count() == 0);
    }
}

#[test]
fn a_missing_end_and_octets_behind_the_end_are_tolerated() {
    let open = request(&[0, 53, 1, 1]);
    assert_eq!(
        Message::parse(&open).unwrap().message_type(),
        Some(MessageType::Discover)
    );
    let trailing = request(&[53, 1, 1, 255, 12, 200]);
    assert!(!Message::parse(&trailing).unwrap().has(12));
}

#[test]
fn a_truncated_option_is_named_with_its_offset() {
    for (options, code, at) in [
        (&[53, 1, 1, 12][..], 12, 243),
        (&[53, 1, 1, 61, 3, 1, 2], 61, 243),
    ] {
        let fault = Message::parse(&request(options)).map(|_| ()).unwrap_err();
        assert_eq!(
            fault,
            ParseError::TruncatedOption {
                code,
                at,
                area: Area::Options
            }
        );
    }
    let fault = ParseError::TruncatedOption {
        code: 61,
        at: 243,
        area: Area::Options,
    };
    assert_eq!(
        fault.to_string(),
        "option 61 at offset 243 reaches beyond the options field"
    );
}

#[test]
fn the_number_of_options_is_limited() {
    let most = request(&[80, 0].repeat(OPTIONS_MAX));
    assert_eq!(Message::parse(&most).unwrap().option_count(), OPTIONS_MAX);
    let more = request(&[80, 0].repeat(OPTIONS_MAX + 1));
    let at = (OPTIONS_AT + 2 * OPTIONS_MAX) as u16;
    assert_eq!(
        Message::parse(&more).map(|_| ()).unwrap_err(),
        ParseError::TooManyOptions { at }
    );
}

#[test]
fn overloaded_fields_are_read_after_the_options_field() {
    let mut payload = request(&[52, 1, 3, 119, 2, 1, 1, 255]);
    payload[108..117].copy_from_slice(&[119, 2, 2, 2, 12, 1, b'h', 255, 9]);
    payload[44..49].copy_from_slice(&[0, 119, 1, 3, 255]);
    let message = Message::parse(&payload).unwrap();
    assert_eq!(message.host_name(), Some(&b"h"[..]));
    assert_eq!((message.file(), message.sname()), (&b""[..], &b""[..]));
    assert_eq!(message.whole(119), None);
    assert_eq!(message.concat(119, &mut [0; 8]), Some(&[1, 1, 2, 2, 3][..]));
    let order: Vec<_> = message.options().map(|(code, _)| code).collect();
    assert_eq!(order, [52, 119, 119, 12, 119]);
}

#[test]
fn an_option_may_not_leave_its_overloaded_field() {
    let mut payload = request(&[52, 1, 1, 255]);
    payload[108] = 12;
    payload[109] = 127;
    let fault = Message::parse(&payload).map(|_| ()).unwrap_err();
    assert_eq!(
        fault,
        ParseError::TruncatedOption {
            code: 12,
            at: 108,
            area: Area::File
        }
    );
    for (value, octets) in [(4, &[52, 1, 4][..]), (0, &[52, 0]), (1, &[52, 2, 1, 1])] {
        let fault = Message::parse(&request(octets)).map(|_| ()).unwrap_err();
        assert_eq!(fault, ParseError::Overload { value });
    }
}

#[test]
fn split_options_are_joined_in_order() {
    let payload = request(&[121, 2, 1, 2, 12, 1, b'a', 121, 0, 121, 3, 3, 4, 5, 255]);
    let message = Message::parse(&payload).unwrap();
    let option = message.option(121).unwrap();
    assert!(option.is_split() && option.len() == 5 && option.whole().is_none());
    assert_eq!(option.parts().count(), 3);
    assert_eq!(message.concat(121, &mut [0; 5]), Some(&[1, 2, 3, 4, 5][..]));
    assert_eq!(message.concat(121, &mut [0; 4]), None);
    assert_eq!(message.concat(12, &mut []), Some(&b"a"[..]));
}

#[test]
fn a_repeated_fixed_option_means_its_first_instance() {
    let payload = request(&[53, 1, 3, 53, 1, 1, 50, 4, 10, 0, 0, 9, 50, 4, 10, 0, 0, 8, 255]);
    let message = Message::parse(&payload).unwrap();
    assert_eq!(message.message_type(), Some(MessageType::Request));
    assert_eq!(message.requested_address(), Some(Ipv4Addr::new(10, 0, 0, 9)));
}

#[test]
fn values_of_the_wrong_length_mean_nothing() {
    let payload = request(&[
        53, 2, 1, 1, 50, 3, 1, 2, 3, 57, 1, 9, 97, 2, 0, 0, 81, 2, 0, 0, 61, 0, 12, 1, 0, 255,
    ]);
    let message = Message::parse(&payload).unwrap();
    assert_eq!(message.message_type(), None);
    assert_eq!(message.requested_address(), None);
    assert_eq!(message.max_message_size(), None);
    assert_eq!(message.uuid(), None);
    assert_eq!(message.client_fqdn(), None);
    assert_eq!(message.client_id(), None);
    assert_eq!(message.host_name(), None);
    assert!(!message.is_bootp());
}

#[test]
fn user_classes_are_read_in_both_forms() {
    let classes = |value: &[u8]| UserClasses::new(value).map(<[u8]>::to_vec).collect::<Vec<_>>();
    assert_eq!(classes(b"\x04iPXE\x03abc"), [b"iPXE".to_vec(), b"abc".to_vec()]);
    assert_eq!(classes(b"iPXE"), [b"iPXE".to_vec()]);
    assert_eq!(classes(b"\x00"), [b"\x00".to_vec()]);
    assert!(classes(b"").is_empty());
    assert!(UserClasses::new(b"iPXE").has(b"iPXE"));
    assert!(!UserClasses::new(b"\x04iPXE").has(b"iPX"));
}

#[test]
fn a_host_name_loses_its_trailing_nuls() {
    let payload = request(&[12, 4, b'p', b'c', 0, 0, 255]);
    assert_eq!(Message::parse(&payload).unwrap().host_name(), Some(&b"pc"[..]));
}

#[test]
fn client_names_are_read_as_text_and_as_labels() {
    let text = ClientFqdn {
        flags: 1,
        name: b"pc.example.com.",
    };
    assert_eq!(text.to_text().as_deref(), Some("pc.example.com"));
    let wire = ClientFqdn {
        flags: 5,
        name: b"\x02pc\x07example\x03com\x00",
    };
    assert_eq!(wire.to_text().as_deref(), Some("pc.example.com"));
    assert_eq!(
        ClientFqdn {
            flags: 4,
            name: b"\x00"
        }
        .to_text(),
        None
    );
}

#[test]
fn relay_information_is_read_by_suboption() {
    let value = [
        1, 4, b'e', b't', b'h', b'1', 2, 2, 0xca, 0xfe, 5, 4, 10, 9, 0, 0, 6, 1, b's', 10, 1, 0x80, 11, 4,
        10, 9, 0, 1, 12, 3, 1, 2, 3, 19, 0, 151, 2, 0, b'v', 152, 0,
    ];
    let mut options = vec![82, value.len() as u8];
    options.extend_from_slice(&value);
    let payload = request(&options);
    let message = Message::parse(&payload).unwrap();
    let relay = message.relay_agent().unwrap();
    assert_eq!(relay.circuit_id(), Some(&b"eth1"[..]));
    assert_eq!(relay.remote_id(), Some(&[0xca, 0xfe][..]));
    assert_eq!(relay.link_selection(), Some(Ipv4Addr::new(10, 9, 0, 0)));
    assert_eq!(relay.subscriber_id(), Some(&b"s"[..]));
    assert_eq!(relay.came_by_unicast(), Some(true));
    assert_eq!(relay.server_id_override(), Some(Ipv4Addr::new(10, 9, 0, 1)));
    assert_eq!(relay.relay_id(), Some(&[1, 2, 3][..]));
    assert!(relay.source_port() && relay.virtual_subnet_control());
    assert_eq!(relay.virtual_subnet(), Some(&[0, b'v'][..]));
    assert_eq!(relay.value(), value);
    assert!(RelayAgent::parse(&[1, 5, 0]).is_err());
}

#[test]
fn vendor_parts_are_found_by_enterprise() {
    let mut payload = request(&[125, 14, 0, 0, 0x0d, 0xe9, 2, 4, 0, 0, 0, 0x11, 0x8b, 2, 1, 0]);
    payload[243..].copy_from_slice(&[0, 0x0d, 0xe9, 2, 4, 0, 0, 0, 0x11, 0x8b, 2, 1, 0]);
    let message = Message::parse(&payload).unwrap();
    let parts: Vec<_> = message
        .vendor_options()
        .map(|part| (part.number, part.data.to_vec()))
        .collect();
    assert_eq!(parts, [(3561, vec![4, 0]), (4491, vec![1, 0])]);
    assert_eq!(message.vendor_options().find(4491), Some(&[1, 0][..]));
}

#[test]
fn boot_clients_say_their_architecture_and_uuid() {
    let mut options = vec![93, 4, 0, 7, 0, 16, 97, 17, 0];
    options.extend_from_slice(&[0x11; 16]);
    let payload = request(&options);
    let message = Message::parse(&payload).unwrap();
    assert_eq!(message.architectures().collect::<Vec<_>>(), [Arch(7), Arch(16)]);
    assert_eq!(message.uuid(), Some([0x11; 16]));
}

#[test]
fn a_size_below_the_minimum_reads_as_the_minimum() {
    let payload = request(&[57, 2, 0, 100]);
    assert_eq!(Message::parse(&payload).unwrap().max_message_size(), Some(576));
    assert_eq!(
        Message::parse(&payload).unwrap().u16(code::MAX_MESSAGE_SIZE),
        Some(100)
    );
}

#[test]
fn a_broken_tail_of_relay_information_spoils_only_itself() {
    let payload = request(&[82, 6, 1, 2, b'p', b'1', 2, 9, 255]);
    let relay = Message::parse(&payload).unwrap().relay_agent().unwrap();
    assert_eq!((relay.circuit_id(), relay.remote_id()), (Some(&b"p1"[..]), None));
    assert!(RelayAgent::parse(relay.value()).is_err());
}
