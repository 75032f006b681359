//! `purlin ovn raft`: the clusters of the databases, and what can be done to them.

use crate::cli::{Context, ListArgs, context::watched};
use crate::client::{Ask, Client, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every member: role, term, log, last message, sessions.
    #[command(after_help = "Examples:
  purlin ovn raft status --watch
  purlin ovn raft status -o wide
  purlin ovn raft status -o json | jq '.[0].members'")]
    Status(ListArgs),
    /// Write the log anew as one snapshot, on every member that is reached, the leader last.
    #[command(after_help = "Examples:
  purlin ovn raft compact nb
  purlin ovn raft compact sb --member tcp:ovn-2:6642")]
    Compact {
        /// Which of OVN's databases.
        #[arg(value_enum)]
        database: Database,
        /// Only this one, by endpoint or id.
        #[arg(long)]
        member: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Let the leader step down; the others elect one of them at once.
    #[command(after_help = "Examples:
  purlin ovn raft transfer nb --dry-run
  purlin ovn raft transfer sb")]
    Transfer {
        /// Which of OVN's databases.
        #[arg(value_enum)]
        database: Database,
        #[command(flatten)]
        how: How,
    },
    /// Change after how long a silence of the leader there is an election.
    #[command(after_help = "Examples:
  purlin ovn raft election-timer nb 5000     1000 becomes 2000, 4000, 5000: it may only double at a time")]
    ElectionTimer {
        /// Which of OVN's databases.
        #[arg(value_enum)]
        database: Database,
        /// From 100 to 600000.
        milliseconds: u64,
        #[command(flatten)]
        how: How,
    },
    /// Take a member out, whether it answers or not; refused when the others could write nothing then.
    #[command(after_help = "Examples:
  purlin ovn raft kick nb 6d6c --dry-run
  purlin ovn raft kick nb tcp:ovn-3:6641")]
    Kick(Member),
    /// Let a member leave by itself; refused when the others could write nothing then.
    #[command(after_help = "Examples:
  purlin ovn raft leave sb tcp:ovn-3:6642")]
    Leave(Member),
}

#[derive(Debug, Args)]
pub(crate) struct Member {
    /// Which of OVN's databases.
    #[arg(value_enum)]
    database: Database,
    /// Endpoint, address, id, or the first four digits of it.
    member: String,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Args)]
pub(crate) struct How {
    /// Only show what would be sent to whom.
    #[arg(long)]
    dry_run: bool,
}

/// One of OVN's databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Nb,
    Sb,
}

impl Database {
    const fn name(self) -> &'static str {
        match self {
            Self::Nb => "OVN_Northbound",
            Self::Sb => "OVN_Southbound",
        }
    }
}

const MEMBERS: Kind = Kind {
    plural: "members",
    name: "endpoint",
    columns: &[
        Column::new("DATABASE", "database", Show::Text),
        Column::new("MEMBER", "called", Show::Text),
        Column::new("ID", "short", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("CONNECTED", "connected", Show::Text),
        Column::new("INDEX", "index", Show::Number),
        Column::new("LOG", "log_entries", Show::Number),
        Column::new("BEHIND", "behind", Show::Number),
        Column::new("LAST MSG", "last_message", Show::Text),
        Column::new("SESSIONS", "sessions", Show::Number),
        Column::new("TROUBLE", "trouble", Show::Text),
        Column::wide("ADDRESS", "address", Show::Text),
        Column::wide("SERVER", "server", Show::Text),
        Column::wide("STATUS", "status", Show::Text),
        Column::wide("ATOMS", "atoms", Show::Number),
        Column::wide("CONTROL", "control", Show::Text),
    ],
};

const BASE: &str = "/api/v1/ovn/operations";
/// A compaction, or an election timer in many steps.
const PATIENCE: Duration = Duration::from_secs(180);

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let path = |database: &Database, act: &str| format!("{BASE}/databases/{}/{act}", database.name());
    let (how, ask): (&How, Box<dyn FnOnce(String) -> Ask>) = match command {
        Command::Status(args) => return status(&mut client, args, context).await,
        Command::Compact { how, .. } | Command::Transfer { how, .. } => (how, Box::new(Ask::post)),
        Command::ElectionTimer {
            milliseconds, how, ..
        } => {
            let body = json!({ "milliseconds": milliseconds });
            (how, Box::new(move |path| Ask::put(path).json(&body)))
        }
        Command::Kick(who) | Command::Leave(who) => {
            let body = json!({ "member": who.member });
            (&who.how, Box::new(move |path| Ask::post(path).json(&body)))
        }
    };
    let (path, member) = match command {
        Command::Compact { database, member, .. } => (path(database, "compact"), member.clone()),
        Command::Transfer { database, .. } => (path(database, "transfer"), None),
        Command::ElectionTimer { database, .. } => (path(database, "election-timer"), None),
        Command::Kick(who) => (path(&who.database, "kick"), None),
        Command::Leave(who) => (path(&who.database, "leave"), None),
        Command::Status(_) => unreachable!("answered above"),
    };
    let dry = if how.dry_run { "true" } else { "" };
    let path = with_query(&path, &[("dryRun", dry), ("member", &member.unwrap_or_default())]);
    let answer = client.value(ask(path).patience(PATIENCE)).await?;
    told(&answer, context)?;
    Ok(Exit::Ok)
}

/// What was sent to whom, and what they said.
fn told(answer: &Value, context: &Context) -> Result<(), Failure> {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        return output::document(context.form(), answer);
    }
    let paint = Paint::stdout();
    let steps = answer["steps"].as_array().map_or(&[][..], Vec::as_slice);
    if steps.is_empty() {
        say!("nothing is to be done");
    }
    for (at, step) in steps.iter().enumerate() {
        let arguments = step["arguments"].as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<&str> = arguments.iter().filter_map(Value::as_str).collect();
        let member = step["member"].as_str().unwrap_or_default();
        let command = step["command"].as_str().unwrap_or_default();
        let said = match (
            answer["dry_run"] == true,
            answer["answers"][at]["answer"].as_str(),
        ) {
            (true, _) => "would be sent".to_owned(),
            (false, Some("")) | (false, None) => "done".to_owned(),
            (false, Some(said)) => said.to_owned(),
        };
        say!("{member}: {command} {}: {said}", words.join(" "));
    }
    for warning in answer["warnings"].as_array().into_iter().flatten() {
        say!(
            "{}",
            paint.text(
                Tone::Warning,
                &format!("warning: {}", warning.as_str().unwrap_or_default())
            )
        );
    }
    Ok(())
}

async fn status(client: &mut Client, args: &ListArgs, context: &Context) -> Outcome {
    watched(args, async || {
        let look = client.value(Ask::get(BASE)).await?;
        let databases = look["databases"].as_array().cloned().unwrap_or_default();
        if matches!(context.form(), Form::Json | Form::Yaml) {
            return output::document(context.form(), &Value::Array(databases));
        }
        if matches!(context.form(), Form::Table | Form::Wide) {
            for database in &databases {
                say!("{}", sentence(database));
            }
            say!();
        }
        let rows: Vec<Value> = databases.iter().flat_map(rows).collect();
        output::list(&context.list_view(args), MEMBERS, &rows)
    })
    .await
}

/// `OVN_Northbound: 3 of 3 members, led by tcp:ovn-1:6641 in term 7, election timer 1000 ms`.
fn sentence(database: &Value) -> String {
    let name = database["database"].as_str().unwrap_or_default();
    if database["model"] != "clustered" {
        return format!("{name}: {}", database["note"].as_str().unwrap_or_default());
    }
    let members = database["members"].as_array().map_or(0, Vec::len);
    let leader = match database["leader"].as_str() {
        Some(leader) => format!("led by {leader}"),
        None => "without a leader".to_owned(),
    };
    let term = database["term"]
        .as_u64()
        .map_or_else(String::new, |term| format!(" in term {term}"));
    let timer = database["election_timer_ms"].as_u64();
    let timer = timer.map_or_else(String::new, |timer| format!(", election timer {timer} ms"));
    let alive = &database["members_alive"];
    format!("{name}: {alive} of {members} members, {leader}{term}{timer}")
}

/// The members, and how far each is behind the one that is farthest.
fn rows(database: &Value) -> Vec<Value> {
    let members = database["members"].as_array().map_or(&[][..], Vec::as_slice);
    let far = members.iter().filter_map(|member| member["index"].as_i64()).max();
    let row = |member: &Value| {
        let mut row = member.clone();
        let called = ["endpoint", "address", "server"]
            .iter()
            .find_map(|key| member[key].as_str());
        row["database"] = database["database"].clone();
        row["called"] = json!(called);
        row["short"] = json!(
            member["server"]
                .as_str()
                .map(|id| id.chars().take(4).collect::<String>())
        );
        row["behind"] = json!(far.zip(member["index"].as_i64()).map(|(far, index)| far - index));
        row["last_message"] = json!(member["last_message_ms"].as_u64().map(|ms| format!("{ms} ms")));
        row
    };
    members.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_reads_as_a_sentence() {
        let mut database = json!({
            "database": "OVN_Northbound", "model": "clustered", "members": [{}, {}, {}], "members_alive": 2,
            "leader": "tcp:a:6641", "term": 7, "election_timer_ms": 1000,
        });
        assert_eq!(
            sentence(&database),
            "OVN_Northbound: 2 of 3 members, led by tcp:a:6641 in term 7, election timer 1000 ms"
        );
        database["leader"] = Value::Null;
        assert!(sentence(&database).contains("without a leader"));
        database["model"] = json!("standalone");
        database["note"] = json!("one server on its own");
        assert_eq!(sentence(&database), "OVN_Northbound: one server on its own");
    }

    #[test]
    fn who_is_behind_is_seen() {
        let database = json!({ "database": "D", "members": [
            { "endpoint": "a", "index": 12, "server": "6a97f537-x" }, { "address": "b", "index": 9 }, {},
        ]});
        let rows = rows(&database);
        assert_eq!((&rows[0]["behind"], &rows[1]["behind"]), (&json!(0), &json!(3)));
        assert_eq!(
            (&rows[0]["short"], &rows[1]["called"]),
            (&json!("6a97"), &json!("b"))
        );
    }
}
