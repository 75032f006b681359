//! Faults between values, each with both places.

use super::{BASE, refused, subnet};

#[test]
fn a_reversed_range_says_which_way_is_right() {
    let expected = "\
error[PUR-9107]: dhcp.subnets[0].pools[0]: the range is reversed: 10.0.0.9 is above 10.0.0.5; write 10.0.0.5-10.0.0.9
 --> a.toml:6:10
  |
6 | pools = [\"10.0.0.9-10.0.0.5\"]
  |          ^^^^^^^^^^^^^^^^^^^

1 error
";
    assert_eq!(refused(&subnet("pools = [\"10.0.0.9-10.0.0.5\"]")), expected);
}

#[test]
fn overlapping_subnets_show_both_places() {
    let expected = "\
error[PUR-9151]: dhcp.subnets[1]: the subnet 10.0.0.128/25 overlaps 10.0.0.0/24
 --> a.toml:8:11
  |
8 | network = \"10.0.0.128/25\"
  |           ^^^^^^^^^^^^^^^
 ::: a.toml:4:8
  |
4 | name = \"main\"
  |        ------ 10.0.0.0/24 is here

1 error
";
    assert_eq!(
        refused(&subnet("\n[[dhcp.subnets]]\nnetwork = \"10.0.0.128/25\"")),
        expected
    );
}

#[test]
fn every_subnet_that_overlaps_is_reported() {
    let many: String = (0..4)
        .map(|i| {
            format!(
                "[[dhcp.subnets]]\nname = \"s{i}\"\nnetwork = \"10.0.0.{}/26\"\n",
                i * 64
            )
        })
        .collect();
    let text = refused(&subnet(&format!("\n{many}")));
    assert_eq!(text.matches("PUR-9151").count(), 4, "{text}");
}

#[test]
fn overlapping_pools_show_both_places() {
    let expected = "\
error[PUR-9152]: dhcp.subnets[0].pools[1]: the pool 10.0.0.15-10.0.0.30 overlaps 10.0.0.10-10.0.0.20
 --> a.toml:6:33
  |
6 | pools = [\"10.0.0.10-10.0.0.20\", \"10.0.0.15-10.0.0.30\"]
  |                                 ^^^^^^^^^^^^^^^^^^^^^
 ::: a.toml:6:10
  |
6 | pools = [\"10.0.0.10-10.0.0.20\", \"10.0.0.15-10.0.0.30\"]
  |          --------------------- the other pool is here

1 error
";
    assert_eq!(
        refused(&subnet(
            "pools = [\"10.0.0.10-10.0.0.20\", \"10.0.0.15-10.0.0.30\"]"
        )),
        expected
    );
}

#[test]
fn a_pool_outside_its_subnet_is_refused() {
    let expected = "\
error[PUR-9153]: dhcp.subnets[0].pools[0]: the pool 10.0.1.10-10.0.1.20 is not inside 10.0.0.0/24
 --> a.toml:6:10
  |
6 | pools = [\"10.0.1.10-10.0.1.20\"]
  |          ^^^^^^^^^^^^^^^^^^^^^
 ::: a.toml:5:11
  |
5 | network = \"10.0.0.0/24\"
  |           ------------- the network is set here

1 error
";
    assert_eq!(refused(&subnet("pools = [\"10.0.1.10-10.0.1.20\"]")), expected);
}

#[test]
fn a_pool_that_holds_special_addresses_shows_how_to_split() {
    let text = refused(&subnet("pools = [\"10.0.0.0/24\"]\ngateway = \"10.0.0.254\""));
    let words = "the pool 10.0.0.0-10.0.0.255 holds the network address 10.0.0.0 and the broadcast address 10.0.0.255 \
                 and the gateway 10.0.0.254 and the server's own address 10.0.0.1";
    assert!(text.contains(words), "{text}");
    assert!(text.contains("help: write \"10.0.0.2-10.0.0.253\""), "{text}");
    let text = refused(&subnet(
        "pools = [\"10.0.0.10-10.0.0.20\"]\ngateway = \"10.0.0.12\"",
    ));
    assert!(
        text.contains("help: write \"10.0.0.10-10.0.0.11\" and \"10.0.0.13-10.0.0.20\""),
        "{text}"
    );
}

#[test]
fn a_client_or_address_reserved_twice_shows_both_places() {
    let text = refused(&subnet(
        "reservations = [\n{ mac = \"02:00:00:00:00:01\", address = \"10.0.0.5\" },\n\
         { mac = \"02-00-00-00-00-01\", address = \"10.0.0.6\" },\n{ mac = \"02:00:00:00:00:02\", address = \"10.0.0.5\" },\n]",
    ));
    let expected = "\
error[PUR-9155]: dhcp.subnets[0].reservations[1]: this client has a reservation already
 --> a.toml:8:9
  |
8 | { mac = \"02-00-00-00-00-01\", address = \"10.0.0.6\" },
  |         ^^^^^^^^^^^^^^^^^^^
 ::: a.toml:7:9
  |
7 | { mac = \"02:00:00:00:00:01\", address = \"10.0.0.5\" },
  |         ------------------- first reserved here

error[PUR-9155]: dhcp.subnets[0].reservations[2]: the address 10.0.0.5 is reserved twice
 --> a.toml:9:40
  |
9 | { mac = \"02:00:00:00:00:02\", address = \"10.0.0.5\" },
  |                                        ^^^^^^^^^^
 ::: a.toml:7:40
  |
7 | { mac = \"02:00:00:00:00:01\", address = \"10.0.0.5\" },
  |                                        ---------- first reserved here

2 errors
";
    assert_eq!(text, expected);
}

#[test]
fn a_global_reservation_counts_in_its_network() {
    let text = refused(&format!(
        "{BASE}reservations = [{{ mac = \"02:00:00:00:00:01\", address = \"10.0.0.5\" }}, {{ mac = \"02:00:00:00:00:03\", address = \"10.9.0.5\" }}]\n\
         [[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\nreservations = [{{ mac = \"02:00:00:00:00:02\", address = \"10.0.0.5\" }}]\n"
    ));
    assert!(text.contains("the address 10.0.0.5 is reserved twice"), "{text}");
    assert!(text.contains("the address 10.9.0.5 is in no subnet"), "{text}");
}

#[test]
fn a_client_may_be_reserved_in_each_network_but_not_twice_in_one() {
    let two = |globals: &str| {
        format!(
            "{BASE}reservations = [{globals}]\n[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n\
             [[dhcp.subnets]]\nnetwork = \"10.0.1.0/24\"\nreservations = [{{ mac = \"02:00:00:00:00:02\" }}]\n"
        )
    };
    let mac = |last: u8, rest: &str| format!("{{ mac = \"02:00:00:00:00:0{last}\"{rest} }}");
    let (first, second) = (
        mac(1, ", address = \"10.0.0.5\""),
        mac(1, ", address = \"10.0.1.5\""),
    );
    super::good(&two(&format!("{first}, {second}")));
    assert!(refused(&two(&format!("{first}, {first}"))).contains("this client has a reservation already"));
    assert!(
        refused(&two(&mac(2, "")))
            .contains("dhcp.subnets[1].reservations[0]: this client has a reservation already")
    );
}

#[test]
fn a_reserved_address_outside_its_subnet_is_refused() {
    let text = refused(&subnet(
        "gateway = \"10.0.0.1\"\nreservations = [{ mac = \"02:00:00:00:00:01\", address = \"10.0.1.5\" }, \
         { mac = \"02:00:00:00:00:02\", address = \"10.0.0.255\" }, { mac = \"02:00:00:00:00:03\", address = \"10.0.0.1\" }]",
    ));
    for words in [
        "10.0.1.5 is not inside 10.0.0.0/24",
        "10.0.0.255 is the network or broadcast",
        "10.0.0.1 is the gateway",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn a_reservation_names_one_client() {
    let text = refused(&subnet(
        "reservations = [{ address = \"10.0.0.5\" }, { mac = \"02:00:00:00:00:01\", client_id = \"a\" }, { flex_id = \"x\" }]",
    ));
    for words in [
        "names no client",
        "in 2 ways: mac, client_id",
        "flex_id needs the expression dhcp.flex_id",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn an_unknown_class_names_the_nearest() {
    let text = refused(&subnet(
        "classes = [\"phnoes\"]\n[[dhcp.classes]]\nname = \"phones\"",
    ));
    let expected = "\
error[PUR-9157]: dhcp.subnets[0].classes[0]: there is no class \"phnoes\"
 --> a.toml:6:12
  |
6 | classes = [\"phnoes\"]
  |            ^^^^^^^^ did you mean \"phones\"?

1 error
";
    assert_eq!(text, expected);
}

#[test]
fn a_nearly_built_in_class_is_named() {
    let text = refused(&subnet("classes = [\"UNKNWON\"]"));
    assert!(text.contains("did you mean \"UNKNOWN\"?"), "{text}");
}

#[test]
fn a_built_in_class_is_neither_defined_nor_given_by_a_reservation() {
    let text = refused(&format!(
        "{BASE}[[dhcp.classes]]\nname = \"KNOWN\"\ntest = \"option[60].exists\"\n"
    ));
    assert!(
        text.contains("error[PUR-9158]: dhcp.classes[0].name: the class \"KNOWN\" is built in"),
        "{text}"
    );
    let text = refused(&subnet(
        "reservations = [{ mac = \"02:00:00:00:00:01\", classes = [\"UNKNOWN\"] }]",
    ));
    assert!(
        text.contains("\"UNKNOWN\" follows from the packet and cannot be given"),
        "{text}"
    );
}

#[test]
fn a_vendor_class_is_no_guard() {
    let text = refused(&subnet("classes = [\"VENDOR_CLASS_phone\"]"));
    assert!(
        text.contains("there is no class \"VENDOR_CLASS_phone\""),
        "{text}"
    );
}

#[test]
fn names_are_used_once() {
    let text = refused(&subnet(
        "\n[[dhcp.subnets]]\nname = \"main\"\nnetwork = \"10.0.1.0/24\"\n[[dhcp.classes]]\nname = \"a\"\n[[dhcp.classes]]\nname = \"a\"",
    ));
    assert!(
        text.contains("the subnet or network name \"main\" is used twice"),
        "{text}"
    );
    assert!(text.contains("the class name \"a\" is used twice"), "{text}");
    assert_eq!(text.matches("first used here").count(), 2, "{text}");
}

#[test]
fn a_faulty_expression_is_shown_inside_its_string() {
    let text = refused(&format!(
        "{BASE}[[dhcp.classes]]\nname = \"a\"\ntest = \"option[60].text = 'x'\"\n"
    ));
    assert!(text.contains("error[PUR-9163]: dhcp.classes[0].test: "), "{text}");
    assert!(text.contains(" --> a.toml:5:25"), "{text}");
}

#[test]
fn an_expression_names_only_classes_that_are_there() {
    let text = refused(&format!(
        "{BASE}[[dhcp.classes]]\nname = \"a\"\ntest = \"member('b')\"\n"
    ));
    assert!(
        text.contains("there is no class \"b\"") && text.contains(" --> a.toml:5:17"),
        "{text}"
    );
}

#[test]
fn times_must_be_in_order_across_levels() {
    let text = refused(&format!(
        "{BASE}lease_time = \"1h\"\n[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\nt1 = \"30m\"\nt2 = \"2h\"\n"
    ));
    let expected = "\
error[PUR-9164]: dhcp.subnets[0].t2: t2 (2h) is not below lease_time (1h)
 --> a.toml:7:6
  |
7 | t2 = \"2h\"
  |      ^^^^
 ::: a.toml:3:14
  |
3 | lease_time = \"1h\"
  |              ---- lease_time is set here

1 error
";
    assert_eq!(text, expected);
    assert!(refused(&subnet("t1 = 600\nt2 = 600")).contains("t1 (10m) is not below t2 (10m)"));
    assert!(
        refused(&subnet("lease_time = 600\nlease_time_min = 900"))
            .contains("lease_time_min (15m) is above lease_time (10m)")
    );
    assert!(refused(&subnet("t1 = \"2h\"")).contains("the lease time is 1h when not set"));
}

#[test]
fn times_of_an_upper_level_are_judged_where_the_lease_is_known() {
    let text = format!("{BASE}t1 = \"2h\"\n[[dhcp.classes]]\nname = \"a\"\nt1 = \"3h\"\n");
    super::good(&format!(
        "{text}[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\nlease_time = \"12h\"\n"
    ));
    let report = refused(&format!(
        "{text}[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\npools = [{{ range = \"10.0.0.9\" }}]\n"
    ));
    assert!(
        report.contains(" --> a.toml:3:6") && report.ends_with("1 error\n"),
        "{report}"
    );
}

#[test]
fn subnets_that_nobody_could_reach_are_a_fault() {
    let text = refused("[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n");
    assert!(
        text.contains("error[PUR-9150]: dhcp.listen: DHCP would listen nowhere"),
        "{text}"
    );
    assert!(refused("[dhcp]\nenabled = true\n").contains("PUR-9150"));
}

#[test]
fn a_relay_of_two_networks_is_refused() {
    let text = refused(&subnet(
        "relays = [\"192.0.2.0/24\"]\n[[dhcp.subnets]]\nnetwork = \"10.0.1.0/24\"\nrelays = [\"192.0.2.9\"]",
    ));
    assert!(
        text.contains("relays 192.0.2.9-192.0.2.9 also select \"main\""),
        "{text}"
    );
}

#[test]
fn a_listening_address_without_port_is_explained() {
    let text = refused("[dhcp]\nlisten = [\"10.0.0.1\"]\n");
    assert!(text.contains("write the port too: \"10.0.0.1:67\""), "{text}");
}

#[test]
fn too_many_classes_are_refused() {
    let many: String = (0..126)
        .map(|i| format!("[[dhcp.classes]]\nname = \"c{i}\"\n"))
        .collect();
    assert!(refused(&format!("{BASE}{many}")).contains("126 classes; at most 124 are possible"));
}

#[test]
fn ten_mistakes_of_all_kinds_are_found_in_one_pass() {
    let text = refused(
        r#"[dhcp]
listen = ["10.0.0.1"]
ack = "durabel"
mclt = "2 parsecs"
gatway = "10.0.0.1"
[[dhcp.subnets]]
network = "10.0.0.5/24"
[[dhcp.subnets]]
network = "10.0.1.0/24"
pools = ["10.0.1.20-10.0.1.10", "10.0.2.1-10.0.2.9"]
options = { nonsense-option = 1, mtu = "big" }
classes = ["nobody"]
"#,
    );
    assert!(text.ends_with("10 errors\n"), "{text}");
}

#[test]
fn a_pool_beside_another_server_is_a_fault() {
    let report = refused(&subnet("proxy = true\npools = [\"10.0.0.10-10.0.0.19\"]"));
    assert!(
        report.contains("PUR-9169") && report.contains("proxy = false"),
        "{report}"
    );
}

#[test]
fn a_gateway_outside_of_its_subnet_is_warned_of() {
    let (settings, text) = super::checked("a.toml", &subnet("gateway = \"10.0.1.1\""));
    assert!(settings.is_some());
    assert!(
        text.contains(
            "warning[PUR-9170]: dhcp.subnets[0].gateway: the gateway 10.0.1.1 is outside of 10.0.0.0/24"
        ),
        "{text}"
    );
    super::good(&subnet("gateway = \"10.0.0.1\""));
}

#[test]
fn networks_without_hosts_are_refused() {
    let network = |prefix: &str| format!("{BASE}[[dhcp.subnets]]\nnetwork = \"{prefix}\"\n");
    for prefix in [
        "224.0.0.0/24",
        "239.1.0.0/16",
        "0.0.0.0/8",
        "0.1.0.0/16",
        "0.0.0.0/0",
        "192.0.0.0/2",
    ] {
        assert!(refused(&network(prefix)).contains("error[PUR-9171]"), "{prefix}");
    }
    let (settings, text) = super::checked("a.toml", &network("127.0.0.0/24"));
    assert!(settings.is_some() && text.contains("warning[PUR-9171]"), "{text}");
    super::good(&network("223.255.255.0/24"));
}

#[test]
fn a_domain_name_has_no_empty_label() {
    for name in ["a..b", ".a", "a b..c", ""] {
        let text = refused(&subnet(&format!("domain_name = \"{name}\"")));
        assert!(text.contains("has a label without a letter"), "{name}: {text}");
    }
    for name in ["example.com", "example.com.", "a_b", "example.com example.net"] {
        super::good(&subnet(&format!("domain_name = \"{name}\"")));
    }
}

#[test]
fn lease_times_are_whole_seconds() {
    for keys in [
        "lease_time = 3600.5",
        "lease_time = \"1500ms\"",
        "t1 = 10.5",
        "lease_time_min = 1.5",
    ] {
        let text = refused(&subnet(keys));
        assert!(
            text.contains("error[PUR-9172]") && text.contains("5 s is no whole number"),
            "{text}"
        );
    }
    super::good(&subnet("lease_time = 3600.0"));
}

#[test]
fn a_number_out_of_range_is_told_with_the_range_of_its_option() {
    let text = refused(&format!(
        "{BASE}option_defs = [{{ name = \"mine\", code = 224, type = \"u32\" }}]\noptions = {{ mine = 5000000000 }}\n\
         [[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n"
    ));
    assert!(
        text.contains("0 to 4294967295") && !text.contains("2147483648"),
        "{text}"
    );
}
