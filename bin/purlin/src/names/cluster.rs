//! `--cluster-status`: the members as the node itself reports them. One node is a cluster of one.

use crate::cli::Context;
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use serde_json::{Value, json};

const KIND: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("ROLE", "role", Show::Text),
        Column::new("STATUS", "status", Show::Text),
        Column::new("HEALTH", "health", Show::Text),
        Column::new("LEASES", "leases", Show::Number),
        Column::new("ADDRESS", "address", Show::Text),
        Column::wide("VERSION", "version", Show::Text),
    ],
};

pub(super) async fn status(context: &Context) -> Outcome {
    let mut client = context.client()?;
    let status = client.value(Ask::get("/api/v1/status")).await?;
    let ready = client.any_status(Ask::get("/health/ready")).await?.status == 200;
    let text = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| status.pointer(key).and_then(Value::as_str))
            .unwrap_or_default()
            .to_owned()
    };
    let row = json!({
        "node": text(&["/node/id", "/node", "/id"]),
        // Alone it decides everything itself.
        "role": "leader",
        "status": "active",
        "health": if ready { "healthy" } else { "unhealthy" },
        "leases": status.pointer("/dhcp/bound").or_else(|| status.pointer("/dhcp/leases")).cloned().unwrap_or(Value::Null),
        "address": client.endpoint().url.authority(),
        "version": text(&["/version", "/node/version"]),
    });
    output::list(&context.view(), KIND, &[row])?;
    Ok(if ready { Exit::Ok } else { Exit::Failed })
}
