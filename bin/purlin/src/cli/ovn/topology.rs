//! `purlin ovn topology`: the network as a graph, or as a picture of it.

use crate::cli::{Context, ListArgs};
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A document for other programs instead of a list.
    #[arg(long, value_parser = ["dot", "cytoscape", "d3", "graphml", "svg"])]
    format: Option<String>,
    /// Show the ports too.
    #[arg(long)]
    ports: bool,
    /// Only what is near this node, by name or UUID.
    #[arg(long, value_name = "NODE")]
    around: Option<String>,
    /// How near.
    #[arg(long, value_name = "LINKS", requires = "around")]
    depth: Option<u8>,
    /// Only nodes of this owner.
    #[arg(long, value_name = "OWNER")]
    owned_by: Option<String>,
    /// Only nodes with this in their name.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Nodes at most.
    #[arg(long, value_name = "COUNT")]
    max_nodes: Option<u32>,
    /// How nodes are placed in a picture.
    #[arg(long, value_parser = ["hierarchical", "force", "circular", "grid"])]
    layout: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

const NODES: Kind = Kind {
    plural: "nodes",
    name: "label",
    columns: &[
        Column::new("KIND", "kind", Show::Text),
        Column::new("NAME", "label", Show::Text),
        Column::new("LAYER", "layer", Show::Number),
        Column::new("PORTS", "ports", Show::Number),
        Column::new("LINKED TO", "linked", Show::Text),
        Column::new("OWNER", "owner_name", Show::Text),
        Column::wide("ADDRESSES", "addresses", Show::Text),
        Column::wide("UUID", "id", Show::Text),
    ],
};

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    let (depth, most) = (number(args.depth.map(u32::from)), number(args.max_nodes));
    let word = |word: &Option<String>| word.clone().unwrap_or_default();
    let path = with_query(
        "/api/v1/ovn/topology",
        &[
            ("format", &word(&args.format)),
            ("detail", if args.ports { "ports" } else { "" }),
            ("around", &word(&args.around)),
            ("depth", &depth),
            ("owner", &word(&args.owned_by)),
            ("name", &word(&args.name)),
            ("max_nodes", &most),
            ("layout", &word(&args.layout)),
        ],
    );
    let mut client = context.client()?;
    if args.format.is_some() {
        let answer = client.answer(Ask::get(path).accept("*/*")).await?;
        let mut out = output::stdout();
        let written = out.write_all(&answer.body).and_then(|()| out.flush());
        written.map_err(|cause| Failure::failed(format!("cannot write: {cause}"), ""))?;
        return Ok(Exit::Ok);
    }
    let graph = client.value(Ask::get(path)).await?;
    if matches!(context.form(), Form::Json | Form::Yaml) {
        output::document(context.form(), &graph)?;
        return Ok(Exit::Ok);
    }
    output::list(&context.list_view(&args.list), NODES, &nodes(&graph))?;
    if graph["truncated"] == true && matches!(context.form(), Form::Table | Form::Wide) {
        let shown = graph["nodes"].as_array().map_or(0, Vec::len);
        say!("{shown} of {} nodes; --max-nodes shows more", graph["total"]);
    }
    Ok(Exit::Ok)
}

/// Nodes with the names of those they are joined with, ports aside. Each node and each link is looked at once.
fn nodes(graph: &Value) -> Vec<Value> {
    let list = |name: &str| graph[name].as_array().map_or(&[][..], Vec::as_slice);
    let networks = list("nodes").iter().filter(|node| node["kind"] != "port");
    let labels: HashMap<&str, &str> = networks
        .filter_map(|node| Some((node["id"].as_str()?, node["label"].as_str()?)))
        .collect();
    let mut near: HashMap<&str, Vec<&str>> = HashMap::new();
    for link in list("links") {
        let (Some(from), Some(to)) = (link["from"].as_str(), link["to"].as_str()) else {
            continue;
        };
        for (end, other) in [(from, to), (to, from)] {
            near.entry(end).or_default().extend(labels.get(other));
        }
    }
    let mut linked = |node: &Value| -> String {
        let mut names = node["id"]
            .as_str()
            .and_then(|id| near.remove(id))
            .unwrap_or_default();
        names.sort_unstable();
        names.join(", ")
    };
    let shown = list("nodes").iter().map(|node| {
        let mut node = node.clone();
        let owner = &node["owner"];
        let owner = owner["name"]
            .as_str()
            .or(owner["kind"].as_str())
            .unwrap_or_default();
        node["owner_name"] = Value::from(owner);
        node["linked"] = Value::from(linked(&node));
        node
    });
    shown.collect()
}
