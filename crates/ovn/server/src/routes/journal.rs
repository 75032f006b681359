//! The journal over HTTP: who changed what, and the way back.

mod undo_to;

use super::{nb, writes, written};
use crate::journal::{Body, Head, Journal, Outcome, Source};
use crate::platform::Platform;
use crate::reasons;
use crate::write::{Manner, write};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::{Change, Diff, State as Rows};
use purlin_ovn_core::plan::{Expect, undo, unmet};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

/// Entries that one request looks at; a filter that finds little goes on at the cursor.
const LOOKED_AT: usize = 20_000;
const PAGE: usize = 1000;

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    vec![
        route::get("/api/v1/ovn/journal", list)
            .summary("Lists transactions of the northbound, the newest first")
            .description("Those that went through Purlin with who wanted them, and what others did. The list is bounded: ovn.journal_entries, ovn.journal_age. Within a tenant it has what was done for that tenant.")
            .query("actor", schema::word("Only those that this caller wanted."))
            .query("request", schema::word("Only those that this request made: its X-Request-Id."))
            .query("source", schema::one_of(&["purlin", "foreign", "gap"], "Only those that went through Purlin (purlin), that others made (foreign), or times that nobody watched (gap)."))
            .query("table", schema::word("Only those that touched a row of this table."))
            .query("row", schema::word("Only those that touched this row: its UUID, or how it was called then."))
            .query("port", schema::word("Only those that may have changed the traffic of this switch port."))
            .query("since", schema::formatted("date-time", "Only those from then on."))
            .paged_by("^([0-9a-f-]{36})?$")
            .answers(200, schema::page_of("OvnJournalEntry"))
            .tenants()
            .errors(&[503]),
        route::get("/api/v1/ovn/journal/{id}", one)
            .summary("One transaction with its exact difference")
            .description("Of sets and maps the difference has the elements that came and went. An entry that nobody can tell about has none.")
            .answers(200, schema::open_object(&["id", "at", "source", "outcome", "diff"], &[]))
            .tenants()
            .errors(&[404, 503]),
        writes(
            route::post("/api/v1/ovn/journal/{id}/undo", take_back)
                .summary("Takes a transaction back, as one guarded transaction")
                .description("Refused when rows have moved on since: problems names each. Undoing an undo does it again. Without owner= it is done for the owner of the transaction.")
                .answers(200, written())
                .tenants(),
        ),
        undo_to::draft(),
    ]
}

pub(super) fn components(routes: Routes) -> Routes {
    routes.component("OvnJournalEntry", entry())
}

fn entry() -> Schema {
    let text = schema::string;
    let row = schema::object(&[
        ("table", text("Its table.")),
        ("uuid", text("Its UUID.")),
        ("label", text("How it was called then.")),
        ("change", text("added, changed or removed.")),
    ]);
    let count = schema::count;
    schema::object(&[
        (
            "id",
            text("Id of the entry; of Purlin's own the request's id, as the log of the database has it."),
        ),
        (
            "at",
            schema::formatted("date-time", "When it was about to be sent, or was seen."),
        ),
        (
            "source",
            schema::one_of(&["purlin", "foreign", "gap"], "Whose doing it was."),
        ),
        (
            "outcome",
            schema::one_of(
                &["open", "committed", "found", "absent", "unclear"],
                "committed: confirmed. open: under way. The others where the answer was lost: found and absent by the rows, unclear when others have written them since.",
            ),
        ),
        (
            "actor",
            schema::nullable(text("Who wanted it; null for others' doing.")),
        ),
        ("owner", schema::nullable(text("Whose rows it was about."))),
        (
            "request",
            schema::nullable(text("X-Request-Id of the request that it was made for.")),
        ),
        (
            "tenant?",
            text("Id of the tenant that it was done for; absent for none."),
        ),
        ("about", text("What it was part of; empty for a plain write.")),
        (
            "txn",
            schema::nullable(text(
                "The database's id of the transaction; single servers give none.",
            )),
        ),
        ("undoes", schema::nullable(text("The entry that it took back."))),
        (
            "takes_back",
            schema::array(text(
                "One of several entries that it took back together, the newest first.",
            )),
        ),
        (
            "undone_by",
            schema::nullable(text("The entry that took it back.")),
        ),
        (
            "counts",
            schema::object(&[
                ("added", count("Rows that came.")),
                ("changed", count("Rows that changed.")),
                ("removed", count("Rows that went.")),
            ]),
        ),
        ("rows", schema::array(row)),
        ("more", count("Rows beyond those.")),
        (
            "affected",
            schema::array(text("Name of a switch port whose traffic it may have changed.")),
        ),
        ("warnings", count("Warnings that it was written with.")),
    ])
}

/// What a list is narrowed to.
struct Filter<'a> {
    actor: Option<&'a str>,
    request: Option<&'a str>,
    source: Option<&'a str>,
    table: Option<&'a str>,
    row: Option<&'a str>,
    port: Option<&'a str>,
    since: Option<Timestamp>,
    /// Nobody else's.
    tenant: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn of(asked: &'a Asked, tenant: Option<&'a str>) -> Result<Self, Problem> {
        Ok(Self {
            actor: asked.text("actor"),
            request: asked.text("request"),
            source: asked.word_of("source", &["purlin", "foreign", "gap"])?,
            table: asked.text("table"),
            row: asked.text("row"),
            port: asked.text("port"),
            since: asked.parsed("since", "a time such as 2026-01-31T12:00:00Z")?,
            tenant,
        })
    }

    /// Whether the list goes on so far back.
    fn reaches(&self, head: &Head) -> bool {
        let at = head.at.parse::<Timestamp>();
        self.since.is_none_or(|since| at.is_ok_and(|at| at >= since))
    }

    async fn admits(&self, journal: &Journal, id: Uuid, head: &Head) -> Result<bool, Problem> {
        let source = match head.source {
            Source::Purlin => "purlin",
            Source::Foreign => "foreign",
            Source::Gap => "gap",
        };
        let other = |wanted: Option<&str>, is: Option<&str>| wanted.is_some() && wanted != is;
        if other(self.tenant, head.tenant.as_deref())
            || other(self.actor, head.actor.as_deref())
            || other(self.request, head.request.as_deref())
            || other(self.source, Some(source))
        {
            return Ok(false);
        }
        if self.table.is_none() && self.row.is_none() && self.port.is_none() {
            return Ok(true);
        }
        let named = head.rows.iter().map(|row| (&*row.table, &*row.uuid, &*row.label));
        if self.touches(named, &head.affected) {
            return Ok(true);
        }
        if head.more == 0 && head.affected.len() < crate::journal::NAMED {
            return Ok(false);
        }
        // The list of names was cut off.
        let (_, body) = journal.get(id).await?;
        let all = body.diff.as_array().into_iter().flatten();
        let text = |row: &'_ Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let all: Vec<[String; 3]> = all
            .map(|row| ["table", "uuid", "label"].map(|name| text(row, name)))
            .collect();
        let named = all
            .iter()
            .map(|[table, uuid, label]| (&**table, &**uuid, &**label));
        Ok(self.touches(named, &body.affected))
    }

    fn touches<'r>(
        &self,
        mut rows: impl Iterator<Item = (&'r str, &'r str, &'r str)> + Clone,
        affected: &[String],
    ) -> bool {
        let port = |port: &str| {
            let own = |(table, uuid, label): (&str, &str, &str)| {
                table == "Logical_Switch_Port" && (label == port || uuid == port)
            };
            affected.iter().any(|name| name == port) || rows.clone().any(own)
        };
        if !self.port.is_none_or(port) {
            return false;
        }
        let none = self.table.is_none() && self.row.is_none();
        none || rows.any(|(table, uuid, label)| {
            self.table.is_none_or(|wanted| wanted == table)
                && self.row.is_none_or(|wanted| wanted == uuid || wanted == label)
        })
    }
}

fn journal(platform: &Platform) -> Result<&Journal, Problem> {
    platform.history()?;
    platform
        .journal()
        .ok_or_else(|| Problem::not_ready("this platform keeps no journal"))
}

/// The tenant whose entries alone there are.
fn tenant_of(platform: &Platform) -> Option<&str> {
    platform.tenant().map(|tenant| tenant.tenant.as_str())
}

async fn list(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let journal = journal(&platform)?;
    let (filter, limit) = (Filter::of(&asked, tenant_of(&platform))?, asked.limit()?);
    let mut after = asked.cursor::<Uuid>()?;
    let (mut items, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = journal.page(after, PAGE).await?;
        let last = page.len() < PAGE;
        for (id, head) in page {
            if !filter.reaches(&head) {
                return Ok(Json(asked.page(items, None)));
            }
            if items.len() == limit || looked_at == LOOKED_AT {
                let cursor = after.map(|after| after.to_string());
                return Ok(Json(asked.page(items, cursor)));
            }
            looked_at += 1;
            if filter.admits(journal, id, &head).await? {
                items.push(head.shown(id, journal.undone_by(id).await?.as_deref()));
            }
            after = Some(id);
        }
        if last {
            return Ok(Json(asked.page(items, None)));
        }
    }
}

async fn one(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let journal = journal(&platform)?;
    let id: Uuid = name.parsed("journal entry")?;
    let (
        head,
        Body {
            diff,
            warnings,
            affected,
        },
    ) = journal.get_of(id, tenant_of(&platform)).await?;
    let mut shown = head.shown(id, journal.undone_by(id).await?.as_deref());
    shown["diff"] = diff;
    shown["warnings"] = warnings;
    shown["affected"] = json!(affected);
    Ok(Json(shown))
}

async fn take_back(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let journal = journal(&platform)?;
    let id: Uuid = name.parsed("journal entry")?;
    let (head, body) = journal.get_of(id, tenant_of(&platform)).await?;
    let undone = journal.undone_by(id).await?;
    let mut manner: Manner = nb::manner(&asked, &caller)?;
    manner.about = format!("undo of {id}");
    manner.undoes = vec![id];
    if let (Some(owner), None) = (&head.owner, asked.text("owner")) {
        manner.for_owner(owner);
    }
    if body.diff.is_null() {
        let detail = format!("it is not known row by row what {id} changed: it cannot be undone");
        return Err(Problem::not_possible(detail));
    }
    if head.outcome == Outcome::Absent {
        return Err(Problem::not_possible(format!(
            "{id} never happened: there is nothing to undo"
        )));
    }
    let wish = |state: &Rows<'_>| -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let diff = Diff::from_json(state.schema(), &body.diff).map_err(|why| {
            Problem::not_possible(format!("the database has another schema than then: {why}"))
        })?;
        let (changes, expect) = undo(state.schema(), &diff);
        let moved = unmet(state, &expect);
        if moved.is_empty() {
            return Ok((changes, expect));
        }
        let words: Vec<String> = moved.iter().map(ToString::to_string).collect();
        let by = undone
            .as_ref()
            .map_or_else(String::new, |by| format!(" (it was undone by {by})"));
        let detail = format!("rows have moved on since{by}: {}", words.join("; "));
        Err(Problem::new(StatusCode::CONFLICT, &reasons::MOVED_ON, detail).with("problems", json!(moved)))
    };
    write(&platform, &manner, None, wish).await.map(Json)
}
