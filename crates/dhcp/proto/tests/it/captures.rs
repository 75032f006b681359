//! Packets as clients send them. Each file of `captures/` says in its first lines where it comes from.

use purlin_dhcp_proto::catalog::{by_code, encode, render};
use purlin_dhcp_proto::{Arch, Composer, Message, MessageType, code};
use std::net::Ipv4Addr;

/// The octets of a capture: hexadecimal lines, `#` comments.
fn octets(text: &str) -> Vec<u8> {
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    let digit = |octet: u8| char::from(octet).to_digit(16).expect("captures are hexadecimal") as u8;
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

macro_rules! capture {
    ($name:literal) => {
        octets(include_str!(concat!("captures/", $name, ".hex")))
    };
}

#[test]
fn dhclient_discovers_and_requests() {
    let payload = capture!("dhclient-discover");
    let discover = Message::parse(&payload).unwrap();
    assert_eq!(payload.len(), 300);
    assert_eq!(discover.message_type(), Some(MessageType::Discover));
    assert_eq!(discover.mac().unwrap().to_string(), "02:00:5e:10:00:01");
    assert_eq!(discover.host_name(), Some(&b"node-a"[..]));
    assert!(discover.requests(code::CLASSLESS_ROUTES) && discover.requests(code::DOMAIN_SEARCH));
    assert_eq!(discover.client_id(), None);
    let payload = capture!("dhclient-request");
    let request = Message::parse(&payload).unwrap();
    assert_eq!(request.message_type(), Some(MessageType::Request));
    assert_eq!(request.server_id(), Some(Ipv4Addr::new(10, 55, 0, 1)));
    assert!(
        request
            .requested_address()
            .unwrap()
            .octets()
            .starts_with(&[10, 55, 0])
    );
}

#[test]
fn an_offer_of_dnsmasq_is_read() {
    let payload = capture!("dnsmasq-offer");
    let offer = Message::parse(&payload).unwrap();
    assert_eq!((offer.op(), offer.message_type()), (2, Some(MessageType::Offer)));
    assert_eq!(offer.lease_time(), Some(3600));
    assert_eq!(
        (offer.u32(code::RENEWAL_TIME), offer.u32(code::REBINDING_TIME)),
        (Some(1800), Some(3150))
    );
    assert_eq!(
        offer.ips(code::ROUTERS).collect::<Vec<_>>(),
        [Ipv4Addr::new(10, 55, 0, 1)]
    );
    assert_eq!(offer.siaddr(), Ipv4Addr::new(10, 55, 0, 1));
}

#[test]
fn udhcpc_names_itself_in_several_ways() {
    for payload in [capture!("udhcpc-discover"), capture!("udhcpc-request")] {
        let message = Message::parse(&payload).unwrap();
        assert_eq!(message.vendor_class(), Some(&b"udhcp 1.35.0"[..]));
        assert_eq!(message.client_id(), Some(&[1, 2, 0, 0x5e, 0x10, 0, 1][..]));
        assert_eq!(message.max_message_size(), Some(576));
        let fqdn = message.client_fqdn().unwrap();
        assert_eq!(fqdn.to_text().as_deref(), Some("node-a.example.com"));
    }
}

#[test]
fn dhcpcd_sends_an_identifier_of_rfc_4361() {
    for payload in [capture!("dhcpcd-discover"), capture!("dhcpcd-request")] {
        let message = Message::parse(&payload).unwrap();
        let id = message.client_id().unwrap();
        assert_eq!((id[0], id.len()), (255, 19));
        assert_eq!(
            message.auto_configure(),
            message.has(code::AUTO_CONFIGURE).then_some(true)
        );
        assert!(message.has(145));
    }
}

#[test]
fn perfdhcp_sends_less_than_300_octets() {
    let payload = capture!("perfdhcp-discover");
    let message = Message::parse(&payload).unwrap();
    assert_eq!(payload.len(), 262);
    assert_eq!(message.message_type(), Some(MessageType::Discover));
    assert!(!message.giaddr().is_unspecified());
    assert_eq!(message.parameter_requests(), [1, 28, 2, 3, 15, 6, 12]);
}

#[test]
fn ipxe_is_known_by_its_bare_user_class() {
    let payload = capture!("ipxe-discover");
    let message = Message::parse(&payload).unwrap();
    assert!(message.user_classes().has(b"iPXE"));
    assert_eq!(message.architectures().collect::<Vec<_>>(), [Arch(0)]);
    assert!(message.uuid().is_some() && message.has(175));
}

#[test]
fn edk2_boots_by_pxe_or_by_http() {
    let payload = capture!("edk2-pxe-discover");
    let pxe = Message::parse(&payload).unwrap();
    assert!(pxe.broadcast() && pxe.vendor_class().unwrap().starts_with(b"PXEClient:Arch:00007"));
    assert!(pxe.architectures().all(Arch::is_uefi_x64));
    assert_eq!(pxe.max_message_size(), Some(1464));
    let payload = capture!("edk2-http-discover");
    let http = Message::parse(&payload).unwrap();
    assert!(http.vendor_class().unwrap().starts_with(b"HTTPClient"));
    assert!(http.architectures().all(Arch::is_http));
}

#[test]
fn windows_asks_for_its_old_routes_too() {
    let payload = capture!("windows-discover");
    let discover = Message::parse(&payload).unwrap();
    assert_eq!(discover.vendor_class(), Some(&b"MSFT 5.0"[..]));
    assert!(discover.requests(code::MS_CLASSLESS_ROUTES));
    assert_eq!(discover.requested_address(), Some(Ipv4Addr::new(10, 55, 0, 77)));
    let payload = capture!("windows-request");
    let fqdn = Message::parse(&payload).unwrap().client_fqdn().unwrap();
    assert!(!fqdn.is_wire_encoded());
    assert_eq!(fqdn.to_text().as_deref(), Some("DESKTOP-17.example.com"));
}

#[test]
fn a_boot_rom_without_end_and_a_bootp_client_are_read() {
    let payload = capture!("short-boot-rom");
    assert_eq!(
        Message::parse(&payload).unwrap().message_type(),
        Some(MessageType::Discover)
    );
    let payload = capture!("bootp-request");
    let bootp = Message::parse(&payload).unwrap();
    assert!(bootp.is_bootp() && bootp.option_count() == 0);
}

#[test]
fn a_relay_speaks_for_its_client() {
    let payload = capture!("relayed-discover");
    let message = Message::parse(&payload).unwrap();
    assert_eq!(
        (message.hops(), message.giaddr()),
        (1, Ipv4Addr::new(10, 254, 0, 1))
    );
    let relay = message.relay_agent().unwrap();
    assert_eq!(relay.link_selection(), Some(Ipv4Addr::new(10, 9, 0, 0)));
    assert_eq!(relay.server_id_override(), Some(Ipv4Addr::new(10, 9, 0, 1)));
    assert_eq!(relay.remote_id().map(<[u8]>::len), Some(8));
    assert!(relay.source_port());
    let mut buffer = [0; 1472];
    let mut composer = Composer::reply(&mut buffer, 548, &message);
    assert!(composer.echo_relay_agent(relay.value()));
    composer.message_type(MessageType::Offer);
    let composed = composer.finish();
    let reply = Message::parse(&buffer[..composed.len]).unwrap();
    assert_eq!(reply.relay_agent().unwrap().value(), relay.value());
}

#[test]
fn every_option_clients_send_is_shown_in_its_own_type() {
    let captures = [
        capture!("dhclient-request"),
        capture!("dnsmasq-offer"),
        capture!("udhcpc-request"),
        capture!("dhcpcd-request"),
        capture!("edk2-pxe-discover"),
        capture!("windows-request"),
        capture!("relayed-discover"),
        capture!("ipxe-discover"),
    ];
    for payload in &captures {
        for (code, value) in Message::parse(payload).unwrap().options() {
            let Some(info) = by_code(code) else { continue };
            let text = render(info.kind, value);
            assert!(!text.starts_with("hex:"), "{}: {text}", info.name);
            assert_eq!(encode(info.kind, &text).as_deref(), Ok(value), "{}", info.name);
        }
    }
}
