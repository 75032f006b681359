//! DHCP options are typed before OVN sees them.

use proptest::prelude::*;
use purlin_ovn_core::dhcp::{Catalog, Family, Kind, Value};
use purlin_ovn_core::expr::parse;
use purlin_ovn_core::problem::Problem;
use std::collections::BTreeMap;

fn check(family: Family, cidr: &str, options: &[(&str, &str)]) -> (BTreeMap<String, String>, Vec<Problem>) {
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Catalog::builtin(family).check(cidr, &options.collect())
}

const NEEDED: [(&str, &str); 3] = [
    ("server_id", "10.0.0.1"),
    ("server_mac", "02:00:00:00:00:01"),
    ("lease_time", "3600"),
];

fn v4(options: &[(&str, &str)]) -> (BTreeMap<String, String>, Vec<String>) {
    let all: Vec<_> = NEEDED.iter().chain(options).copied().collect();
    let (written, problems) = check(Family::V4, "10.0.0.0/24", &all);
    (written, problems.iter().map(ToString::to_string).collect())
}

#[test]
fn values_are_written_as_ovn_must_have_them() {
    let (written, problems) = v4(&[
        ("bootfile_name", "pxelinux.0"),
        ("domain_name", "\"example.com\""),
        ("hostname", "a\"b\\c"),
        ("dns_server", "10.0.0.2, 10.0.0.3"),
        ("router", "{10.0.0.1}"),
        ("mtu", "1400"),
        ("ip_forward_enable", "true"),
        (
            "classless_static_route",
            "10.1.0.0/16,10.0.0.2 0.0.0.0/0,10.0.0.1",
        ),
        ("tftp_server", "boot.example.com"),
        ("domain_search_list", "a.example.com, b.example.com"),
    ]);
    assert_eq!(problems, Vec::<String>::new());
    for (name, value) in [
        ("bootfile_name", "\"pxelinux.0\""),
        ("domain_name", "\"example.com\""),
        ("hostname", "\"a\\\"b\\\\c\""),
        ("dns_server", "{10.0.0.2, 10.0.0.3}"),
        ("router", "10.0.0.1"),
        ("mtu", "1400"),
        ("ip_forward_enable", "1"),
        (
            "classless_static_route",
            "{10.1.0.0/16,10.0.0.2, 0.0.0.0/0,10.0.0.1}",
        ),
        ("tftp_server", "\"boot.example.com\""),
        ("domain_search_list", "\"a.example.com,b.example.com\""),
        ("server_mac", "02:00:00:00:00:01"),
    ] {
        assert_eq!(written[name], value, "{name}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_option() {
    for (name, value, word) in [
        ("bootfilename", "x", "`bootfile_name`"),
        ("mtu", "70000", "0 to 65535"),
        ("default_ttl", "-1", "0 to 255"),
        ("router", "10.0.0.256", "no IPv4 address"),
        ("router", "", "no IPv4 address"),
        ("router", "192.168.0.1", "outside of 10.0.0.0/24"),
        ("netmask", "255.255.255.0", "by itself"),
        ("ethernet_encap", "yes", "neither 0 nor 1"),
        ("classless_static_route", "{10.0.0.0/8}", "in turn"),
        (
            "classless_static_route",
            "{10.0.0.0/33, 10.0.0.1}",
            "no list of routes",
        ),
        ("domain_search_list", "a..b", "no domain name"),
        ("hostname", "a\nb", "control character"),
        ("hostname", "", "empty"),
        ("wpad", "\"a\"b\"", "do not match"),
    ] {
        let (_, problems) = v4(&[(name, value)]);
        assert_eq!(problems.len(), 1, "{name}={value}: {problems:?}");
        assert!(
            problems[0].contains(&format!("options:{name}")) && problems[0].contains(word),
            "{}",
            problems[0]
        );
    }
}

#[test]
fn what_ovn_needs_to_answer_at_all_is_demanded() {
    let (_, problems) = check(Family::V4, "10.0.0.0/24", &[]);
    assert_eq!(
        problems
            .iter()
            .filter(|problem| problem.code == "dhcp-option-missing")
            .count(),
        3
    );
    for cidr in ["10.0.0.0", "10.0.0.0/40", "x", "2001:db8::/64"] {
        let (_, problems) = check(Family::V4, cidr, &NEEDED);
        assert_eq!(problems[0].code, "dhcp-cidr", "{cidr}");
    }
}

#[test]
fn version_six_has_its_own_options() {
    let options = [
        ("server_id", "02:00:00:00:00:01"),
        ("dns_server", "2001:db8::53"),
        ("domain_search", "example.com"),
        ("dhcpv6_stateless", "true"),
    ];
    let (written, problems) = check(Family::V6, "2001:db8::/64", &options);
    assert_eq!(problems, Vec::new());
    assert_eq!(written["domain_search"], "\"example.com\"");
    assert_eq!(written["dhcpv6_stateless"], "true");
    let (_, problems) = check(
        Family::V6,
        "2001:db8::/64",
        &[("server_id", "10.0.0.1"), ("lease_time", "1")],
    );
    assert_eq!(problems.len(), 2, "{problems:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Whatever a person writes, what reaches a flow is one constant of OVN's language, and reads the same again.
    #[test]
    fn no_text_breaks_out_of_its_value(text in "\\PC{1,40}") {
        for kind in [Kind::Text, Kind::HostId, Kind::Domains] {
            if let Ok(value) = Value::parse(kind, &text) {
                let written = value.to_string();
                let quoted = written.starts_with('"');
                prop_assert!(!quoted || parse(&format!("inport == {written}")).is_ok(), "{}", written);
                prop_assert_eq!(Value::parse(kind, &written).unwrap(), value);
            }
        }
    }
}
