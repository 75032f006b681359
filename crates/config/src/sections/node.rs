//! `[node]`: who this process is and where it keeps its data.

use crate::{Document, Faults, Key, Kind, Reader, Section, TextFault, check_section};
use purlin_types::NodeId;

static SECTION: Section = Section::new("node", "Who this node is and where it keeps its data.", &[KEYS]);

const KEYS: &[Key] = &[
    Key::new("id", Kind::Form { what: "a node id", check: check_id }, "Name of this node, unique in its cluster; up to 64 letters, digits, '.', '-' and '_'. The host name when not set.")
        .restart()
        .example("node-1"),
    Key::new("data_dir", Kind::Path, "Directory for leases, revisions, certificates and tokens. One process at a time may use it.")
        .default("./purlin-data")
        .restart()
        .example("/var/lib/purlin"),
    Key::new("site", Kind::Form { what: "a site name", check: check_id }, "Name of the site this node is in; shown in metrics and decisions.")
        .default("default")
        .restart()
        .example("us-east"),
];

/// The checked `[node]` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSettings {
    pub id: NodeId,
    /// As written; relative paths are relative to the working directory.
    pub data_dir: String,
    pub site: String,
}

/// The schema of `[node]`.
#[must_use]
pub fn section() -> &'static Section {
    &SECTION
}

/// Reads `[node]`. `host_name` names the node when the file does not; what a node id cannot hold becomes `-`.
#[must_use]
pub fn read(document: &Document, host_name: Option<&str>, faults: &mut Faults) -> Option<NodeSettings> {
    let before = faults.errors();
    check_section(document, &SECTION, faults);
    let reader = Reader::section(document, &SECTION);
    let id = reader
        .opt::<String>("id")
        .and_then(|text| NodeId::parse(&text).ok());
    let settings = NodeSettings {
        id: id.unwrap_or_else(|| from_host_name(host_name)),
        data_dir: reader.get("data_dir"),
        site: reader.get("site"),
    };
    (faults.errors() == before).then_some(settings)
}

fn from_host_name(host_name: Option<&str>) -> NodeId {
    let allowed = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
            c
        } else {
            '-'
        }
    };
    let cleaned: String = host_name
        .unwrap_or_default()
        .chars()
        .take(64)
        .map(allowed)
        .collect();
    NodeId::parse(&cleaned)
        .or_else(|_| NodeId::parse("node-1"))
        .expect("the fallback is a valid node id")
}

fn check_id(text: &str) -> Result<(), TextFault> {
    NodeId::parse(text)
        .map(drop)
        .map_err(|why| TextFault::from(why.to_string()))
}
