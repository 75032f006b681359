//! The keys of `[balancer]`.

use crate::{Key, Kind, TextFault};
use std::time::Duration;

const fn millis(min: u64, max: u64) -> Kind {
    Kind::Duration {
        min: Duration::from_millis(min),
        max: Duration::from_millis(max),
    }
}

const HOUR: u64 = 3_600_000;
const PERCENT: Kind = Kind::Int { min: 0, max: 100 };

/// The words of `service`.
pub(super) const SERVICES: &[&str] = &["dhcp", "tftp", "udp", "tcp", "http"];

pub(super) const ALGORITHMS: &[&str] = &[
    "round_robin",
    "least_connections",
    "consistent_hashing",
    "ip_hash",
];

pub(super) const BALANCER: &[Key] = &[Key::new(
    "fronts",
    Kind::List(&Kind::Table(&[FRONT, HEALTH, LIMITS])),
    "What clients talk to in place of a node. `purlin lb` runs a process with nothing else; `purlin up` runs them beside its services.",
)
.restart()];

/// Whom, where and by what rule.
pub(super) const FRONT: &[Key] = &[
    Key::new("name", Kind::Text { max: 64 }, "What commands, metrics and events call this front.")
        .required()
        .restart()
        .example("dhcp"),
    Key::new("service", Kind::Enum(SERVICES), "What is spoken: it decides what tells clients apart. tcp carries any connection; http also reads the head of the first request; WebSockets pass through both.")
        .required()
        .restart()
        .example("dhcp"),
    Key::new("listen", Kind::Socket, "Where clients come. Behind DHCP relays: their helper address; for TFTP: the next-server that DHCP tells.")
        .required()
        .restart()
        .example("10.0.0.1:67"),
    Key::new("algorithm", Kind::Enum(ALGORITHMS), "Which backend gets a new client. When not set: load_balancing of [dhcp.datacenter.scaling], or of [tftp] for tftp; else consistent_hashing for dhcp, tftp and udp, and least_connections for tcp and http.")
        .restart(),
    Key::new("hash_key", Kind::Form { what: "client, chaddr, giaddr, client_ip, file or header:NAME", check: check_key }, "What tells clients apart. dhcp: client (option 61, else the hardware address; the default), chaddr, giaddr or client_ip. tftp: client_ip, or file, which keeps a file in one node's cache; when not set there: load_balancing.hash_key. http: client_ip or header:NAME. Else client_ip.")
        .restart()
        .example("chaddr"),
    Key::new("stickiness", millis(0, 24 * HOUR), "How long a client stays with its backend after its last word, whatever the algorithm. tcp and http: after its last connection; 0 there unless set. Else 60 s.")
        .restart()
        .example("10m"),
    Key::new("backends", Kind::List(&Kind::Table(&[BACKEND])), "The nodes behind this front. Either these or `members`.")
        .restart(),
    Key::new("members", Kind::Bool, "Take the nodes of the cluster, as they come and go, in place of `backends`. Those that drain get nothing new.")
        .default("false")
        .restart(),
    Key::new("members_port", Kind::Int { min: 1, max: 65535 }, "With `members`: the port of the service on every node. Else 67 for dhcp, 69 for tftp, and the API's port of each node for tcp and http.")
        .restart(),
];

pub(super) const BACKEND: &[Key] = &[
    Key::new(
        "name",
        Kind::Text { max: 64 },
        "Unique in its front, the same on all balancers: clients are spread by it. The address when not set.",
    )
    .restart()
    .example("node-1"),
    Key::new("address", Kind::Socket, "Where clients' work is sent.")
        .required()
        .restart()
        .example("10.0.0.11:67"),
    Key::new(
        "check",
        Kind::Socket,
        "Where probes are sent: api.metrics of the node, or its api.http. When not set: `check_port` at the same address.",
    )
    .restart()
    .example("10.0.0.11:9090"),
    Key::new(
        "weight",
        Kind::Int { min: 0, max: 1000 },
        "Share relative to the others; 0 takes nothing new.",
    )
    .default("100")
    .restart(),
];

/// When a backend gets work.
pub(super) const HEALTH: &[Key] = &[
    Key::new("check", Kind::Enum(&["http", "tcp", "none"]), "How backends are probed: GET `check_path` must answer 200, or a connection must be accepted. When not set: http, or none where load_balancing.health_check is false.")
        .restart(),
    Key::new("check_path", Kind::Form { what: "a path", check: check_path }, "What http probes ask for.")
        .default("/health/ready")
        .restart(),
    Key::new("check_port", Kind::Int { min: 1, max: 65535 }, "Where probes go unless a backend says otherwise; plain HTTP is spoken there. When not set: the backend's own port for tcp and http, 9090 (api.metrics) for the others.")
        .restart(),
    Key::new("check_interval", millis(100, HOUR), "From one probe to the next. When not set: load_balancing.health_check_interval, else 10 s.")
        .restart()
        .example("10s"),
    Key::new("check_timeout", millis(10, 60_000), "A probe unanswered for so long has failed.")
        .default("2s")
        .restart(),
    Key::new("rise", Kind::Int { min: 1, max: 100 }, "Probes in a row that bring a backend up.").default("2").restart(),
    Key::new("fall", Kind::Int { min: 1, max: 100 }, "Failed probes in a row that take it down.").default("3").restart(),
    Key::new("eject_after", Kind::Int { min: 0, max: 10_000 }, "Failures of real work in a row that put a backend out for a while; 0 for never.")
        .default("5")
        .restart(),
    Key::new("eject_time", millis(100, 24 * HOUR), "How long the first time; the nth time n times as long, up to ten times.")
        .default("30s")
        .restart(),
    Key::new("eject_percent_max", PERCENT, "Never more than this part of the backends is put out.").default("50").restart(),
    Key::new("panic_percent", PERCENT, "With a smaller part usable, all are used as if they were: then the witnesses are likelier to err.")
        .default("25")
        .restart(),
    Key::new("slow_start", millis(0, HOUR), "How long a backend that comes back takes to get its full share.").default("30s").restart(),
];

/// What one client and all of them may cost.
pub(super) const LIMITS: &[Key] = &[
    Key::new("patience", millis(0, 60_000), "A client that asks again after so long without an answer gets another backend; 0 for never. When not set: 3 s for dhcp and tftp, never for udp.")
        .restart()
        .example("3s"),
    Key::new("clients_max", Kind::Int { min: 1, max: 10_000_000 }, "Clients at a time. Each costs about 200 octets with dhcp, a socket with tftp and udp, two sockets with tcp and http.")
        .default("10000")
        .restart(),
    Key::new("connect_timeout", millis(10, 60_000), "tcp and http: a backend that has not accepted within this is passed over.")
        .default("2s")
        .restart(),
    Key::new("attempts", Kind::Int { min: 1, max: 16 }, "tcp and http: backends tried for one connection.").default("3").restart(),
    Key::new("idle_timeout", millis(1000, 7 * 24 * HOUR), "tcp and http: a connection silent for so long is cut. WebSockets must ping more often.")
        .default("1h")
        .restart(),
    Key::new("proxy_protocol", Kind::Bool, "tcp and http: backends are told the client's address in a PROXY line (version 1). They must expect it.")
        .default("false")
        .restart(),
];

fn check_key(text: &str) -> Result<(), TextFault> {
    let is_token = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
    };
    let good = match text.strip_prefix("header:") {
        Some(name) => is_token(name),
        None => ["client", "chaddr", "giaddr", "client_ip", "file"].contains(&text),
    };
    if good {
        return Ok(());
    }
    Err(TextFault::from(format!("\"{text}\" is no key of clients")))
}

fn check_path(text: &str) -> Result<(), TextFault> {
    if text.starts_with('/') && text.bytes().all(|octet| octet.is_ascii_graphic()) {
        return Ok(());
    }
    Err(TextFault::from(
        "a path begins with / and has no spaces".to_owned(),
    ))
}
