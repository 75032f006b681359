//! The objects of ovncp: the members of its code, and those of its API document where they have other names.
//!
//! ```text
//!   code              API document         OVN
//!   mac, addresses    mac_address,         Logical_Switch_Port.addresses: "MAC IP..."
//!                     ip_addresses
//!   switch_id         parent_uuid          the switch whose `ports` has it
//!                     security_groups      Port_Group.ports
//!   static_routes[]   destination,         Logical_Router_Static_Route.ip_prefix, nexthop
//!                     next_hop
//!   nat[]             nat_rules[]          NAT; internal_ip is logical_ip
//!   description                            external_ids:description
//!                     subnet               other_config:subnet
//!                     dns_servers          dns_server of the DHCP options of that subnet
//!   vlan                                   the tag of the switch's localnet port
//!   created_at, updated_at                 null: OVN keeps no times, and a time in external_ids would be a guess
//! ```

mod acl;
mod alias;
mod port;
mod router;
mod switch;

use super::names;
use crate::typed::{Field, Form, Kind, Of, Side, Values};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::State;
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

/// Key of `external_ids` for what people say about a thing.
const DESCRIPTION_KEY: &str = "description";

const DESCRIPTION: Field = Field::key(
    "description",
    "external_ids",
    DESCRIPTION_KEY,
    Form::Text,
    "What people say about it; kept in external_ids:description.",
);
const EXTERNAL_IDS: Field = Field::new(
    "external_ids",
    Of::Map {
        column: "external_ids",
        hidden: &[DESCRIPTION_KEY],
        values: Values::Text,
    },
    "Notes of programs, by key.",
);
const CREATED: Field = Field::shown("created_at", never, unknown, "Null: OVN keeps no times.").told();
const UPDATED: Field = Field::shown("updated_at", never, unknown, "Null: OVN keeps no times.").told();

fn never(_: &State<'_>, _: Uuid) -> Value {
    Value::Null
}

fn unknown() -> Schema {
    json!({ "type": "null" })
}

fn count() -> Schema {
    schema::count("How many.")
}

pub(crate) static SWITCH: Kind = Kind {
    noun: "switches",
    one: "switch",
    table: "Logical_Switch",
    side: Side::North,
    fields: switch::FIELDS,
    about: "A logical switch, as ovncp writes it.",
    example: r#"{"name": "web", "description": "front ends", "subnet": "10.0.0.0/24"}"#,
    names: names!("/api/v1/", "switches", "switch", "OvncpSwitch"),
    prepare: Some(switch::prepare),
    marks: false,
};

pub(crate) static PORT: Kind = Kind {
    noun: "ports",
    one: "port",
    table: "Logical_Switch_Port",
    side: Side::North,
    fields: port::FIELDS,
    about: "A port of a logical switch, as ovncp writes it.",
    example: r#"{"name": "web-1", "mac_address": "02:00:00:00:00:01", "ip_addresses": ["10.0.0.10"]}"#,
    names: names!("/api/v1/", "ports", "port", "OvncpPort"),
    prepare: Some(port::prepare),
    marks: false,
};

pub(crate) static ROUTER: Kind = Kind {
    noun: "routers",
    one: "router",
    table: "Logical_Router",
    side: Side::North,
    fields: router::FIELDS,
    about: "A logical router, as ovncp writes it.",
    example: r#"{"name": "edge", "static_routes": [{"ip_prefix": "0.0.0.0/0", "nexthop": "192.0.2.1"}]}"#,
    names: names!("/api/v1/", "routers", "router", "OvncpRouter"),
    prepare: Some(router::prepare),
    marks: false,
};

pub(crate) static ACL: Kind = Kind {
    noun: "acls",
    one: "ACL",
    table: "ACL",
    side: Side::North,
    fields: acl::FIELDS,
    about: "An ACL of a switch or of a port group, as ovncp writes it.",
    example: r#"{"name": "web-in", "priority": 1000, "direction": "to-lport", "match": "tcp.dst == 80", "action": "allow-related"}"#,
    names: names!("/api/v1/", "acls", "ACL", "OvncpAcl"),
    prepare: Some(acl::prepare),
    marks: false,
};
