//! ACLs.

use super::{CREATED, EXTERNAL_IDS, UPDATED};
use crate::typed::place;
use crate::typed::{Fault, Field, Subject};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where an ACL can hang, by ovncp's word.
const PLACES: [(&str, &str); 2] = [("switch", "Logical_Switch"), ("port-group", "Port_Group")];

pub(super) const FIELDS: &[Field] = &[
    Field::parent(
        "switch_id",
        "Logical_Switch",
        "acls",
        "UUID of its switch; a name is understood.",
    )
    .by_uuid(),
    Field::parent(
        "port_group_id",
        "Port_Group",
        "acls",
        "UUID of its port group; a name is understood.",
    )
    .by_uuid(),
    Field::shown(
        "applied_to",
        applied_to,
        places,
        "Switches and port groups that have it.",
    )
    .told(),
    Field::prepared("apply_to", nothing, places, "The same, to be said."),
    Field::same("name", "Name, for logs; 63 characters at most."),
    Field::same("priority", "The highest one that matches decides; 0 to 32767."),
    Field::same(
        "direction",
        "from-lport for what ports send, to-lport for what they get.",
    )
    .needed()
    .filter("direction"),
    Field::same("match", "An expression of OVN.").needed(),
    Field::same("action", "What happens.").needed().filter("action"),
    Field::same("log", "Whether what matches is logged."),
    Field::same("severity", "Of the log's lines."),
    Field::shown("alert", alert, flag, "Whether severity is alert.").told(),
    Field::same("meter", "Name of the meter that bounds the log."),
    Field::same("label", "A number that connections carry; 0 for none."),
    Field::map("options", "Options, by key."),
    EXTERNAL_IDS,
    CREATED,
    UPDATED,
];

fn places() -> Schema {
    schema::array(schema::open_object(&["type", "uuid"], &[]))
}

fn flag() -> Schema {
    schema::boolean("Yes or no.")
}

fn alert(state: &State<'_>, uuid: Uuid) -> Value {
    json!(state.text("ACL", uuid, "severity") == Some("alert"))
}

fn nothing(state: &State<'_>, uuid: Uuid) -> Value {
    applied_to(state, uuid)
}

fn holders(state: &State<'_>, uuid: Uuid) -> impl Iterator<Item = (&'static str, &'static str, Uuid)> {
    PLACES.into_iter().flat_map(move |(word, table)| {
        let rows = state.find(table, "acls", &Atom::Uuid(uuid)).into_iter();
        rows.map(move |row| (word, table, row)).collect::<Vec<_>>()
    })
}

fn applied_to(state: &State<'_>, uuid: Uuid) -> Value {
    let place = |(word, _, row): (&str, &str, Uuid)| json!({ "type": word, "uuid": row.to_string() });
    holders(state, uuid).map(place).collect()
}

pub(super) fn prepare(
    subject: &Subject<'_, '_>,
    body: &mut Map<String, Value>,
) -> Result<Vec<Change>, Fault> {
    for name in ["severity", "meter", "name"] {
        if body.get(name) == Some(&json!("")) {
            body.insert(name.to_owned(), Value::Null);
        }
    }
    let Some(value) = body.remove("apply_to").filter(|value| !value.is_null()) else {
        return Ok(Vec::new());
    };
    let mut wanted = BTreeSet::new();
    for place in value.as_array().into_iter().flatten() {
        wanted.insert(holder(subject.state, place)?);
    }
    if subject.new {
        let mut wanted = wanted.into_iter();
        // Where it hangs when it comes; the others get it afterwards.
        if let Some((table, row)) = wanted.next() {
            let member = if table == "Port_Group" {
                "port_group_id"
            } else {
                "switch_id"
            };
            body.entry(member).or_insert_with(|| json!(row.to_string()));
        }
        return Ok(wanted
            .map(|(table, row)| hangs(subject.uuid, table, row, true))
            .collect());
    }
    if wanted.is_empty() {
        let message = "is empty: an ACL that nothing has is gone; delete it";
        return Err(Fault::new("apply_to", &value, message));
    }
    let present: BTreeSet<(&str, Uuid)> = holders(subject.state, subject.uuid)
        .map(|(_, table, row)| (table, row))
        .collect();
    let come = wanted
        .difference(&present)
        .map(|(table, row)| hangs(subject.uuid, table, *row, true));
    let go = present
        .difference(&wanted)
        .map(|(table, row)| hangs(subject.uuid, table, *row, false));
    Ok(come.chain(go).collect())
}

fn holder(state: &State<'_>, place: &Value) -> Result<(&'static str, Uuid), Fault> {
    let known = PLACES.iter().find(|(word, _)| place["type"] == *word);
    let Some((_, table)) = known else {
        let message = format!(
            "{place} stands where {{\"type\": \"switch\" or \"port-group\", \"uuid\": \"...\"}} is expected; a rule for one port names it in its match"
        );
        return Err(Fault::new("apply_to", place, message));
    };
    let word = place["uuid"].as_str().unwrap_or_default();
    let row = place::find(state, table, word);
    let row = row.map_err(|lost| Fault::new("apply_to", place, place::lost(&lost, table, word)))?;
    Ok((table, row))
}

fn hangs(acl: Uuid, table: &str, row: Uuid, hangs: bool) -> Change {
    let (table, column, values) = (table.to_owned(), "acls".to_owned(), Datum::from(acl));
    match hangs {
        true => Change::Add {
            table,
            uuid: row,
            column,
            values,
        },
        false => Change::Remove {
            table,
            uuid: row,
            column,
            values,
        },
    }
}
