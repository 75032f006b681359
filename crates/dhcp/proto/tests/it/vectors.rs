//! Octets written in the RFCs, or composed from their figures where they give no example.

use purlin_dhcp_proto::catalog::{OptionKind, by_code, encode, render};
use purlin_dhcp_proto::message::{RelayAgent, relay_suboption};
use purlin_dhcp_proto::{Arch, Composer, Message, MessageType};

/// The octets of a request with these options.
fn request(options: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; 236];
    payload[..3].copy_from_slice(&[1, 1, 6]);
    payload.extend_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    payload.extend_from_slice(options);
    payload
}

/// Text and octets mean each other for the option of that code.
fn check(code: u8, text: &str, octets: &[u8]) {
    let kind = by_code(code).unwrap().kind;
    assert_eq!(encode(kind, text).as_deref(), Ok(octets), "{text}");
    assert_eq!(render(kind, octets), text);
}

#[test]
fn rfc_3046_section_2_relay_information_is_the_last_option() {
    let value = [1, 4, 0, 0, 0, 7, 2, 6, 2, 0, 0x5e, 0, 0, 1];
    check(82, "1=00:00:00:07, 2=02:00:5e:00:00:01", &value);
    let relay = RelayAgent::parse(&value).unwrap();
    assert_eq!(relay.get(relay_suboption::CIRCUIT_ID), Some(&[0, 0, 0, 7][..]));
    let mut buffer = [0; 548];
    let mut composer = Composer::new(&mut buffer, 548);
    composer.op(2);
    assert!(composer.echo_relay_agent(&value));
    composer.message_type(MessageType::Offer);
    composer.option(121, &[7; 280]);
    let len = composer.finish().len;
    assert_eq!(
        Message::parse(&buffer[..len]).unwrap().options().last(),
        Some((82, &value[..]))
    );
}

#[test]
fn rfc_3396_section_8_the_boot_file_in_two_pieces_is_one() {
    let payload = request(b"\x43\x07/diskle\x43\x06ss/foo\xff");
    let message = Message::parse(&payload).unwrap();
    assert_eq!(message.concat(67, &mut [0; 64]), Some(&b"/diskless/foo"[..]));
}

#[test]
fn rfc_3397_section_2_the_split_search_list_is_joined_before_it_is_read() {
    let payload = request(b"\x77\x09\x03eng\x05appl\x77\x09e\x03com\x00\x09ma\x77\x09rketing\xc0\x04\xff");
    let message = Message::parse(&payload).unwrap();
    let mut buffer = [0; 64];
    let joined = message.concat(119, &mut buffer).unwrap();
    assert_eq!(
        render(OptionKind::Domains, joined),
        "eng.apple.com, marketing.apple.com"
    );
}

#[test]
fn rfc_3442_destination_descriptors_are_as_in_its_table() {
    let rows: [(&str, &[u8]); 7] = [
        ("0.0.0.0/0", &[0]),
        ("10.0.0.0/8", &[8, 10]),
        ("10.0.0.0/24", &[24, 10, 0, 0]),
        ("10.17.0.0/16", &[16, 10, 17]),
        ("10.27.129.0/24", &[24, 10, 27, 129]),
        ("10.229.0.128/25", &[25, 10, 229, 0, 128]),
        ("10.198.122.47/32", &[32, 10, 198, 122, 47]),
    ];
    let (mut text, mut octets) = (Vec::new(), Vec::new());
    for (prefix, descriptor) in rows {
        text.push(format!("{prefix} via 10.0.0.1"));
        octets.extend_from_slice(descriptor);
        octets.extend_from_slice(&[10, 0, 0, 1]);
    }
    check(121, &text.join(", "), &octets);
    assert_eq!(
        encode(OptionKind::Routes, "default via 10.0.0.1").as_deref(),
        Ok(&[0, 10, 0, 0, 1][..])
    );
    assert_eq!(
        encode(OptionKind::Routes, "10.17.0.0/16,10.0.0.1").as_deref(),
        Ok(&[16, 10, 17, 10, 0, 0, 1][..])
    );
}

#[test]
fn rfc_4361_section_6_1_the_identifier_carries_iaid_and_duid() {
    let id = [255, 0, 0, 0, 1, 0, 1, 0, 1, 0x2a, 0, 0, 0, 2, 0, 0x5e, 0x10, 0, 1];
    let mut options = vec![61, id.len() as u8];
    options.extend_from_slice(&id);
    let payload = request(&options);
    assert_eq!(Message::parse(&payload).unwrap().client_id(), Some(&id[..]));
    check(
        61,
        "ff:00:00:00:01:00:01:00:01:2a:00:00:00:02:00:5e:10:00:01",
        &id,
    );
}

#[test]
fn rfc_4578_section_2_a_pxe_client_tells_what_it_is() {
    check(93, "7, 16", &[0, 7, 0, 16]);
    check(94, "1 3 16", &[1, 3, 16]);
    check(
        97,
        "00112233-4455-6677-8899-aabbccddeeff",
        &[
            0, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
        ],
    );
    let payload = request(&[93, 3, 0, 7, 0]);
    assert_eq!(
        Message::parse(&payload)
            .unwrap()
            .architectures()
            .collect::<Vec<_>>(),
        [Arch(7)]
    );
}

#[test]
fn rfc_8925_section_3_1_the_wait_is_four_octets_of_seconds() {
    check(108, "1800", &[0, 0, 7, 8]);
}

#[test]
fn rfc_8910_section_2_1_the_portal_is_a_uri() {
    check(
        114,
        "https://portal.example.com/api",
        b"https://portal.example.com/api",
    );
    check(
        114,
        "urn:ietf:params:capport:unrestricted",
        b"urn:ietf:params:capport:unrestricted",
    );
}

#[test]
fn rfc_9463_section_5_1_a_resolver_has_priority_name_addresses_and_parameters() {
    let adn = b"\x03dns\x07example\x03com\x00";
    let mut octets = vec![0, 45, 0, 100, adn.len() as u8];
    octets.extend_from_slice(adn);
    octets.extend_from_slice(&[4, 10, 0, 0, 53]);
    octets.extend_from_slice(b"\x00\x01\x00\x07\x03dot\x02h2");
    octets.extend_from_slice(&[0, 3, 0, 2, 0x03, 0x55]);
    octets[1] = (octets.len() - 2) as u8;
    check(162, "100 dns.example.com 10.0.0.53 alpn=dot,h2 port=853", &octets);
    let mut only_name = vec![0, (3 + adn.len()) as u8, 0, 1, adn.len() as u8];
    only_name.extend_from_slice(adn);
    check(162, "1 dns.example.com", &only_name);
    let both = [octets, only_name].concat();
    check(
        162,
        "100 dns.example.com 10.0.0.53 alpn=dot,h2 port=853; 1 dns.example.com",
        &both,
    );
}

#[test]
fn rfc_9463_parameters_are_sorted_by_key_and_unknown_ones_kept() {
    let text = "1 a.example 10.0.0.1 key9=01:02 dohpath=/q{?dns} port=443";
    let octets = encode(OptionKind::Dnr, text).unwrap();
    assert_eq!(
        render(OptionKind::Dnr, &octets),
        "1 a.example 10.0.0.1 port=443 dohpath=/q{?dns} key9=01:02"
    );
    assert!(encode(OptionKind::Dnr, "1 a.example 10.0.0.1 port=1 port=2").is_err());
    assert!(encode(OptionKind::Dnr, "1 a.example alpn=dot").is_err());
}
