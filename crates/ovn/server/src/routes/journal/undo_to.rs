//! The way back to a place in the journal: all that went through Purlin since, taken back as one transaction.

use super::super::{nb, writes};
use super::journal;
use crate::journal::{Body, Head, Journal, Outcome, Source};
use crate::platform::Platform;
use crate::reasons;
use crate::write::{Manner, write};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft};
use purlin_api::{Operator, Problem, schema};
use purlin_ovn_core::model::{Change, Diff, Kind, Owner, RowDiff, State as Rows};
use purlin_ovn_core::plan::{Expect, Reach, compose, undo, unmet};
use purlin_ovn_core::problem;
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Entries that are taken back together.
const MOST: usize = 1000;
/// Entries that one step of reading brings.
const PAGE: usize = 500;
/// Others' entries that an answer names.
const NAMED: usize = 100;

pub(super) fn draft() -> Draft<Platform> {
    let answer = schema::open_object(
        &["request", "changed", "diff", "undone", "kept"],
        &[
            (
                "undone",
                schema::array(schema::string(
                    "Id of an entry that was taken back, the newest first.",
                )),
            ),
            (
                "kept",
                schema::array(schema::string(
                    "Id of an entry of others since then: what it did stays.",
                )),
            ),
        ],
    );
    writes(
        route::post("/api/v1/ovn/journal/{id}/undo-to", take_back)
            .summary("Takes back everything since an entry, as one guarded transaction; the entry itself stays")
            .description("All that went through Purlin since then is taken back, the newest first. What others did elsewhere stays (kept); where they have written the same values in between, nothing is done and problems names each with the entry (`by`).")
            .answers(200, answer),
    )
}

/// What happened since an entry.
#[derive(Default)]
struct Since {
    /// What went through Purlin, the newest first.
    ours: Vec<(Uuid, Head, Body)>,
    /// What others did, and times that nobody watched; the newest first.
    others: Vec<(Uuid, Head)>,
}

async fn since(journal: &Journal, point: Uuid) -> Result<Since, Problem> {
    let mut since = Since::default();
    let mut after = None;
    loop {
        let page = journal.page(after, PAGE).await?;
        let last = page.len() < PAGE;
        for (id, head) in page {
            if id <= point {
                return Ok(since);
            }
            after = Some(id);
            match (head.source, head.outcome) {
                (Source::Purlin, Outcome::Absent) => {}
                (Source::Purlin, _) => {
                    let body = journal.get(id).await?.1;
                    since.ours.push((id, head, body));
                }
                (Source::Foreign | Source::Gap, _) => since.others.push((id, head)),
            }
            if since.ours.len() > MOST {
                let detail = format!(
                    "more than {MOST} transactions went through Purlin since {point}: restore a backup, or go back in steps"
                );
                return Err(Problem::not_possible(detail));
            }
        }
        if last {
            return Ok(since);
        }
    }
}

impl Since {
    /// All of ours as one difference.
    fn net(&self, state: &Rows<'_>) -> Result<Diff, Problem> {
        let mut net = Diff::default();
        for (id, _, body) in &self.ours {
            if body.diff.is_null() {
                let detail = format!("it is not known row by row what {id} changed: it cannot be undone");
                return Err(Problem::not_possible(detail));
            }
            let diff = Diff::from_json(state.schema(), &body.diff).map_err(|why| {
                Problem::not_possible(format!("the database has another schema than at {id}: {why}"))
            })?;
            net = compose(state.schema(), diff, net).map_err(|problems| self.in_the_way(&problems))?;
        }
        Ok(net)
    }

    /// Why it cannot be, and by whose doing.
    fn in_the_way(&self, problems: &[problem::Problem]) -> Problem {
        let named = |problem: &problem::Problem| {
            let mut told = json!(problem);
            let by = self.others.iter().find(|(_, head)| {
                head.more > 0
                    || head.rows.iter().any(|row| {
                        problem.place == format!("{} {}", row.table, row.label)
                            || problem.place == format!("{} {}", row.table, row.uuid)
                    })
            });
            told["by"] = json!(by.map(|(id, _)| id.to_string()));
            told
        };
        let told: Vec<Value> = problems.iter().map(named).collect();
        let words: Vec<String> = problems
            .iter()
            .zip(&told)
            .map(|(problem, told)| match told["by"].as_str() {
                Some(by) => format!("{problem} (by {by}, which did not go through Purlin)"),
                None => problem.to_string(),
            })
            .collect();
        let detail = format!("rows have moved on since: {}", words.join("; "));
        Problem::new(StatusCode::CONFLICT, &reasons::MOVED_ON, detail).with("problems", told)
    }

    /// For whom it is done: the one owner of all of it, or everybody whose rows Purlin has written.
    fn decide(&self, manner: &mut Manner) {
        let owners: BTreeSet<&str> = self
            .ours
            .iter()
            .filter_map(|(_, head, _)| head.owner.as_deref())
            .collect();
        match owners.into_iter().collect::<Vec<_>>().as_slice() {
            [] => {}
            [one] => manner.for_owner(one),
            _ => manner.reaches(Reach::All),
        }
    }
}

/// Rows of other managers, which only an admin's `force` writes.
fn spared(state: &Rows<'_>, net: &Diff) -> Result<(), Problem> {
    let whose = |row: &RowDiff| match row.kind {
        Kind::Removed => {
            let ids = row.columns.iter().find(|column| column.column == "external_ids");
            ids.and_then(|column| column.before.as_ref())
                .map_or(Owner::Nobody, Owner::of)
        }
        Kind::Added | Kind::Changed => state.owner(&row.table, row.uuid),
    };
    for row in &net.rows {
        if let Owner::Other(name) = whose(row) {
            let detail = format!(
                "{} {} belongs to {name}: an admin may say force=true",
                row.table, row.label
            );
            return Err(Problem::new(StatusCode::CONFLICT, &reasons::FOREIGN, detail));
        }
    }
    Ok(())
}

async fn take_back(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let journal = journal(&platform)?;
    let point: Uuid = name.parsed("journal entry")?;
    let _there = journal.get(point).await?;
    let since = since(journal, point).await?;
    let mut manner = nb::manner(&asked, &caller)?;
    manner.about = format!("undo back to {point}");
    manner.undoes = since.ours.iter().map(|(id, _, _)| *id).collect();
    let forced = manner.reach() == Reach::All;
    if !forced && asked.text("owner").is_none() {
        since.decide(&mut manner);
    }
    let wish = |state: &Rows<'_>| -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let net = since.net(state)?;
        if !forced {
            spared(state, &net)?;
        }
        let (changes, expect) = undo(state.schema(), &net);
        let moved = unmet(state, &expect);
        match moved.is_empty() {
            true => Ok((changes, expect)),
            false => Err(since.in_the_way(&moved)),
        }
    };
    let mut answer = write(&platform, &manner, None, wish).await?;
    let ids = |ids: &mut dyn Iterator<Item = Uuid>| json!(ids.map(|id| id.to_string()).collect::<Vec<_>>());
    answer["undone"] = ids(&mut since.ours.iter().map(|(id, _, _)| *id));
    answer["kept"] = ids(&mut since.others.iter().map(|(id, _)| *id).take(NAMED));
    Ok(Json(answer))
}
