//! `purlin dhcp decision`: what was decided about anybody, the newest of it.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::exit::Outcome;
use crate::output::{self, Column, Kind, Show};
use clap::{Args, Subcommand};

const PATH: &str = "/api/v1/decisions";

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
    let pairs = [
        ("mac", args.mac.as_str()),
        ("address", &args.address),
        ("code", &args.code),
        ("notable", if args.notable { "true" } else { "" }),
    ];
    watched(&args.list, async || {
        let rows = paging::newest(&mut client, PATH, &pairs, args.limit as usize).await?;
        output::list(&view, KIND, &rows)
    })
    .await
}
