//! What a change does to the logical flows, datapath by datapath and stage by stage.

use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = "Logical_Flow";

/// Flows that an answer lists.
const LISTED: usize = 1_000;

/// A flow as people compare it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Flow {
    stage: String,
    priority: i64,
    matches: String,
    actions: String,
}

/// By datapath (`switch`, `web`), pipeline and number of the table: flows, and how many more of each there are.
type Counted = BTreeMap<(Datapath, String, i64), BTreeMap<Flow, i64>>;
type Datapath = (&'static str, String);

/// Switches and routers of the northbound whose flows are compared; `None` for all.
pub(crate) type Only = Option<BTreeSet<Uuid>>;

/// The difference between two states of one southbound, each with the networks that count. Of a part the flows are only
/// counted: their words have addresses and names of all that is around it.
pub(crate) fn difference(
    (before, only_before): (&Snapshot, &Only),
    (after, only_after): (&Snapshot, &Only),
) -> Value {
    let mut counted = Counted::new();
    let (names_before, names_after) = (datapaths(before, only_before), datapaths(after, only_after));
    for row in rows(after, TABLE) {
        let old = before.table(TABLE).and_then(|table| table.get(row.uuid()));
        match old {
            Some(old) if old.data() == row.data() && same_group(before, after, &row) => {}
            old => {
                if let Some(old) = old {
                    count(&mut counted, before, &names_before, &old, -1);
                }
                count(&mut counted, after, &names_after, &row, 1);
            }
        }
    }
    for row in rows(before, TABLE) {
        if after
            .table(TABLE)
            .is_none_or(|table| table.get(row.uuid()).is_none())
        {
            count(&mut counted, before, &names_before, &row, -1);
        }
    }
    match (only_before, only_after) {
        (None, None) => told(counted),
        _ => numbers(counted),
    }
}

fn rows<'a>(rows: &'a Snapshot, table: &str) -> impl Iterator<Item = RowRef<'a>> + use<'a> {
    rows.table(table).into_iter().flat_map(|table| table.rows())
}

fn text(row: &RowRef<'_>, column: &str) -> String {
    let value = row.get(column).and_then(|value| value.one()?.as_str());
    value.unwrap_or_default().to_owned()
}

fn number(row: &RowRef<'_>, column: &str) -> i64 {
    let value = row.get(column).and_then(|value| value.one()?.as_integer());
    value.unwrap_or_default()
}

/// What people call each datapath that counts.
fn datapaths(of: &Snapshot, only: &Only) -> BTreeMap<Uuid, Datapath> {
    let counts = |row: &RowRef<'_>| {
        let Some(only) = only else { return true };
        let ids = row.get("external_ids");
        let mut network = ["logical-switch", "logical-router"]
            .into_iter()
            .filter_map(|key| Uuid::parse(ids?.get_str(key)?));
        network.any(|uuid| only.contains(&uuid))
    };
    let named = rows(of, "Datapath_Binding").filter(counts).map(|row| {
        let ids = row.get("external_ids");
        let word = |key: &str| ids.and_then(|ids| ids.get_str(key));
        let kind = if word("logical-router").is_some() {
            "router"
        } else {
            "switch"
        };
        let name = word("name").map_or_else(|| row.uuid().to_string(), str::to_owned);
        (row.uuid(), (kind, name))
    });
    named.collect()
}

/// The group of datapaths that a flow is for, and that group's members.
fn group<'a>(of: &'a Snapshot, row: &RowRef<'_>) -> Option<RowRef<'a>> {
    let group = row.get("logical_dp_group")?.atoms().first()?.as_uuid()?;
    of.table("Logical_DP_Group")?.get(group)
}

fn same_group(before: &Snapshot, after: &Snapshot, row: &RowRef<'_>) -> bool {
    match (group(before, row), group(after, row)) {
        (Some(old), Some(new)) => old.data() == new.data(),
        (old, new) => old.is_none() == new.is_none(),
    }
}

fn count(
    counted: &mut Counted,
    of: &Snapshot,
    names: &BTreeMap<Uuid, Datapath>,
    row: &RowRef<'_>,
    many: i64,
) {
    let own = row.get("logical_datapath").into_iter();
    let group = group(of, row);
    let members = group.iter().filter_map(|group| group.get("datapaths"));
    let datapaths = own.chain(members).flat_map(Datum::atoms);
    for datapath in datapaths.filter_map(Atom::as_uuid) {
        let Some(name) = names.get(&datapath) else {
            continue;
        };
        let stage = row.get("external_ids").and_then(|ids| ids.get_str("stage-name"));
        let flow = Flow {
            stage: stage.unwrap_or_default().to_owned(),
            priority: number(row, "priority"),
            matches: text(row, "match"),
            actions: text(row, "actions"),
        };
        let place = (name.clone(), text(row, "pipeline"), number(row, "table_id"));
        *counted.entry(place).or_default().entry(flow).or_insert(0) += many;
    }
}

fn told(counted: Counted) -> Value {
    let (mut added, mut removed, mut listed) = (0, 0, 0);
    let mut stages = Vec::new();
    for (((kind, datapath), pipeline, table), flows) in counted {
        let (mut came, mut went, mut stage) = (Vec::new(), Vec::new(), String::new());
        // Those of highest priority decide first.
        for (flow, many) in flows.into_iter().rev().filter(|(_, many)| *many != 0) {
            let (side, sum) = if many > 0 {
                (&mut came, &mut added)
            } else {
                (&mut went, &mut removed)
            };
            *sum += many.unsigned_abs();
            listed += 1;
            if listed <= LISTED {
                let shown =
                    json!({ "priority": flow.priority, "match": flow.matches, "actions": flow.actions });
                side.push(shown);
            }
            stage = flow.stage;
        }
        if !(came.is_empty() && went.is_empty()) {
            stages.push(json!({
                "kind": kind, "datapath": datapath, "pipeline": pipeline, "table": table, "stage": stage,
                "added": came, "removed": went,
            }));
        }
    }
    json!({ "added": added, "removed": removed, "stages": stages, "truncated": listed > LISTED })
}

/// How many flows came and went, stage by stage.
fn numbers(counted: Counted) -> Value {
    let (mut added, mut removed) = (0, 0);
    let mut stages = Vec::new();
    for (((kind, datapath), pipeline, table), flows) in counted {
        let stage = flows.keys().next_back().map(|flow| flow.stage.clone());
        let (came, went) = flows.values().fold((0, 0), |(came, went), many| {
            (came + many.max(&0), went - many.min(&0))
        });
        if (came, went) != (0, 0) {
            stages.push(json!({
                "kind": kind, "datapath": datapath, "pipeline": pipeline, "table": table, "stage": stage,
                "added": came, "removed": went,
            }));
        }
        (added, removed) = (added + came, removed + went);
    }
    json!({ "added": added, "removed": removed, "stages": stages, "truncated": false })
}
