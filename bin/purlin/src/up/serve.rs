//! The life of a node between READY and STOPPING: signals, the condition of its parts, the watchdog.

use super::boot::Boot;
use super::node::Node;
use super::notify::Notifier;
use super::reload::Reloader;
use super::signals::{Asked, Signals};
use crate::exit::{Exit, Failure, Outcome};
use crate::log;
use purlin_dhcp_server::{Condition, Health};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often subnets are asked how full they are, for telling what a change would do.
const USAGE_EVERY: Duration = Duration::from_secs(5);
/// How often it is asked whether replies were lost.
const LOSSES_EVERY: Duration = Duration::from_secs(2);
/// Past the grace period, for what is synced and joined after it.
const BEYOND_GRACE: Duration = Duration::from_secs(5);
/// Never, as far as a watchdog is concerned.
const NO_WATCHDOG: Duration = Duration::from_secs(86_400);

/// Until it is told to stop, or cannot go on.
pub(super) async fn serve(node: &Node, boot: &Boot, signals: &mut Signals, notifier: &Notifier) -> Outcome {
    let watching = tokio::spawn(watch_usage(Arc::clone(&node.host), node.dhcp.clone()));
    let mut condition = node.dhcp.health();
    let mut boot_failure = node.boot.handle.failure();
    let mut reloader = Reloader::new(boot);
    let mut losses = tokio::time::interval(LOSSES_EVERY);
    let mut watchdog = tokio::time::interval(notifier.watchdog().unwrap_or(NO_WATCHDOG));
    let end = loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => break Ok(Exit::Ok),
                Asked::Reload => {
                    notifier.reloading();
                    reloader.reload(node).await;
                    notifier.ready(&serving(node));
                }
            },
            _ = watchdog.tick() => notifier.alive(),
            _ = losses.tick() => tell_losses(node),
            Ok(()) = boot_failure.changed() => {
                let cause = boot_failure.borrow_and_update().unwrap_or("a packet thread has ended");
                break Err(Failure::failed(format!("boot files cannot be served: {cause}"), "see the log, then start again"));
            }
            changed = condition.changed() => {
                let health = condition.borrow_and_update().clone();
                if changed.is_err() || health.condition() == Condition::Failed {
                    break Err(dead(&health));
                }
                tell(node, &health);
            }
        }
    };
    watching.abort();
    end
}

/// For the service manager's status line.
pub(super) fn serving(node: &Node) -> String {
    format!("serving revision {}", node.revisions.current().number)
}

/// Drains within the grace period. A second request to stop, or a part that hangs, ends the wait.
pub(super) async fn drain(node: Node, grace: Duration, signals: &mut Signals) -> Result<(), Failure> {
    // On a task of its own: a thread that does not end must not keep signals from being heard.
    let draining = tokio::spawn(node.stop(grace));
    tokio::select! {
        done = draining => done.map_err(|_| Failure::failed("stopping panicked", "see the log")),
        () = signals.stop() => Err(Failure::failed("told to stop a second time: work under way was given up", "")),
        () = tokio::time::sleep(grace + BEYOND_GRACE) => {
            Err(Failure::failed(format!("not everything ended within {grace:?}"), "a longer --grace"))
        }
    }
}

async fn watch_usage(host: Arc<super::host::Host>, dhcp: purlin_dhcp_server::Handle) {
    let mut tick = tokio::time::interval(USAGE_EVERY);
    loop {
        tick.tick().await;
        host.note_usage(dhcp.usage().await);
    }
}

fn dead(health: &Health) -> Failure {
    let cause = health.cause.unwrap_or("the packet threads have ended");
    Failure::failed(
        format!("DHCP cannot go on: {cause}"),
        "look for disk errors (dmesg), then start again",
    )
}

fn tell_losses(node: &Node) {
    if let Some(text) = node.losses.look(Instant::now(), node.dhcp.metrics().replies()) {
        log::warn(text);
        node.tell_event("node.health", "replies-lost", text);
    }
}

fn tell(node: &Node, health: &Health) {
    let text = match health.condition() {
        Condition::Full => "the disk is full: nothing new is promised until there is space",
        _ => "there is space again: leases are promised",
    };
    log::warn(text);
    node.tell_event("node.health", health.condition().as_str(), text);
}
