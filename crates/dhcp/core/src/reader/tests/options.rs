//! Options: named keys, any option by name or code, own definitions, routes.

use super::{BASE, good, refused, subnet};
use crate::reader::options_text;
use crate::settings::OptionValue;

fn options(keys: &str) -> Vec<OptionValue> {
    good(&subnet(keys)).networks[0].subnets[0].scope.options.clone()
}

fn texts(keys: &str) -> Vec<(String, String)> {
    options_text(&options(keys), &[])
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn named_keys_are_their_options() {
    let keys = r#"
gateway = ["10.0.0.1", "10.0.0.2"]
dns_servers = ["10.0.0.1"]
domain_name = "example.com"
domain_search = ["example.com", "eng.example.com"]
ntp_servers = ["10.0.0.3"]
mtu = 9000
broadcast = "10.0.0.255"
tftp_server = "10.0.0.5"
captive_portal = "https://portal.example.com/api"
dnr = "1 dns.example.com 10.0.0.1 alpn=dot"
vendor_options = ["1=ca:fe"]
"#;
    let told = texts(keys);
    for expected in pairs(&[
        ("routers", "10.0.0.1, 10.0.0.2"),
        ("domain-name-servers", "10.0.0.1"),
        ("domain-name", "example.com"),
        ("domain-search", "example.com, eng.example.com"),
        ("ntp-servers", "10.0.0.3"),
        ("interface-mtu", "9000"),
        ("broadcast-address", "10.0.0.255"),
        ("tftp-server-name", "10.0.0.5"),
        ("captive-portal", "https://portal.example.com/api"),
        ("v4-dnr", "1 dns.example.com 10.0.0.1 alpn=dot"),
    ]) {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    assert!(told.iter().any(|(name, _)| name == "vendor-encapsulated-options"));
}

#[test]
fn any_option_is_set_by_name_code_or_octets() {
    let keys = r#"
options = { time-offset = -3600, log_servers = ["10.0.0.8", "10.0.0.9"], 224 = "ca:fe", ip-forwarding = true, "209" = "x.cfg" }
"#;
    let told = texts(keys);
    let expected = pairs(&[
        ("time-offset", "-3600"),
        ("log-servers", "10.0.0.8, 10.0.0.9"),
        ("224", "ca:fe"),
        ("ip-forwarding", "true"),
        ("configuration-file", "x.cfg"),
    ]);
    assert_eq!(told, expected);
    let forms = options(
        "options = { domain-name = { value = \"a.b\", always = true }, 43 = { hex = \"01:01:ff\" }, \
                         66 = { type = \"ip\", value = \"10.0.0.1\" } }",
    );
    let value = |code: u8, data: &[u8], always| OptionValue {
        code,
        data: data.to_vec(),
        always,
    };
    assert_eq!(
        forms,
        [
            value(15, b"a.b", true),
            value(43, &[1, 1, 255], false),
            value(66, &[10, 0, 0, 1], false)
        ]
    );
}

#[test]
fn own_options_have_a_name_and_a_type() {
    let text = format!(
        "{BASE}option_defs = [{{ name = \"token\", code = 224, type = \"u16[]\" }}]\noptions = {{ token = [1, 2] }}\n"
    );
    let settings = good(&text);
    assert_eq!(settings.scope.options[0].data, [0, 1, 0, 2]);
    assert_eq!(
        options_text(&settings.scope.options, &settings.option_defs),
        pairs(&[("token", "1, 2")])
    );
}

#[test]
fn own_options_cannot_take_a_standard_code_or_name() {
    let text = refused(&format!(
        "{BASE}option_defs = [{{ name = \"a\", code = 66, type = \"ip\" }}, {{ name = \"gateway\", code = 225, type = \"ip\" }}, \
         {{ name = \"b\", code = 226, type = \"ipp\" }}, {{ name = \"c\", code = 226, type = \"ip\" }}]\n"
    ));
    for words in [
        "66 is the standard option tftp-server-name",
        "\"gateway\" is the standard option 3",
        "there is no type \"ipp\"",
        "this code is defined twice",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn routes_carry_the_gateway_as_default_route() {
    let told = texts("gateway = \"10.0.0.1\"\nstatic_routes = [\"10.9.0.0/16 via 10.0.0.2\"]");
    assert_eq!(told[1].1, "0.0.0.0/0 via 10.0.0.1, 10.9.0.0/16 via 10.0.0.2");
    let told = texts("gateway = \"10.0.0.1\"\nstatic_routes = [\"default via 10.0.0.2\"]");
    assert_eq!(told[1].1, "0.0.0.0/0 via 10.0.0.2");
    let told = texts("static_routes = [\"10.9.0.0/16 via 10.0.0.2\"]");
    assert_eq!(told[0].1, "10.9.0.0/16 via 10.0.0.2");
}

#[test]
fn routes_from_above_get_the_gateway_of_the_subnet() {
    let text = format!(
        "{BASE}static_routes = [\"10.9.0.0/16 via 10.0.0.2\"]\n\
         [[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\ngateway = \"10.0.0.1\"\n"
    );
    let settings = good(&text);
    let told = options_text(&settings.networks[0].subnets[0].scope.options, &[]);
    assert_eq!(told[1].1, "0.0.0.0/0 via 10.0.0.1, 10.9.0.0/16 via 10.0.0.2");
}

#[test]
fn an_unknown_option_names_the_nearest() {
    let expected = "\
error[PUR-9159]: dhcp.subnets[0].options.domain-nmae: there is no option `domain-nmae`
 --> a.toml:6:13
  |
6 | options = { domain-nmae = \"x\" }
  |             ^^^^^^^^^^^ did you mean `domain-name`?

1 error
";
    assert_eq!(refused(&subnet("options = { domain-nmae = \"x\" }")), expected);
}

#[test]
fn a_bad_value_is_shown_in_its_item() {
    let expected = "\
error[PUR-9160]: dhcp.subnets[0].options.log-servers: expected an IPv4 address such as 10.0.0.1, found \"10.0.0.x\"
 --> a.toml:6:41
  |
6 | options = { log-servers = [\"10.0.0.1\", \"10.0.0.x\"] }
  |                                         ^^^^^^^^

1 error
";
    assert_eq!(
        refused(&subnet(
            "options = { log-servers = [\"10.0.0.1\", \"10.0.0.x\"] }"
        )),
        expected
    );
}

#[test]
fn options_of_the_exchange_cannot_be_set() {
    let text = refused(&subnet("options = { dhcp-lease-time = 60, 53 = 5 }"));
    assert!(
        text.contains("option 51 is set by the server itself") && text.contains("use lease_time"),
        "{text}"
    );
    assert!(text.contains("option 53 is set by the server itself"), "{text}");
}

#[test]
fn an_option_is_set_once_per_level() {
    let text = refused(&subnet(
        "gateway = \"10.0.0.1\"\noptions = { routers = \"10.0.0.2\" }",
    ));
    assert!(
        text.contains("error[PUR-9162]: dhcp.subnets[0]: option 3 is set twice here"),
        "{text}"
    );
    assert!(text.contains("first set here"), "{text}");
}

#[test]
fn an_option_table_has_a_value_or_octets() {
    let text = refused(&subnet(
        "options = { 224 = { always = true }, 225 = { value = \"00\", hex = \"00\" } }",
    ));
    assert!(text.contains("neither `value` nor `hex` is set"), "{text}");
    assert!(text.contains("both `value` and `hex` are set"), "{text}");
}
