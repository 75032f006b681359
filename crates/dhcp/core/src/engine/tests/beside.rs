//! Beside another DHCP server: boot clients are told what to boot, and nobody gets an address.

use super::conversation::{Answer, Ask, Link, RELAY, SERVER, mac, network, settings};
use crate::settings::{BootEntry, Settings};
use crate::step::{Arrival, Destination, Reply, Verdict};
use purlin_dhcp_proto::{MessageType, code};
use purlin_types::Mac;
use std::net::{Ipv4Addr, SocketAddrV4};

const NONE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 9, 9);
const BIOS: &[u8] = b"PXEClient:Arch:00000:UNDI:002001";
const UEFI: &[u8] = b"PXEClient:Arch:00007:UNDI:003016";
const HTTP: &[u8] = b"HTTPClient:Arch:00016:UNDI:003016";

/// The whole service is a proxy; files for BIOS, UEFI and HTTP.
fn proxy() -> Settings {
    let mut settings = settings(&[]);
    settings.proxy = true;
    settings.networks.clear();
    let entry = |arch: u16, file: &str| BootEntry {
        architectures: vec![arch],
        file: file.into(),
        ..BootEntry::default()
    };
    settings.scope.boot = vec![
        entry(0, "bios.0"),
        entry(7, "x64.efi"),
        entry(16, "http://{server}/x64.efi"),
    ]
    .into();
    settings
}

fn local(settings: &Settings) -> Link {
    let mut link = Link::new(settings);
    link.interface = Some(0);
    link.source = NONE;
    link
}

fn ask(kind: MessageType, arch: u8, vendor: &[u8]) -> Ask {
    Ask::new(kind, 1)
        .giaddr(NONE)
        .with(code::CLIENT_ARCH, [0, arch])
        .with(code::VENDOR_CLASS, vendor)
        .with(code::CLIENT_UUID, vec![7; 17])
}

/// The same at port 4011, from the client's own address.
fn ask_again(link: &mut Link, ask: &Ask) -> Answer {
    let payload = ask.bytes();
    let arrival = Arrival {
        payload: &payload,
        source: SocketAddrV4::new(CLIENT, 4011),
        local: SERVER,
        port: 4011,
        interface: Some(0),
        broadcast: false,
        attempt: 0,
    };
    let (mut reply, mut records) = (Reply::default(), Vec::new());
    let (now, tenure, log) = (link.now, link.tenure, link.log);
    let verdict = link
        .engine
        .step(&now, &tenure, log, &arrival, &mut reply, &mut records);
    assert!(records.is_empty());
    Answer {
        verdict,
        bytes: reply.as_bytes().to_vec(),
        to: reply.to,
    }
}

fn file(answer: &Answer) -> String {
    let message = answer.message();
    let file = message.file();
    let end = file.iter().position(|&b| b == 0).unwrap_or(file.len());
    String::from_utf8_lossy(&file[..end]).into_owned()
}

#[test]
fn a_bios_client_is_told_its_file_and_not_to_discover() {
    let mut link = local(&proxy());
    let offer = link.send(&ask(MessageType::Discover, 0, BIOS));
    let message = offer.message();
    assert_eq!((offer.kind(), offer.address()), (MessageType::Offer, NONE));
    assert_eq!(message.siaddr(), SERVER);
    assert_eq!(message.server_id(), Some(SERVER));
    assert_eq!(message.vendor_class(), Some(&b"PXEClient"[..]));
    assert_eq!(message.whole(code::VENDOR_INFORMATION), Some(&[6, 1, 8, 255][..]));
    assert_eq!(message.whole(code::CLIENT_UUID), Some(&[7; 17][..]));
    assert_eq!(message.lease_time(), None);
    assert!(!message.has(code::SUBNET_MASK) && message.broadcast());
    assert_eq!(file(&offer), "bios.0");
    assert_eq!(offer.to, Destination::Broadcast { interface: 0 });
    assert_eq!(link.reason(), "proxy_offered");
}

#[test]
fn uefi_firmware_is_sent_to_port_4011_and_answered_there() {
    let mut settings = proxy();
    settings.scope.next_server = Some(Ipv4Addr::new(10, 0, 0, 9));
    let mut link = local(&settings);
    let offer = link.send(&ask(MessageType::Discover, 7, UEFI));
    assert!(!offer.message().has(code::VENDOR_INFORMATION));
    assert_eq!(offer.message().siaddr(), SERVER, "who is asked again");
    assert_eq!(file(&offer), "");
    let ack = ask_again(&mut link, &ask(MessageType::Request, 7, UEFI).ciaddr(CLIENT));
    assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, NONE));
    assert_eq!(ack.message().ciaddr(), CLIENT);
    assert_eq!(file(&ack), "x64.efi");
    assert_eq!(ack.message().siaddr(), Ipv4Addr::new(10, 0, 0, 9));
    assert_eq!(ack.to, Destination::Udp(SocketAddrV4::new(CLIENT, 4011)));
    assert_eq!(link.reason(), "proxy_confirmed");
    let facts = link.engine.boot_facts(&link.now, CLIENT).expect("noted");
    assert_eq!((facts.mac, facts.hostname), (Mac(mac(1)), None));
    assert_eq!(facts.architecture.as_deref(), Some("uefi-x64"));
}

#[test]
fn ipxe_takes_file_and_server_from_the_offer() {
    let mut settings = proxy();
    settings.scope.next_server = Some(Ipv4Addr::new(10, 0, 0, 9));
    let mut link = local(&settings);
    let offer = link.send(&ask(MessageType::Discover, 7, UEFI).with(code::USER_CLASS, *b"iPXE"));
    assert_eq!(file(&offer), "x64.efi");
    assert_eq!(offer.message().siaddr(), Ipv4Addr::new(10, 0, 0, 9));
}

#[test]
fn an_http_client_gets_its_url() {
    let mut link = local(&proxy());
    let offer = link.send(&ask(MessageType::Discover, 16, HTTP));
    let message = offer.message();
    assert_eq!(
        message.whole(code::BOOT_FILE_NAME),
        Some(&b"http://10.0.0.2/x64.efi"[..])
    );
    assert_eq!(message.vendor_class(), Some(&b"HTTPClient"[..]));
    assert!(!message.has(code::VENDOR_INFORMATION));
}

#[test]
fn nobody_else_is_answered_and_nothing_is_recorded() {
    let mut link = local(&proxy());
    let silent = |link: &mut Link, ask: &Ask, reason: &str| {
        assert_eq!(link.send(ask).verdict, Verdict::Silent);
        assert_eq!(link.reason(), reason);
    };
    let plain = |kind| Ask::new(kind, 2).giaddr(NONE);
    for kind in [MessageType::Discover, MessageType::Request, MessageType::Inform] {
        silent(&mut link, &plain(kind), "proxy_not_booting");
    }
    let mut bootp = plain(MessageType::Discover);
    bootp.kind = None;
    silent(&mut link, &bootp, "proxy_not_booting");
    let foreign = Ipv4Addr::new(192, 0, 2, 77);
    let taking = ask(MessageType::Request, 0, BIOS)
        .requested(foreign)
        .server(Ipv4Addr::new(192, 0, 2, 1));
    silent(&mut link, &taking, "proxy_address");
    assert!(link.engine.boot_facts(&link.now, foreign).is_some());
    for kind in [MessageType::Decline, MessageType::Release] {
        silent(&mut link, &ask(kind, 0, BIOS), "proxy_address");
    }
    silent(&mut link, &ask(MessageType::Discover, 11, BIOS), "proxy_no_file");
    assert!(link.journal.is_empty());
}

#[test]
fn a_relayed_client_is_answered_through_its_relay() {
    let mut link = Link::new(&proxy());
    let offer = link.send(&ask(MessageType::Discover, 0, BIOS).giaddr(RELAY));
    assert_eq!(offer.to, Destination::Udp(SocketAddrV4::new(RELAY, 67)));
    assert!(
        offer.message().broadcast(),
        "the relay has no address to send it to"
    );
    // A giaddr that nobody vouches for gets nothing, though every address is served.
    let answer = link.send(&ask(MessageType::Discover, 0, BIOS).giaddr(Ipv4Addr::new(198, 51, 100, 7)));
    assert_eq!(answer.verdict, Verdict::Silent);
    assert_eq!(link.reason(), "bad_relay");
}

#[test]
fn one_subnet_may_be_anothers_while_others_are_served() {
    let mut settings = settings(&["10.0.1.0-10.0.1.9"]);
    settings.scope.boot_file = Some("bios.0".into());
    let mut other = network("other", "10.7.0.0/16", &[]);
    other.subnets[0].proxy = true;
    settings.networks.push(other);
    let mut link = Link::new(&settings);
    let served = link.send(&Ask::new(MessageType::Discover, 1));
    assert_eq!(served.address(), Ipv4Addr::new(10, 0, 1, 0));
    let relay = Ipv4Addr::new(10, 7, 0, 1);
    let beside = link.send(&ask(MessageType::Discover, 0, BIOS).giaddr(relay));
    assert_eq!(beside.address(), NONE);
    assert_eq!(file(&beside), "bios.0");
    let plain = link.send(&Ask::new(MessageType::Discover, 2).giaddr(relay));
    assert_eq!(plain.verdict, Verdict::Silent);
    // At port 4011 a client of the other subnet is told its file too, and no lease comes of it.
    let ack = ask_again(&mut link, &ask(MessageType::Request, 0, BIOS).ciaddr(CLIENT));
    assert_eq!((ack.kind(), file(&ack).as_str()), (MessageType::Ack, "bios.0"));
    assert_eq!(link.engine.lease(&link.now, CLIENT), None);
}
