//! Claims about names, types and texts of options.

use super::*;
use proptest::prelude::*;

fn check(kind: OptionKind, text: &str, octets: &[u8]) {
    assert_eq!(encode(kind, text).as_deref(), Ok(octets), "{text}");
    let shown = render(kind, octets);
    assert_eq!(encode(kind, &shown).as_deref(), Ok(octets), "{shown}");
    assert!(!shown.starts_with("hex:"), "{kind}: {shown}");
}

#[test]
fn codes_ascend_and_names_are_unique() {
    assert!(all().is_sorted_by(|a, b| a.code < b.code));
    let mut names: Vec<_> = all()
        .flat_map(|info| info.aliases.iter().copied().chain([info.name]))
        .collect();
    for name in &names {
        assert_eq!(*name, name.to_ascii_lowercase().replace('_', "-"));
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(all().count() >= 120);
}

#[test]
fn options_are_found_by_any_common_name() {
    let code = |text: &str| lookup(text).map(|info| info.code);
    for text in [
        "6",
        "dns_servers",
        "domain-name-servers",
        "option:dns-server",
        "Domain_Name_Servers",
        "dns",
    ] {
        assert_eq!(code(text), Some(6), "{text}");
    }
    assert_eq!(code("dhcp-lease-time"), code("lease_time"));
    assert_eq!(code("option-6rd"), Some(212));
    assert_eq!(code("dhcp-classless-static-routes"), Some(121));
    assert_eq!(code("224"), None);
    assert_eq!(code("nonsense"), None);
    for info in all() {
        assert_eq!(lookup(info.name), Some(info));
        assert_eq!(by_code(info.code), Some(info));
        assert!(
            info.aliases.iter().all(|alias| lookup(alias) == Some(info)),
            "{}",
            info.name
        );
    }
}

#[test]
fn plain_values_are_written_as_people_write_them() {
    use OptionKind as K;
    check(K::Empty, "", &[]);
    check(K::Bool, "yes", &[1]);
    check(K::U8, "64", &[64]);
    check(K::U8, "0x40", &[64]);
    check(K::U16, "1500", &[5, 220]);
    check(K::U32, "4294967295", &[255; 4]);
    check(K::I32, "-3600", &[255, 255, 241, 240]);
    check(K::Seconds, "1h", &[0, 0, 14, 16]);
    check(K::Seconds, "1d12h", &129_600u32.to_be_bytes());
    check(K::Seconds, "forever", &[255; 4]);
    check(K::Ip, " 10.0.0.1 ", &[10, 0, 0, 1]);
    check(K::Ip6, "::1", &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    check(K::Text, "pc 1", b"pc 1");
    check(K::Text, "0xyz", b"0xyz");
    check(
        K::Uri,
        "urn:ietf:params:capport:unrestricted",
        b"urn:ietf:params:capport:unrestricted",
    );
    check(K::Domain, "a.example.", b"\x01a\x07example\x00");
    check(K::Bytes, "01:02-0a0B", &[1, 2, 10, 11]);
    check(K::Bytes, "0x0102", &[1, 2]);
    check(K::U8s, "1,3, 6", &[1, 3, 6]);
    check(K::U16s, "68 296", &[0, 68, 1, 40]);
    check(K::Ips, "10.0.0.1,10.0.0.2", &[10, 0, 0, 1, 10, 0, 0, 2]);
    check(K::IpPairs, "10.9.0.0 10.0.0.1", &[10, 9, 0, 0, 10, 0, 0, 1]);
    check(K::IpPairs, "10.9.0.0 -> 10.0.0.1", &[10, 9, 0, 0, 10, 0, 0, 1]);
    check(K::UserClasses, "iPXE, lab", b"\x04iPXE\x03lab");
    check(K::UserClasses, "bare:iPXE", b"iPXE");
    check(K::Fqdn, "SE pc.example", b"\x05\0\0\x02pc\x07example\0");
    check(K::Fqdn, "- pc", b"\0\0\0pc");
    check(K::SipServers, "10.0.0.1 10.0.0.2", &[1, 10, 0, 0, 1, 10, 0, 0, 2]);
    check(K::SipServers, "sip.example", b"\0\x03sip\x07example\0");
    check(
        K::PcpServers,
        "10.0.0.1,10.0.0.2; 10.0.0.3",
        &[8, 10, 0, 0, 1, 10, 0, 0, 2, 4, 10, 0, 0, 3],
    );
    check(
        K::Uris,
        "https://a/x,https://b/",
        b"\x00\x0bhttps://a/x\x00\x0ahttps://b/",
    );
}

#[test]
fn structured_values_are_written_as_people_write_them() {
    use OptionKind as K;
    check(
        K::Suboptions,
        "1=\"eth1, a\", 2=ca:fe, 5=10.0.0.0",
        b"\x01\x07eth1, a\x02\x02\xca\xfe\x05\x04\x0a\0\0\0",
    );
    check(
        K::VendorClasses,
        "4491=\"a,b\"+\"docsis\"",
        b"\0\0\x11\x8b\x0b\x03a,b\x06docsis",
    );
    check(
        K::VendorOptions,
        "3561/4=\"x1\", 3561/5=00, 9/1=0x02",
        b"\0\0\x0d\xe9\x07\x04\x02x1\x05\x01\0\0\0\0\x09\x03\x01\x01\x02",
    );
    let record = |code: u8| by_code(code).unwrap().kind;
    check(record(151), "1 no such lease", b"\x01no such lease");
    check(
        record(78),
        "true 10.0.0.1,10.0.0.2",
        &[1, 10, 0, 0, 1, 10, 0, 0, 2],
    );
    check(record(159), "6 8 0x0100", &[6, 8, 1, 0]);
    check(
        record(146),
        "1 10.0.0.1 10.0.0.2 a.example",
        b"\x01\x0a\0\0\x01\x0a\0\0\x02\x01a\x07example\0",
    );
    check(record(94), "1 3 16", &[1, 3, 16]);
    check(
        OptionKind::Uuid,
        "00112233-4455-6677-8899-aabbccddeeff",
        b"\0\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
    );
}

#[test]
fn every_record_example_is_right() {
    for info in all() {
        if let OptionKind::Record(shape) = info.kind {
            let octets = encode(info.kind, shape.example).unwrap();
            assert_eq!(render(info.kind, &octets), shape.example);
        }
    }
}

#[test]
fn octets_are_accepted_for_every_kind() {
    for word in OptionKind::words() {
        let kind = OptionKind::parse(word).unwrap();
        assert_eq!(encode(kind, "hex:01:02").as_deref(), Ok(&[1, 2][..]), "{word}");
        if !kind.is_number() {
            assert_eq!(encode(kind, "0x0102").as_deref(), Ok(&[1, 2][..]), "{word}");
        }
    }
}

#[test]
fn wrong_values_are_told_with_what_would_be_right() {
    use OptionKind as K;
    let fault = |kind, text: &str| encode(kind, text).unwrap_err().to_string();
    assert_eq!(
        fault(K::Ips, "10.0.0.1, 10.0.0"),
        "expected an IPv4 address such as 10.0.0.1, found \"10.0.0\""
    );
    assert_eq!(
        fault(K::U8, "256"),
        "expected a number from 0 to 255, found \"256\""
    );
    assert_eq!(
        fault(K::Ips, ""),
        "the value is empty; expected IPv4 addresses separated by commas"
    );
    assert_eq!(
        fault(K::Routes, "10.0.0.5/8 via 10.0.0.1"),
        "expected the network 10.0.0.0/8 (host bits are set), found \"10.0.0.5/8\""
    );
    assert_eq!(
        fault(K::Routes, "10.0.0.0/8"),
        "expected `10.0.0.0/8 via ROUTER`, found \"10.0.0.0/8\""
    );
    assert!(fault(K::Domains, "a..b").contains("a label is empty"));
    assert!(fault(K::Uri, "portal").contains("https://"));
    assert!(fault(K::Text, "a\nb").contains("control"));
    assert!(fault(K::Bytes, "123").contains("pairs"));
    assert!(fault(K::Text, &"x".repeat(ENCODED_MAX + 1)).contains("at most 1200 octets, not 1201"));
    let several = encode_items(K::Ip, &["10.0.0.1", "10.0.0.2"])
        .unwrap_err()
        .to_string();
    assert_eq!(
        several,
        "expected one value: an IPv4 address such as 10.0.0.1, found \"10.0.0.1, 10.0.0.2\""
    );
}

#[test]
fn items_and_one_text_mean_the_same() {
    use OptionKind as K;
    let lists = [
        (K::Ips, "10.0.0.1, 10.0.0.2"),
        (K::Domains, "a.b, c.b"),
        (K::Routes, "10.0.0.0/8 via 10.0.0.1, 0.0.0.0/0 via 10.0.0.2"),
    ];
    for (kind, text) in lists {
        let items: Vec<&str> = text.split(", ").collect();
        assert_eq!(encode(kind, text), encode_items(kind, &items));
    }
    assert_eq!(encode_items(K::U8, &["7"]).as_deref(), Ok(&[7][..]));
    assert!(encode_items(K::Ips, &[]).is_err());
}

fn kinds() -> impl Strategy<Value = OptionKind> {
    prop::sample::select(
        OptionKind::words()
            .map(|word| OptionKind::parse(word).unwrap())
            .collect::<Vec<_>>(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_octets_are_rendered_to_a_text_that_reads_back(
        kind in kinds(),
        octets in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let text = render(kind, &octets);
        prop_assert_eq!(encode(kind, &text), Ok(octets), "{} {}", kind, text);
    }

    #[test]
    fn any_text_is_refused_or_reads_back(kind in kinds(), text in "\\PC{0,24}") {
        if let Ok(octets) = encode(kind, &text) {
            let shown = render(kind, &octets);
            prop_assert_eq!(encode(kind, &shown), Ok(octets));
        }
    }

    #[test]
    fn likely_text_is_refused_or_reads_back(kind in kinds(), text in "[0-9a-f.,:;/=\" x-]{0,24}") {
        if let Ok(octets) = encode(kind, &text) {
            let shown = render(kind, &octets);
            prop_assert_eq!(encode(kind, &shown), Ok(octets));
        }
    }
}
