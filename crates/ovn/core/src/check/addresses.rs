//! Addresses of rows that come or change, against everybody's.

use crate::address::{Book, Holder, book as gather, holder};
use crate::model::{Diff, Kind, State};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use std::collections::BTreeSet;

pub(super) fn check(after: &State<'_>, diff: &Diff, book: Option<&Book>) -> Vec<Problem> {
    let candidates: Vec<Holder> = diff
        .rows
        .iter()
        .filter(|row| row.kind != Kind::Removed)
        .filter_map(|row| holder(after, &row.table, row.uuid))
        .collect();
    if candidates.is_empty() {
        return Vec::new();
    }
    let joins = diff.rows.iter().any(|row| {
        row.table == "Logical_Router_Port"
            || (row.table == "Logical_Switch_Port"
                && after.text(&row.table, row.uuid, "type") == Some("router"))
    });
    match book {
        // A new way between switches may bring together who was apart: everybody is looked at.
        Some(kept) if !joins => against(kept, &candidates, diff),
        _ => {
            let whole = gather(after);
            let problems = candidates.iter().flat_map(|candidate| whole.check(candidate));
            let mut problems: Vec<Problem> = problems.collect();
            if joins {
                problems.extend(joined(&whole, &candidates));
            }
            problems
        }
    }
}

/// Against a book of the committed state, in which the rows of this change are still as they were.
fn against(kept: &Book, candidates: &[Holder], diff: &Diff) -> Vec<Problem> {
    let written: BTreeSet<Uuid> = diff.rows.iter().map(|row| row.uuid).collect();
    let mut problems = Vec::new();
    for (at, candidate) in candidates.iter().enumerate() {
        problems.extend(kept.check_but(candidate, &written));
        problems.extend(
            candidates[..at]
                .iter()
                .flat_map(|other| kept.check_pair(candidate, other)),
        );
    }
    problems
}

/// Collisions of those who stand on switches that a changed router port joins.
fn joined(whole: &Book, candidates: &[Holder]) -> Vec<Problem> {
    let own: BTreeSet<Uuid> = candidates.iter().map(|candidate| candidate.row).collect();
    let near = whole.near_all(candidates);
    let others = whole
        .holders()
        .filter(|holder| !own.contains(&holder.row) && !holder.places.is_disjoint(&near));
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for holder in others {
        for (with, problem) in whole.collided(holder) {
            let pair = (holder.row.min(with), holder.row.max(with));
            if seen.insert(pair) {
                problems.push(problem);
            }
        }
    }
    problems
}

/// Every collision of a state, each pair once.
pub(super) fn all(state: &State<'_>) -> Vec<Problem> {
    let whole = gather(state);
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for holder in whole.holders() {
        for (with, problem) in whole.collided(holder) {
            if seen.insert((holder.row.min(with), holder.row.max(with))) {
                problems.push(problem);
            }
        }
    }
    problems
}
