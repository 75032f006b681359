//! `[sessions]`: clients that hold a connection, and move to other nodes.

use crate::{Document, Faults, Key, Kind, Reader, Section, check_section};
use std::time::Duration;

static SECTION: Section = Section::new(
    "sessions",
    "Sessions of clients that follow events: how long they live, and how they move between nodes.",
    &[KEYS],
);

const KEYS: &[Key] = &[
    Key::new(
        "store",
        Kind::Enum(&["coordination", "memory"]),
        "Where the registry is: what [coordination] names, so that sessions move between nodes, or this process.",
    )
    .default("coordination")
    .restart(),
    Key::new(
        "ttl",
        Kind::Duration {
            min: Duration::from_secs(1),
            max: Duration::from_secs(7 * 86400),
        },
        "A session lapses when nothing was heard of its client for so long. Its id is replaced as often.",
    )
    .default("30m")
    .restart(),
    Key::new(
        "cleanup_interval",
        Kind::Duration {
            min: Duration::from_secs(1),
            max: Duration::from_secs(86400),
        },
        "How often lapsed sessions are taken out.",
    )
    .default("5m")
    .restart(),
    Key::new(
        "close_spread",
        Kind::Duration {
            min: Duration::ZERO,
            max: Duration::from_secs(600),
        },
        "A draining node closes its sessions within this time, so that not all clients come to the others at once.",
    )
    .default("10s")
    .restart(),
    Key::new(
        "resume_ttl",
        Kind::Duration {
            min: Duration::from_secs(1),
            max: Duration::from_secs(3600),
        },
        "How long after a close a client may go on at another node.",
    )
    .default("2m")
    .restart(),
    Key::new(
        "max",
        Kind::Int {
            min: 1,
            max: 1_000_000,
        },
        "Sessions of one node. Each keeps up to 256 KiB of events.",
    )
    .default("100000")
    .restart(),
];

/// The checked `[sessions]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// Whether nodes share the registry.
    pub shared: bool,
    pub ttl: Duration,
    pub cleanup_interval: Duration,
    pub close_spread: Duration,
    pub resume_ttl: Duration,
    /// 1 to 1,000,000.
    pub max: u32,
}

/// The schema of `[sessions]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[sessions]`; `None` when it has errors, which are then in `faults`.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<SessionSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let store: String = reader.get("store");
    let settings = SessionSettings {
        shared: store == "coordination",
        ttl: reader.get("ttl"),
        cleanup_interval: reader.get("cleanup_interval"),
        close_spread: reader.get("close_spread"),
        resume_ttl: reader.get("resume_ttl"),
        max: reader.get("max"),
    };
    (faults.errors() == before).then_some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Input;

    #[test]
    fn without_a_section_the_guides_defaults_hold() {
        let read_text = |text: &str| {
            let mut faults = Faults::new();
            let document = Document::parse([Input::file("s.toml", text)], &mut faults);
            read(&document, &mut faults)
        };
        let defaults = read_text("").expect("nothing is wrong");
        assert_eq!(
            (defaults.shared, defaults.ttl, defaults.cleanup_interval),
            (true, Duration::from_secs(1800), Duration::from_secs(300))
        );
        assert_eq!(read_text("[sessions]\nstore = \"etcd\""), None);
        assert_eq!(read_text("[sessions]\nttl = \"0s\""), None);
    }
}
