//! Real relays between a client's segment and the server.
//!
//! ```text
//!   client c0 10.78.0.0/16 ── r0 10.78.0.1  relay  10.77.0.2 r1 ── s0 10.77.0.1 server
//! ```

use purlin_conformance::{Lab, Node, Process, Space, until};
use std::net::Ipv4Addr;

/// A lab whose client stands behind a relay.
struct Relayed {
    // The relay's programs end before its namespace goes.
    relay: Space,
    lab: Lab,
}

impl Relayed {
    fn new(programs: &[&str]) -> Option<Self> {
        let lab = Lab::new(programs)?;
        let relay = lab.space("r");
        // The cable of the lab goes away with one of its ends; the relay takes its place.
        lab.server.ip("link del s0");
        lab.server.join("s0", &relay, "r1");
        relay.join("r0", &lab.client, "c0");
        lab.server.ip("addr add 10.77.0.1/16 dev s0");
        lab.server.ip("route add 10.78.0.0/16 via 10.77.0.2");
        relay.ip("addr add 10.77.0.2/16 dev r1");
        relay.ip("addr add 10.78.0.1/16 dev r0");
        let _ = relay.run("sysctl", &["-qw", "net.ipv4.ip_forward=1"]);
        Some(Self { relay, lab })
    }

    fn node(&self, subnet: &str) -> Node<'_> {
        self.lab.node(&format!(
            "[node]\nid = \"lab\"\n[dhcp]\nlisten = [\"10.77.0.1:67\"]\n[[dhcp.subnets]]\nname = \"behind\"\n\
             network = \"10.78.0.0/16\"\npools = [\"10.78.1.0-10.78.1.255\"]\ngateway = \"10.78.0.1\"\n{subnet}\n"
        ))
    }

    fn dnsmasq(&self) -> Process {
        let (log, pid) = (self.lab.path("dnsmasq-messages"), self.lab.path("dnsmasq.pid"));
        let (log, pid) = (
            format!("--log-facility={}", log.display()),
            format!("--pid-file={}", pid.display()),
        );
        let arguments = [
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--port=0",
            "--user=root",
            "--log-dhcp",
            "--dhcp-relay=10.78.0.1,10.77.0.1",
            "--interface=r0",
            "--interface=r1",
            &log,
            &pid,
        ];
        self.relay.start("dnsmasq.log", "dnsmasq", &arguments)
    }

    fn dhcrelay(&self, more: &[&str]) -> Process {
        let mut arguments = vec!["-4", "-d"];
        arguments.extend(more);
        arguments.extend(["-id", "r0", "-iu", "r1", "10.77.0.1"]);
        self.relay.start("dhcrelay.log", "dhcrelay", &arguments)
    }

    fn udhcpc(&self, more: &[&str]) -> Ipv4Addr {
        // A relay that still starts misses the first tries; the client repeats them.
        let mut arguments = vec!["-t", "15", "-T", "1"];
        arguments.extend(more);
        super::clients::udhcpc(&self.lab, &arguments)
    }
}

fn behind(address: Ipv4Addr) -> bool {
    address.octets()[..3] == [10, 78, 1]
}

#[test]
fn a_client_behind_dnsmasq_gets_an_address_of_its_segment() {
    let Some(world) = Relayed::new(&["udhcpc", "dnsmasq"]) else {
        return;
    };
    let node = world.node("");
    let _relay = world.dnsmasq();
    assert!(behind(world.udhcpc(&[])));
    assert_eq!(node.leases("bound")[0]["giaddr"], "10.78.0.1");
}

#[test]
fn a_client_behind_the_isc_relay_gets_an_address_of_its_segment() {
    let Some(world) = Relayed::new(&["udhcpc", "dhcrelay"]) else {
        return;
    };
    let node = world.node("");
    let _relay = world.dhcrelay(&[]);
    assert!(behind(world.udhcpc(&[])));
    assert_eq!(node.leases("bound").len(), 1);
}

#[test]
fn what_a_relay_adds_is_kept_and_selects_a_reservation() {
    let Some(world) = Relayed::new(&["udhcpc", "dhcrelay"]) else {
        return;
    };
    // dhcrelay -a names the interface of the client as circuit id.
    let node = world.node("reservations = [{ circuit_id = \"r0\", address = \"10.78.7.7\" }]");
    let _relay = world.dhcrelay(&["-a"]);
    assert_eq!(world.udhcpc(&[]), Ipv4Addr::new(10, 78, 7, 7));
    let leases = node.leases("bound");
    assert_eq!(leases[0]["circuit_id"], "72:30", "{leases:?}");
}

#[test]
fn dhclient_behind_a_relay_renews_with_the_server_itself() {
    let Some(world) = Relayed::new(&["dhclient", "dnsmasq"]) else {
        return;
    };
    let node = world.node("lease_time = \"4s\"");
    let _relay = world.dnsmasq();
    let lab = &world.lab;
    let mut client = super::clients::dhclient!(lab, "dhclient.log");
    let address = client.address_after("bound to ");
    lab.client.ip(&format!("addr add {address}/16 dev c0"));
    lab.client.ip("route add default via 10.78.0.1");
    client.until("renewal by unicast", |text| {
        text.contains("to 10.77.0.1 port 67").then_some(())
    });
    client.until("renewal", |text| {
        (text.matches("DHCPACK of").count() >= 3).then_some(())
    });
    assert_eq!(node.leases("bound").len(), 1);
}

#[test]
fn silence_behind_an_unknown_relay_is_explained() {
    let Some(world) = Relayed::new(&["udhcpc", "dnsmasq"]) else {
        return;
    };
    let node = world.lab.node(
        "[dhcp]\nlisten = [\"10.77.0.1:67\"]\n[[dhcp.subnets]]\nname = \"other\"\nnetwork = \"10.99.0.0/16\"\npools = [\"10.99.1.0-10.99.1.255\"]\n",
    );
    world.lab.client.ip("link set c0 address 02:60:00:00:00:07");
    let _relay = world.dnsmasq();
    let hook = world.lab.hook();
    let arguments = ["-f", "-q", "-t", "20", "-T", "1", "-i", "c0", "-s", &hook];
    let _client = world.lab.client.start("udhcpc.log", "udhcpc", &arguments);
    let expected = "no subnet matches giaddr 10.78.0.1";
    until("the silence was on record", || {
        let output = node.cli(&["why", "02:60:00:00:00:07"]);
        String::from_utf8_lossy(&output.stdout).contains(expected)
    });
    let story = node.says(&["why", "02:60:00:00:00:07"]);
    assert!(story.contains("PUR-1101") && story.contains("relays"), "{story}");
}
