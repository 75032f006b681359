//! What OVN has made of the northbound: to be read, with the names of switches, routers and hypervisors.

use super::names;
use crate::typed::{Field, Form, Kind, Of, Side, datapath};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::State;
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Value, json};

const EXTERNAL_IDS: Field = Field::map("external_ids", "Notes of OVN and others, by key.").read();

macro_rules! south {
    ($noun:literal, $one:literal, $table:literal, $component:literal, $about:literal, $fields:expr $(,)?) => {
        Kind {
            noun: $noun,
            one: $one,
            table: $table,
            side: Side::South,
            fields: $fields,
            about: $about,
            example: "",
            names: names!("/api/v1/ovn/", $noun, $one, $component),
            prepare: None,
            marks: false,
        }
    };
}

const ENCAPS: [Field; 3] = [
    Field::same("type", "Kind of the tunnel.").read(),
    Field::same("ip", "Where it ends.").read(),
    Field::map("options", "Options, by key.").read(),
];

pub(crate) static CHASSIS: Kind = south!(
    "chassis",
    "chassis",
    "Chassis",
    "OvnChassis",
    "A hypervisor or gateway, as it has announced itself.",
    &[
        Field::same("name", "Its system id.").read().filter("name"),
        Field::same("hostname", "Name of the machine.")
            .read()
            .filter("hostname"),
        Field::new(
            "encaps",
            Of::Children {
                table: "Encap",
                column: "encaps",
                fields: &ENCAPS,
                key: &["type", "ip"]
            },
            "Tunnels by which others reach it.",
        )
        .read(),
        Field::key(
            "bridge_mappings",
            "other_config",
            "ovn-bridge-mappings",
            Form::Text,
            "Bridges of physical networks."
        )
        .read(),
        Field::shown(
            "nb_cfg",
            applied,
            number,
            "The count of changes that it has applied."
        ),
        Field::shown(
            "nb_cfg_timestamp",
            applied_at,
            number,
            "When it had, in milliseconds since 1970."
        ),
        Field::shown("ports_count", bound, count, "How many ports it has."),
        Field::same("transport_zones", "Zones within which it makes tunnels.").read(),
        Field::map("other_config", "What it says of itself, by key.").read(),
        EXTERNAL_IDS,
    ],
);

pub(crate) static PORT_BINDINGS: Kind = south!(
    "port-bindings",
    "port binding",
    "Port_Binding",
    "OvnPortBinding",
    "Where a logical port is.",
    &[
        Field::column("port", "logical_port", "Name of the port.")
            .read()
            .filter("port"),
        Field::same(
            "type",
            "Empty for a machine; patch, router, localnet, chassisredirect and others."
        )
        .read()
        .filter("type"),
        Field::new(
            "switch",
            Of::Datapath {
                router: false,
                many: false
            },
            "The switch it is of."
        )
        .read()
        .filter("switch"),
        Field::new(
            "router",
            Of::Datapath {
                router: true,
                many: false
            },
            "The router it is of."
        )
        .read()
        .filter("router"),
        Field::rows("chassis", "chassis", "The hypervisor that has it.")
            .read()
            .filter("chassis"),
        Field::rows(
            "additional_chassis",
            "additional_chassis",
            "Others that have it while it moves."
        )
        .read(),
        Field::rows(
            "requested_chassis",
            "requested_chassis",
            "The one that may have it."
        )
        .read(),
        Field::same("up", "Whether it is up there.").read().filter("up"),
        Field::column("addresses", "mac", "MACs and addresses.").read(),
        Field::same("tunnel_key", "Its number within the switch or router.").read(),
        Field::same("parent_port", "The port within which it is.")
            .read()
            .filter("parent_port"),
        Field::same("tag", "By which tag.").read(),
        Field::same("nat_addresses", "Addresses that are announced for it.").read(),
        Field::map("options", "Options, by key.").read(),
        EXTERNAL_IDS,
    ],
);

pub(crate) static LOGICAL_FLOWS: Kind = south!(
    "logical-flows",
    "logical flow",
    "Logical_Flow",
    "OvnLogicalFlow",
    "A step that packets take, as ovn-northd wrote it.",
    &[
        Field::new(
            "switches",
            Of::Datapath {
                router: false,
                many: true
            },
            "Switches that have it."
        )
        .read()
        .filter("switch"),
        Field::new(
            "routers",
            Of::Datapath {
                router: true,
                many: true
            },
            "Routers that have it."
        )
        .read()
        .filter("router"),
        Field::same("pipeline", "ingress or egress.")
            .read()
            .filter("pipeline"),
        Field::column("table", "table_id", "Number of its table.")
            .read()
            .filter("table"),
        Field::key(
            "stage",
            "external_ids",
            "stage-name",
            Form::Text,
            "Name of its table."
        )
        .read()
        .filter("stage"),
        Field::same("priority", "The highest one that matches is taken.")
            .read()
            .filter("priority"),
        Field::same("match", "What it is about; the filter is a part of it.")
            .read()
            .filter("match")
            .part(),
        Field::same("actions", "What happens; the filter is a part of it.")
            .read()
            .filter("actions")
            .part(),
        Field::shown("ports", ports, words, "Ports that it names.").filter("port"),
        Field::key(
            "source",
            "external_ids",
            "source",
            Form::Text,
            "Where in ovn-northd it comes from."
        )
        .read(),
        Field::key(
            "hint",
            "external_ids",
            "stage-hint",
            Form::Text,
            "Start of the UUID of the row of the northbound that it comes from."
        )
        .read()
        .filter("hint"),
        Field::same("controller_meter", "Meter for what it sends to the controller.").read(),
        EXTERNAL_IDS,
    ],
);

pub(crate) static MAC_BINDINGS: Kind = south!(
    "mac-bindings",
    "MAC binding",
    "MAC_Binding",
    "OvnMacBinding",
    "A neighbour that a router has learned.",
    &[
        Field::column("port", "logical_port", "The router port that learned it.")
            .read()
            .filter("port"),
        Field::same("ip", "Address of the neighbour.").read().filter("ip"),
        Field::same("mac", "Its MAC.").read().filter("mac"),
        Field::new(
            "router",
            Of::Datapath {
                router: true,
                many: false
            },
            "The router."
        )
        .read()
        .filter("router"),
        Field::new(
            "switch",
            Of::Datapath {
                router: false,
                many: false
            },
            "The switch, where a switch learned it."
        )
        .read()
        .filter("switch"),
        Field::same("timestamp", "When it was learned, in milliseconds since 1970.").read(),
    ],
);

pub(crate) static FDB: Kind = south!(
    "fdb",
    "learned MAC",
    "FDB",
    "OvnFdb",
    "A MAC that a switch has learned behind a port.",
    &[
        Field::same("mac", "The MAC.").read().filter("mac"),
        Field::new(
            "switch",
            Of::Datapath {
                router: false,
                many: false
            },
            "The switch."
        )
        .read()
        .filter("switch"),
        Field::shown("port", behind, word, "The port behind which it is.").filter("port"),
        Field::column("datapath_key", "dp_key", "Number of the switch.").read(),
        Field::same("port_key", "Number of the port within the switch.").read(),
    ],
);

/// All that is read from the southbound.
pub(crate) static SOUTH: [&Kind; 5] = [&CHASSIS, &PORT_BINDINGS, &LOGICAL_FLOWS, &MAC_BINDINGS, &FDB];

fn number() -> Schema {
    schema::nullable(schema::count("A number."))
}

fn count() -> Schema {
    schema::count("How many.")
}

fn word() -> Schema {
    schema::nullable(schema::string("A name."))
}

fn words() -> Schema {
    schema::array(schema::string("A name."))
}

fn private(state: &State<'_>, chassis: Uuid, column: &str) -> Value {
    let table = "Chassis_Private";
    let own = state
        .find(table, "chassis", &Atom::Uuid(chassis))
        .into_iter()
        .next();
    let count = own.and_then(|row| state.value(table, row, column)?.one()?.as_integer());
    json!(count)
}

fn applied(state: &State<'_>, uuid: Uuid) -> Value {
    private(state, uuid, "nb_cfg")
}

fn applied_at(state: &State<'_>, uuid: Uuid) -> Value {
    private(state, uuid, "nb_cfg_timestamp")
}

fn bound(state: &State<'_>, uuid: Uuid) -> Value {
    json!(state.find("Port_Binding", "chassis", &Atom::Uuid(uuid)).len())
}

/// The names behind `inport ==` and `outport ==` of a match.
fn ports(state: &State<'_>, uuid: Uuid) -> Value {
    let text = state.text("Logical_Flow", uuid, "match").unwrap_or_default();
    let mut names: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("port == ") {
        rest = &rest[at + "port == ".len()..];
        let name = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
        names.extend(name);
    }
    names.sort_unstable();
    names.dedup();
    json!(names)
}

fn behind(state: &State<'_>, uuid: Uuid) -> Value {
    let key = state.value("FDB", uuid, "port_key").and_then(Datum::one).cloned();
    let of = datapath::of(state, "FDB", uuid).into_iter();
    let mut ports = of.flat_map(|datapath| state.find("Port_Binding", "datapath", &Atom::Uuid(datapath)));
    let is = |port: &Uuid| {
        state
            .value("Port_Binding", *port, "tunnel_key")
            .and_then(Datum::one)
            == key.as_ref()
    };
    let port = ports.find(is);
    json!(port.and_then(|port| state.text("Port_Binding", port, "logical_port")))
}
