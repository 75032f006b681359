//! `purlin lock`: locks that hold across all nodes.

mod run;

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

const PATH: &str = "/api/v1/cluster/locks";
/// Somebody else holds it.
const HELD: &str = "PUR-9452";
/// Tries of one request, which may take some 10 s: no server or proxy between has to wait longer.
const RETRIES_AT_ONCE: u32 = 10;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the locks that are held, by whom, for how long, and who waits.
    #[command(after_help = "Examples:
  purlin lock list --watch
  purlin lock list -o wide")]
    List(ListArgs),
    /// Acquire a lock and print its token; it lapses after its ttl unless it is renewed.
    #[command(after_help = "Examples:
  TOKEN=$(purlin lock acquire switch:update:6f1c --ttl 1m)
  purlin lock acquire deploy:run:site-1 --fenced -o json")]
    Acquire(Wanted),
    /// Make a lock good for its ttl from now on.
    #[command(after_help = "Examples:
  purlin lock renew switch:update:6f1c $TOKEN")]
    Renew {
        /// What is locked, as given to `acquire`.
        name: String,
        /// What `acquire` printed.
        #[arg(value_name = "LOCK_TOKEN")]
        proof: String,
    },
    /// Give a lock back; once more is harmless.
    #[command(after_help = "Examples:
  purlin lock release switch:update:6f1c $TOKEN")]
    Release {
        /// What is locked, as given to `acquire`.
        name: String,
        /// What `acquire` printed.
        #[arg(value_name = "LOCK_TOKEN")]
        proof: String,
    },
    /// Hold a lock while a command runs; it is renewed, and the command is ended when the lock is lost.
    #[command(after_help = "Examples:
  purlin lock run backup:make:nightly -- /usr/local/bin/backup
  purlin lock run switch:update:6f1c --fenced --retries 100 -- sh -c 'echo $PURLIN_LOCK_FENCE'

The command finds PURLIN_LOCK_NAME, PURLIN_LOCK_TOKEN and, for fenced locks, PURLIN_LOCK_FENCE in its environment.
Ends with the command's own exit code; 4 when somebody else holds the lock.")]
    Run(run::Args),
}

/// How a lock is asked for.
#[derive(Debug, Clone, Args)]
pub(crate) struct Wanted {
    /// What is locked; by custom resource:verb:id.
    name: String,
    /// It lapses when it is not renewed for so long.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    ttl: String,
    /// Tries before it is refused.
    #[arg(long, value_name = "N", default_value_t = 10)]
    retries: u32,
    /// A claim in the cluster's store: its fence rises with every holder.
    #[arg(long)]
    fenced: bool,
    /// It is given up after so long, renewed or not.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    max_hold: String,
}

/// What may be shown of a lock that was acquired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Class {
    Advisory,
    Fenced,
}

const KIND: Kind = Kind {
    plural: "locks",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("CLASS", "class", Show::Text),
        Column::new("OWNER", "owner", Show::Text),
        Column::new("NODE", "node", Show::Text),
        Column::new("AGE", "age_seconds", Show::Number),
        Column::new("LEFT", "ttl_seconds", Show::Number),
        Column::new("WAITERS", "waiters", Show::Number),
        Column::wide("FENCE", "fence", Show::Text),
        Column::wide("MAX HOLD", "max_hold_seconds", Show::Number),
    ],
};

const LEASE: Kind = Kind {
    plural: "locks",
    name: "token",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("TOKEN", "token", Show::Text),
        Column::new("CLASS", "class", Show::Text),
        Column::new("FENCE", "fence", Show::Text),
        Column::new("NODE", "node", Show::Text),
        Column::wide("OWNER", "owner", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, PATH, &[], usize::MAX, view.clone(), KIND).await
            })
            .await
        }
        Command::Acquire(wanted) => {
            let lease = acquire(&mut client, wanted).await?;
            match (context.form(), lease["token"].as_str()) {
                (Form::Table, Some(token)) => say!("{token}"),
                _ => output::one(&context.view(), LEASE, &lease)?,
            }
            Ok(Exit::Ok)
        }
        Command::Renew { name, proof } => {
            let lease = renew(&mut client, name, proof).await?;
            output::one(&context.view(), LEASE, &lease)?;
            Ok(Exit::Ok)
        }
        Command::Release { name, proof } => {
            let released = release(&mut client, name, proof).await?;
            match (context.form(), released["was_held"].as_bool()) {
                (Form::Table | Form::Wide, Some(true)) => say!("{name} is released"),
                (Form::Table | Form::Wide, _) => say!("{name} was not held any more"),
                _ => output::one(&context.view(), LEASE, &released)?,
            }
            Ok(Exit::Ok)
        }
        Command::Run(args) => run::run(&mut client, args).await,
    }
}

async fn acquire(client: &mut Client, wanted: &Wanted) -> Result<Value, Failure> {
    let class = if wanted.fenced {
        Class::Fenced
    } else {
        Class::Advisory
    };
    let class = class.to_possible_value().map(|value| value.get_name().to_owned());
    let mut left = wanted.retries.max(1);
    loop {
        let retries = left.min(RETRIES_AT_ONCE);
        left -= retries;
        let order = json!({
            "name": wanted.name,
            "ttl": wanted.ttl,
            "retries": retries,
            "class": class,
            "max_hold": wanted.max_hold,
        });
        match client.value(Ask::post(PATH).json(&order)).await {
            Err(failure) if left > 0 && failure.code.as_deref() == Some(HELD) => {}
            answer => return answer,
        }
    }
}

async fn renew(client: &mut Client, name: &str, token: &str) -> Result<Value, Failure> {
    let asked = Ask::put(format!("{PATH}/{}", encode(name)));
    client.value(asked.json(&json!({ "token": token }))).await
}

async fn release(client: &mut Client, name: &str, token: &str) -> Result<Value, Failure> {
    let asked = Ask::delete(format!("{PATH}/{}", encode(name)));
    client.value(asked.json(&json!({ "token": token }))).await
}
