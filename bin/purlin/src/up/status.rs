//! What the node says about itself.

use super::backup;
use super::health::Life;
use super::process::resident_bytes;
use crate::client::NodeFile;
use crate::doctor;
use crate::services::Services;
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::Problem;
use purlin_api::node::NodeSource;
use purlin_api::revisions::Revisions;
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
    pub(super) services: Services,
    pub(super) store: Arc<Embedded>,
}

impl NodeSource for NodeFacts {
    fn status(&self) -> BoxFuture<'_, Result<Value, Problem>> {
        async move {
            let mut status = json!({
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
            });
            for service in &self.services {
                let (name, part) = service.status(&self.node).await;
                status[name] = part;
            }
            Ok(status)
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
