//! Switches.

use super::{CREATED, DESCRIPTION, EXTERNAL_IDS, UPDATED, alias, count};
use crate::typed::kinds::shown;
use crate::typed::{Fault, Field, Form, Subject, forms};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::{Atom, Datum, Row, Uuid};
use serde_json::{Map, Value, json};

const TABLE: &str = "Logical_Switch";
const PORT: &str = "Logical_Switch_Port";
const DHCP: &str = "DHCP_Options";

pub(super) const FIELDS: &[Field] = &[
    Field::same("name", "Name, nobody else's among switches.").needed(),
    DESCRIPTION,
    Field::prepared(
        "vlan",
        vlan,
        number,
        "Tag of its localnet port; a switch without such a port has none.",
    ),
    Field::key(
        "subnet",
        "other_config",
        "subnet",
        Form::Text,
        "IPv4 network out of which `dynamic` ports get addresses.",
    ),
    Field::prepared(
        "dns_servers",
        dns_servers,
        texts,
        "DNS servers in the DHCP options of its subnet.",
    ),
    Field::rows("ports", "ports", "UUIDs of its ports.")
        .by_uuid()
        .read(),
    Field::shown(
        "ports_count",
        shown::switch_ports,
        count,
        "How many ports it has.",
    )
    .told(),
    Field::rows("acls", "acls", "UUIDs of its ACLs.").by_uuid().read(),
    Field::rows("qos_rules", "qos_rules", "UUIDs of its QoS rules.")
        .by_uuid()
        .read(),
    Field::rows(
        "load_balancer",
        "load_balancer",
        "UUIDs of its load balancers; names are understood.",
    )
    .by_uuid(),
    Field::rows(
        "dns_records",
        "dns_records",
        "UUIDs of its sets of DNS records; names are understood.",
    )
    .by_uuid(),
    Field::map(
        "other_config",
        "Everything else that OVN knows about switches, by key.",
    ),
    EXTERNAL_IDS,
    CREATED,
    UPDATED,
];

fn number() -> Schema {
    schema::nullable(schema::whole(0, 4095, "A VLAN."))
}

fn texts() -> Schema {
    schema::array(schema::string("An address."))
}

/// The port that leads out, when there is one only.
fn localnet(state: &State<'_>, switch: Uuid) -> Option<Uuid> {
    let ports = state.targets(TABLE, switch, "ports").into_iter();
    let mut own = ports.filter(|port| state.text(PORT, *port, "type") == Some("localnet"));
    match (own.next(), own.next()) {
        (Some(port), None) => Some(port),
        _ => None,
    }
}

fn vlan(state: &State<'_>, uuid: Uuid) -> Value {
    let tag = localnet(state, uuid).and_then(|port| state.value(PORT, port, "tag")?.one()?.as_integer());
    json!(tag)
}

/// The DHCP options of the switch's subnet, when there is one such row only.
fn dhcp(state: &State<'_>, uuid: Uuid) -> Option<Uuid> {
    let config = state.value(TABLE, uuid, "other_config")?;
    let subnet = config.get_str("subnet")?;
    match state.find(DHCP, "cidr", &Atom::from(subnet)).as_slice() {
        [one] => Some(*one),
        _ => None,
    }
}

fn dns_servers(state: &State<'_>, uuid: Uuid) -> Value {
    let servers = dhcp(state, uuid).and_then(|row| {
        let text = state.value(DHCP, row, "options")?.get_str("dns_server")?;
        Some(forms::dhcp_shown(&state.dhcp().v4, "dns_server", text))
    });
    match servers {
        Some(Value::String(one)) => json!([one]),
        Some(list) => list,
        None => json!([]),
    }
}

pub(super) fn prepare(
    subject: &Subject<'_, '_>,
    body: &mut Map<String, Value>,
) -> Result<Vec<Change>, Fault> {
    let (state, uuid) = (subject.state, subject.uuid);
    let mut changes = Vec::new();
    if let Some(value) = alias::news(body, "vlan", &vlan(state, uuid)).filter(|value| *value != json!(0)) {
        changes.extend(tagged(subject, &value)?);
    }
    if let Some(value) = alias::news(body, "dns_servers", &dns_servers(state, uuid)) {
        changes.extend(served(subject, &value)?);
    }
    Ok(changes)
}

/// The tag of the port that leads out.
fn tagged(subject: &Subject<'_, '_>, value: &Value) -> Result<Option<Change>, Fault> {
    if value.is_null() && subject.new {
        return Ok(None);
    }
    let Some(port) = localnet(subject.state, subject.uuid) else {
        let message = "is the tag of a switch's localnet port, and this switch has not exactly one: make a port of type localnet with options.network_name and tag";
        return Err(Fault::new("vlan", value, message));
    };
    let tag = match value.as_i64() {
        Some(tag) if (1..=4095).contains(&tag) => Datum::from(Atom::Integer(tag)),
        None if value.is_null() => Datum::EMPTY,
        _ => {
            let message = format!("{value} stands where a number from 1 to 4095 is expected");
            return Err(Fault::new("vlan", value, message));
        }
    };
    Ok(Some(Change::Update {
        table: PORT.to_owned(),
        uuid: port,
        row: Row::new().with("tag", tag),
    }))
}

/// The option of the subnet's DHCP options, when nobody else is answered by them.
fn served(subject: &Subject<'_, '_>, value: &Value) -> Result<Option<Change>, Fault> {
    let wrong = |message: String| Fault::new("dns_servers", value, message);
    if value.as_array().is_some_and(Vec::is_empty) || value.is_null() {
        if subject.new {
            return Ok(None);
        }
    } else if !value.is_array() {
        return Err(wrong(format!(
            "{value} stands where a list of addresses is expected"
        )));
    }
    let row = dhcp(subject.state, subject.uuid).filter(|_| !subject.new);
    let row = row.ok_or_else(|| {
        wrong("is a DHCP option, and there is not exactly one set of DHCP options for this switch's subnet: make it with POST /api/v1/ovn/dhcp-options".to_owned())
    })?;
    let served = subject
        .state
        .find(PORT, "dhcpv4_options", &Atom::Uuid(row))
        .into_iter();
    let elsewhere = served
        .filter_map(|port| subject.state.parent(PORT, port))
        .find(|(_, _, switch)| *switch != subject.uuid);
    if let Some((table, _, switch)) = elsewhere {
        let other = subject.state.label(table, switch);
        return Err(wrong(format!(
            "would change ports of switch {other} too, which have the same DHCP options: change those with PATCH /api/v1/ovn/dhcp-options/{row}"
        )));
    }
    let (table, column) = (DHCP.to_owned(), "options".to_owned());
    Ok(Some(match value.as_array().filter(|list| !list.is_empty()) {
        None => Change::Remove {
            table,
            uuid: row,
            column,
            values: Datum::set([Atom::from("dns_server")]),
        },
        Some(_) => {
            let text = forms::map_value(value, crate::typed::Values::Dhcp).map_err(wrong)?;
            Change::Add {
                table,
                uuid: row,
                column,
                values: Datum::map([(Atom::from("dns_server"), text)]),
            }
        }
    }))
}
