//! Addresses of rows that come or change, against everybody's.

use crate::address::{Book, Holder, Role, book as gather, follow};
use crate::model::{Diff, State};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(after: &State<'_>, diff: &Diff, book: Option<&Book>) -> Vec<Problem> {
    let before = after.base();
    let gathered = book.is_none().then(|| gather(&before));
    let kept = book
        .or(gathered.as_ref())
        .expect("gathered where nobody keeps one");
    let mut whole = kept.clone();
    let looked_at = follow(&mut whole, &before, after, after.touched());
    let written: BTreeSet<Uuid> = diff.rows.iter().map(|row| row.uuid).collect();
    // Who was only looked at, and stands as before, is not to be blamed for this change.
    let candidates: Vec<&Holder> = looked_at
        .iter()
        .filter_map(|row| whole.get(*row))
        .filter(|holder| written.contains(&holder.row) || kept.get(holder.row) != Some(*holder))
        .collect();
    let problems = candidates.iter().flat_map(|candidate| whole.check(candidate));
    let mut problems: Vec<Problem> = problems.collect();
    let gates: Vec<&Holder> = candidates
        .into_iter()
        .filter(|holder| holder.role == Role::RouterPort)
        .collect();
    if !gates.is_empty() {
        problems.extend(joined(&whole, &gates));
    }
    problems
}

/// A new way between switches may bring together who was apart: collisions of those who stand on switches that a changed
/// router port joins.
fn joined(whole: &Book, candidates: &[&Holder]) -> Vec<Problem> {
    let own: BTreeSet<Uuid> = candidates.iter().map(|candidate| candidate.row).collect();
    let near = whole.near_all(candidates).into_iter();
    let others: BTreeMap<Uuid, &Holder> = near
        .flat_map(|place| whole.on(place))
        .filter(|holder| !own.contains(&holder.row))
        .map(|holder| (holder.row, holder))
        .collect();
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for holder in others.into_values() {
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
