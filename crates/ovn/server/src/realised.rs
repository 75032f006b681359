//! How far a change has come: northd has read it, the hypervisors have it.
//!
//! OVN counts: whoever raises `NB_Global.nb_cfg` together with a change sees northd copy the number to `sb_cfg` once the
//! southbound is written, and each chassis to its own row once its flows are in place (ovn-nb(5), "NB_Global").

use crate::platform::Platform;
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::{Committed, Snapshot};
use purlin_ovsdb::{Condition, Mutation, Mutator, Operation, Str, Transaction};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How far is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    Southbound,
    Hypervisors,
}

const TABLE: &str = "NB_Global";
const PRIVATE: &str = "Chassis_Private";

/// How long the row by which changes are counted may take to come: a northd that starts just now makes it.
const FIRST: Duration = Duration::from_secs(3);

/// How long our copy of the southbound is waited for when the northbound has said that all hypervisors are done. A chassis of
/// another availability zone never counts, so that this may be waited for in vain.
const BEHIND: Duration = Duration::from_secs(1);

impl Until {
    pub(crate) const WORDS: [&str; 2] = ["sb", "hv"];

    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "sb" => Some(Self::Southbound),
            "hv" => Some(Self::Hypervisors),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Southbound => "sb",
            Self::Hypervisors => "hv",
        }
    }
}

/// What is said at once where no ovn-northd can ever follow.
pub(crate) fn unattended(platform: &Platform, until: Until) -> Option<Value> {
    platform.is_unattended().then(|| {
        json!({ "wait": until.word(), "done": false,
            "reason": "the northbound is in this process, and nobody turns it into flows: there is nothing to wait for. Install ovn-central, or name an OVN in ovn.northbound" })
    })
}

/// Waits until there is something to count by, though not for long: there may be no northd at all.
pub(crate) async fn countable(platform: &Platform, limit: Duration) {
    let there = |rows: &Snapshot| {
        rows.table(TABLE)
            .is_some_and(|table| table.rows().next().is_some())
    };
    // Without it the change is made all the same, and the answer says what is missing.
    let _ = tokio::time::timeout(limit.min(FIRST), platform.north().rows.when(there)).await;
}

/// Lets a transaction raise the count, and tell it.
pub(crate) fn count(transaction: &mut Transaction) {
    transaction.push(Operation::Mutate {
        table: Str::from(TABLE),
        conditions: Vec::<Condition>::new(),
        mutations: vec![Mutation::new("nb_cfg", Mutator::Add, 1)],
    });
    transaction.push(Operation::Select {
        table: Str::from(TABLE),
        conditions: Vec::<Condition>::new(),
        columns: Some(vec![Str::from("nb_cfg")]),
    });
}

/// The count that a transaction has raised.
fn raised(committed: &Committed) -> Option<i64> {
    let last = committed.outcome.done.last()?;
    last.rows.as_ref()?.first()?.get("nb_cfg")?.as_i64()
}

/// Waits until that count has come so far, and says how far it came.
pub(crate) async fn follow(
    platform: &Platform,
    committed: &Committed,
    until: Until,
    since: Instant,
    limit: Duration,
) -> Value {
    let Some(goal) = raised(committed) else {
        return json!({ "wait": until.word(), "done": false,
            "reason": "NB_Global has no row: no ovn-northd has ever looked at this database" });
    };
    let column = match until {
        Until::Southbound => "sb_cfg",
        Until::Hypervisors => "hv_cfg",
    };
    let there = |rows: &Snapshot| counted(rows, column).is_some_and(|count| count >= goal);
    let left = limit.saturating_sub(since.elapsed());
    let reached = tokio::time::timeout(left, platform.north().rows.when(there))
        .await
        .is_ok();
    if reached && let Ok(south) = platform.south() {
        // Who reads flows next reads those of this change: our copy of the southbound may be behind the word about it.
        let seen = |rows: &Snapshot| count_of(rows, "SB_Global", "nb_cfg").is_some_and(|count| count >= goal);
        let left = limit.saturating_sub(since.elapsed());
        let _ = tokio::time::timeout(left, south.rows.when(seen)).await;
        if until == Until::Hypervisors {
            let left = limit.saturating_sub(since.elapsed()).min(BEHIND);
            let _ = tokio::time::timeout(left, south.rows.when(|rows| all_have(rows, goal))).await;
        }
    }
    let (applied, chassis) = chassis(platform, goal);
    let rows = platform.north().rows.snapshot();
    let stage = match counted(&rows, "sb_cfg") {
        Some(count) if count >= goal => "the hypervisors have not all caught up",
        _ => "ovn-northd has not caught up",
    };
    json!({
        "wait": until.word(),
        "done": reached,
        "reason": (!reached).then_some(stage),
        "milliseconds": since.elapsed().as_secs_f64() * 1e3,
        "chassis_applied": applied,
        "chassis": chassis,
    })
}

fn counted(rows: &Snapshot, column: &str) -> Option<i64> {
    count_of(rows, TABLE, column)
}

/// Of a table of one row.
fn count_of(rows: &Snapshot, table: &str, column: &str) -> Option<i64> {
    let row = rows.table(table)?.rows().next()?;
    row.get(column)?.one()?.as_integer()
}

/// How many chassis have this count, and how many there are.
fn chassis(platform: &Platform, goal: i64) -> (Option<usize>, Option<usize>) {
    let Ok(south) = platform.south() else {
        return (None, None);
    };
    let rows = south.rows.snapshot();
    let Some(table) = rows.table(PRIVATE) else {
        return (None, None);
    };
    let applied = table.rows().filter(|row| has(row, goal)).count();
    (Some(applied), Some(table.len()))
}

/// Whether every chassis that is there has this count. The row of one that has gone may stay, and no longer counts.
fn all_have(rows: &Snapshot, goal: i64) -> bool {
    let there = |row: &RowRef<'_>| row.get("chassis").is_some_and(|chassis| chassis.one().is_some());
    rows.table(PRIVATE)
        .is_some_and(|table| table.rows().filter(there).all(|row| has(&row, goal)))
}

fn has(row: &RowRef<'_>, goal: i64) -> bool {
    let count = row.get("nb_cfg").and_then(|count| count.one()?.as_integer());
    count.is_some_and(|count| count >= goal)
}
