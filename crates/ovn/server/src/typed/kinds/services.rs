//! What OVN answers by itself: DHCP and DNS.

use super::{kind, shown};
use crate::typed::{By, Fault, Field, Form, Kind, Of, Subject, Values};
use purlin_ovn_core::model::{Change, NAME_KEY};
use serde_json::{Map, Value, json};

/// Rows without a column for names keep theirs here.
const NAMED: Field = Field::key(
    "name",
    "external_ids",
    NAME_KEY,
    Form::Text,
    "A name of our own; OVN has none for these.",
);
const IDS: Field = Field::new(
    "external_ids",
    Of::Map {
        column: "external_ids",
        hidden: &[NAME_KEY],
        values: Values::Text,
    },
    "Notes of other programs, by key.",
);

pub(super) static DHCP_OPTIONS: Kind = kind!(
    "dhcp-options",
    "set of DHCP options",
    "DHCP_Options",
    "OvnDhcpOptions",
    "What the DHCP of OVN answers to ports: each option checked by its type, quoted by us.",
    r#"{"name": "web-v4", "cidr": "10.0.0.0/24", "options": {"server_id": "10.0.0.1", "server_mac": "02:00:00:00:01:01", "lease_time": 3600, "router": "10.0.0.1", "dns_server": ["10.0.0.2", "10.0.0.3"], "domain_name": "lab.example"}}"#,
    None,
    &[
        NAMED.filter("name"),
        Field::same("cidr", "The network: ports with addresses in it are answered.").needed().filter("cidr"),
        Field::new(
            "options",
            Of::Map { column: "options", hidden: &[], values: Values::Dhcp },
            "Options by name: numbers, true or false, texts, lists of addresses or names, `{destination, router}` for routes.",
        )
        .needed(),
        Field::shown("version", shown::dhcp_version, shown::dhcp_family, "ipv4 or ipv6, by the network."),
        Field::shown("ports_count", shown::dhcp_ports, shown::count, "How many ports are answered so."),
        IDS,
    ],
);

pub(super) static DNS: Kind = kind!(
    "dns",
    "set of DNS records",
    "DNS",
    "OvnDns",
    "Names that switches answer for.",
    r#"{"name": "lab", "records": {"web-1.lab.example": ["10.0.0.10"]}, "switches": ["web"]}"#,
    None,
    &[
        NAMED.filter("name"),
        Field::new(
            "records",
            Of::Map {
                column: "records",
                hidden: &[],
                values: Values::Words
            },
            "Addresses by name, as a list.",
        ),
        Field::new(
            "switches",
            Of::Referrers {
                table: "Logical_Switch",
                column: "dns_records",
                by: By::Name
            },
            "Switches that answer for them.",
        )
        .filter("switch"),
        IDS,
    ],
);

/// `drop` is the only action that there is.
pub(super) fn bands_drop(_: &Subject<'_, '_>, body: &mut Map<String, Value>) -> Result<Vec<Change>, Fault> {
    let bands = body.get_mut("bands").and_then(Value::as_array_mut);
    for band in bands.into_iter().flatten().filter_map(Value::as_object_mut) {
        band.entry("action").or_insert_with(|| json!("drop"));
    }
    Ok(Vec::new())
}
