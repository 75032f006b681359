//! The boot file service: its tuning checklist, and what loads it.

use super::load::{self, Machine};
use super::tuning::{Known, checklist};
use super::{Finding, node};
use crate::cli::Context;
use crate::client::{Ask, Client, NodeFile};
use crate::settings::{self, Settings};
use purlin_config::{Document, Faults};
use purlin_tftp_core::Plan;
use purlin_tftp_core::settings::Settings as Tftp;
use serde_json::Value;

/// By the file named, else by what the running node runs with, else by the defaults.
pub(super) async fn check(file: Option<&Settings>, context: &Context) -> Vec<Finding> {
    let mut client = context.client().ok().filter(|_| node::runs(context));
    let mut status = Value::Null;
    let (mut running, mut algorithm) = (None, None);
    if let Some(client) = &mut client {
        status = client
            .value(Ask::get("/api/v1/tftp/status"))
            .await
            .unwrap_or_default();
        (running, algorithm) = settings_of(client).await;
    }
    let defaults = usual();
    // What a file says of it is judged with the file.
    let algorithm = algorithm.filter(|_| file.is_none());
    let settings = file.or(running.as_ref());
    let facts = purlin_netio::Facts::read();
    let cores = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let known = Known {
        settings: settings.map_or(&defaults, |settings| &settings.services.tftp),
        fronts: settings.map_or(&[], |settings| &settings.balancer.fronts),
        algorithm: algorithm.as_deref(),
        status: &status,
        metrics: settings.map_or_else(
            || has_metrics(context),
            |settings| !settings.api.metrics.is_empty(),
        ),
        cores,
        open_files: facts.open_files_max.unwrap_or(u64::MAX),
    };
    let mut findings = checklist(&known);
    findings.extend(settings.and_then(|settings| trees(&settings.services.tftp)));
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

/// Where nothing is known of the configuration, the advice is for a node that serves TFTP.
fn usual() -> Tftp {
    Tftp {
        enabled: true,
        listen: vec![(std::net::Ipv4Addr::UNSPECIFIED, 69).into()],
        ..Tftp::default()
    }
}

/// Whether the trees of boot files are there, where any are named.
fn trees(settings: &Tftp) -> Option<Finding> {
    const CHECK: &str = "tftp/root";
    let roots = Plan::compile(settings).roots();
    if !settings.enabled || roots.is_empty() {
        return None;
    }
    let missing = crate::services::tftp::missing_trees(settings);
    Some(match missing.first() {
        Some(root) => Finding::warn(
            CHECK,
            format!(
                "{} is no directory: every file below it is \"not found\"",
                root.display()
            ),
            "make it, or correct tftp.root and the roots of tftp.rules",
        ),
        None => Finding::pass(CHECK, "the trees of boot files are there"),
    })
}

/// What the running node runs with, and its `load_balancing.algorithm`; secrets are covered in it, which is no fault here.
async fn settings_of(client: &mut Client) -> (Option<Settings>, Option<String>) {
    let Ok(answer) = client.value(Ask::get("/api/v1/config")).await else {
        return (None, None);
    };
    let mut faults = Faults::new();
    let document = Document::from_json("running", &answer, &mut faults);
    let algorithm = crate::balancer::defaults(&document).tftp_algorithm;
    (settings::check(&document, &mut faults), algorithm)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn a_tree_that_is_not_there_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let mut tftp = usual();
        assert!(trees(&tftp).is_none(), "nothing is named");
        tftp.files.root = Some(folder.path().to_owned());
        assert_eq!(trees(&tftp).unwrap().grade, Grade::Pass);
        tftp.files.root = Some(folder.path().join("nowhere"));
        let finding = trees(&tftp).unwrap();
        assert_eq!(finding.grade, Grade::Warn);
        assert!(
            finding.said.contains("nowhere is no directory"),
            "{}",
            finding.said
        );
        tftp.enabled = false;
        assert!(trees(&tftp).is_none(), "nobody asks");
    }
}
