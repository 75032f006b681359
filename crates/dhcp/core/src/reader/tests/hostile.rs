//! No document makes the reader panic.

use super::checked;
use proptest::prelude::*;

const KEYS: &[&str] = &[
    "network",
    "pools",
    "gateway",
    "options",
    "reservations",
    "relays",
    "classes",
    "lease_time",
    "t1",
    "t2",
    "boot",
    "static_routes",
    "dnr",
    "vendor_options",
    "interfaces",
    "name",
    "domain_search",
    "captive_portal",
];
const VALUES: &[&str] = &[
    "\"10.0.0.0/24\"",
    "\"0.0.0.0/0\"",
    "\"255.255.255.255/32\"",
    "[\"10.0.0.0/24\"]",
    "[\"0.0.0.0-255.255.255.255\"]",
    "\"255.255.255.255\"",
    "[\"255.255.255.255\"]",
    "1",
    "-1",
    "\"\"",
    "[]",
    "{}",
    "[{}]",
    "[[]]",
    "true",
    "0.5",
    "[{ range = \"255.255.255.0/24\" }]",
    "{ 224 = \"\" }",
    "{ 6 = [] }",
    "{ 6 = [{}] }",
    "{ 255 = 1 }",
    "[{ mac = \"02:00:00:00:00:01\", address = \"10.0.0.1\" }, { uuid = \"\" }]",
    "[{ arch = [[]], file = \"x\" }]",
    "\"ä\"",
    "[\"1=\\\"ä\\\"\"]",
    "\"99999999999w\"",
    "[\"0.0.0.0/0 via\"]",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mix_of_keys_and_values_panics(
        lines in proptest::collection::btree_map(prop::sample::select(KEYS), prop::sample::select(VALUES), 0..8),
        inside in any::<bool>(),
    ) {
        let body: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let head = if inside { "[[dhcp.networks]]\nname = \"n\"\n[[dhcp.networks.subnets]]\n" } else { "[[dhcp.subnets]]\n" };
        let _ = checked("a.toml", &format!("[dhcp]\nlisten = [\"0.0.0.0:67\"]\n{head}{body}"));
    }

    #[test]
    fn no_expression_or_option_text_panics(text in "\\PC{0,40}") {
        let quoted = text.replace(['\'', '\n'], "");
        let _ = checked("a.toml", &format!(
            "[dhcp]\nflex_id = '{quoted}'\ndomain_name = '{quoted}'\noptions = {{ 121 = '{quoted}', 162 = '{quoted}' }}\n\
             [[dhcp.classes]]\nname = '{quoted}'\ntest = '{quoted}'\n"));
    }

    #[test]
    fn no_yaml_text_panics(text in "dhcp: ?\\PC{0,40}") {
        let _ = checked("a.yaml", &text);
    }
}
