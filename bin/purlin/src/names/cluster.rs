//! `--add-node`, `--cluster-status`, `--node-status`, `--remove-node`: the members as the asked node sees them. One node alone is a
//! cluster of one.

use crate::cli::cluster::{NODES, leave, token};
use crate::cli::{Context, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a node may take to give everything away.
const DRAIN: Duration = Duration::from_secs(600);
/// How long a token for a new node works.
const TOKEN: Duration = Duration::from_secs(3600);

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
    let items = paging::all(&mut client, "/api/v1/cluster/nodes").await?;
    let here = client.endpoint().url.authority();
    let ready = client.any_status(Ask::get("/health/ready")).await?.status == 200;
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

/// Makes a token for a node and says what to run there. Asked again for one that is there, it says so.
pub(super) async fn add(context: &Context, node: &str) -> Outcome {
    if let Err(cause) = NodeId::parse(node) {
        return Err(Failure::usage(
            format!("{node:?} cannot be a node: {cause}"),
            "for example node4.example.com",
        ));
    }
    let mut client = context.client()?;
    let known = client
        .any_status(Ask::get(format!("/api/v1/cluster/nodes/{}", encode(node))))
        .await?;
    let member = known.value().ok().filter(|_| known.status == 200);
    let status = member.as_ref().and_then(|member| member["status"].as_str());
    if let Some(status) = status.filter(|status| !matches!(*status, "removed" | "gone")) {
        if context.form() == Form::Table {
            say!("{node} is a node of the cluster already: {status}");
            return Ok(Exit::Ok);
        }
        output::one(
            &context.view(),
            NODES,
            member.as_ref().expect("its status was read"),
        )?;
        return Ok(Exit::Ok);
    }
    let made = token::create(&mut client, Some(node), TOKEN).await?;
    let text = made["token"].as_str().unwrap_or_default();
    if context.form() == Form::Table {
        say!("On {node}, within an hour:\n\n  purlin join {text}\n");
        say!("It says how to start the node. An earlier token for {node} no longer works.");
        return Ok(Exit::Ok);
    }
    output::one(&context.view(), token::KIND, &made)?;
    Ok(Exit::Ok)
}

pub(super) async fn remove(context: &Context, node: &str, force: bool) -> Outcome {
    let wish = leave::Wish {
        force,
        timeout: DRAIN,
    };
    leave::remove(context, node, wish, false).await
}
