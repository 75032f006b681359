//! `purlin dhcp pin`: addresses that another part of the installation gives to machines.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::exit::Outcome;
use crate::output::{Column, Kind, Show};
use clap::Subcommand;

const EXAMPLES: &str = "Examples:
  purlin dhcp pin list
  purlin dhcp pin list --filter mac=02:00:00:00:01:01
  purlin dhcp pin list -o json

They come and go with what they are about, such as a port of an OVN switch that Purlin answers, and are changed there.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List them, with what does not hold as it is meant.
    #[command(after_help = EXAMPLES)]
    List(ListArgs),
}

const KIND: Kind = Kind {
    plural: "pins",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("MAC", "mac", Show::Text),
        Column::new("BY", "by", Show::Text),
        Column::new("CONFLICT", "conflict", Show::Text),
        Column::wide("WITHIN", "within", Show::Text),
        Column::wide("FIX", "fix", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let Command::List(args) = command;
    let mut client = context.client()?;
    let view = context.list_view(args);
    watched(args, async || {
        paging::list(
            &mut client,
            "/api/v1/dhcp/pins",
            &[],
            usize::MAX,
            view.clone(),
            KIND,
        )
        .await
    })
    .await
}
