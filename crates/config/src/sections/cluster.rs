//! `[cluster]`: this node among others.

use crate::{Document, Fault, Faults, Key, Kind, Reader, Section, TextFault, check_section, codes};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

static SECTION: Section = Section::new("cluster", "This node among others.", &[KEYS]);

const KEYS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether this node works with others. They share one PostgreSQL: see [store].")
        .default("false")
        .restart(),
    Key::new("node_ip", Kind::Form { what: "an IPv4 address", check: check_ip }, "Where other nodes and clients reach this one. Without it, the first address of [api].")
        .restart()
        .example("192.168.1.10"),
    Key::new("hostname", Kind::Text { max: 255 }, "Name of the machine, shown in the list of nodes. The host name when not set.")
        .restart()
        .example("node-1.example.com"),
    Key::new("zone", Kind::Text { max: 64 }, "Failure domain, such as a rack or a room: standbys are chosen from other ones.")
        .restart()
        .example("rack-7"),
    Key::new("weight", Kind::Int { min: 1, max: 1000 }, "Share of the addresses that this node takes, relative to the others.")
        .default("100")
        .restart(),
    Key::new("heartbeat_interval", Kind::Duration { min: Duration::from_millis(100), max: Duration::from_secs(60) }, "How often a node says that it is alive. For display and routing only: ownership is counted in [store].")
        .default("5s")
        .restart(),
    Key::new("node_timeout", Kind::Duration { min: Duration::from_millis(300), max: Duration::from_secs(600) }, "A node that was silent for so long is shown as gone.")
        .default("30s")
        .restart(),
    Key::new("secret", Kind::Secret, "What nodes of a cluster know and strangers do not, 16 octets or more: it seals the packets that they give each other. PURLIN__CLUSTER__SECRET_FILE names a file.")
        .restart(),
    Key::new("peer_port", Kind::Int { min: 1, max: 65535 }, "UDP port on which other nodes give this one the DHCP packets that are its to decide about.")
        .default("8067")
        .restart(),
    Key::new("takeover", Kind::Enum(&["normal", "fast"]), "How soon other nodes serve a dead one's clients: within 20 s (normal: renewed every 3 s, valid for 15) or 5 s (fast: 0.5 and 2.5; wants a database that always answers within a second).")
        .default("normal")
        .restart(),
];

/// How soon others take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takeover {
    Normal,
    Fast,
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The checked `[cluster]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    pub enabled: bool,
    pub node_ip: Option<Ipv4Addr>,
    pub hostname: Option<String>,
    pub zone: String,
    /// 1 to 1000.
    pub weight: u16,
    pub heartbeat_interval: Duration,
    /// Longer than `heartbeat_interval`.
    pub node_timeout: Duration,
    pub takeover: Takeover,
    pub secret: Option<Secret>,
    pub peer_port: u16,
}

/// The schema of `[cluster]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[cluster]`; `None` when it has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<ClusterSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let takeover: String = reader.get("takeover");
    let settings = ClusterSettings {
        enabled: reader.get("enabled"),
        node_ip: reader.opt::<String>("node_ip").and_then(|text| text.parse().ok()),
        hostname: reader.opt("hostname"),
        zone: reader.opt("zone").unwrap_or_default(),
        weight: reader.get("weight"),
        heartbeat_interval: reader.get("heartbeat_interval"),
        node_timeout: reader.get("node_timeout"),
        takeover: if takeover == "fast" {
            Takeover::Fast
        } else {
            Takeover::Normal
        },
        secret: reader.opt("secret").map(Secret),
        peer_port: reader.get("peer_port"),
    };
    enabled_wholly(&settings, &reader, faults);
    if settings.node_timeout <= settings.heartbeat_interval && faults.errors() == before {
        let message =
            "`node_timeout` must be longer than `heartbeat_interval`, or every node would be shown as gone";
        let (path, span) = (reader.path_of("node_timeout"), reader.span_of("node_timeout"));
        faults.push(
            Fault::error(codes::CONTRADICTION, path, span, message).help("use three intervals or more"),
        );
    }
    (faults.errors() == before).then_some(settings)
}

/// What a node among others cannot do without.
fn enabled_wholly(settings: &ClusterSettings, reader: &Reader<'_>, faults: &mut Faults) {
    let needs = [
        (
            "node_ip",
            reader.node("node_ip").is_none(),
            "where other nodes reach this one",
            "node_ip = \"192.168.1.10\"",
        ),
        (
            "secret",
            reader.node("secret").is_none(),
            "what seals packets between nodes",
            "PURLIN__CLUSTER__SECRET_FILE=/etc/purlin/secret",
        ),
    ];
    for (key, missing, what, example) in needs {
        if settings.enabled && missing {
            let message = format!("a node of a cluster needs `{key}`: {what}");
            let (path, span) = (reader.path_of(key), reader.span_of("enabled"));
            faults.push(
                Fault::error(codes::MISSING_KEY, path, span, message).help(format!("for example {example}")),
            );
        }
    }
    let short = settings.secret.as_ref().is_some_and(|secret| secret.0.len() < 16);
    if short {
        let message = "the secret has fewer than 16 octets";
        let (path, span) = (reader.path_of("secret"), reader.span_of("secret"));
        faults.push(Fault::error(codes::OUT_OF_RANGE, path, span, message).help("openssl rand -hex 32"));
    }
}

fn check_ip(text: &str) -> Result<(), TextFault> {
    match text.parse::<Ipv4Addr>() {
        Ok(_) => Ok(()),
        Err(_) if text.parse::<SocketAddr>().is_ok() => {
            Err(TextFault::from("an address without a port is wanted".to_owned()))
        }
        Err(_) => Err(TextFault::from(format!("\"{text}\" is no IPv4 address"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    fn parsed(text: &str) -> (Option<ClusterSettings>, Faults) {
        let mut faults = Faults::new();
        let document = Document::parse([Input::file("c.toml", text)], &mut faults);
        (read(&document, &mut faults), faults)
    }

    #[test]
    fn one_node_alone_needs_no_section() {
        let (settings, faults) = parsed("");
        assert!(!faults.has_errors());
        assert_eq!(
            settings.map(|s| (s.enabled, s.weight, s.node_timeout)),
            Some((false, 100, Duration::from_secs(30)))
        );
    }

    #[test]
    fn a_timeout_within_one_heartbeat_is_refused() {
        let (settings, faults) = parsed("[cluster]\nheartbeat_interval = \"5s\"\nnode_timeout = \"5s\"");
        assert_eq!(settings, None);
        assert_eq!(faults.errors(), 1);
    }

    #[test]
    fn a_node_among_others_needs_an_address_and_a_secret() {
        let (settings, faults) = parsed("[cluster]\nenabled = true");
        assert_eq!((settings, faults.errors()), (None, 2));
        let whole = "[cluster]\nenabled = true\nnode_ip = \"10.0.0.1\"\nsecret = ";
        assert!(parsed(&format!("{whole}\"0123456789abcdef\"")).0.is_some());
        assert!(parsed(&format!("{whole}\"0123456789abcde\"")).0.is_none());
    }

    #[test]
    fn an_address_is_an_address() {
        assert!(parsed("[cluster]\nnode_ip = \"192.168.1.10\"").0.is_some());
        assert!(parsed("[cluster]\nnode_ip = \"192.168.1.10:8080\"").0.is_none());
        assert!(parsed("[cluster]\nnode_ip = \"node-1\"").0.is_none());
        // Packets between nodes go over IPv4.
        assert!(parsed("[cluster]\nnode_ip = \"2001:db8::1\"").0.is_none());
    }
}
