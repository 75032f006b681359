//! What the node says about itself.

use super::backup;
use super::health::Life;
use super::process::resident_bytes;
use super::restored;
use crate::client::NodeFile;
use crate::doctor;
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::Problem;
use purlin_api::node::NodeSource;
use purlin_api::revisions::Revisions;
use purlin_dhcp_core::settings::AckMode;
use purlin_dhcp_server::{Handle, ServerStatus};
use purlin_store_embedded::Embedded;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Answers `/api/v1/status`, `/doctor` and `/backup`.
#[derive(Debug)]
pub(super) struct NodeFacts {
    pub(super) node: NodeFile,
    pub(super) site: String,
    pub(super) data_dir: PathBuf,
    pub(super) started: Instant,
    pub(super) life: Life,
    pub(super) revisions: Revisions,
    pub(super) dhcp: Handle,
    pub(super) boot: purlin_tftp_server::Handle,
    pub(super) store: Arc<Embedded>,
}

impl NodeSource for NodeFacts {
    fn status(&self) -> BoxFuture<'_, Result<Value, Problem>> {
        async move {
            let usage = self.dhcp.usage().await;
            let total =
                |pick: fn(&purlin_dhcp_core::view::SubnetUse) -> u64| usage.iter().map(pick).sum::<u64>();
            let mut dhcp = dhcp_json(&self.dhcp.status().await);
            dhcp["subnets"] = usage.len().into();
            dhcp["addresses"] = total(|used| used.size).into();
            dhcp["bound"] = total(|used| used.bound).into();
            Ok(json!({
                "node": self.node.node,
                "site": self.site,
                "version": self.node.version,
                "pid": self.node.pid,
                "uptime_secs": self.started.elapsed().as_secs(),
                "stage": format!("{:?}", self.life.stage()).to_lowercase(),
                "revision": self.revisions.current().number,
                "data_dir": self.data_dir,
                "memory_bytes": resident_bytes(),
                "api": {"http": self.node.url, "https": self.node.https, "metrics": self.node.metrics},
                "dhcp": dhcp,
                "boot": boot_json(&self.boot.status(), &self.node),
            }))
        }
        .boxed()
    }

    fn doctor(&self) -> BoxFuture<'_, Result<Value, Problem>> {
        async move {
            let data_dir = self.data_dir.clone();
            let found = tokio::task::spawn_blocking(move || doctor::machine(&data_dir)).await;
            let found = found.map_err(|_| Problem::broken("the self-examination panicked"))?;
            let findings: Vec<Value> = found.iter().map(doctor::Finding::as_json).collect();
            Ok(json!({ "findings": findings }))
        }
        .boxed()
    }

    fn backup(&self, to: Option<String>, dry_run: bool) -> BoxFuture<'_, Result<Value, Problem>> {
        async move {
            let path = backup::target(to, &self.data_dir)?;
            if dry_run {
                return Ok(json!({ "path": path, "dry_run": true }));
            }
            backup::write(Arc::clone(&self.store), path).await
        }
        .boxed()
    }
}

fn boot_json(status: &purlin_tftp_server::ServerStatus, node: &NodeFile) -> Value {
    json!({
        "tftp": status.listen,
        "http": node.boot_http,
        "https": node.boot_https,
        "threads": status.threads,
        "transfers": status.transfers,
        "receive_buffer": status.receive_buffer,
        "send_buffer": status.send_buffer,
        "backend": status.backend,
        "notes": status.notes,
        "failed": status.failed,
    })
}

fn dhcp_json(status: &ServerStatus) -> Value {
    let interfaces: Vec<Value> = status
        .interfaces
        .iter()
        .map(|found| json!({"name": found.name, "address": found.address}))
        .collect();
    let journals: Vec<Value> = status
        .journals
        .iter()
        .map(|journal| {
            json!({
                "condition": journal.condition.as_str(),
                "appended": journal.appended,
                "durable": journal.durable,
                "parked": journal.parked,
            })
        })
        .collect();
    json!({
        "condition": status.condition.as_str(),
        "cause": status.cause,
        "ack": if status.ack == AckMode::Lead { "lead" } else { "durable" },
        "listen": status.listen,
        "interfaces": interfaces,
        "threads": status.threads,
        "receive_buffer": status.receive_buffer,
        "journals": journals,
        "restored": status.hold.map(restored::as_json),
    })
}
