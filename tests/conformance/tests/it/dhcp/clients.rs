//! Stock clients on a local segment.

use purlin_conformance::{Lab, Process, lab_config, until};
use std::net::Ipv4Addr;

/// Starts dhclient in the foreground on `c0`, with a lease file that later calls find again.
macro_rules! dhclient {
    ($lab:expr, $log:literal $(, $more:expr)*) => {{
        let (hook, leases, pid) = ($lab.hook(), $lab.path("dc.leases"), $lab.path("dc.pid"));
        let (leases, pid) = (leases.to_string_lossy(), pid.to_string_lossy());
        $lab.client.start($log, "dhclient", &[
            "-4", "-d", "-v", "-sf", &hook, "-cf", "/dev/null", "-lf", &leases, "-pf", &pid, $($more,)* "c0",
        ])
    }};
}
pub(super) use dhclient;

/// Runs udhcpc once to its end; the address it says it got.
pub(super) fn udhcpc(lab: &Lab, more: &[&str]) -> Ipv4Addr {
    let hook = lab.hook();
    let mut arguments = vec!["-f", "-q", "-n", "-t", "6", "-T", "2", "-s", &hook];
    arguments.extend(more);
    if !more.contains(&"-i") {
        arguments.extend(["-i", "c0"]);
    }
    let mut client = lab.client.start("udhcpc.log", "udhcpc", &arguments);
    // An address is named before it is checked (-a), so the last one counts.
    client.ended();
    client.address_after("lease of ")
}

/// An interface for dhcpcd. Its control socket is named after the interface and lies outside of namespaces, so no
/// two tests may use the same `number`.
pub(super) fn dhcpcd_host(lab: &Lab, number: u8) -> String {
    let name = format!("d{number}p{}", std::process::id());
    lab.client.host(&name, "c0", &format!("02:60:00:00:07:0{number}"));
    name
}

/// Starts dhcpcd in the foreground.
pub(super) fn dhcpcd(lab: &Lab, host: &str, config: &str, more: &[&str]) -> Process {
    let (hook, config) = (lab.hook(), lab.write("dhcpcd.conf", config));
    let mut arguments = vec![
        "-4", "-1", "-B", "-d", "-A", "-t", "30", "-c", &hook, "-f", &config,
    ];
    arguments.extend(more);
    arguments.push(host);
    lab.client.start("dhcpcd.log", "dhcpcd", &arguments)
}

pub(super) fn in_pool(address: Ipv4Addr) -> bool {
    address.octets()[..3] == [10, 77, 1]
}

#[test]
fn dhclient_gets_an_address_and_its_options() {
    let Some(lab) = Lab::new(&["dhclient"]) else {
        return;
    };
    let _node = lab.node(&lab_config(
        "",
        "lease_time = \"2h\"\ndomain_name = \"lab.example\"",
        "",
    ));
    let address = dhclient!(lab, "new.log", "-1").address_after("bound to ");
    assert!(in_pool(address), "{address}");
    until("dhclient had told its script", || {
        lab.told().contains("reason=BOUND")
    });
    let told = lab.told();
    for words in [
        "new_routers=10.77.0.1",
        "new_domain_name_servers=10.77.0.53",
        "new_domain_name=lab.example",
        "new_subnet_mask=255.255.0.0",
        "new_dhcp_lease_time=7200",
        "new_dhcp_server_identifier=10.77.0.1",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
}

#[test]
fn dhclient_is_confirmed_after_a_reboot_and_can_release() {
    let Some(lab) = Lab::new(&["dhclient"]) else {
        return;
    };
    let node = lab.node(&lab_config("", "", ""));
    let first = dhclient!(lab, "new.log", "-1").address_after("bound to ");
    let mut again = dhclient!(lab, "again.log", "-1");
    assert_eq!(again.address_after("bound to "), first);
    assert!(
        !again.said().contains("DHCPDISCOVER"),
        "INIT-REBOOT needs no DISCOVER\n{}",
        again.said()
    );
    drop(again);
    assert_eq!(node.leases("bound").len(), 1);
    // A release is sent from the address itself, which the client's script would have set.
    lab.client.ip(&format!("addr add {first}/16 dev c0"));
    assert!(dhclient!(lab, "release.log", "-r").ended());
    until("the lease was released", || node.leases("bound").is_empty());
    assert_eq!(node.leases("released").len(), 1);
}

#[test]
fn dhclient_renews_before_its_lease_ends() {
    let Some(lab) = Lab::new(&["dhclient"]) else {
        return;
    };
    let node = lab.node(&lab_config("", "lease_time = \"4s\"", ""));
    let mut client = dhclient!(lab, "new.log");
    let address = client.address_after("bound to ");
    // dhclient renews from an address that it was told; its script must set it for that.
    lab.client.ip(&format!("addr add {address}/16 dev c0"));
    client.until("renewal", |text| {
        (text.matches("DHCPACK of").count() >= 3).then_some(())
    });
    assert_eq!(client.address_after("bound to "), address);
    assert_eq!(node.leases("bound").len(), 1);
}

#[test]
fn udhcpc_gets_the_same_address_again() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let _node = lab.node(&lab_config("", "", ""));
    let first = udhcpc(&lab, &[]);
    assert!(in_pool(first), "{first}");
    assert_eq!(udhcpc(&lab, &[]), first);
    assert_eq!(udhcpc(&lab, &["-r", &first.to_string()]), first);
}

#[test]
fn udhcpc_is_answered_by_broadcast_when_it_asks_for_that() {
    let Some(lab) = Lab::new(&["udhcpc", "tcpdump"]) else {
        return;
    };
    let _node = lab.node(&lab_config("", "", ""));
    let mut capture = lab
        .client
        .start("wire.log", "tcpdump", &["-lenni", "c0", "udp", "port", "68"]);
    capture.until("capture", |text| text.contains("listening on").then_some(()));
    let address = udhcpc(&lab, &["-B"]);
    let offers = |text: &str| {
        text.lines()
            .filter(|line| line.contains("10.77.0.1.67 >"))
            .count()
    };
    capture.until("two answers on the wire", |text| {
        (offers(text) >= 2).then_some(())
    });
    let said = capture.said();
    for line in said.lines().filter(|line| line.contains("10.77.0.1.67 >")) {
        assert!(
            line.contains("ff:ff:ff:ff:ff:ff") && line.contains("255.255.255.255.68"),
            "{line}"
        );
    }
    assert!(in_pool(address));
}

#[test]
fn udhcpc_is_answered_by_unicast_when_it_can_take_that() {
    let Some(lab) = Lab::new(&["udhcpc", "tcpdump"]) else {
        return;
    };
    let _node = lab.node(&lab_config("", "", ""));
    let mut capture = lab
        .client
        .start("wire.log", "tcpdump", &["-lenni", "c0", "udp", "port", "68"]);
    capture.until("capture", |text| text.contains("listening on").then_some(()));
    let address = udhcpc(&lab, &[]);
    let to_client = format!("10.77.0.1.67 > {address}.68");
    let said = capture.until("an answer to the client alone", |text| {
        text.contains(&to_client).then(|| text.to_owned())
    });
    let answer = said
        .lines()
        .find(|line| line.contains(&to_client))
        .expect("found just now");
    assert!(!answer.contains("> ff:ff:ff:ff:ff:ff"), "{answer}");
}

#[test]
fn dhcpcd_gets_an_address() {
    let Some(lab) = Lab::new(&["dhcpcd"]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let address = dhcpcd(&lab, &dhcpcd_host(&lab, 1), "", &[]).address_after("leased ");
    assert!(in_pool(address), "{address}");
    assert_eq!(node.leases("bound").len(), 1);
}

#[test]
fn dhcpcd_finishes_in_two_messages_with_rapid_commit() {
    let Some(lab) = Lab::new(&["dhcpcd"]) else { return };
    let _node = lab.node(&lab_config("", "", ""));
    let mut client = dhcpcd(&lab, &dhcpcd_host(&lab, 2), "option rapid_commit\n", &[]);
    assert!(in_pool(client.address_after("leased ")));
    assert!(
        !client.said().contains("requesting lease of"),
        "{}",
        client.said()
    );
}

#[test]
fn a_reservation_wins_and_names_the_host() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    lab.client.ip("link set c0 address 02:60:00:00:00:01");
    let reservation =
        "reservations = [{ mac = \"02:60:00:00:00:01\", address = \"10.77.9.9\", hostname = \"node-a\" }]";
    let node = lab.node(&lab_config("", reservation, ""));
    assert_eq!(udhcpc(&lab, &["-O", "hostname"]), Ipv4Addr::new(10, 77, 9, 9));
    assert_eq!(node.leases("bound")[0]["reserved"], true);
}

#[test]
fn dhcp_release_ends_a_lease() {
    let Some(lab) = Lab::new(&["udhcpc", "dhcp_release"]) else {
        return;
    };
    lab.client.ip("link set c0 address 02:60:00:00:00:02");
    let node = lab.node(&lab_config("", "", ""));
    let address = udhcpc(&lab, &[]).to_string();
    assert_eq!(node.leases("bound").len(), 1);
    let arguments = ["s0", &address, "02:60:00:00:00:02", "01:02:60:00:00:00:02"];
    let output = lab.server.run("dhcp_release", &arguments);
    assert!(output.status.success(), "{output:?}");
    until("the lease was released", || node.leases("bound").is_empty());
}

#[test]
fn many_hosts_on_one_segment_get_addresses_of_their_own() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let mut addresses: Vec<Ipv4Addr> = (1..=5)
        .map(|host| {
            let name = format!("m{host}");
            lab.client.host(&name, "c0", &format!("02:60:00:00:01:0{host}"));
            udhcpc(&lab, &["-i", &name])
        })
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), 5);
    assert_eq!(node.leases("bound").len(), 5);
}
