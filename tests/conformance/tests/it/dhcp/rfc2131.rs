//! RFC 2131 by section, told by clients that insist on it.

use super::clients::{dhclient, dhcpcd, dhcpcd_host, in_pool, udhcpc};
use purlin_conformance::{Lab, lab_config, until};

/// Section 4.3.2: a client that wakes up on another network is refused at once, and starts again.
#[test]
fn section_4_3_2_an_address_of_another_network_is_refused() {
    let Some(lab) = Lab::new(&["dhclient"]) else {
        return;
    };
    let _node = lab.node(&lab_config("", "", ""));
    lab.write("dc.leases", "lease {\n  interface \"c0\";\n  fixed-address 192.168.9.9;\n  option subnet-mask 255.255.255.0;\n  option dhcp-lease-time 86400;\n  option dhcp-server-identifier 192.168.9.1;\n  renew 0 2037/12/27 00:00:00;\n  rebind 0 2037/12/27 00:00:00;\n  expire 0 2037/12/27 00:00:00;\n}\n");
    let mut client = dhclient!(lab, "moved.log", "-1");
    let address = client.address_after("bound to ");
    assert!(in_pool(address), "{address}");
    assert!(
        client.said().contains("DHCPNAK from 10.77.0.1"),
        "{}",
        client.said()
    );
}

/// Section 4.3.2: a server that is not authoritative says nothing about addresses it does not know.
#[test]
fn section_4_3_2_without_authority_unknown_addresses_meet_silence() {
    let Some(lab) = Lab::new(&["dhclient"]) else {
        return;
    };
    let node = lab.node(&lab_config("authoritative = false", "", ""));
    lab.client.ip("link set c0 address 02:60:00:00:00:0a");
    lab.write("dc.leases", "lease {\n  interface \"c0\";\n  fixed-address 10.77.1.77;\n  option subnet-mask 255.255.0.0;\n  option dhcp-lease-time 86400;\n  option dhcp-server-identifier 10.77.0.9;\n  renew 0 2037/12/27 00:00:00;\n  rebind 0 2037/12/27 00:00:00;\n  expire 0 2037/12/27 00:00:00;\n}\n");
    let mut client = dhclient!(lab, "unknown.log", "-1");
    client.until("a DISCOVER after silence", |text| {
        text.contains("DHCPDISCOVER").then_some(())
    });
    assert!(!client.said().contains("DHCPNAK"), "{}", client.said());
    assert!(node.says(&["why", "02:60:00:00:00:0a"]).contains("PUR-1110"));
}

/// Section 4.3.3: an address that a client finds in use is set aside, and the client gets another.
#[test]
fn section_4_3_3_a_declined_address_is_set_aside() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    lab.client.ip("link set c0 address 02:60:00:00:00:03");
    let node = lab.node(&lab_config("", "", ""));
    let first = udhcpc(&lab, &[]).to_string();
    // Somebody takes the address without asking; the client checks by ARP (-a) when it asks again.
    lab.server.ip(&format!("addr add {first}/32 dev s0"));
    let second = udhcpc(&lab, &["-a", "-A", "1"]).to_string();
    assert_ne!(first, second);
    let declined = node.leases("declined");
    assert_eq!(declined.len(), 1, "{declined:?}");
    assert_eq!(declined[0]["address"], first.as_str());
}

/// Section 4.3.4: a released address is free at once, and kept for its client while others are.
#[test]
fn section_4_3_4_a_released_address_waits_for_its_client() {
    let Some(lab) = Lab::new(&["udhcpc"]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let hook = lab.hook();
    let arguments = ["-f", "-R", "-t", "6", "-T", "2", "-i", "c0", "-s", &hook];
    let mut client = lab.client.start("udhcpc-release.log", "udhcpc", &arguments);
    let first = client.address_after("lease of ");
    lab.client.ip(&format!("addr add {first}/16 dev c0"));
    client.signal("TERM");
    until("the lease was released", || node.leases("released").len() == 1);
    drop(client);
    lab.client.host("m1", "c0", "02:60:00:00:02:01");
    assert_ne!(udhcpc(&lab, &["-i", "m1"]), first);
    assert_eq!(udhcpc(&lab, &[]), first);
}

/// Section 4.3.5: INFORM gets options and no lease.
#[test]
fn section_4_3_5_inform_gets_options_without_a_lease() {
    let Some(lab) = Lab::new(&["dhcpcd"]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let host = dhcpcd_host(&lab, 3);
    lab.client.ip(&format!("addr add 10.77.5.5/16 dev {host}"));
    let mut client = dhcpcd(&lab, &host, "", &["--inform"]);
    client.until("an answer", |text| {
        (text.contains("approved") || text.contains("received approval")).then_some(())
    });
    assert!(node.leases("bound").is_empty());
}

/// Section 3.1, step 3: a client that chose another server takes nothing from this one.
#[test]
fn section_3_1_an_offer_that_is_not_taken_is_free_again() {
    let Some(lab) = Lab::new(&["perfdhcp"]) else {
        return;
    };
    let node = lab.node(&lab_config("offer_hold = \"1s\"", "", ""));
    let lone = lone_discover(&lab);
    assert!(lone.contains("received"), "{lone}");
    until("the offer had lapsed", || node.leases("offered").is_empty());
    assert!(node.leases("bound").is_empty());
}

/// Sends a DISCOVER and stops there.
fn lone_discover(lab: &Lab) -> String {
    lab.client.ip("addr add 10.77.0.3/16 dev c0");
    let output = lab.client.run(
        "perfdhcp",
        &["-4", "-i", "-n", "1", "-r", "1", "-l", "c0", "10.77.0.1"],
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
