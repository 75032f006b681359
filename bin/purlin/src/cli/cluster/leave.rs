//! Taking nodes out: asked for until it is granted, watched until nothing is left, and told with a bar.
//!
//! ```text
//!   row of the node ─► active, late, joining: ask for the drain (again, when 409 or 503)
//!                      draining with slots:   watch
//!                      nothing left:          done; a removal ends the membership
//!                      gone, removed:         refused at once; force is for that
//! ```

use super::{NODES, PATH};
use crate::cli::Context;
use crate::client::{Answer, Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Painted, Show, bar};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a drain is looked after.
const LOOK: Duration = Duration::from_secs(1);
/// After a drain was granted: how long a row may still show the node as it was.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sessions that do not move hold a removal up for no longer, once the slots are gone.
const SESSIONS: Duration = Duration::from_secs(15);

const MOVES: Kind = Kind {
    plural: "moves",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("BEFORE", "before", Show::Number),
        Column::new("AFTER", "after", Show::Number),
        Column::new("GAINED", "gained", Show::Number),
        Column::new("LOST", "lost", Show::Number),
    ],
};

/// How a node is taken out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    /// Also when too few would be left.
    pub(crate) force: bool,
    pub(crate) timeout: Duration,
}

/// What a row says is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    Ask,
    Watch,
    Done,
    Refuse(String),
}

fn next(node: &str, row: &Value, removal: bool) -> Next {
    let (slots, status) = (slots(row), row["status"].as_str().unwrap_or_default());
    match status {
        "removed" => Next::Refuse(format!("{node} has been removed already")),
        "gone" if slots > 0 => Next::Refuse(format!(
            "{node} is gone and cannot give its {slots} slots back; others take them over once its lease has lapsed"
        )),
        "draining" | "gone" if slots == 0 => Next::Done,
        "draining" => Next::Watch,
        // It has nothing to lose; a drain keeps it from getting something.
        _ if slots == 0 && removal => Next::Done,
        _ => Next::Ask,
    }
}

/// Drains a node; what it would move, when it is only a rehearsal.
pub(super) async fn drain(context: &Context, node: &str, wish: Wish, wait: bool, dry_run: bool) -> Outcome {
    let mut client = context.client()?;
    let path = format!("{PATH}/{}", encode(node));
    if dry_run {
        return rehearse(context, &mut client, &path, node, wish.force).await;
    }
    let ask = Ask::post(format!("{path}/drain?force={}", wish.force));
    if wait {
        drained(&mut client, &path, node, wish, false).await?;
    } else {
        client.answer(ask).await?;
    }
    let row = client.value(Ask::get(path)).await?;
    output::one(&context.view(), NODES, &row)?;
    Ok(Exit::Ok)
}

/// Drains a node and ends its membership; at once when forced.
pub(crate) async fn remove(context: &Context, node: &str, wish: Wish, dry_run: bool) -> Outcome {
    let mut client = context.client()?;
    let path = format!("{PATH}/{}", encode(node));
    if dry_run {
        return rehearse(context, &mut client, &path, node, wish.force).await;
    }
    if wish.force {
        client.answer(Ask::delete(format!("{path}?force=true"))).await?;
        say!("{node} is fenced: it can write no more; its slots are taken over once its lease has lapsed");
        return Ok(Exit::Ok);
    }
    drained(&mut client, &path, node, wish, true).await?;
    say!("{node} is removed");
    Ok(Exit::Ok)
}

/// Shows what would move.
async fn rehearse(context: &Context, client: &mut Client, path: &str, node: &str, force: bool) -> Outcome {
    let ask = Ask::post(format!("{path}/drain?dryRun=true&force={force}"));
    let row = client.value(ask).await?;
    show_moves(context, &row["moves"])?;
    if context.form() == Form::Table {
        say!(
            "{} would move when {node} goes; nothing was done",
            told(&row["moves"])
        );
    }
    Ok(Exit::Ok)
}

/// A preview as a table of nodes, or whole.
pub(super) fn show_moves(context: &Context, moves: &Value) -> Result<(), Failure> {
    match context.form() {
        Form::Json | Form::Yaml => output::document(context.form(), moves),
        _ => {
            let rows = moves["nodes"].as_array().cloned().unwrap_or_default();
            output::list(&context.view(), MOVES, &rows)
        }
    }
}

/// `1365 slots with 1000 leases`.
pub(super) fn told(moves: &Value) -> String {
    let slots = moves["slots"].as_u64().unwrap_or(0);
    match moves["leases"].as_u64() {
        Some(leases) => format!("{slots} slots with {leases} leases"),
        None => format!("{slots} slots"),
    }
}

/// Asks for the drain and waits until the node holds nothing; ends its membership then, when that is wanted.
async fn drained(
    client: &mut Client,
    path: &str,
    node: &str,
    wish: Wish,
    removal: bool,
) -> Result<(), Failure> {
    let began = Instant::now();
    let (mut bar, mut asked, mut refused) = (Bar::new(node), None::<Instant>, None::<Failure>);
    let mut empty = None::<Instant>;
    loop {
        let row = client.value(Ask::get(path)).await?;
        bar.show(&row);
        match next(node, &row, removal) {
            Next::Refuse(_) if empty.is_some() && row["status"] == "removed" => return bar.done(),
            Next::Refuse(why) => {
                bar.line.keep();
                return Err(Failure::failed(
                    why,
                    "purlin cluster remove --force, for a node that is gone",
                ));
            }
            Next::Ask if asked.is_none_or(|at| at.elapsed() >= PATIENCE) => {
                match ask(client, Ask::post(format!("{path}/drain?force={}", wish.force))).await? {
                    None => asked = Some(Instant::now()),
                    said => refused = said,
                }
            }
            Next::Ask | Next::Watch => {}
            Next::Done => {
                let since = *empty.get_or_insert_with(Instant::now);
                if sessions(&row) == 0 || since.elapsed() >= SESSIONS {
                    if !removal {
                        return bar.done();
                    }
                    match ask(client, Ask::delete(path)).await? {
                        None => return bar.done(),
                        said => refused = said,
                    }
                }
            }
        }
        if began.elapsed() >= wish.timeout {
            bar.line.keep();
            return Err(late(node, &row, wish.timeout, refused));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// `None` when it was granted, the refusal when it may be granted later.
///
/// # Errors
/// When asking again will not help.
async fn ask(client: &mut Client, ask: Ask) -> Result<Option<Failure>, Failure> {
    let answer = client.any_status(ask).await?;
    match Client::judge(&answer) {
        Ok(()) => Ok(None),
        Err(failure) if passes(&answer) => Ok(Some(failure)),
        Err(failure) => Err(failure),
    }
}

/// Whether a refusal may be over in a moment: the view was old, or the store did not answer. One that has its reason
/// in the number of nodes stays.
fn passes(answer: &Answer) -> bool {
    let lasting = || {
        let problem = answer.value().unwrap_or_default();
        problem["refusal"].is_string()
    };
    answer.status == 503 || (answer.status == 409 && !lasting())
}

fn late(node: &str, row: &Value, timeout: Duration, refused: Option<Failure>) -> Failure {
    let (slots, secs) = (slots(row), timeout.as_secs());
    let why = refused.map_or_else(String::new, |failure| format!(": {}", failure.what));
    Failure::failed(
        format!("{node} still holds {slots} slots after {secs} s; it stays a member{why}"),
        "wait longer with --timeout, or --force when it cannot be reached",
    )
}

fn slots(row: &Value) -> u64 {
    row["slots"].as_u64().unwrap_or(0)
}

fn sessions(row: &Value) -> u64 {
    row["sessions"].as_u64().unwrap_or(0)
}

/// How far a drain is: a bar where a person looks, a line for each change elsewhere.
struct Bar {
    node: String,
    at_first: u64,
    told: Option<String>,
    line: Painted,
}

impl Bar {
    fn new(node: &str) -> Self {
        Self {
            node: node.to_owned(),
            at_first: 0,
            told: None,
            line: Painted::new(false),
        }
    }

    fn show(&mut self, row: &Value) {
        self.at_first = self.at_first.max(slots(row));
        let text = progress(&self.node, row);
        if self.told.as_ref() == Some(&text) || self.at_first == 0 {
            return;
        }
        if self.line.is_on() {
            let share = gone(slots(row), self.at_first);
            self.line.show(|| format!("{} {text}", bar(share)));
        } else {
            eprintln!("{text}");
        }
        self.told = Some(text);
    }

    fn done(&mut self) -> Result<(), Failure> {
        self.line.keep();
        Ok(())
    }
}

/// How much of what was there at first has gone.
fn gone(left: u64, at_first: u64) -> f64 {
    1.0 - left as f64 / at_first.max(1) as f64
}

/// `n3: 1478 slots left, 512/s, about 3 s`.
fn progress(node: &str, row: &Value) -> String {
    let mut text = format!("{node}: {} slots left", slots(row));
    if slots(row) == 0 && sessions(row) > 0 {
        text = format!("{node}: {} sessions left", sessions(row));
    }
    let drain = &row["drain"];
    if let (Some(rate), Some(eta)) = (drain["rate"].as_f64(), drain["eta_seconds"].as_f64())
        && slots(row) > 0
        && rate > 0.0
    {
        text.push_str(&format!(", {rate:.0}/s, about {:.0} s", eta.ceil()));
    }
    if drain["still_seconds"].as_f64().is_some_and(|still| still >= 10.0) && slots(row) > 0 {
        text.push_str(", nothing has moved for a while");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(status: &str, slots: u64) -> Value {
        json!({ "status": status, "slots": slots })
    }

    #[test]
    fn whoever_holds_slots_and_is_not_draining_is_asked_to() {
        for status in ["active", "late", "joining"] {
            assert_eq!(next("n3", &row(status, 1478), true), Next::Ask, "{status}");
            assert_eq!(next("n3", &row(status, 0), true), Next::Done, "{status}");
            assert_eq!(next("n3", &row(status, 0), false), Next::Ask, "{status}");
        }
        assert_eq!(next("n3", &row("draining", 1), true), Next::Watch);
        assert_eq!(next("n3", &row("draining", 0), true), Next::Done);
    }

    #[test]
    fn who_is_gone_or_removed_is_refused_at_once() {
        let refused = |status, slots| match next("n3", &row(status, slots), true) {
            Next::Refuse(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused("gone", 5).contains("cannot give its 5 slots back"));
        assert!(refused("removed", 0).contains("removed already"));
        // Its slots are others' by now: nothing is left to be drained.
        assert_eq!(next("n3", &row("gone", 0), true), Next::Done);
    }

    #[test]
    fn a_refusal_for_a_moment_is_asked_again() {
        let answer = |status, body: Value| Answer {
            status,
            body: body.to_string().into_bytes().into(),
        };
        assert!(passes(&answer(
            409,
            json!({ "detail": "only an active node can be drained" })
        )));
        assert!(passes(&answer(503, Value::Null)));
        assert!(!passes(&answer(409, json!({ "refusal": "last_node" }))));
        assert!(!passes(&answer(404, Value::Null)));
        assert!(!passes(&answer(403, Value::Null)));
    }

    #[test]
    fn progress_tells_what_is_left_how_fast_and_how_long() {
        let mut shown = row("draining", 1478);
        assert_eq!(progress("n3", &shown), "n3: 1478 slots left");
        shown["drain"] = json!({ "rate": 511.7, "eta_seconds": 2.9, "still_seconds": 0.1 });
        assert_eq!(progress("n3", &shown), "n3: 1478 slots left, 512/s, about 3 s");
        shown["drain"] = json!({ "rate": 0.0, "eta_seconds": null, "still_seconds": 12.0 });
        assert!(progress("n3", &shown).ends_with("nothing has moved for a while"));
        assert_eq!((gone(0, 100), gone(50, 100), gone(0, 0)), (1.0, 0.5, 1.0));
    }
}
