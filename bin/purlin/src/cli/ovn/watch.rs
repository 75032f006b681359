//! `purlin ovn watch`: the northbound's part of the event stream.

use super::tables::Side;
use crate::cli::{Context, events};
use crate::exit::Outcome;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only rows of this table.
    table: Option<String>,
    /// Begin after the event with this id.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let table = args.table.as_deref().map(|word| Side::North.table(word));
    let subjects = table.transpose()?.map(|table| format!("{table}/"));
    events::follow_topic("ovn", subjects, args.after.clone(), context).await
}
