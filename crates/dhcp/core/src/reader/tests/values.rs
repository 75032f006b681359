//! What a good configuration becomes.

use super::{BASE, good, refused, subnet};
use crate::settings::{AckMode, ConflictCheck, ReservedFor, Settings};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The canonical example of the documentation.
const CANONICAL: &str = r#"
[dhcp]
listen = ["10.0.0.1:67"]
ack = "durable"

[[dhcp.subnets]]
name = "main"
network = "10.0.0.0/8"
pools = ["10.1.0.0-10.200.255.255"]
gateway = "10.0.0.1"
dns_servers = ["10.0.0.1"]
lease_time = "1h"
reservations = [{ mac = "02:00:00:00:00:01", address = "10.0.5.5", hostname = "node-a" }]
"#;

#[test]
fn the_canonical_example_is_read() {
    let settings = good(CANONICAL);
    assert!(settings.enabled);
    assert_eq!(settings.listen, ["10.0.0.1:67".parse().unwrap()]);
    assert_eq!(settings.ack, AckMode::Durable);
    let subnet = &settings.networks[0].subnets[0];
    assert_eq!(
        (settings.networks[0].name.as_str(), subnet.name.as_str()),
        ("main", "main")
    );
    assert_eq!(subnet.pools[0].range.to_string(), "10.1.0.0-10.200.255.255");
    assert_eq!(subnet.scope.lease_time, Some(Duration::from_secs(3600)));
    let options: Vec<(u8, &[u8])> = subnet
        .scope
        .options
        .iter()
        .map(|o| (o.code, o.data.as_slice()))
        .collect();
    assert_eq!(options, [(3, &[10, 0, 0, 1][..]), (6, &[10, 0, 0, 1][..])]);
    let reservation = &subnet.reservations[0];
    assert_eq!(
        reservation.client,
        ReservedFor::Mac("02:00:00:00:00:01".parse().unwrap())
    );
    assert_eq!(reservation.address, Some(Ipv4Addr::new(10, 0, 5, 5)));
    assert_eq!(reservation.hostname.as_deref(), Some("node-a"));
}

#[test]
fn an_empty_section_is_the_default() {
    assert_eq!(good("[dhcp]\n"), Settings::default());
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let settings = good(BASE);
    let secs = Duration::from_secs;
    assert_eq!((settings.mclt, settings.offer_hold), (secs(600), secs(30)));
    assert_eq!(
        (settings.decline_hold, settings.affinity),
        (secs(86_400), secs(7 * 86_400))
    );
    assert_eq!(settings.conflict_wait, Duration::from_millis(300));
    assert_eq!(settings.conflict_check, ConflictCheck::Off);
    assert!(settings.authoritative && settings.echo_client_id && !settings.bootp);
    assert_eq!(settings.scope.lease_time, Some(secs(3600)));
    assert_eq!((settings.limits.per_client, settings.limits.per_relay), (0, 0));
    assert_eq!(settings.threads, None);
}

#[test]
fn the_demo_is_good_and_on_loopback_only() {
    let settings = good(crate::reader::demo());
    assert!(settings.listen.iter().all(|address| address.ip().is_loopback()));
    assert!(settings.interfaces.is_empty());
    assert_eq!(
        settings.networks[0].subnets[0].network.to_string(),
        "10.67.0.0/16"
    );
}

#[test]
fn without_the_section_dhcp_is_off() {
    assert!(!good("").enabled);
    assert!(!good("[dhcp]\nenabled = false\n[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n").enabled);
}

#[test]
fn a_subnet_without_a_name_has_that_of_its_network() {
    let settings = good(&format!("{BASE}[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n"));
    assert_eq!(settings.networks[0].name, "10.0.0.0/24");
}

#[test]
fn shared_networks_keep_their_subnets_together() {
    let text = format!(
        "{BASE}[[dhcp.networks]]\nname = \"campus\"\nlease_time = \"2h\"\n\
         [[dhcp.networks.subnets]]\nnetwork = \"10.0.0.0/24\"\nrelays = [\"192.0.2.1\"]\n\
         [[dhcp.networks.subnets]]\nnetwork = \"10.0.1.0/24\"\nrelays = [\"192.0.2.1\"]\n"
    );
    let settings = good(&text);
    assert_eq!(settings.networks.len(), 1);
    assert_eq!(settings.networks[0].subnets.len(), 2);
    assert_eq!(
        settings.networks[0].scope.lease_time,
        Some(Duration::from_secs(7200))
    );
    assert_eq!(
        settings.networks[0].subnets[0].relays[0].to_string(),
        "192.0.2.1-192.0.2.1"
    );
}

#[test]
fn every_identifier_can_be_reserved_for() {
    let text = format!(
        "flex_id = \"relay4[1].hex\"\n{}",
        subnet(
            r#"reservations = [
                { client_id = "01:02:03" }, { client_id = "0x010204" }, { client_id = "cafe" },
                { circuit_id = "eth0/1" }, { remote_id = "hex:ca fe" },
                { uuid = "00112233-4455-6677-8899-aabbccddeeff" }, { flex_id = "port 7", address = "10.0.0.9" },
            ]"#
        )
    );
    let text = text.replacen(
        "flex_id = \"relay4[1].hex\"\n[dhcp]",
        "[dhcp]\nflex_id = \"relay4[1].hex\"",
        1,
    );
    let settings = good(&text);
    let clients: Vec<_> = settings.networks[0].subnets[0]
        .reservations
        .iter()
        .map(|r| r.client.clone())
        .collect();
    let uuid = [
        0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
    ];
    let expected = [
        ReservedFor::ClientId(vec![1, 2, 3]),
        ReservedFor::ClientId(vec![1, 2, 4]),
        ReservedFor::ClientId(b"cafe".to_vec()),
        ReservedFor::CircuitId(b"eth0/1".to_vec()),
        ReservedFor::RemoteId(vec![0xca, 0xfe]),
        ReservedFor::Uuid(uuid),
        ReservedFor::Flex(b"port 7".to_vec()),
    ];
    assert_eq!(clients, expected);
}

#[test]
fn pools_may_be_tables_with_a_guard_and_options() {
    let text = subnet(
        "pools = [{ range = \"10.0.0.10-10.0.0.19\", classes = [\"phones\"], lease_time = \"5m\" }, \"10.0.0.32/28\"]\n\
         [[dhcp.classes]]\nname = \"phones\"\ntest = \"option[60].text == 'phone'\"\n",
    );
    let settings = good(&text);
    let pools = &settings.networks[0].subnets[0].pools;
    assert_eq!(pools[0].classes, ["phones"]);
    assert_eq!(pools[0].scope.lease_time, Some(Duration::from_secs(300)));
    assert_eq!(pools[1].range.count(), 16);
    assert_eq!(
        settings.classes[0].test.as_deref(),
        Some("option[60].text == 'phone'")
    );
}

#[test]
fn a_lease_may_be_infinite() {
    let endless = Some(Duration::from_secs(u64::from(u32::MAX)));
    let scope = good(&subnet("lease_time = \"infinite\"\nt1 = \"1h\"")).networks[0].subnets[0]
        .scope
        .clone();
    assert_eq!(scope.lease_time, endless);
    let scope = good(&subnet("lease_time = \"1d\"\nlease_time_max = \"infinite\"")).networks[0].subnets[0]
        .scope
        .clone();
    assert_eq!(scope.lease_time_max, endless);
    let text = refused(&subnet("lease_time = \"infinite\"\nlease_time_max = \"1d\""));
    assert!(
        text.contains("lease_time (infinite) is above lease_time_max (1d)"),
        "{text}"
    );
    let text = refused(&subnet("lease_time = \"20000d\""));
    assert!(text.contains("a lease without end is \"infinite\""), "{text}");
}

#[test]
fn guards_and_expressions_name_built_in_classes() {
    let text = subnet(
        "classes = [\"ALL\"]\npools = [{ range = \"10.0.0.10-10.0.0.19\", classes = [\"UNKNOWN\", \"BOOTP\"] }]\n\
         [[dhcp.classes]]\nname = \"a\"\ntest = \"member('KNOWN') and not member('VENDOR_CLASS_x')\"\n",
    );
    let subnet = &good(&text).networks[0].subnets[0];
    assert_eq!(subnet.classes, ["ALL"]);
    assert_eq!(subnet.pools[0].classes, ["UNKNOWN", "BOOTP"]);
}

#[test]
fn boot_entries_name_architectures() {
    let text = subnet(
        "boot = [{ user_class = \"iPXE\", file = \"http://b/x.ipxe\" }, { arch = [\"uefi-x64\", 9], file = \"x64.efi\", \
         next_server = \"10.0.0.5\" }, { arch = \"bios\", file = \"pxelinux.0\" }]",
    );
    let boot = good(&text).networks[0].subnets[0].scope.boot.clone();
    assert_eq!(boot[0].user_class.as_deref(), Some("iPXE"));
    assert_eq!(boot[1].architectures, [7, 9]);
    assert_eq!(boot[1].next_server, Some(Ipv4Addr::new(10, 0, 0, 5)));
    assert_eq!(boot[2].architectures, [0]);
}

#[test]
fn the_schema_agrees_with_itself() {
    assert_eq!(
        purlin_config::schema_faults(crate::reader::section()),
        Vec::<String>::new()
    );
}

#[test]
fn boot_entries_name_machines_and_themselves() {
    let text = subnet(
        "boot = [{ name = \"lab\", macs = [\"02:00:00:00:00:01\", \"02-00-00-00-00-02\"], \
         file = \"http://{server}/lab.efi\" }]",
    );
    let boot = good(&text).networks[0].subnets[0].scope.boot.clone();
    assert_eq!(boot[0].name.as_deref(), Some("lab"));
    assert_eq!(boot[0].macs.len(), 2);
    assert_eq!(boot[0].file, "http://{server}/lab.efi");
}

#[test]
fn a_subnet_is_served_beside_another_server_when_it_or_the_service_says_so() {
    let one = good(&subnet("proxy = true"));
    assert!(one.networks[0].subnets[0].proxy && one.has_proxy() && !one.proxy);
    let all = format!(
        "{BASE}proxy = true\n[[dhcp.subnets]]\nnetwork = \"10.0.0.0/24\"\n[[dhcp.subnets]]\n\
         network = \"10.0.1.0/24\"\nproxy = false\npools = [\"10.0.1.10-10.0.1.19\"]\n"
    );
    let all = good(&all);
    let proxies: Vec<bool> = all.networks.iter().map(|n| n.subnets[0].proxy).collect();
    assert_eq!(proxies, [true, false]);
    assert!(
        good(&format!("{BASE}proxy = true\n")).has_proxy(),
        "on every link"
    );
    assert!(!good(BASE).has_proxy());
}
