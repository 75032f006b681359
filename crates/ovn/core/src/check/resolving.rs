//! One DNS name in two sets of one switch: which of them answers is a matter of luck.

use crate::model::{Diff, Kind, State};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use std::collections::{BTreeMap, BTreeSet};

const SWITCH: &str = "Logical_Switch";

/// Switches whose names the change touches.
pub(super) fn reviewed(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut switches = BTreeSet::new();
    for row in diff.rows.iter().filter(|row| row.kind != Kind::Removed) {
        let changed = |name: &str| row.columns.iter().any(|changed| changed.column == name);
        match row.table.as_str() {
            "DNS" if changed("records") => {
                switches.extend(after.find(SWITCH, "dns_records", &row.uuid.into()));
            }
            SWITCH if changed("dns_records") => switches.extend([row.uuid]),
            _ => {}
        }
    }
    switches
        .into_iter()
        .flat_map(|switch| twins(after, switch))
        .collect()
}

pub(super) fn review_all(state: &State<'_>) -> Vec<Problem> {
    let switches = state.uuids(SWITCH).into_iter();
    switches.flat_map(|switch| twins(state, switch)).collect()
}

/// ovn-controller looks through the sets of a datapath and takes the first that has the name. Sets that say the same of it
/// leave nothing to luck.
fn twins(state: &State<'_>, switch: Uuid) -> Vec<Problem> {
    let mut first: BTreeMap<String, (Uuid, String)> = BTreeMap::new();
    let mut problems = Vec::new();
    for set in state.targets(SWITCH, switch, "dns_records") {
        for (name, values) in state.map("DNS", set, "records") {
            let Some((other, said)) = first.get(&name) else {
                first.insert(name, (set, values));
                continue;
            };
            if *said != values {
                let message = format!(
                    "the sets {} and {} say different things of `{name}`: which of them answers is not defined",
                    state.label("DNS", *other),
                    state.label("DNS", set)
                );
                let place = format!("{SWITCH} {}", state.label(SWITCH, switch));
                problems.push(Problem::warning("dns-name-twice", place, message));
            }
        }
    }
    problems
}
