//! The boot file service: its tuning checklist, and what loads it.

use super::load::{self, Machine};
use super::tuning::{Known, checklist};
use super::{Finding, node};
use crate::cli::Context;
use crate::client::{Ask, Client, NodeFile};
use crate::settings::{self, Settings};
use purlin_config::{Document, Faults};
use serde_json::Value;

/// By the file named, else by what the running node runs with, else by the defaults.
pub(super) async fn check(file: Option<&Settings>, context: &Context) -> Vec<Finding> {
    let mut client = context.client().ok().filter(|_| node::runs(context));
    let mut status = Value::Null;
    let mut running = None;
    if let Some(client) = &mut client {
        status = client
            .value(Ask::get("/api/v1/tftp/status"))
            .await
            .unwrap_or_default();
        running = settings_of(client).await;
    }
    let defaults = purlin_tftp_core::settings::Settings::default();
    let settings = file.or(running.as_ref());
    let facts = purlin_netio::Facts::read();
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let known = Known {
        settings: settings.map_or(&defaults, |settings| &settings.services.tftp),
        status: &status,
        metrics: settings.map_or_else(
            || has_metrics(context),
            |settings| !settings.api.metrics.is_empty(),
        ),
        cores,
        open_files: facts.open_files_max.unwrap_or(u64::MAX),
    };
    let mut findings = checklist(&known);
    if let Some(client) = &mut client
        && !status.is_null()
    {
        let machine = Machine {
            cores: cores as f64,
            memory: machine_memory(),
        };
        findings.extend(load::check(client, &status, machine).await);
    }
    findings
}

/// What the running node runs with; secrets are covered in it, which is no fault here.
async fn settings_of(client: &mut Client) -> Option<Settings> {
    let answer = client.value(Ask::get("/api/v1/config")).await.ok()?;
    let mut faults = Faults::new();
    let document = Document::from_json("running", &answer, &mut faults);
    settings::check(&document, &mut faults)
}

/// Without a configuration, metrics have their usual listener; a node that runs says whether.
fn has_metrics(context: &Context) -> bool {
    NodeFile::read(context.data_dir())
        .filter(NodeFile::is_alive)
        .is_none_or(|node| node.metrics.is_some())
}

/// Octets of memory in this machine.
fn machine_memory() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(f64::INFINITY, |kib| kib * 1024.0)
}
