//! A trace in ovncp's words.

use super::Flow;
use crate::trace::Told;
use purlin_ovn_core::model::State as Rows;
use purlin_ovn_core::trace::{Hop, Object};
use purlin_ovsdb::Uuid;
use serde_json::{Map, Value, json};

/// The answer to a question about one packet.
pub(super) fn result(flow: &Flow, state: &Rows<'_>, told: &Told) -> Value {
    let mut hops: Vec<Value> = told
        .story
        .hops
        .iter()
        .enumerate()
        .map(|(at, hop)| shown(state, at, hop))
        .collect();
    let dropped = told.dropped();
    if let (Some(last), false) = (hops.last_mut(), dropped.is_null()) {
        last["action"] = json!("drop");
        last["description"] = dropped["reason"].clone();
    }
    let last = hops.last().cloned();
    if flow.max_hops > 0 {
        hops.truncate(flow.max_hops);
    }
    json!({
        "request": flow,
        "success": true,
        "reaches_destination": told.reached == Some(true),
        "hops": hops,
        "dropped_at": if dropped.is_null() { Value::Null } else { json!(last) },
        "drop_reason": dropped["reason"],
        "dropped_by": dropped["by"],
        "summary": told.summary(),
        "raw_output": flow.verbose.then_some(&told.raw),
    })
}

fn shown(state: &Rows<'_>, at: usize, hop: &Hop) -> Value {
    let table = if hop.kind == "router" {
        "Logical_Router"
    } else {
        "Logical_Switch"
    };
    let decisions = hop.decisions.iter();
    let changes: Map<String, Value> = decisions
        .flat_map(|decision| &decision.actions)
        .filter_map(|action| modification(action))
        .collect();
    let acls: Vec<Value> = hop
        .decisions
        .iter()
        .filter_map(|decision| matched(state, decision.by.as_ref()?))
        .collect();
    let out = hop.outport.as_deref();
    let description = match out {
        Some(out) => format!("{} {} sends it to {out}", hop.kind, hop.name),
        None => format!("{} {} takes it", hop.kind, hop.name),
    };
    json!({
        "index": at,
        "type": hop.kind,
        "component": hop.name,
        "component_id": state.by_name(table, &hop.name).map(|uuid| uuid.to_string()),
        "action": if changes.is_empty() { "forward" } else { "modify" },
        "description": description,
        "modifications": changes,
        "acl_matches": acls,
        "next_hop": out,
    })
}

/// `ip4.dst = 10.0.0.5;` and translations of addresses.
fn modification(action: &str) -> Option<(String, Value)> {
    const FIELDS: [&str; 8] = ["eth.", "ip4.", "ip6.", "ip.", "tcp.", "udp.", "sctp.", "vlan."];
    const TRANSLATIONS: [&str; 4] = ["ct_lb", "ct_dnat", "ct_snat", "ct_lb_mark"];
    if let Some((field, value)) = action.trim_end_matches(';').split_once(" = ") {
        let known = FIELDS.iter().any(|start| field.starts_with(start));
        return known.then(|| (field.to_owned(), json!(value)));
    }
    let (name, rest) = action.split_once('(')?;
    let inner = rest.trim_end_matches(';').trim_end_matches(')');
    TRANSLATIONS
        .contains(&name)
        .then(|| (name.to_owned(), json!(inner)))
}

fn matched(state: &Rows<'_>, by: &Object) -> Option<Value> {
    let uuid = Uuid::parse(&by.uuid).filter(|_| by.table == "ACL")?;
    let text = |column: &str| state.text("ACL", uuid, column);
    let priority = state
        .value("ACL", uuid, "priority")
        .and_then(|value| value.one()?.as_integer());
    Some(json!({
        "acl_name": by.label,
        "acl_id": by.uuid,
        "priority": priority,
        "direction": text("direction"),
        "action": text("action"),
        "match": text("match"),
    }))
}
