//! What is an expression, what it means in OVN's own form, and what is said about the rest.

use crate::names::{Known, formula};
use purlin_ovn_core::expr::{Kind, annotate, lower, parse, unknown};

/// Each text, and the form in which OVN's `test-ovn parse-expr` would print it.
const READ: &[(&str, &str)] = &[
    ("eth.type==0x800", "eth.type == 0x800"),
    ("eth.type[0..15] == 0x800", "eth.type == 0x800"),
    ("!(vlan.present == 0)", "vlan.present"),
    ("vlan.present != 1", "!vlan.present"),
    ("!(eth.dst[3] != 0)", "!eth.dst[3]"),
    ("vlan.tci == 0x3000/0xf000", "vlan.tci[12..15] == 0x3"),
    ("vlan.tci == 0x3001/0xf001", "vlan.tci == 0x3001/0xf001"),
    ("!vlan.pcp", "vlan.pcp == 0"),
    ("4 <= vlan.pcp", "vlan.pcp >= 0x4"),
    ("!(0x4 >= vlan.pcp)", "vlan.pcp > 0x4"),
    ("1 < vlan.pcp <= 4", "vlan.pcp > 0x1 && vlan.pcp <= 0x4"),
    ("!(4 >= vlan.pcp > 1)", "vlan.pcp > 0x4 || vlan.pcp <= 0x1"),
    ("vlan.pcp == {1, 2}", "vlan.pcp == 0x1 || vlan.pcp == 0x2"),
    ("vlan.pcp == {1 2,}", "vlan.pcp == 0x1 || vlan.pcp == 0x2"),
    ("vlan.pcp != {1, 2}", "vlan.pcp != 0x1 && vlan.pcp != 0x2"),
    ("ip || (arp || (rarp))", "ip || arp || rarp"),
    (
        "ip && !(tcp.dst == 1 && (tcp.src == 2 && ct.est))",
        "ip && (tcp.dst != 0x1 || tcp.src != 0x2 || !ct.est)",
    ),
    (
        "ip4.src == {10.0.0.0/8, 8.8.8.8}",
        "ip4.src[24..31] == 0xa || ip4.src == 0x8080808",
    ),
    ("ip4.src == ::1.2.3.4/::ffff:ffff", "ip4.src == 0x1020304"),
    (
        "ip6.dst == ff02::1:ff00:0/104",
        "ip6.dst[24..127] == 0xff0200000000000000000001ff",
    ),
    ("eth.src == 02:00:00:00:00:01", "eth.src == 0x20000000001"),
    ("1 // all", "1"),
    ("!1", "0"),
    (
        "inport == {\"vm1\", \"a\\\"b\"}",
        "inport == \"vm1\" || inport == \"a\\\"b\"",
    ),
    ("!(inport != \"vm1\")", "inport == \"vm1\""),
    ("!is_chassis_resident(\"lrp0\")", "!is_chassis_resident(\"lrp0\")"),
    (
        "ip4.src == $set1",
        "ip4.src == 0xa000001 || ip4.src == 0xa000002 || ip4.src == 0xa000003",
    ),
    ("ip4.src == $empty", "0"),
    ("ip4.src != $empty", "1"),
    ("outport == @web", "outport == \"vm1\" || outport == \"vm2\""),
    ("inport == {\"vm3\", @none}", "inport == \"vm3\""),
];

#[test]
fn expressions_mean_what_they_mean_to_ovn() {
    for (text, expected) in READ {
        assert_eq!(formula(text).to_string(), *expected, "{text}");
        assert_eq!(formula(expected).to_string(), *expected, "printed form of {text}");
    }
}

#[test]
fn fields_bring_what_they_need() {
    for (text, expected) in [
        ("ip4.src != 1.2.3.4", "ip4.src != 0x1020304 && eth.type == 0x800"),
        (
            "tcp.dst == 1 || (tcp.dst >= 2 && tcp.dst <= 3)",
            "(tcp.dst == 0x1 || (tcp.dst >= 0x2 && tcp.dst <= 0x3)) && ip.proto == 0x6 && (eth.type == 0x800 || eth.type == 0x86dd)",
        ),
        ("!vlan.pcp", "vlan.tci[13..15] == 0 && vlan.tci[12]"),
        (
            "!reg0 && reg9 == 1",
            "xxreg0[96..127] == 0 && xreg4[0..31] == 0x1",
        ),
        (
            "!ip.first_frag",
            "!ip.frag[0] || (eth.type != 0x800 && eth.type != 0x86dd) || (ip.frag[1] && (eth.type == 0x800 || eth.type == 0x86dd))",
        ),
        ("ct.est", "ct_state[1] && ct_state[5]"),
    ] {
        assert_eq!(annotate(&formula(text)).to_string(), expected, "{text}");
    }
}

/// Each text, what is marked by the caret, and a word of the sentence or of the help.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "", "empty"),
    ("ip4.src == \"eth0\"", "\"eth0\"", "text"),
    ("inport == 1", "1", "name of a port"),
    ("inport == $set1", "$set1", "name of a port"),
    ("ip4.src = 1.2.3.4", "=", "`==`"),
    ("ip4.src > {1, 2}", "{1, 2}", "one value"),
    ("eth.type > 0x800", "eth.type", "nominal"),
    ("vlan.present > 0", "vlan.present", "Boolean"),
    ("inport != \"vm1\"", "inport", "equal"),
    ("!(eth.type == 0x800)", "eth.type", "equal"),
    ("!ip", "ip", "no `!ip`"),
    ("ip == 0", "ip", "being true"),
    ("!(tcp && ip.proto == 6)", "tcp", "being true"),
    ("123 == 123", "123", "field"),
    ("xyzzy == 1", "xyzzy", "no field"),
    ("ip4.scr == 10.0.0.1", "ip4.scr", "`ip4.src`"),
    ("inport[1] == 1", "[", "no bits"),
    ("eth.type[] == 1", "]", "number of a bit"),
    ("eth.type[::1] == 1", "::1", "number of a bit"),
    ("eth.dst[5!]", "!", "`]`"),
    ("eth.dst[5..1]", "5..1", "wrong way"),
    ("eth.type[12..16]", "12..16", "0 to 15"),
    ("eth.type[10] == 1", "10", "as a whole"),
    ("eth.type", "eth.type", "!= 0"),
    ("!(!(vlan.pcp))", "vlan.pcp", "!= 0"),
    ("123", "", "relation"),
    ("{1, \"eth0\"} == tcp.dst", "{1, \"eth0\"}", "text"),
    ("inport == vm1", "vm1", "in quotes"),
    ("(1 x)", "x", "`)`"),
    ("!0x800 != vlan.tci", "!0x800 != vlan.tci", "parentheses"),
    ("ip4 || arp && tcp", "&&", "a && (b || c)"),
    ("eth.dst == {}", "}", "at least one"),
    ("eth.src > 0:1", "0:1", "neither"),
    (
        "eth.src > 00:00:00:00:11:11/00:00:00:00:ff:ff",
        "00:00:00:00:11:11/00:00:00:00:ff:ff",
        "select the bits",
    ),
    ("ip4.src == ::1", "::1", "128 bits"),
    ("tcp.dst == 65536", "65536", "17 bits"),
    ("1 == eth.dst == 2", "1 == eth.dst == 2", "one way"),
    ("1 < eth.dst > 2", "1 < eth.dst > 2", "one way"),
    ("eth.dst[40] x", "x", "`&&` or `||`"),
    ("ip4 &&", "", "the end"),
    ("!!ip4.src", "!", "value"),
    ("tcp.dst == ^port", "^port", "template"),
    (
        "chassis_resident(\"a\")",
        "chassis_resident",
        "is_chassis_resident",
    ),
    ("is_chassis_resident(a)", "a", "name of a port"),
    ("ip4 & tcp", "&", "`&&`"),
];

#[test]
fn what_is_refused_names_the_place_and_what_would_be_right() {
    for (text, marked, word) in REFUSED {
        let Err(fault) = parse(text) else {
            panic!("{text} is read");
        };
        let shown = fault.to_string();
        assert!(shown.contains(word), "{text}\n{shown}");
        assert_eq!(
            text.get(fault.span.start..fault.span.end).unwrap_or(""),
            *marked,
            "{text}\n{shown}"
        );
    }
}

#[test]
fn a_fault_shows_line_caret_and_help() {
    let fault = parse("ip4 &&\n  tpc.dst == 80").unwrap_err();
    let expected = "`tpc.dst` is no field (at character 10)\n  |   tpc.dst == 80\n  |   ^^^^^^^\n  = did you mean `tcp.dst`?";
    assert_eq!(fault.to_string(), expected);
}

#[test]
fn unknown_names_are_named_with_the_nearest_one() {
    let parsed = parse("inport == @wep && ip4.src == {$set1, $st1} && outport == \"vm4\"").unwrap();
    let kinds: Vec<_> = parsed
        .uses
        .iter()
        .map(|used| (used.kind, used.name.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Kind::PortGroup, "wep"),
            (Kind::AddressSet, "set1"),
            (Kind::AddressSet, "st1"),
            (Kind::Port, "vm4")
        ]
    );
    let faults: Vec<String> = unknown(&parsed, &Known).iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        faults[0].contains("no port group `@wep`") && faults[0].contains("`web`"),
        "{}",
        faults[0]
    );
    assert!(
        faults[1].contains("no address set `$st1`") && faults[1].contains("`set1`"),
        "{}",
        faults[1]
    );
    assert!(faults[2].contains("no port `vm4`"), "{}", faults[2]);
    assert!(lower(&parsed, &Known).is_err());
}

#[test]
fn a_set_of_wide_addresses_does_not_go_with_a_narrow_field() {
    let parsed = parse("ip4.src == $set2").unwrap();
    let fault = lower(&parsed, &Known).unwrap_err();
    assert!(fault.message.contains("128 bits"), "{fault}");
    assert_eq!(&parsed.text[fault.span.start..fault.span.end], "$set2");
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth: usize| format!("{}0{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(100)).is_ok());
    assert!(parse(&nested(101)).unwrap_err().message.contains("100"));
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&"!".repeat(100_000)).is_err());
    let long = "1 && ".repeat(210_000) + "1";
    assert!(parse(&long).unwrap_err().to_string().contains("address sets"));
}
