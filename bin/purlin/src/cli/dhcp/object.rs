//! Subnets, pools, reservations and classes: four nouns, the same five verbs.
//!
//! Values are given as `key=value` with the keys of the configuration file; what reads as JSON is JSON, all else
//! is text. So a new key of the configuration needs no new flag here.

mod nouns;

pub(super) use nouns::{CLASSES, Noun, POOLS, RESERVATIONS, SUBNETS};

use crate::cli::{Context, ListArgs, change, context::watched, paging};
use crate::client::{Ask, Client};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, harmless};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use std::io::Read;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them.
    #[command(after_help = "Examples:
  purlin dhcp subnet list
  purlin dhcp reservation list -o json
  purlin dhcp pool list --watch")]
    List(ListArgs),
    /// Show one with everything known about it.
    #[command(after_help = "Examples:
  purlin dhcp subnet get main
  purlin dhcp class get voip -o json")]
    Get {
        /// Its name, as listed.
        name: String,
    },
    /// Add one; the change becomes a revision and takes effect at once.
    #[command(after_help = ADD_EXAMPLES)]
    Add(Change),
    /// Change fields of one; `key=null` takes a field away.
    #[command(after_help = SET_EXAMPLES)]
    Set(NamedChange),
    /// Remove one.
    #[command(after_help = "Examples:
  purlin dhcp subnet remove lab --dry-run
  purlin dhcp reservation remove printer")]
    Remove {
        /// Its name, as listed.
        name: String,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
}

const ADD_EXAMPLES: &str = "Examples:
  purlin dhcp subnet add name=lab network=10.9.0.0/16 pools=10.9.1.0-10.9.250.255 gateway=10.9.0.1
  purlin dhcp pool add subnet=lab range=10.9.251.0-10.9.251.255
  purlin dhcp reservation add subnet=lab mac=02:00:00:00:00:01 address=10.9.0.5 hostname=node-a
  purlin dhcp class add name=phones test='substring(option[60].text,0,5) == \"Phone\"'
  purlin dhcp subnet add --file lab.json";

const SET_EXAMPLES: &str = "Examples:
  purlin dhcp subnet set lab lease_time=2h
  purlin dhcp subnet set lab dns_servers='[\"10.9.0.2\",\"10.9.0.3\"]' --dry-run";

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Fields, with the keys of the configuration file.
    #[arg(value_name = "KEY=VALUE")]
    fields: Vec<String>,
    /// Read the object from a JSON file, `-` for standard input; fields given besides win.
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NamedChange {
    /// Its name, as listed.
    name: String,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(noun: &Noun, command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, noun.path, &[], usize::MAX, view.clone(), noun.kind).await
            })
            .await
        }
        Command::Get { name } => {
            let object = client.value(Ask::get(noun.one(name))).await?;
            output::one(&context.view(), noun.kind, &object)?;
            Ok(Exit::Ok)
        }
        Command::Add(change) => add(noun, change, &mut client, context).await,
        Command::Set(named) => set(noun, named, &mut client, context).await,
        Command::Remove { name, dry_run } => {
            let answer = client.value(Ask::delete(dry(&noun.one(name), *dry_run))).await?;
            report(
                noun,
                name,
                if *dry_run { "would be removed" } else { "removed" },
                &answer,
                context,
            )
        }
    }
}

async fn add(noun: &Noun, change: &Change, client: &mut Client, context: &Context) -> Outcome {
    let object = change.object(noun)?;
    let name = ["name", noun.kind.name, "mac", "range"]
        .into_iter()
        .find_map(|key| object.get(key).and_then(Value::as_str).map(str::to_owned))
        .unwrap_or_default();
    let ask = Ask::post(dry(noun.path, change.dry_run)).json(&Value::Object(object));
    let answer = client.value(ask).await?;
    report(
        noun,
        &name,
        if change.dry_run { "would be added" } else { "added" },
        &answer,
        context,
    )
}

async fn set(noun: &Noun, named: &NamedChange, client: &mut Client, context: &Context) -> Outcome {
    let object = named.change.object(noun)?;
    let ask = Ask::patch(dry(&noun.one(&named.name), named.change.dry_run)).json(&Value::Object(object));
    let answer = client.value(ask).await?;
    let done = if named.change.dry_run {
        "would be changed"
    } else {
        "changed"
    };
    report(noun, &named.name, done, &answer, context)
}

fn dry(path: &str, dry_run: bool) -> String {
    if dry_run {
        format!("{path}?dryRun=true")
    } else {
        path.to_owned()
    }
}

/// One sentence with the revision it became, or the API's own answer in the chosen form.
fn report(noun: &Noun, name: &str, done: &str, answer: &Value, context: &Context) -> Outcome {
    if context.form() != output::Form::Table {
        output::document(context.form(), answer)?;
        return Ok(Exit::Ok);
    }
    for line in told(noun, name, done, answer) {
        say!("{line}");
    }
    Ok(Exit::Ok)
}

fn told(noun: &Noun, name: &str, done: &str, answer: &Value) -> Vec<String> {
    // What was added without a name has the one that the node gave it.
    let name = match &answer["object"]["id"] {
        Value::String(id) if name.is_empty() => id,
        _ => name,
    };
    let sentence = format!("{} {} {done}", noun.singular, harmless::line(name));
    change::told(&sentence, answer)
}

impl Change {
    /// The object as JSON: the file, then the fields over it.
    fn object(&self, noun: &Noun) -> Result<Map<String, Value>, Failure> {
        let mut object = match &self.file {
            Some(path) => read_object(path)?,
            None => Map::new(),
        };
        for field in &self.fields {
            let (key, value) = field
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| {
                    Failure::usage(
                        format!("{field:?} is no field"),
                        "write KEY=VALUE, for instance lease_time=2h",
                    )
                })?;
            object.insert(key.to_owned(), value_of(key, value, noun));
        }
        if object.is_empty() {
            return Err(Failure::usage(
                "nothing to change was given",
                "write KEY=VALUE or --file FILE",
            ));
        }
        Ok(object)
    }
}

fn value_of(key: &str, text: &str, noun: &Noun) -> Value {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return value;
    }
    if noun.lists.contains(&key) {
        return text.split(',').map(|part| Value::from(part.trim())).collect();
    }
    Value::from(text)
}

fn read_object(path: &PathBuf) -> Result<Map<String, Value>, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    read.map_err(|cause| {
        Failure::failed(format!("cannot read {}: {cause}", path.display()), "check --file")
    })?;
    serde_json::from_str(&text).map_err(|cause| {
        Failure::failed(
            format!("{} is no JSON object: {cause}", path.display()),
            "see -o json of an existing one",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_become_json_when_they_read_as_json() {
        let check =
            |key: &str, text: &str, expected: Value| assert_eq!(value_of(key, text, &SUBNETS), expected);
        check("lease_time", "2h", json!("2h"));
        check("lease_time", "3600", json!(3600));
        check(
            "pools",
            "10.0.0.1-10.0.0.9,10.0.1.0/24",
            json!(["10.0.0.1-10.0.0.9", "10.0.1.0/24"]),
        );
        check("pools", "[]", json!([]));
        check("gateway", "null", Value::Null);
    }

    #[test]
    fn what_was_added_without_a_name_has_that_of_the_answer() {
        let answer = json!({"revision": 2, "parent": 1, "object": {"id": "r-1"}});
        let lines = told(&RESERVATIONS, "", "added", &answer);
        assert_eq!(
            lines,
            ["reservation r-1 added (revision 2; undo: purlin config rollback 1)"]
        );
    }

    #[test]
    fn a_field_without_a_key_is_refused() {
        let change = Change {
            fields: vec!["=x".into()],
            file: None,
            dry_run: false,
        };
        assert_eq!(change.object(&SUBNETS).unwrap_err().exit, Exit::Usage);
        let nothing = Change {
            fields: vec![],
            file: None,
            dry_run: false,
        };
        assert_eq!(nothing.object(&SUBNETS).unwrap_err().exit, Exit::Usage);
    }
}
