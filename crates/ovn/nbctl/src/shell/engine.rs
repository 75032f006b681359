//! One command line against a replica: plan, commit, wait for what follows.

use crate::line;
use crate::plan::{self, Plan, Planned};
use crate::symbols::Mint;
use crate::syntax::Command;
use crate::table::Style;
use crate::warning::Warning;
use purlin_ovsdb::client::{Client, CommitError, Replica, Snapshot};
use purlin_ovsdb::{Atom, Failure, Outcome, Refusal};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::time::Duration;

/// How long a write waits for a leader.
const PATIENCE: Duration = Duration::from_secs(600);

/// How far a change is to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Its flows are in the southbound database.
    Southbound,
    /// The hypervisors have them.
    Hypervisors,
}

/// How a line is run.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// How far its change is followed.
    pub wait: Option<Until>,
    /// Whether to tell how long that took.
    pub print_wait_time: bool,
    /// Whether nothing is to remain of it.
    pub dry_run: bool,
    /// Whether each command prints one line.
    pub oneline: bool,
    /// How tables look.
    pub style: Style,
    /// Words for the server's log.
    pub comment: String,
    /// How long the change is followed.
    pub patience: Option<Duration>,
}

/// Why a line was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// A sentence for whoever typed it.
    Refused(String),
    /// The database is out of reach; why.
    Unreachable(String),
}

/// Runs lines.
#[derive(Debug, Clone)]
pub struct Engine {
    client: Client,
    rows: Replica,
}

impl Engine {
    /// Over a replica that holds what the lines look at.
    #[must_use]
    pub const fn new(client: Client, rows: Replica) -> Self {
        Self { client, rows }
    }

    /// Returns when the rows are there.
    pub async fn ready(&self) {
        self.rows.live().await;
    }

    /// The client that commits.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Runs a line; what it prints.
    ///
    /// # Errors
    /// Why it was not carried out; nothing of it has happened then.
    pub async fn run(
        &self,
        commands: &[Command],
        manner: &Manner,
        warnings: &mut Vec<Warning>,
    ) -> Result<String, Failed> {
        let told = plan::Manner {
            comment: manner.comment.clone(),
            count: manner.wait.is_some(),
            count_always: commands.iter().any(|command| command.syntax.name == "sync"),
            dry_run: manner.dry_run,
        };
        let schema = self.client.schema().await;
        loop {
            let snapshot = self.rows.live().await;
            warnings.clear();
            let planned = plan::run(commands, &snapshot.database, &schema, mint(), &told, warnings);
            let plan = match planned.map_err(Failed::Refused)? {
                Planned::Ready(plan) => plan,
                Planned::NotYet => {
                    self.changed(&snapshot).await;
                    continue;
                }
            };
            match self.carry_out(plan, manner, warnings).await? {
                Some(text) => return Ok(text),
                // Another writer came first: the line is decided anew over what is there now.
                None => self.changed(&snapshot).await,
            }
        }
    }

    async fn changed(&self, snapshot: &Snapshot) {
        let before = snapshot.generation;
        self.rows.when(|now| now.generation != before).await;
    }

    async fn carry_out(
        &self,
        mut plan: Plan,
        manner: &Manner,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<String>, Failed> {
        let print =
            |plan: &Plan, outcome: Option<&Outcome>| Some(plan.print(outcome, &manner.style, manner.oneline));
        let Some(transaction) = plan.transaction.take() else {
            return Ok(print(&plan, None));
        };
        let began = jiff::Timestamp::now();
        match self.client.commit_within(transaction, PATIENCE).await {
            Ok(committed) => {
                self.rows.has_seen(&committed).await;
                let mut text = plan.print(Some(&committed.outcome), &manner.style, manner.oneline);
                if let (Some(until), Some(count)) = (manner.wait, plan.counted(&committed.outcome)) {
                    text.push_str(&self.follow(until, count, began, manner).await?);
                }
                Ok(Some(text))
            }
            Err(CommitError::Refused(refusal)) => match refusal.failure {
                Failure::TimedOut => Ok(None),
                Failure::Aborted if manner.dry_run => Ok(print(&plan, None)),
                _ => {
                    let text = format!("transaction error: {}", words(&refusal));
                    warnings.push(Warning::warn("ovsdb_idl", text.as_str()));
                    Err(Failed::Refused(text))
                }
            },
            Err(other) => Err(Failed::Unreachable(other.to_string())),
        }
    }

    /// Waits until others have followed to this count; what there is to tell of it.
    async fn follow(
        &self,
        until: Until,
        count: i64,
        began: jiff::Timestamp,
        manner: &Manner,
    ) -> Result<String, Failed> {
        let column = |rows: &Snapshot, name: &str| -> i64 {
            let row = rows.table("NB_Global").and_then(|table| table.rows().next());
            let value = row.and_then(|row| row.get(name)?.one().and_then(Atom::as_integer));
            value.unwrap_or(0)
        };
        let reached = |rows: &Snapshot| {
            let southbound = column(rows, "sb_cfg");
            let now = match until {
                Until::Southbound => southbound,
                Until::Hypervisors => southbound.min(column(rows, "hv_cfg")),
            };
            // The counter may have begun anew.
            now >= count && now - count < i64::from(i32::MAX)
        };
        let followed = self.rows.when(reached);
        let rows = match manner.patience {
            None => followed.await,
            Some(patience) => tokio::time::timeout(patience, followed)
                .await
                .map_err(|_| Failed::Refused("timeout expired".to_owned()))?,
        };
        let mut text = String::new();
        if manner.print_wait_time {
            let since = |name| column(&rows, name) - began.as_millisecond();
            let _ = writeln!(text, "Time spent on processing nb_cfg {count}:");
            let _ = writeln!(
                text,
                "\tovn-northd delay before processing:\t{}ms",
                since("nb_cfg_timestamp")
            );
            let _ = writeln!(
                text,
                "\tovn-northd completion:\t\t\t{}ms",
                since("sb_cfg_timestamp")
            );
            if until == Until::Hypervisors {
                let _ = writeln!(
                    text,
                    "\tovn-controller(s) completion:\t\t{}ms",
                    since("hv_cfg_timestamp")
                );
            }
        }
        Ok(text)
    }
}

/// The server's answer as it came.
fn words(refusal: &Refusal) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, text: Option<&String>| {
        if let Some(text) = text {
            object.insert(name.to_owned(), Value::from(text.as_str()));
        }
    };
    put("details", refusal.details.as_ref());
    put("error", Some(&refusal.error));
    put("syntax", refusal.syntax.as_ref());
    Value::Object(object)
}

fn mint() -> Mint {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).expect("the kernel gives random octets");
    Mint::new(u64::from_le_bytes(seed))
}

/// The words of a line for the server's log, each in quotes where it needs them.
#[must_use]
pub(super) fn escaped(words: &[String]) -> String {
    let one = |word: &String| {
        if word.contains([' ', '\t', '\r', '\n', '\u{b}', '\\', '\'', '"']) {
            format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            word.clone()
        }
    };
    words.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Reads the commands of a line.
pub(super) fn read(words: &[String], local: line::Options) -> Result<Vec<Command>, String> {
    line::parse(words, local)
}
