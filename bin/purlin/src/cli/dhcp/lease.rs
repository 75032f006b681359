//! `purlin dhcp lease`: pages of leases streamed as they come, one lease, and its release.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use clap::{Args, Subcommand};
use std::net::Ipv4Addr;

const PATH: &str = "/api/v1/dhcp/leases";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List leases, all of them, in address order.
    #[command(after_help = "Examples:
  purlin dhcp lease list --state bound
  purlin dhcp lease list --subnet main --search 02:00:00
  purlin dhcp lease list --filter hostname~=web -o csv > leases.csv
  purlin dhcp lease list --watch")]
    List(ListLeases),
    /// Show one lease with everything known about it.
    #[command(after_help = "Examples:
  purlin dhcp lease get 10.0.0.17
  purlin dhcp lease get 10.0.0.17 -o json")]
    Get {
        /// The address that is or was leased.
        address: Ipv4Addr,
    },
    /// End a lease now, as if its client had released it.
    #[command(after_help = "Examples:
  purlin dhcp lease release 10.0.0.17

The client is not told; it may go on using the address until it renews.")]
    Release {
        /// The address that is leased.
        address: Ipv4Addr,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListLeases {
    /// Only leases of this subnet.
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    subnet: String,
    /// Only leases in this state.
    #[arg(long, default_value = "", hide_default_value = true)]
    #[arg(value_parser = ["free", "offered", "bound", "expired", "released", "declined", ""], hide_possible_values = true)]
    #[arg(help = "Only leases in this state: offered, bound, expired, released, declined")]
    state: String,
    /// Part of an address, MAC, client id, host name, circuit or remote id; the server searches.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    search: String,
    /// Stop after this many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    list: ListArgs,
}

const KIND: Kind = Kind {
    plural: "leases",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("STATE", "state", Show::Text),
        Column::new("MAC", "mac", Show::Text),
        Column::new("HOSTNAME", "hostname", Show::Text),
        Column::new("EXPIRES", "expires", Show::Time),
        Column::new("SUBNET", "subnet", Show::Text),
        Column::wide("HOLDER", "holder", Show::Text),
        Column::wide("LAST SEEN", "last_seen", Show::Time),
        Column::wide("RESERVED", "reserved", Show::Text),
        Column::wide("CLIENT ID", "client_id", Show::Text),
        Column::wide("CIRCUIT ID", "circuit_id", Show::Text),
        Column::wide("REMOTE ID", "remote_id", Show::Text),
        Column::wide("VENDOR CLASS", "vendor_class", Show::Text),
        Column::wide("RELAY", "giaddr", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::List(args) => {
            let view = context.list_view(&args.list);
            let pairs = [
                ("q", args.search.as_str()),
                ("subnet", &args.subnet),
                ("state", &args.state),
            ];
            let limit = args.limit.unwrap_or(usize::MAX);
            watched(&args.list, async || {
                paging::list(&mut client, PATH, &pairs, limit, view.clone(), KIND).await
            })
            .await
        }
        Command::Get { address } => {
            let lease = client.value(Ask::get(format!("{PATH}/{address}"))).await?;
            output::one(&context.view(), KIND, &lease)?;
            Ok(Exit::Ok)
        }
        Command::Release { address } => {
            client.answer(Ask::delete(format!("{PATH}/{address}"))).await?;
            say!("lease {address} released");
            Ok(Exit::Ok)
        }
    }
}
