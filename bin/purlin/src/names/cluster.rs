//! `--cluster-status`, `--node-status`, `--remove-node`: the members as the asked node sees them. One node alone is a
//! cluster of one.

use crate::cli::Context;
use crate::cli::cluster::{self, NODES};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a node may take to give everything away.
const DRAIN: Duration = Duration::from_secs(600);

const KIND: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("STATUS", "status", Show::Text),
        Column::new("HEALTH", "health", Show::Text),
        Column::new("SLOTS", "slots", Show::Number),
        Column::new("ADDRESS", "address", Show::Text),
        Column::wide("VERSION", "version", Show::Text),
    ],
};

pub(super) async fn status(context: &Context) -> Outcome {
    let mut client = context.client()?;
    let nodes = client.value(Ask::get("/api/v1/cluster/nodes?limit=1000")).await?;
    let here = client.endpoint().url.authority();
    let ready = client.any_status(Ask::get("/health/ready")).await?.status == 200;
    let items = nodes
        .get("items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let rows: Vec<Value> = items.iter().map(|member| row(member, &here)).collect();
    output::list(&context.view(), KIND, &rows)?;
    Ok(if ready { Exit::Ok } else { Exit::Failed })
}

fn row(member: &Value, here: &str) -> Value {
    let status = member["status"].as_str().unwrap_or_default();
    let address = match (member["address"].as_str(), member["port"].as_u64()) {
        (Some(""), _) | (None, _) => here.to_owned(),
        (Some(address), Some(port)) => format!("{address}:{port}"),
        (Some(address), None) => address.to_owned(),
    };
    json!({
        "node": member["id"],
        "role": if member["leader"] == true { "leader" } else { "member" },
        "status": status,
        "health": if matches!(status, "active" | "joining" | "draining") { "healthy" } else { "unhealthy" },
        "slots": member["slots"],
        "address": address,
        "version": member["version"],
    })
}

pub(super) async fn node(context: &Context, node: &str) -> Outcome {
    let mut client = context.client()?;
    let member = client
        .value(Ask::get(format!("/api/v1/cluster/nodes/{}", encode(node))))
        .await?;
    output::one(&context.view(), NODES, &member)?;
    Ok(Exit::Ok)
}

pub(super) async fn remove(context: &Context, node: &str, force: bool) -> Outcome {
    let mut client = context.client()?;
    cluster::remove(&mut client, node, force, DRAIN).await
}
