//! `purlin dhcp forecast`: when each pool will be full.

use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::exit::Outcome;
use crate::output::{Column, Kind, Show};

pub(super) const EXAMPLES: &str = "Examples:
  purlin dhcp forecast
  purlin dhcp forecast --filter state=filling
  purlin dhcp forecast --filter subnet=main
  purlin dhcp forecast -o json

A subnet with several pools has a row for all of them together, and one for each. Use is noted every five minutes; below a day of history the day's own rise and fall look like a trend.";

const KIND: Kind = Kind {
    plural: "pools",
    name: "subnet",
    columns: &[
        Column::new("SUBNET", "subnet", Show::Text),
        Column::new("POOL", "pool", Show::Text),
        Column::new("USED", "used", Show::Number),
        Column::new("SIZE", "size", Show::Number),
        Column::new("PER DAY", "per_day", Show::Number),
        Column::new("FULL", "full_at", Show::Time),
        Column::new("CONFIDENCE", "confidence", Show::Text),
        Column::new("FORECAST", "text", Show::Text),
        Column::wide("STATE", "state", Show::Text),
        Column::wide("SAMPLES", "samples", Show::Number),
    ],
};

pub(super) async fn run(args: &ListArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let view = context.list_view(args);
    watched(args, async || {
        paging::list(
            &mut client,
            "/api/v1/dhcp/forecast",
            &[],
            usize::MAX,
            view.clone(),
            KIND,
        )
        .await
    })
    .await
}
