//! `purlin dhcp decision`: what was decided about anybody, the newest of it.

use crate::cli::{Context, ListArgs, context::watched};
use crate::client::{Ask, Client, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Kind, Show};
use clap::{Args, Subcommand};
use serde_json::Value;

const PATH: &str = "/api/v1/decisions";

/// Rows per request: the most a node gives.
const PAGE: usize = 1000;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the newest decisions, oldest first.
    #[command(after_help = "Examples:
  purlin dhcp decision list --notable
  purlin dhcp decision list --mac 02:00:00:00:00:01 --limit 20
  purlin dhcp decision list --code PUR-1101 --limit 5000 -o csv

A client's decisions with advice: 'purlin why'. As they come: 'purlin events --follow --topics dhcp'.")]
    List(ListDecisions),
}

#[derive(Debug, Args)]
pub(crate) struct ListDecisions {
    /// Only about this hardware address.
    #[arg(long, default_value = "", hide_default_value = true)]
    mac: String,
    /// Only about this IP address.
    #[arg(long, default_value = "", hide_default_value = true)]
    address: String,
    /// Only with this reason code, e.g. PUR-1101.
    #[arg(long, default_value = "", hide_default_value = true)]
    code: String,
    /// Only refusals, silence and drops.
    #[arg(long)]
    notable: bool,
    /// Go back this many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    list: ListArgs,
}

const KIND: Kind = Kind {
    plural: "decisions",
    name: "seq",
    columns: &[
        Column::new("AT", "at", Show::Time),
        Column::new("MAC", "mac", Show::Text),
        Column::new("EVENT", "event", Show::Text),
        Column::new("ANSWER", "answer", Show::Text),
        Column::new("CODE", "code", Show::Text),
        Column::new("TEXT", "text", Show::Text),
        Column::wide("OUTCOME", "outcome", Show::Text),
        Column::wide("SUBNET", "subnet", Show::Text),
        Column::wide("ADDRESS", "address", Show::Text),
        Column::wide("VIA", "via", Show::Text),
        Column::wide("XID", "xid", Show::Text),
        Column::wide("SLUG", "slug", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let Command::List(args) = command;
    let mut client = context.client()?;
    let view = context.list_view(&args.list);
    watched(&args.list, async || {
        let rows = newest(&mut client, args).await?;
        output::list(&view, KIND, &rows)
    })
    .await
    .map(|_| Exit::Ok)
}

/// Pages lead into the past, so all rows wanted are here before the first is shown.
async fn newest(client: &mut Client, args: &ListDecisions) -> Result<Vec<Value>, Failure> {
    let mut left = args.limit as usize;
    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut cursor = String::new();
    loop {
        let limit = left.min(PAGE).to_string();
        let pairs = [
            ("mac", args.mac.as_str()),
            ("address", &args.address),
            ("code", &args.code),
            ("notable", if args.notable { "true" } else { "" }),
            ("limit", &limit),
            ("cursor", &cursor),
        ];
        let mut answer = client.value(Ask::get(with_query(PATH, &pairs))).await?;
        if let Value::Array(rows) = answer["items"].take() {
            left = left.saturating_sub(rows.len());
            pages.push(rows);
        }
        match answer["next_cursor"].as_str() {
            Some(next) if left > 0 && next != cursor => next.clone_into(&mut cursor),
            _ => break,
        }
    }
    Ok(pages.into_iter().rev().flatten().collect())
}
