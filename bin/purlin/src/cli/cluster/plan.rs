//! `purlin cluster plan`: who holds what, and what would move if a node came or went.

use super::leave::{show_moves, told};
use crate::cli::Context;
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Args as ClapArgs;
use serde_json::Value;
use std::net::Ipv4Addr;

#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  purlin cluster plan                      slots planned and held, by node
  purlin cluster plan --without node-3     what would move if node-3 went
  purlin cluster plan --with node-4        what would move if node-4 came
  purlin cluster plan --address 10.0.3.7   who decides about an address, and who steps in
  purlin cluster plan -o json")]
pub(crate) struct Args {
    /// As if this node went.
    #[arg(long, value_name = "NODE", conflicts_with = "with")]
    without: Option<String>,
    /// As if this node came.
    #[arg(long, value_name = "NODE")]
    with: Option<String>,
    /// With --with: its share among nodes of 100.
    #[arg(long, requires = "with", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    weight: Option<u16>,
    /// With --with: its failure domain.
    #[arg(long, requires = "with")]
    zone: Option<String>,
    /// Whose this address is.
    #[arg(long, conflicts_with_all = ["with", "without"])]
    address: Option<Ipv4Addr>,
}

const KIND: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("PLANNED", "planned", Show::Number),
        Column::new("SHARE", "share", Show::Percent),
        Column::new("HOLDS", "holds", Show::Number),
        Column::new("NEXT IN LINE", "next_in_line", Show::Number),
        Column::wide("ZONE", "zone", Show::Text),
        Column::wide("WEIGHT", "weight", Show::Number),
    ],
};

const SLOT: Kind = Kind {
    plural: "slots",
    name: "slot",
    columns: &[
        Column::new("SLOT", "slot", Show::Number),
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("HOLDER", "holder", Show::Text),
        Column::new("ORDER", "order", Show::Text),
    ],
};

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let text = |value: Option<String>| value.unwrap_or_default();
    let pairs = [
        ("without", text(args.without.clone())),
        ("with", text(args.with.clone())),
        ("weight", text(args.weight.map(|weight| weight.to_string()))),
        ("zone", text(args.zone.clone())),
        ("address", text(args.address.map(|address| address.to_string()))),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut client = context.client()?;
    let plan = client
        .value(Ask::get(with_query("/api/v1/cluster/plan", &pairs)))
        .await?;
    if plan["preview"].is_object() {
        show_moves(context, &plan["preview"])?;
        if context.form() == Form::Table {
            say!("{} would move; nothing was done", told(&plan["preview"]));
        }
    } else if plan["slot"].is_object() {
        output::one(&context.view(), SLOT, &plan["slot"])?;
    } else {
        show(context, &plan)?;
    }
    Ok(Exit::Ok)
}

fn show(context: &Context, plan: &Value) -> Result<(), crate::exit::Failure> {
    if matches!(context.form(), Form::Json | Form::Yaml) {
        return output::document(context.form(), plan);
    }
    let rows = plan["nodes"].as_array().cloned().unwrap_or_default();
    output::list(&context.view(), KIND, &rows)?;
    if context.form() == Form::Table {
        let step = if plan["in_step"] == true {
            "every node holds what is planned"
        } else {
            "slots are on their way"
        };
        say!("plan {}: {step}", plan["number"]);
    }
    Ok(())
}
