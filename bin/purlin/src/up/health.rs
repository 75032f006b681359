//! How the node is, from what each part says about itself.

use super::losses::Losses;
use super::restored;
use purlin_api::health::HealthSource;
use purlin_dhcp_server::{Condition, Handle, Health as DhcpHealth};
use purlin_telemetry::Health;
use purlin_telemetry::health::{Bears, Check};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;
use tokio::sync::watch;

/// Where the node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Starting = 0,
    Serving = 1,
    Draining = 2,
}

/// The stage, shared by those who tell it and the one who sets it.
#[derive(Debug, Clone)]
pub(super) struct Life(Arc<AtomicU8>);

impl Life {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Starting as u8)))
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(super) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            0 => Stage::Starting,
            1 => Stage::Serving,
            _ => Stage::Draining,
        }
    }
}

/// Answers health probes.
#[derive(Debug)]
pub(super) struct NodeHealth {
    life: Life,
    service: Handle,
    dhcp: watch::Receiver<DhcpHealth>,
    boot: watch::Receiver<Option<&'static str>>,
    losses: Losses,
}

impl NodeHealth {
    pub(super) fn new(
        life: Life,
        service: Handle,
        boot: &purlin_tftp_server::Handle,
        losses: Losses,
    ) -> Self {
        let dhcp = service.health();
        Self {
            life,
            service,
            dhcp,
            boot: boot.failure(),
            losses,
        }
    }
}

impl HealthSource for NodeHealth {
    fn health(&self) -> Health {
        let dhcp = self.dhcp.borrow();
        let mut checks = node_checks(self.life.stage());
        checks.push(dhcp_check(dhcp.condition(), dhcp.cause));
        checks.push(boot_check(*self.boot.borrow()));
        checks.push(self.losses.check(Instant::now()));
        checks.push(restored::check(self.service.hold()));
        Health { checks }
    }
}

fn node_checks(stage: Stage) -> Vec<Check> {
    let startup = match stage {
        Stage::Starting => Check::fail(
            "node.start",
            Bears::Startup,
            "the node is starting",
            "wait a few seconds",
        ),
        _ => Check::pass("node.start", Bears::Startup, "the node has started"),
    };
    let work = match stage {
        Stage::Draining => {
            let says = "the node was told to stop and finishes what is under way";
            Check::fail("node.drain", Bears::Ready, says, "send new work to another node")
        }
        _ => Check::pass("node.drain", Bears::Ready, "the node was not told to stop"),
    };
    vec![startup, work]
}

fn dhcp_check(condition: Condition, cause: Option<&str>) -> Check {
    const NAME: &str = "dhcp.journal";
    match condition {
        Condition::Serving => Check::pass(NAME, Bears::Ready, "lease records are durable"),
        // A full disk is not cured by a restart, a failed journal is.
        Condition::Full => {
            let says = "the disk is full: nothing new is promised until there is space";
            Check::fail(NAME, Bears::Ready, says, "free space under node.data_dir: df -h")
        }
        Condition::Failed => {
            let says = cause.unwrap_or("a packet thread failed");
            Check::fail(
                NAME,
                Bears::Live,
                says,
                "look for disk errors (dmesg), then start the node again",
            )
        }
    }
}

fn boot_check(failed: Option<&'static str>) -> Check {
    const NAME: &str = "boot.threads";
    match failed {
        None => Check::pass(NAME, Bears::Ready, "boot files are served"),
        Some(says) => Check::fail(
            NAME,
            Bears::Live,
            says,
            "start the node again; report it with the log",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(stage: Stage, condition: Condition) -> Health {
        let mut checks = node_checks(stage);
        checks.push(dhcp_check(condition, Some("a sync failed")));
        Health { checks }
    }

    #[test]
    fn a_full_disk_makes_unready_and_a_failed_journal_dead() {
        let full = health(Stage::Serving, Condition::Full);
        assert!(full.live() && !full.ready() && full.started());
        let failed = health(Stage::Serving, Condition::Failed);
        assert!(!failed.live() && !failed.ready());
        assert!(failed.to_json().contains("a sync failed"));
    }

    #[test]
    fn a_draining_node_gets_no_more_work() {
        let draining = health(Stage::Draining, Condition::Serving);
        assert!(draining.live() && !draining.ready() && draining.started());
        assert!(!health(Stage::Starting, Condition::Serving).started());
        assert!(health(Stage::Serving, Condition::Serving).ready());
    }
}
