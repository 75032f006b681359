//! Both servers with one configuration each that mean the same, and one relay that talks to either.
//!
//! ```text
//!   purlin 10.77.0.1 s0 ── c0 ┐ 10.77.0.3, 10.78.0.3, 10.79.0.3   the relay, on three links
//!   kea    10.66.0.1 k0 ── c1 ┘
//! ```

use super::packet::{Answer, Packet};
use purlin_conformance::{Lab, Node, Process, Space};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::Path;

/// Links of the relay: dynamic addresses with times of their own, leases without end, BOOTP.
pub(super) const TIMED: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
pub(super) const ENDLESS: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 3);
pub(super) const BOOTP: Ipv4Addr = Ipv4Addr::new(10, 79, 0, 3);

/// Server addresses of Purlin and Kea.
pub(super) const SERVERS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 66, 0, 1)];

/// Option 125: enterprise 3561, sub-option 4 with `acs`. (Of 4491 Kea knows the sub-options itself.)
pub(super) const VIVSO: &str = "00000de9050403616373";
/// Option 162: priority 1, `dns.example.com`, 10.77.0.53, `alpn=dot`.
pub(super) const DNR: &str = "0021000111\
    03646e73076578616d706c6503636f6d0004\
    0a4d0035\
    0001000403646f74";

const PURLIN: &str = r#"
[node]
id = "lab"
[dhcp]
listen = ["10.77.0.1:67"]
bootp = true
domain_name = "example.com"
[[dhcp.subnets]]
name = "timed"
network = "10.77.0.0/16"
pools = [
  { range = "10.77.1.0-10.77.1.255", classes = ["UNKNOWN"] },
  { range = "10.77.2.0-10.77.2.255", classes = ["KNOWN"] },
]
gateway = "10.77.0.254"
dns_servers = ["10.77.0.53", "10.77.0.54"]
mtu = 1400
lease_time = "50m"
t1 = "15m"
t2 = "35m"
dnr = "1 dns.example.com 10.77.0.53 alpn=dot"
options = { vivso-suboptions = "3561/4=\"acs\"" }
reservations = [
  { mac = "02:00:00:00:00:c8", address = "10.77.5.5" },
  { mac = "02:00:00:00:00:c9", domain_name = "known.example.com" },
]
[[dhcp.subnets]]
name = "endless"
network = "10.78.0.0/16"
pools = ["10.78.1.0-10.78.1.255"]
lease_time = "infinite"
[[dhcp.subnets]]
name = "bootp"
network = "10.79.0.0/16"
pools = ["10.79.1.0-10.79.1.255"]
gateway = "10.79.0.254"
reservations = [{ mac = "02:00:00:00:00:ca", address = "10.79.5.5", boot_file = "kernel", next_server = "10.79.0.9" }]
"#;

fn kea(hook: &str) -> Value {
    let option = |code: u8, hex: &str| json!({"code": code, "csv-format": false, "data": hex});
    let named = |name: &str, data: &str| json!({"name": name, "data": data});
    json!({"Dhcp4": {
        "interfaces-config": {"interfaces": ["k0"], "dhcp-socket-type": "udp"},
        "lease-database": {"type": "memfile", "persist": false},
        "hooks-libraries": [{"library": hook}],
        "authoritative": true,
        "option-def": [{"name": "dnr", "code": 162, "type": "binary"}],
        "option-data": [named("domain-name", "example.com")],
        "subnet4": [
            {
                "id": 1, "subnet": "10.77.0.0/16", "valid-lifetime": 3000, "renew-timer": 900, "rebind-timer": 2100,
                "pools": [
                    {"pool": "10.77.1.0-10.77.1.255", "client-class": "UNKNOWN"},
                    {"pool": "10.77.2.0-10.77.2.255", "client-class": "KNOWN"},
                ],
                "option-data": [
                    named("routers", "10.77.0.254"), named("domain-name-servers", "10.77.0.53, 10.77.0.54"),
                    named("interface-mtu", "1400"), option(125, VIVSO), option(162, DNR),
                ],
                "reservations": [
                    {"hw-address": "02:00:00:00:00:c8", "ip-address": "10.77.5.5"},
                    {"hw-address": "02:00:00:00:00:c9", "option-data": [named("domain-name", "known.example.com")]},
                ],
            },
            {
                "id": 2, "subnet": "10.78.0.0/16", "valid-lifetime": 4_294_967_295_u32,
                "pools": [{"pool": "10.78.1.0-10.78.1.255"}],
            },
            {
                "id": 3, "subnet": "10.79.0.0/16", "valid-lifetime": 3600,
                "pools": [{"pool": "10.79.1.0-10.79.1.255"}],
                "option-data": [named("routers", "10.79.0.254")],
                "reservations": [{
                    "hw-address": "02:00:00:00:00:ca", "ip-address": "10.79.5.5",
                    "boot-file-name": "kernel", "next-server": "10.79.0.9",
                }],
            },
        ],
    }})
}

/// Where the package put Kea's hook for BOOTP.
fn hook() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let hook = |folder: &Path| folder.join("kea/hooks/libdhcp_bootp.so");
    let found = folders.flatten().map(|entry| hook(&entry.path()));
    let mut found = found.filter(|file| file.is_file());
    found.next().map(|file| file.to_string_lossy().into_owned())
}

/// The laboratory of both; started once for a test.
pub(super) struct World {
    // Ended before their namespaces go.
    _kea: Process,
    _kea_space: Space,
    lab: Lab,
}

/// Both servers at work.
pub(super) struct Both<'lab> {
    lab: &'lab Lab,
    _node: Node<'lab>,
}

impl World {
    pub(super) fn new() -> Option<Self> {
        let lab = Lab::new(&["kea-dhcp4"])?;
        let hook = hook().expect("Kea comes with its BOOTP hook");
        let space = lab.space("kea");
        space.join("k0", &lab.client, "c1");
        space.ip("addr add 10.66.0.1/24 dev k0");
        lab.client.ip("addr add 10.66.0.3/24 dev c1");
        for relay in [TIMED, ENDLESS, BOOTP] {
            lab.client.ip(&format!("addr add {relay}/16 dev c0"));
            let [a, b, ..] = relay.octets();
            space.ip(&format!("route add {a}.{b}.0.0/16 via 10.66.0.3"));
            if relay != TIMED {
                lab.server.ip(&format!("route add {a}.{b}.0.0/16 via {TIMED}"));
            }
        }
        let file = lab.write("kea.json", &kea(&hook).to_string());
        let folder = lab.path("kea");
        std::fs::create_dir(&folder).expect("the laboratory's folder can be written");
        let folder = folder.to_string_lossy();
        let settings =
            ["PIDFILE_DIR", "LOCKFILE_DIR", "DHCP_DATA_DIR"].map(|name| format!("KEA_{name}={folder}"));
        let mut arguments: Vec<&str> = settings.iter().map(String::as_str).collect();
        arguments.extend(["KEA_LOGGER_DESTINATION=stdout", "kea-dhcp4", "-c", &file]);
        let mut kea = space.start("kea.log", "env", &arguments);
        kea.until("start of Kea", |text| {
            text.contains("DHCP4_STARTED").then_some(())
        });
        Some(Self {
            _kea: kea,
            _kea_space: space,
            lab,
        })
    }

    pub(super) fn both(&self) -> Both<'_> {
        Both {
            lab: &self.lab,
            _node: self.lab.node(PURLIN),
        }
    }
}

impl Both<'_> {
    /// What one of the [`SERVERS`] answers.
    pub(super) fn ask(&self, server: usize, packet: &Packet) -> Option<Answer> {
        let (relay, server) = (packet.relay.to_string(), SERVERS[server].to_string());
        let arguments = [relay.as_str(), &server, &packet.hex(), "1500"];
        let output = self.lab.client.run(env!("CARGO_BIN_EXE_relay-talk"), &arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "relay-talk: {told}");
        Answer::read(&String::from_utf8_lossy(&output.stdout))
    }
}
