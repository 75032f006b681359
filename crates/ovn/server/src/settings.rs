//! `[ovn]` of a configuration.

use crate::history::Bounds;
use purlin_config::{Document, Fault, Faults, Key, Kind, Reader, Section, TextFault, check_section, codes};
use purlin_ovsdb::client::{Endpoint, Group};
use std::path::PathBuf;
use std::time::Duration;

static SECTION: Section = Section::new("ovn", "Virtual networks: a platform over OVN.", &[KEYS]);

const ENDPOINTS: Kind = Kind::List(&Kind::Form {
    what: "tcp:HOST:PORT, ssl:HOST:PORT or unix:PATH",
    check: endpoint,
});

const WAIT: Kind = Kind::Duration {
    min: Duration::from_millis(100),
    max: Duration::from_secs(600),
};

const KEYS: &[Key] = &[
    Key::new("enabled", Kind::Bool, "Whether the platform runs on this node.")
        .default("false")
        .restart(),
    Key::new(
        "northbound",
        ENDPOINTS,
        "Servers of OVN's northbound database: all members of its cluster. Without any, this node starts databases of its own.",
    )
    .restart()
    .example("[\"ssl:ovn-1:6641\", \"ssl:ovn-2:6641\", \"ssl:ovn-3:6641\"]"),
    Key::new("southbound", ENDPOINTS, "Servers of the southbound database; without any, nothing is known of flows and hypervisors.")
        .restart()
        .example("[\"ssl:ovn-1:6642\"]"),
    Key::new(
        "own",
        Kind::Enum(&["auto", "packaged", "in_process"]),
        "The databases of its own that this node starts: the packaged ovsdb-server and ovn-northd, or a northbound in this process, which nobody turns into flows. auto takes the packaged ones where they are installed.",
    )
    .default("auto")
    .restart(),
    Key::new("certificate", Kind::Path, "This node's certificate (PEM), for ssl: endpoints.").restart(),
    Key::new("private_key", Kind::Path, "Its key (PEM).").restart(),
    Key::new("ca_certificate", Kind::Path, "The authority that signed the servers' certificates (PEM).").restart(),
    Key::new(
        "control_sockets",
        Kind::List(&Kind::Path),
        "Control sockets of ovsdb-server and ovn-northd on this machine, or folders that hold some: RAFT's numbers, compaction, elections and membership go over them. Those of databases of its own a node knows.",
    )
    .restart()
    .example("[\"/var/run/ovn\"]"),
    Key::new("northd_lag_max", WAIT, "How long ovn-northd may make no progress before there is an alarm.")
        .default("30s")
        .restart(),
    Key::new("chassis_stale_after", WAIT, "How long a hypervisor may make no progress before there is an alarm.")
        .default("1m")
        .restart(),
    Key::new("connect_timeout", WAIT, "Longest wait for a connection.").default("3s").restart(),
    Key::new(
        "probe_interval",
        WAIT,
        "After how long a silence a server is asked whether it lives; after as long again it is given up.",
    )
    .default("5s")
    .restart(),
    Key::new(
        "batch_size",
        Kind::Int { min: 1, max: 2500 },
        "Writes that come together travel to the northbound as one transaction: so many at most.",
    )
    .default("100")
    .restart(),
    Key::new(
        "batch_timeout",
        Kind::Duration {
            min: Duration::ZERO,
            max: Duration::from_secs(10),
        },
        "How long a write waits for others to travel with, beyond the wait for its turn. More makes each write slower, and lets ovn-northd see fewer changes.",
    )
    .default("0s")
    .restart(),
    Key::new(
        "max_concurrent",
        Kind::Int { min: 1, max: 64 },
        "Transactions that are under way at once.",
    )
    .default("8")
    .restart(),
    Key::new("write_timeout", WAIT, "How long a write may take, all retries included.")
        .default("30s")
        .restart(),
    Key::new(
        "journal_entries",
        Kind::Int { min: 100, max: 1_000_000 },
        "Transactions that the journal keeps; the oldest go first. About 2 KiB each, more for large ones.",
    )
    .default("20000")
    .restart(),
    Key::new(
        "journal_age",
        Kind::Duration { min: Duration::from_secs(3600), max: Duration::from_secs(10 * 366 * 86_400) },
        "Older transactions leave the journal.",
    )
    .default("90d")
    .restart(),
];

/// Where the databases are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Somewhere else; the second list may be empty.
    Given(Vec<Endpoint>, Vec<Endpoint>),
    /// Started by this node.
    Own(Own),
}

/// Which databases a node starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    Auto,
    Packaged,
    InProcess,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OvnSettings {
    pub enabled: bool,
    pub source: Source,
    /// Certificate, key, authority.
    pub tls: Option<[PathBuf; 3]>,
    pub connect_timeout: Duration,
    pub probe_interval: Duration,
    pub write_timeout: Duration,
    /// How writes that come together travel.
    pub group: Group,
    /// Of programs on this machine, or folders of such.
    pub control_sockets: Vec<PathBuf>,
    pub northd_lag_max: Duration,
    pub chassis_stale_after: Duration,
    /// How much of its own the platform keeps.
    pub bounds: Bounds,
}

fn endpoint(text: &str) -> Result<(), TextFault> {
    let parsed = text.parse::<Endpoint>();
    parsed
        .map(drop)
        .map_err(|error| TextFault::from(error.to_string()))
}

/// A write of a row is four operations: two guards, the row, its place.
fn group(writes_max: u32, wait: Duration, in_flight_max: u32) -> Group {
    let (writes_max, in_flight_max) = (writes_max as usize, in_flight_max as usize);
    Group {
        writes_max,
        operations_max: (4 * writes_max).max(Group::default().operations_max),
        wait,
        in_flight_max,
        ..Group::default()
    }
}

/// The schema of `[ovn]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// What runs without a file.
#[must_use]
pub const fn demo() -> &'static str {
    "[ovn]\nenabled = true\n"
}

/// Reads `[ovn]`; `None` when anything is an error.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<OvnSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let keys = Reader::section(document, &SECTION);
    let list = |name: &str| -> Vec<Endpoint> {
        let texts: Vec<String> = keys.opt(name).unwrap_or_default();
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    };
    let (north, south) = (list("northbound"), list("southbound"));
    let mut contradict = |key: &str, message: &str| {
        let (path, span) = (keys.path_of(key), keys.span_of(key));
        faults.push(Fault::error(codes::CONTRADICTION, path, span, message));
    };
    if north.is_empty() && !south.is_empty() {
        contradict(
            "southbound",
            "a southbound without its northbound: give both, or none",
        );
    }
    let files = ["certificate", "private_key", "ca_certificate"]
        .map(|name| keys.opt::<String>(name).map(PathBuf::from));
    let needs = north
        .iter()
        .chain(&south)
        .any(|endpoint| matches!(endpoint, Endpoint::Ssl(..)));
    let tls = match files {
        [Some(certificate), Some(key), Some(authority)] => Some([certificate, key, authority]),
        [None, None, None] => None,
        _ => {
            contradict(
                "certificate",
                "certificate, private_key and ca_certificate belong together",
            );
            None
        }
    };
    if needs && tls.is_none() {
        contradict(
            "northbound",
            "ssl: endpoints need certificate, private_key and ca_certificate",
        );
    }
    let own = match keys.get::<String>("own").as_str() {
        "packaged" => Own::Packaged,
        "in_process" => Own::InProcess,
        _ => Own::Auto,
    };
    let source = if north.is_empty() {
        Source::Own(own)
    } else {
        Source::Given(north, south)
    };
    let sockets: Vec<String> = keys.opt("control_sockets").unwrap_or_default();
    let sockets = sockets.into_iter().map(PathBuf::from).collect();
    let settings = OvnSettings {
        enabled: keys.get("enabled"),
        source,
        tls,
        connect_timeout: keys.get("connect_timeout"),
        probe_interval: keys.get("probe_interval"),
        write_timeout: keys.get("write_timeout"),
        group: group(
            keys.get("batch_size"),
            keys.get("batch_timeout"),
            keys.get("max_concurrent"),
        ),
        control_sockets: sockets,
        northd_lag_max: keys.get("northd_lag_max"),
        chassis_stale_after: keys.get("chassis_stale_after"),
        bounds: Bounds {
            journal_entries: keys.get("journal_entries"),
            journal_age: keys.get("journal_age"),
        },
    };
    (faults.errors() == before).then_some(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::Input;

    fn parsed(text: &str) -> (Option<OvnSettings>, usize) {
        let mut faults = Faults::new();
        let text = format!("[ovn]\n{text}");
        let document = Document::parse([Input::file("o.toml", text)], &mut faults);
        let settings = read(&document, &mut faults);
        (settings, faults.errors())
    }

    #[test]
    fn without_endpoints_the_node_starts_its_own() {
        let (settings, errors) = parsed("enabled = true");
        let settings = settings.expect("a good section");
        assert_eq!(
            (settings.source, settings.enabled, errors),
            (Source::Own(Own::Auto), true, 0)
        );
        let (settings, _) =
            parsed("northbound = [\"tcp:n1:6641\", \"tcp:n2:6641\"]\nsouthbound = [\"tcp:n1:6642\"]");
        let Source::Given(north, south) = settings.expect("a good section").source else {
            panic!("they were given");
        };
        assert_eq!((north.len(), south.len()), (2, 1));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for text in [
            "southbound = [\"tcp:n1:6642\"]",
            "northbound = [\"ssl:n1:6641\"]",
            "northbound = [\"n1:6641\"]",
            "certificate = \"/c.pem\"",
            "own = \"docker\"",
        ] {
            let (settings, errors) = parsed(text);
            assert_eq!((settings, errors), (None, 1), "{text}");
        }
    }
}
