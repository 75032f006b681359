//! How DHCP stands, for whoever watches the node.

use super::super::Tell;
use super::restored;
use crate::exit::Failure;
use crate::log;
use purlin_dhcp_core::settings::AckMode;
use purlin_dhcp_server::{Condition, Health, ServerStatus};
use purlin_telemetry::health::{Bears, Check};
use serde_json::{Value, json};
use tokio::sync::watch;

pub(super) fn dead(health: &Health) -> Failure {
    let cause = health.cause.unwrap_or("the packet threads have ended");
    Failure::failed(
        format!("DHCP cannot go on: {cause}"),
        "look for disk errors (dmesg), then start again",
    )
}

/// What the service's condition is told by. One that is amiss already, because the disk was full at the start, is as
/// new to whoever watches as one that comes later.
pub(super) fn watched<T>(mut health: watch::Receiver<T>, is_well: impl Fn(&T) -> bool) -> watch::Receiver<T> {
    let amiss = !is_well(&health.borrow());
    if amiss {
        health.mark_changed();
    }
    health
}

pub(super) fn tell_condition(condition: Condition, tell: Tell<'_>) {
    let text = match condition {
        Condition::Full => "the disk is full: nothing new is promised until there is space",
        _ => "there is space again: leases are promised",
    };
    log::warn(text);
    tell("node.health", condition.as_str(), text);
}

pub(super) fn journal_check(condition: Condition, cause: Option<&str>) -> Check {
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

pub(super) fn as_json(status: &ServerStatus) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_amiss_at_the_start_is_news() {
        let is_news = |condition| {
            let (_sender, health) = watch::channel(condition);
            let watched = watched(health, |condition| *condition == Condition::Serving);
            watched.has_changed().expect("the sender is there")
        };
        assert!(is_news(Condition::Full) && is_news(Condition::Failed));
        assert!(!is_news(Condition::Serving));
    }

    #[test]
    fn a_full_disk_makes_unready_and_a_failed_journal_dead() {
        let health = |condition| purlin_telemetry::Health {
            checks: vec![journal_check(condition, Some("a sync failed"))],
        };
        let full = health(Condition::Full);
        assert!(full.live() && !full.ready() && full.started());
        let failed = health(Condition::Failed);
        assert!(!failed.live() && !failed.ready());
        assert!(failed.to_json().contains("a sync failed"));
        assert!(health(Condition::Serving).ready());
    }
}
