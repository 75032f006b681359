//! Switches and routers of the southbound: datapaths, which say by their notes what they were made from.

use crate::typed::read::target;
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Value, json};

const TABLE: &str = "Datapath_Binding";
const GROUP: &str = "Logical_DP_Group";

const fn note(router: bool) -> &'static str {
    match router {
        true => "logical-router",
        false => "logical-switch",
    }
}

/// The datapaths of a row.
pub(crate) fn of(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<Uuid> {
    if table == "FDB" {
        let key = state.value(table, uuid, "dp_key").and_then(Datum::one);
        return key
            .map(|key| state.find(TABLE, "tunnel_key", key))
            .unwrap_or_default();
    }
    let mut found = state.targets(table, uuid, "datapath");
    found.extend(state.targets(table, uuid, "logical_datapath"));
    for group in state.targets(table, uuid, "logical_dp_group") {
        found.extend(state.targets(GROUP, group, "datapaths"));
    }
    found
}

/// The names of those that are routers, or switches.
pub(crate) fn shown(state: &State<'_>, table: &str, uuid: Uuid, router: bool, many: bool) -> Value {
    let datapaths = of(state, table, uuid).into_iter();
    let mut names: Vec<String> = datapaths
        .filter_map(|datapath| name(state, datapath, router))
        .collect();
    names.sort_unstable();
    match many {
        true => json!(names),
        false => json!(names.into_iter().next()),
    }
}

fn name(state: &State<'_>, datapath: Uuid, router: bool) -> Option<String> {
    let ids = state.value(TABLE, datapath, "external_ids")?;
    let origin = ids.get_str(note(router))?;
    Some(ids.get_str("name").unwrap_or(origin).to_owned())
}

/// The rows of a table that are of the switch or router of this name or UUID, in the order of their UUIDs.
///
/// # Errors
/// 404 when there is none.
pub(crate) fn rows(state: &State<'_>, table: &str, word: &str, router: bool) -> Result<Vec<Uuid>, Problem> {
    let by_name = state.find_key(TABLE, "external_ids", "name", word).into_iter();
    let by_origin = state
        .find_key(TABLE, "external_ids", note(router), word)
        .into_iter();
    let mut datapaths: Vec<Uuid> = by_name
        .filter(|row| name(state, *row, router).is_some())
        .collect();
    datapaths.extend(by_origin);
    if datapaths.is_empty() {
        let kind = if router { "router" } else { "switch" };
        return Err(Problem::no_such(kind, word));
    }
    let mut found: Vec<Uuid> = datapaths
        .into_iter()
        .flat_map(|datapath| of_one(state, table, datapath))
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn of_one(state: &State<'_>, table: &str, datapath: Uuid) -> Vec<Uuid> {
    let atom = Atom::Uuid(datapath);
    if table == "FDB" {
        let key = state.value(TABLE, datapath, "tunnel_key").and_then(Datum::one);
        return key
            .map(|key| state.find(table, "dp_key", key))
            .unwrap_or_default();
    }
    let direct = ["datapath", "logical_datapath"].into_iter();
    let direct = direct.filter(|column| target(state, table, column).is_some());
    let mut found: Vec<Uuid> = direct
        .flat_map(|column| state.find(table, column, &atom))
        .collect();
    if target(state, table, "logical_dp_group").is_some() {
        let groups = state.find(GROUP, "datapaths", &atom).into_iter();
        found.extend(groups.flat_map(|group| state.find(table, "logical_dp_group", &Atom::Uuid(group))));
    }
    found
}
