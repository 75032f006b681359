//! `purlin cluster token`: tokens by which machines become nodes.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Subcommand;
use purlin_config::parse_duration;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/api/v1/cluster/tokens";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token and print it, this once: whoever has it may join as a node, once.
    #[command(after_help = "Examples:
  purlin cluster token create --for node-4
  purlin cluster token create --for node-4 --ttl 15m -o json
  purlin join TOKEN                              on the new machine")]
    Create {
        /// The only node that may use it; any when not given.
        #[arg(long = "for", value_name = "NODE")]
        node: Option<String>,
        /// How long it works, for instance 15m or 24h; at most 30d.
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
        ttl: Duration,
    },
    /// List tokens: open, used by whom, expired, revoked. Their secrets are known to nobody but their holders.
    #[command(after_help = "Examples:
  purlin cluster token list
  purlin cluster token list -o json")]
    List(ListArgs),
    /// End a token at once.
    #[command(after_help = "Examples:
  purlin cluster token revoke 5c0ffee1")]
    Revoke {
        /// Its id, as listed.
        id: String,
    },
}

pub(crate) const KIND: Kind = Kind {
    plural: "tokens",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("STATE", "state", Show::Text),
        Column::new("NODE", "node", Show::Text),
        Column::new("EXPIRES", "expires", Show::Time),
        Column::new("USED BY", "used_by", Show::Text),
        Column::wide("CREATED", "created", Show::Time),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Create { node, ttl } => {
            let made = create(&mut client, node.as_deref(), *ttl).await?;
            show(context, &made)
        }
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, PATH, &[], usize::MAX, view.clone(), KIND).await
            })
            .await
        }
        Command::Revoke { id } => {
            let ended = client
                .value(Ask::delete(format!("{PATH}/{}", encode(id))))
                .await?;
            output::one(&context.view(), KIND, &ended)?;
            Ok(Exit::Ok)
        }
    }
}

/// Makes a token; the answer has its text and the command to run on the new machine.
pub(crate) async fn create(client: &mut Client, node: Option<&str>, ttl: Duration) -> Result<Value, Failure> {
    let order = json!({ "node": node, "ttl_seconds": ttl.as_secs() });
    client.value(Ask::post(PATH).json(&order)).await
}

/// The text alone for people, so that it can be copied or piped; everything in the other forms.
fn show(context: &Context, made: &Value) -> Outcome {
    match (context.form(), made["token"].as_str()) {
        (Form::Table, Some(text)) => {
            say!("{text}");
            let until = made["expires"].as_str().unwrap_or_default();
            eprintln!(
                "It works once, until {until}. On the new machine: purlin join TOKEN{}",
                if made["node"].is_null() {
                    " --node-id NODE"
                } else {
                    ""
                }
            );
        }
        _ => output::one(&context.view(), KIND, made)?,
    }
    Ok(Exit::Ok)
}
