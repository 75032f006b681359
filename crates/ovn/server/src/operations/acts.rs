//! What can be done to a database's cluster, through the control sockets of its members.
//!
//! Each deed is planned first: what is sent to whom, and why not. Nothing is sent that would cost the quorum.

use super::control;
use super::raft::{DatabaseLook, Member, is_alive, majority};
use crate::platform::Platform;
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Write the log anew as one snapshot, on one member or on all that are reached.
    Compact(Option<String>),
    /// The leader steps down, and the others elect.
    Transfer,
    /// Milliseconds without a word of the leader before there is an election.
    ElectionTimer(u64),
    /// The others take a member out, whether it answers or not.
    Kick(String),
    /// A member leaves by itself.
    Leave(String),
}

/// One command for one program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    control: PathBuf,
    member: String,
    command: &'static str,
    arguments: Vec<String>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    steps: Vec<Step>,
    warnings: Vec<String>,
}

/// The bounds of ovsdb-server, milliseconds.
const TIMER: std::ops::RangeInclusive<u64> = 100..=600_000;
/// How long one change of the timer, or an election, may take to be seen.
const PATIENCE: Duration = Duration::from_secs(10);

impl Act {
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Compact(_) => "compact",
            Self::Transfer => "transfer",
            Self::ElectionTimer(_) => "election-timer",
            Self::Kick(_) => "kick",
            Self::Leave(_) => "leave",
        }
    }
}

impl Deed {
    pub(crate) fn plan(act: &Act, database: &DatabaseLook) -> Result<Self, Problem> {
        if let Act::Compact(member) = act {
            return compaction(member.as_deref(), database);
        }
        if database.model != "clustered" {
            let what = format!("{} is in no cluster: {}", database.database, database.note);
            return Err(Problem::not_possible(what));
        }
        match act {
            Act::Transfer => transfer(database),
            Act::ElectionTimer(wanted) => timer(*wanted, database),
            Act::Kick(word) => {
                let leader = controlled(leading(database)?)?;
                let member = named(word, database)?;
                let warnings = without(member, database)?;
                let id = member.server.clone().unwrap_or_default();
                let step = step(leader, "cluster/kick", vec![database.database.clone(), id]);
                Ok(Self {
                    steps: vec![step?],
                    warnings,
                })
            }
            Act::Leave(word) => {
                let member = named(word, database)?;
                let warnings = without(member, database)?;
                let step = step(
                    controlled(member)?,
                    "cluster/leave",
                    vec![database.database.clone()],
                );
                Ok(Self {
                    steps: vec![step?],
                    warnings,
                })
            }
            Act::Compact(_) => unreachable!("planned above"),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            json!({
                "member": step.member,
                "control": step.control,
                "command": step.command,
                "arguments": step.arguments,
            })
        });
        json!({ "steps": steps.collect::<Vec<_>>(), "warnings": self.warnings })
    }

    /// Does it, step by step; what each member answered.
    pub(crate) async fn carry_out(&self, platform: &Platform, database: &str) -> Result<Vec<Value>, Problem> {
        let mut answers = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let arguments: Vec<&str> = step.arguments.iter().map(String::as_str).collect();
            let answer = control::call_patiently(&step.control, step.command, &arguments).await;
            let answer = answer.map_err(|cause| {
                let done = answers.len();
                let detail = format!("{} at {}: {cause}", step.command, step.member);
                Problem::new(StatusCode::BAD_GATEWAY, &reasons::REFUSED, detail).with("done", json!(done))
            })?;
            answers.push(json!({ "member": step.member, "answer": answer.trim() }));
            if step.command == "cluster/change-election-timer" {
                let wanted = step.arguments.get(1).and_then(|timer| timer.parse().ok());
                seen(platform, database, |look| look.election_timer_ms == wanted).await?;
            }
        }
        Ok(answers)
    }
}

/// Waits until a look shows it.
async fn seen(
    platform: &Platform,
    database: &str,
    holds: impl Fn(&DatabaseLook) -> bool,
) -> Result<(), Problem> {
    let shown = async {
        loop {
            let look = super::look(platform).await;
            let mine = look.databases.iter().find(|look| look.database == database);
            if mine.is_some_and(&holds) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, shown).await.map_err(|_| {
        let detail =
            format!("{database}: the command was taken, and its effect is not seen after {PATIENCE:?}");
        Problem::new(StatusCode::GATEWAY_TIMEOUT, &reasons::UNKNOWN, detail)
    })
}

fn compaction(wanted: Option<&str>, database: &DatabaseLook) -> Result<Deed, Problem> {
    let members: Vec<&Member> = match wanted {
        Some(word) => vec![controlled(named(word, database)?)?],
        None => database
            .members
            .iter()
            .filter(|member| member.control.is_some())
            .collect(),
    };
    let first = database.members.first();
    if members.is_empty() {
        return Err(first.map_or_else(|| no_control("it"), |member| no_control(&called(member))));
    }
    let left = database.members.len() - members.len();
    let warnings = (wanted.is_none() && left > 0).then(|| {
        format!(
            "{left} of {} members have no control socket here and stay as they are",
            database.members.len()
        )
    });
    // The leader last: it may hand its lead over to write its snapshot.
    let mut members = members;
    members.sort_by_key(|member| member.role.as_deref() == Some("leader"));
    let steps = members
        .into_iter()
        .map(|member| step(member, "ovsdb-server/compact", vec![database.database.clone()]));
    Ok(Deed {
        steps: steps.collect::<Result<_, _>>()?,
        warnings: warnings.into_iter().collect(),
    })
}

fn transfer(database: &DatabaseLook) -> Result<Deed, Problem> {
    let leader = controlled(leading(database)?)?;
    let others = database.members.iter().filter(|member| is_alive(member)).count();
    if others < 2 || others < majority(database.members.len()) {
        let what = format!(
            "{}: no other member is in touch that could lead",
            database.database
        );
        return Err(Problem::not_possible(what));
    }
    // ovsdb-server has it only among what its tests use, and there it names no database.
    let step = step(
        leader,
        "cluster/failure-test",
        vec!["transfer-leadership".to_owned()],
    );
    Ok(Deed {
        steps: vec![step?],
        warnings: Vec::new(),
    })
}

/// A timer may at most double at a time, and every change is an entry of the log.
fn timer(wanted: u64, database: &DatabaseLook) -> Result<Deed, Problem> {
    if !TIMER.contains(&wanted) {
        let detail = format!(
            "milliseconds={wanted} is out of range; expected {} to {}",
            TIMER.start(),
            TIMER.end()
        );
        return Err(Problem::wrong_shape(detail));
    }
    let leader = controlled(leading(database)?)?;
    let mut at = database.election_timer_ms.unwrap_or(1000);
    let mut steps = Vec::new();
    while at != wanted {
        at = if wanted > at * 2 { at * 2 } else { wanted };
        let arguments = vec![database.database.clone(), at.to_string()];
        steps.push(step(leader, "cluster/change-election-timer", arguments)?);
    }
    let short = (wanted < 1000).then(|| {
        "below 1000 ms a busy machine misses its heartbeats, and the cluster elects again and again"
            .to_owned()
    });
    Ok(Deed {
        steps,
        warnings: short.into_iter().collect(),
    })
}

/// What it means that a member goes; refused where the others could write nothing then.
fn without(member: &Member, database: &DatabaseLook) -> Result<Vec<String>, Problem> {
    let all = database.members.len();
    let alive = database.members.iter().filter(|one| is_alive(one)).count();
    let left = alive - usize::from(is_alive(member));
    let lost = |why: String| {
        let detail = format!("{}: {why}", database.database);
        Problem::new(StatusCode::CONFLICT, &reasons::QUORUM, detail)
            .with("members", json!(all))
            .with("alive", json!(alive))
    };
    if all <= 1 {
        return Err(lost("it is the last member".to_owned()));
    }
    if alive < majority(all) {
        return Err(lost(format!(
            "{alive} of {all} members are in touch, {} must agree: nothing can be changed now",
            majority(all)
        )));
    }
    if left < majority(all - 1) {
        return Err(lost(format!(
            "of the {} members that stay {left} are in touch, and {} must be: nothing could be written any more",
            all - 1,
            majority(all - 1)
        )));
    }
    let mut warnings = Vec::new();
    if majority(all - 1) == all - 1 {
        warnings.push(format!(
            "with {} members none may be lost: add another soon",
            all - 1
        ));
    }
    if member.role.as_deref() == Some("leader") {
        warnings.push("it leads: there is an election first".to_owned());
    }
    Ok(warnings)
}

fn leading(database: &DatabaseLook) -> Result<&Member, Problem> {
    let leads = |member: &&Member| member.role.as_deref() == Some("leader");
    database.members.iter().find(leads).ok_or_else(|| {
        let detail = format!("{} has no leader", database.database);
        Problem::new(StatusCode::GATEWAY_TIMEOUT, &reasons::NO_LEADER, detail)
    })
}

/// By endpoint, address, id, or the first digits of the id.
fn named<'d>(word: &str, database: &'d DatabaseLook) -> Result<&'d Member, Problem> {
    let is = |text: &Option<String>| text.as_deref() == Some(word);
    let fits = |member: &&Member| {
        let begins = |id: &String| word.len() >= 4 && id.starts_with(word);
        is(&member.endpoint) || is(&member.address) || member.server.as_ref().is_some_and(begins)
    };
    let mut found = database.members.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(member), None) => Ok(member),
        (Some(_), Some(_)) => Err(Problem::not_possible(format!(
            "{word} may be several members: say its whole id"
        ))),
        (None, _) => {
            let known: Vec<String> = database.members.iter().map(called).collect();
            let detail = format!(
                "{} has no member {word}; there are {}",
                database.database,
                known.join(", ")
            );
            Err(Problem::new(
                StatusCode::NOT_FOUND,
                &purlin_api::reasons::NO_SUCH_OBJECT,
                detail,
            ))
        }
    }
}

fn called(member: &Member) -> String {
    let names = [&member.endpoint, &member.address, &member.server];
    names.into_iter().flatten().next().cloned().unwrap_or_default()
}

fn controlled(member: &Member) -> Result<&Member, Problem> {
    match member.control {
        Some(_) => Ok(member),
        None => Err(no_control(&called(member))),
    }
}

fn no_control(member: &str) -> Problem {
    let detail = format!(
        "the control socket of {member} is not reached from this node: only a node on its machine can do this"
    );
    Problem::new(StatusCode::CONFLICT, &reasons::NO_CONTROL, detail)
}

fn step(member: &Member, command: &'static str, arguments: Vec<String>) -> Result<Step, Problem> {
    let control = member
        .control
        .clone()
        .ok_or_else(|| no_control(&called(member)))?;
    Ok(Step {
        control,
        member: called(member),
        command,
        arguments,
    })
}

#[cfg(test)]
mod tests;
