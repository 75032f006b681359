//! Follows a database with the schema `idltest` while steps change it, and prints what it sees.

mod change;
mod rows;
mod scripts;
mod track;

use crate::print::text;
use crate::{Outcome, json};
use purlin_ovsdb::client::{Client, Config, Follow, Replica, Snapshot, Spec, TableSpec, parse_endpoints};
use purlin_ovsdb::{Condition, Names, Operation, TableSchema, Transaction, Uuid};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const TABLES: [&str; 7] = [
    "simple",
    "link1",
    "link2",
    "simple3",
    "simple4",
    "simple6",
    "singleton",
];

pub(crate) fn run(command: &str, arguments: &[String], track: bool, time: Duration) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|cause| cause.to_string())?;
    let work = async {
        match (command, arguments) {
            ("idl", [remote, steps @ ..]) => {
                let endpoints = parse_endpoints(remote).map_err(|fault| fault.to_string())?;
                let client = Client::start(Config::new("idltest", endpoints));
                Idl::start(client, track).run(steps).await
            }
            ("idl-partial-update-map-column", [remote]) => scripts::maps(remote).await,
            ("idl-partial-update-set-column", [remote]) => scripts::sets(remote).await,
            ("idl-compound-index-with-ref", [remote]) => scripts::by_reference(remote).await,
            ("idl-table-column-check", remotes) => scripts::presence(remotes).await,
            _ => Err(format!(
                "unknown command '{command}', or other arguments than it takes"
            )),
        }
    };
    runtime.block_on(async {
        let done = tokio::time::timeout(time, work).await;
        done.unwrap_or_else(|_| Err(format!("not done within {time:?}")))
    })
}

struct Idl {
    client: Client,
    replica: Option<Replica>,
    conditions: BTreeMap<String, Vec<Condition>>,
    asked: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    step: usize,
    /// What steps change: the rows as they were printed last or as an own change left them, not what came since.
    shown: Option<Snapshot>,
    /// Up to where changes were printed.
    told: Option<Snapshot>,
    /// Whether changes are printed in place of rows.
    track: bool,
    seen: u64,
}

impl Idl {
    fn start(client: Client, track: bool) -> Self {
        let (conditions, asked, names) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self {
            client,
            replica: None,
            conditions,
            asked,
            names,
            step: 0,
            shown: None,
            told: None,
            track,
            seen: 0,
        }
    }

    fn say(&mut self, words: &str) {
        println!("{:03}: {words}", self.step);
        self.step += 1;
    }

    fn replica(&mut self) -> Replica {
        let (client, conditions) = (&self.client, &self.conditions);
        let begin = || {
            let table = |spec: Spec, name: &str| {
                let own = conditions.get(name).cloned().unwrap_or_default();
                spec.table(name, TableSpec::all().conditions(own))
            };
            client.replicate(TABLES.into_iter().fold(Spec::new().follow(Follow::Any), table))
        };
        self.replica.get_or_insert_with(begin).clone()
    }

    async fn run(mut self, steps: &[String]) -> Outcome {
        let mut steps = steps;
        if let Some((first, rest)) = steps.split_first()
            && let Some(conditions) = first.strip_prefix("condition ")
        {
            self.condition(conditions).await?;
            steps = rest;
        }
        for step in steps {
            let (terse, step) = step
                .strip_prefix('?')
                .map_or((false, step.as_str()), |rest| (true, rest));
            let step = match step.strip_prefix(['+', '^']) {
                Some(rest) => rest,
                None => {
                    self.update(terse, false).await;
                    step
                }
            };
            self.seen = self.shown.as_ref().map_or(0, |shown| shown.generation);
            self.take(step).await?;
        }
        self.update(false, true).await;
        self.say("done");
        Ok(())
    }

    /// Waits until something changed, and prints all there is.
    async fn update(&mut self, terse: bool, last: bool) {
        let seen = self.seen;
        let snapshot = self
            .replica()
            .when(|now| now.is_live() && now.generation != seen)
            .await;
        let lines = match self.track {
            true => track::lines(self.told.as_ref(), &snapshot, last),
            false => rows::all(&snapshot, terse),
        };
        self.told = Some(snapshot.clone());
        for line in &lines {
            println!("{:03}: {line}", self.step);
        }
        if lines.is_empty() {
            println!("{:03}: empty", self.step);
        }
        self.shown = Some(snapshot);
        self.step += 1;
    }

    async fn take(&mut self, step: &str) -> Outcome {
        if step == "reconnect" {
            self.say("reconnect");
            return self.reconnect().await;
        }
        if let Some(conditions) = step.strip_prefix("condition ") {
            return self.condition(conditions).await;
        }
        if step.starts_with('[') {
            return self.transact(step).await;
        }
        let snapshot = match &self.shown {
            Some(shown) => shown.clone(),
            None => self.replica().live().await,
        };
        let replica = self.replica();
        let (words, refused) = change::run(&self.client, &replica, &snapshot, step).await?;
        self.say(&words);
        self.shown = Some(replica.snapshot());
        if refused {
            self.seen = 0;
        }
        Ok(())
    }

    /// All rows again, over a new connection.
    async fn reconnect(&mut self) -> Outcome {
        self.replica = None;
        let endpoints = self
            .client
            .members()
            .into_iter()
            .map(|(endpoint, _)| endpoint)
            .collect();
        self.client = Client::start(Config::new("idltest", endpoints));
        self.shown = None;
        self.told = None;
        self.seen = 0;
        Ok(())
    }

    async fn transact(&mut self, step: &str) -> Outcome {
        let mut params = json(step)?;
        self.substitute(&mut params);
        let result = self
            .client
            .call("transact", &params)
            .await
            .map_err(|refusal| refusal.to_string())?;
        self.learn(&result);
        self.catch_up().await?;
        self.say(&format!("{{\"error\":null,\"result\":{}}}", text(&result)));
        Ok(())
    }

    /// Waits until all that was written so far has come back, so that one step after another is seen.
    async fn catch_up(&mut self) -> Outcome {
        let mut look = Transaction::new();
        look.push(Operation::Select {
            table: "simple".into(),
            conditions: vec![Condition::Always(false)],
            columns: None,
        });
        let looked = self
            .client
            .commit(look)
            .await
            .map_err(|fault| fault.to_string())?;
        self.replica().has_seen(&looked).await;
        Ok(())
    }

    /// A text like `#0#` stands for the first UUID that an answer had, and so on.
    fn substitute(&self, json: &mut Value) {
        match json {
            Value::String(name) => {
                if let Some(uuid) = self.names.get(name) {
                    name.clone_from(uuid);
                }
            }
            Value::Array(array) => array.iter_mut().for_each(|one| self.substitute(one)),
            Value::Object(object) => object.values_mut().for_each(|one| self.substitute(one)),
            _ => {}
        }
    }

    fn learn(&mut self, json: &Value) {
        match json {
            Value::String(text) if Uuid::parse(text).is_some() => {
                let name = format!("#{}#", self.names.len());
                self.names.insert(name, text.clone());
            }
            Value::Array(array) => array.iter().for_each(|one| self.learn(one)),
            Value::Object(object) => object.values().for_each(|one| self.learn(one)),
            _ => {}
        }
    }

    async fn condition(&mut self, commands: &str) -> Outcome {
        let mut lines = BTreeSet::new();
        for command in commands.split(';') {
            let (table, clauses) = command
                .trim()
                .split_once(' ')
                .ok_or("a table and its conditions")?;
            let wanted = clauses.trim().to_owned();
            let before = self.asked.insert(table.to_owned(), wanted.clone());
            let same = before.unwrap_or_else(|| "[true]".to_owned()) == wanted;
            lines.insert(format!(
                "{table}: {}",
                if same {
                    "conditions unchanged"
                } else {
                    "change conditions"
                }
            ));
            let clauses = clauses_of(table, &json(clauses)?)?;
            self.conditions.insert(table.to_owned(), clauses.clone());
            if let Some(replica) = &self.replica {
                replica
                    .set_conditions(table, clauses)
                    .await
                    .map_err(|lost| lost.to_string())?;
            }
        }
        for line in lines {
            println!("{:03}: {line}", self.step);
        }
        self.step += 1;
        Ok(())
    }
}

/// No clause at all means no row here.
fn clauses_of(table: &str, json: &Value) -> Result<Vec<Condition>, String> {
    let columns = serde_json::json!({"columns": {
        "b": {"type": "boolean"}, "i": {"type": "integer"}, "s": {"type": "string"},
        "u": {"type": "uuid"}, "r": {"type": "real"}, "name": {"type": "string"}}});
    let schema = TableSchema::parse(table, &columns, true).map_err(|fault| fault.to_string())?;
    let array = json.as_array().ok_or("conditions are an array")?;
    if array.is_empty() {
        return Ok(vec![Condition::Always(false)]);
    }
    let read = |clause: &Value| {
        let mut clause = clause.clone();
        // The original takes a bare text for a UUID.
        if clause[0] == "u" {
            clause[2] = serde_json::json!(["uuid", clause[2]]);
        }
        Condition::parse(&schema, &clause, Names::Refused).map_err(|fault| format!("{table}: {fault}"))
    };
    array.iter().map(read).collect()
}
