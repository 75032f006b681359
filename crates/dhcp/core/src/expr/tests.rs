//! Many small cases over one packet.

mod guide;
mod laws;

use super::*;
use std::net::Ipv4Addr;

/// A relayed DHCPDISCOVER of a PXE client, with what the cases ask for.
struct Packet {
    options: Vec<(u8, Vec<u8>)>,
}

impl Packet {
    fn pxe() -> Self {
        let options = vec![
            (12, b"web-07".to_vec()),
            (43, vec![6, 1, 8, 9, 2, 0xaa, 0xbb]),
            (51, 3600_u32.to_be_bytes().to_vec()),
            (50, vec![10, 1, 2, 3]),
            (53, vec![1]),
            (60, b"PXEClient:Arch:00007:UNDI:003016\0".to_vec()),
            (61, vec![1, 0, 0x53, 0, 0xaa, 0xbb, 0xcc]),
            (82, [&[1, 4][..], b"eth3", &[2, 2, 0xde, 0xad]].concat()),
            (93, vec![0, 7]),
            (124, [&4491_u32.to_be_bytes()[..], &[3], b"abc"].concat()),
            (125, [&4491_u32.to_be_bytes()[..], &[4, 1, 2], b"xy"].concat()),
        ];
        Self { options }
    }
}

impl Subject for Packet {
    fn option(&self, code: u8) -> Option<&[u8]> {
        self.options
            .iter()
            .find(|(found, _)| *found == code)
            .map(|(_, value)| value.as_slice())
    }
    fn mac(&self) -> &[u8] {
        &[0, 0x53, 0, 0xaa, 0xbb, 0xcc]
    }
    fn htype(&self) -> u8 {
        1
    }
    fn hlen(&self) -> u8 {
        6
    }
    fn ciaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn yiaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn siaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn giaddr(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 1, 0, 1)
    }
    fn transid(&self) -> u32 {
        0x1234_5678
    }
    fn interface(&self) -> &str {
        "eth0"
    }
    fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 1, 0, 2)
    }
    fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, 1)
    }
    fn length(&self) -> u32 {
        300
    }
    fn member(&self, class: &ClassRef) -> bool {
        &*class.name == "KNOWN"
    }
}

#[track_caller]
fn check(text: &str, expected: bool) {
    let expr = Expr::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut scratch = Scratch::default();
    assert_eq!(expr.test(&Packet::pxe(), &mut scratch), expected, "{text}");
    let again = Expr::parse(&expr.to_string()).unwrap_or_else(|e| panic!("{expr}: {e}"));
    assert_eq!(expr, again, "the canonical text of `{text}` is `{expr}`");
}

#[track_caller]
fn value(text: &str, expected: &[u8]) {
    let expr = Expr::parse_value(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut out = Vec::new();
    expr.value(&Packet::pxe(), &mut Scratch::default(), &mut out);
    assert_eq!(out, expected, "{text}");
    assert_eq!(Expr::parse_value(&expr.to_string()).as_ref(), Ok(&expr), "{expr}");
}

/// The text, the faulty part, and words that the message or the help holds.
#[track_caller]
fn fault(text: &str, part: &str, words: &str) {
    let error = Expr::parse(text).expect_err(text);
    assert_eq!(&text[error.at..error.at + error.len], part, "{text}: {error}");
    assert!(error.to_string().contains(words), "{text}: {error}");
}

#[test]
fn expressions_of_the_established_servers_keep_their_meaning() {
    check("substring(option[60].hex,0,9) == 'PXEClient'", true);
    check("substring(option[60].hex,15,5) == '00007'", true);
    check("option[61].hex == 0x01005300aabbcc", true);
    check("option[93].hex == 0x0007", true);
    check("option[93].hex == 0x0000", false);
    check("option[82].option[1].hex == 'eth3'", true);
    check("relay4[1].hex == 'eth3' and relay4[2].hex == 0xdead", true);
    check("relay4[3].exists or option[82].option[2].exists", true);
    check("not relay4[9].exists", true);
    check("pkt4.mac == 0x005300aabbcc", true);
    check("hexstring(pkt4.mac, ':') == '00:53:00:aa:bb:cc'", true);
    check("hexstring(pkt4.mac, '') == '005300aabbcc'", true);
    check("pkt4.giaddr == 10.1.0.1 and pkt4.ciaddr == 0.0.0.0", true);
    check("pkt4.htype == 1 and pkt4.hlen == 6 and pkt4.msgtype == 1", true);
    check("pkt4.htype == 0x00000001", true);
    check("pkt4.transid == 0x12345678", true);
    check(
        "pkt.iface == 'eth0' and pkt.src == 10.1.0.2 and pkt.dst == 192.0.2.1 and pkt.len == 300",
        true,
    );
    check("member('KNOWN') and not member('UNKNOWN')", true);
    check("ifelse(option[60].exists, 'a', 'b') == 'a'", true);
    check("concat('web', '-07') == option[12].text", true);
    check("'web' + '-' + '07' == option[host-name].text", true);
    check("option[51].hex == 3600", true);
    check("lcase('ABc') == 'abc' and ucase('ABc') == 'ABC'", true);
    check("split(option[60].text, ':', 3) == '00007'", true);
    check(
        "split('a.b-c', '.-', 3) == 'c' and split('a.b', '.', 9) == ''",
        true,
    );
    check(
        "addrtotext(10.0.0.1) == '10.0.0.1' and addrtotext(option[50].hex) == '10.1.2.3'",
        true,
    );
    check("int8totext(0xff) == '-1' and uint8totext(0xff) == '255'", true);
    check(
        "int16totext(0xfffe) == '-2' and uint16totext(0xffff) == '65535'",
        true,
    );
    check(
        "int32totext(0x80000000) == '-2147483648' and uint32totext(pkt.len) == '300'",
        true,
    );
    check("vendor[4491].exists and vendor[4491].option[1].hex == 'xy'", true);
    check("vendor[*].option[1].exists and not vendor[9].exists", true);
    check(
        "vendor.enterprise == 4491 and vendor-class.enterprise == 4491",
        true,
    );
    check(
        "vendor-class[4491].data == 'abc' and vendor-class[4491].data[0] == 'abc'",
        true,
    );
    check(
        "option[43].option[9].hex == 0xaabb and option[43].option[6].exists",
        true,
    );
}

#[test]
fn what_is_new_here_works() {
    check("option[51].hex < 7200 and option[51].hex >= 3600", true);
    check("pkt.len > 576", false);
    check("pkt4.giaddr in 10.0.0.0/8", true);
    check("pkt4.giaddr in 10.2.0.0-10.3.255.255", false);
    check("option[50].hex in 10.1.2.0 - 10.1.2.9", true);
    check("pkt4.giaddr in (10.9.0.0/16, 10.1.0.1)", true);
    check("option[93].hex in (6, 7, 9)", true);
    check(
        "option[60].text startswith 'PXEClient' and option[60].text endswith '003016'",
        true,
    );
    check("option[60].text contains 'UNDI'", true);
    check("option[60].text contains 'iPXE'", false);
    check("pkt4.mac == 00:53:00:aa:bb:cc", true);
    check("pkt4.mac startswith 00:53:00", true);
    check("option[vendor_class_identifier].exists", true);
    check("option[60].text == \"it's\"", false);
}

#[test]
fn what_is_absent_is_empty_and_orders_with_nothing() {
    check("option[77].hex == ''", true);
    check("option[77].hex == 0", false);
    check("option[77].hex < 5 or option[77].hex >= 5", false);
    check("option[77].hex in 0.0.0.0/0", false);
    check("option[77].hex != 0", true);
}

#[test]
fn and_binds_before_or_and_not_before_both() {
    check("member('KNOWN') or member('A') and member('B')", true);
    check("(member('KNOWN') or member('A')) and member('B')", false);
    check("not member('A') and member('KNOWN')", true);
    check("not (member('A') and member('KNOWN'))", true);
    check("not not option[12].exists", true);
    check("not pkt.len == 300", false);
    check(
        "(((member('KNOWN') and (option[12].exists and option[60].exists))))",
        true,
    );
}

#[test]
fn a_substring_counts_from_both_ends() {
    value("substring('foobar', 0, 3)", b"foo");
    value("substring('foobar', 3, all)", b"bar");
    value("substring('foobar', -1, all)", b"r");
    value("substring('foobar', -5, 3)", b"oob");
    value("substring('foobar', 4, -2)", b"ob");
    value("substring('foobar', 1, -9)", b"f");
    value("substring('foobar', 6, 1)", b"");
    value("substring('foobar', -7, 1)", b"");
    value("substring('', 0, all)", b"");
    value("substring(10.1.2.3, 1, 2)", &[1, 2]);
}

#[test]
fn values_serve_as_flexible_identifiers() {
    value(
        "relay4[1].hex + '/' + hexstring(relay4[2].hex, '-')",
        b"eth3/de-ad",
    );
    value(
        "ifelse(relay4[7].exists, relay4[7].hex, pkt4.mac)",
        &[0, 0x53, 0, 0xaa, 0xbb, 0xcc],
    );
    value("concat(0x0a, 5)", &[0x0a, 0, 0, 0, 5]);
    value("concat('a', 'b', ucase(concat('c', 'd')))", b"abCD");
    value("option[60].text", b"PXEClient:Arch:00007:UNDI:003016");
    value("0xabc", &[0x0a, 0xbc]);
}

#[test]
fn faults_say_where_and_what_to_write() {
    fault("option[60].text", "option[60].text", "compare it");
    fault(
        "subsring(option[60].hex,0,1) == 'a'",
        "subsring",
        "did you mean `substring`?",
    );
    fault("option[host-nam].exists", "host-nam", "did you mean `host-name`?");
    fault("option[300].exists", "300", "1 to 254");
    fault("pkt4.giadr == 10.0.0.1", "giadr", "did you mean `pkt4.giaddr`?");
    fault(
        "option[12].text == 5",
        "option[12].text == 5",
        "put the number in quotes",
    );
    fault("option[12].text = 'a'", "=", "write `==`");
    fault("option[12].exists && option[13].exists", "&&", "write `and`");
    fault("option[12].text == web", "web", "put text in quotes: 'web'");
    fault("option[12].text == 'web", "'web", "not closed");
    fault(
        "option[12].text < 'b'",
        "option[12].text < 'b'",
        "text has no order",
    );
    fault("pkt4.giaddr == 10.0.0.0/8", "10.0.0.0/8", "after `in`");
    fault("pkt4.giaddr in 10.1.2.3/8", "10.1.2.3/8", "10.0.0.0/8");
    fault(
        "pkt4.giaddr in 10.0.0.9-10.0.0.1",
        "10.0.0.9-10.0.0.1",
        "reversed",
    );
    fault("option[12].text in 10.0.0.0/8", "option[12].text", ".hex");
    fault(
        "pkt4.mac == '00:53:00:aa:bb:cc'",
        "pkt4.mac == '00:53:00:aa:bb:cc'",
        "without quotes",
    );
    fault(
        "option[12].exists == option[13].exists",
        "option[12].exists == option[13].exists",
        "not tests",
    );
    fault("option[12].hex == 0x1 == 0x1", "==", "two values at a time");
    fault("option[12].exists or 'a'", "'a'", "`or` joins tests");
    fault(
        "option[12].exists option[13].exists",
        "option",
        "expected `and`, `or` or the end",
    );
    fault("match('a.*', option[12].text)", "match", "no regular expressions");
    fault("pkt6.msgtype == 1", "pkt6", "DHCPv4");
    fault(
        "substring('abc', 1) == 'b'",
        ")",
        "substring(value, start, length or all)",
    );
    fault("split('abc', 'b', 0) == 'a'", "0", "counted from 1");
    fault("uint8totext(pkt.len) == 'a'", "pkt.len", "uint32totext");
    fault("pkt.len == 4294967296", "4294967296", "too large");
    fault("pkt4.giaddr == 10.0.0.256", "10.0.0.256", "not an IPv4 address");
    fault("option[12].hex == 0xzz", "0xzz", "hexadecimal digits");
    fault("option[12].exists and", "", "the expression ends");
    fault("", "", "the expression ends");
    fault("ifelse('a', 'b', 'c') == 'b'", "'a'", "chooses by a test");
    fault(
        "hexstring(option[1].exists, ':') == 'a'",
        "option[1].exists",
        "is a value",
    );
    fault("é == 1", "é", "no meaning");
    let error = Expr::parse_value("option[1].exists").expect_err("a test is no value");
    assert!(error.to_string().contains("ifelse"), "{error}");
}

#[test]
fn hostile_expressions_are_refused_in_bounded_time() {
    for text in ["(".repeat(16_000), "not ".repeat(4_000), "lcase(".repeat(2_000)] {
        let error = Expr::parse(&text).expect_err("far too deep");
        assert!(error.message.contains("nested"), "{error}");
    }
    let wide = vec!["option[1].exists"; 700].join(" and ");
    let expr = Expr::parse(&wide).expect("wide is no problem");
    assert!(!expr.test(&Packet::pxe(), &mut Scratch::default()));
    let wider = vec!["relay4[1].exists"; 700].join(" or ") + " or 'a'=='a'".repeat(110).as_str();
    let error = Expr::parse(&wider).expect_err("too many parts");
    assert!(error.message.contains("more than 1024 parts"), "{error}");
    assert!(Expr::parse(&" ".repeat(TEXT_MAX + 1)).is_err());
}

#[test]
fn values_that_would_explode_are_cut() {
    let mut text = "option[60].hex".to_owned();
    for _ in 0..20 {
        text = format!("hexstring({text}, '::::::::')");
    }
    let expr = Expr::parse_value(&text).expect("twenty levels are allowed");
    let mut out = Vec::new();
    expr.value(&Packet::pxe(), &mut Scratch::default(), &mut out);
    assert!(out.len() <= VALUE_MAX && out.len() > 4000, "{}", out.len());
}

#[test]
fn an_expression_names_what_it_depends_on() {
    let text = "member('A') and option[60].text == 'x' and relay4[1].exists and pkt4.giaddr in 10.0.0.0/8";
    let uses = Expr::parse(text).expect("correct").uses();
    assert_eq!(uses.options.into_iter().collect::<Vec<_>>(), [60]);
    assert_eq!(uses.relay_subs.into_iter().collect::<Vec<_>>(), [1]);
    assert_eq!(uses.classes.into_iter().collect::<Vec<_>>(), ["A"]);
    assert_eq!(uses.fields.into_iter().collect::<Vec<_>>(), [Field::Giaddr]);
    assert!(
        Expr::parse("pkt4.msgtype == 3")
            .expect("correct")
            .uses()
            .changes_by_packet()
    );
}

#[test]
fn options_of_the_configuration_have_names() {
    let defs = [OptionDef {
        name: "rack".into(),
        code: 224,
        kind: "string".into(),
    }];
    let expr = Expr::parse_with("option[rack].text == 'b7'", Wanted::Test, &defs).expect("defined");
    assert_eq!(expr.to_string(), "option[224].text == 'b7'");
}
