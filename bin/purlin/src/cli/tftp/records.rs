//! `purlin tftp records`: requests for boot files over TFTP and HTTP, and how they ended.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::exit::Outcome;
use crate::output::{self, Column, Kind, Show};

const PATH: &str = "/api/v1/tftp/records";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin tftp records --notable
  purlin tftp records --client 10.0.0.5 --limit 20
  purlin tftp records --file pxelinux.cfg/ --code PUR-2101
  purlin tftp records --limit 5000 -o csv

A machine's story with DHCP before it: 'purlin why'. As they come: 'purlin events --follow --topics boot'.")]
pub(crate) struct Args {
    /// Only requests of this address.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "ADDRESS")]
    client: String,
    /// Only requests for names with this in them.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "PART")]
    file: String,
    /// Only with this reason code, e.g. PUR-2101.
    #[arg(long, default_value = "", hide_default_value = true)]
    code: String,
    /// Only what was not an ordinary answer.
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
    plural: "records",
    name: "seq",
    columns: &[
        Column::new("AT", "at", Show::Time),
        Column::new("CLIENT", "client", Show::Text),
        Column::new("EVENT", "event", Show::Text),
        Column::new("FILE", "file", Show::Text),
        Column::new("OCTETS", "octets", Show::Number),
        Column::new("MS", "took_ms", Show::Number),
        Column::new("CODE", "code", Show::Text),
        Column::new("TEXT", "text", Show::Text),
        Column::wide("OUTCOME", "outcome", Show::Text),
        Column::wide("FIRST MS", "first_ms", Show::Number),
        Column::wide("OPENED MS", "opened_ms", Show::Number),
        Column::wide("AGAIN", "retransmissions", Show::Number),
        Column::wide("BLKSIZE", "blksize", Show::Number),
        Column::wide("WINDOW", "windowsize", Show::Number),
        Column::wide("LIMITED BY", "limited_by", Show::Text),
        Column::wide("SLUG", "slug", Show::Text),
    ],
};

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let view = context.list_view(&args.list);
    let pairs = [
        ("client", args.client.as_str()),
        ("file", &args.file),
        ("code", &args.code),
        ("notable", if args.notable { "true" } else { "" }),
    ];
    watched(&args.list, async || {
        let rows = paging::newest(&mut client, PATH, &pairs, args.limit as usize).await?;
        output::list(&view, KIND, &rows)
    })
    .await
}
