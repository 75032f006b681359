//! The addresses of OVN's ports as pins of DHCP: a machine behind a port gets the address that its port has, and nobody
//! else does. The two services know nothing of each other; this is where they meet while running.
//!
//! ```text
//!   northbound ─► ports of switches that Purlin answers ─► pins ─► every packet thread of this node
//!                                                           │ ▲
//!                       at the node that leads, while it    ▼ │  at a start, and at nodes that hear it from there first
//!                       follows the northbound              records: this node's, or the cluster's
//! ```
//!
//! The records are what holds while the northbound is away: last known is better than none, since an address that is given
//! to a stranger is a lease that has to be waited for.

mod kept;

use super::Base;
use crate::cluster::Cluster;
use crate::exit::Failure;
use crate::log;
use kept::Kept;
use purlin_api::ledger::Ledger;
use purlin_dhcp_core::pin::Pin;
use purlin_dhcp_server::Handle;
use purlin_ovn_server::{Held, HeldAddresses, Platform};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often it is looked what the cluster's records say, and tried again what could not be written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Pins that follow the ports, until this is dropped.
#[derive(Debug)]
pub(super) struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What was known last.
///
/// # Errors
/// When the records cannot be read: without them the addresses of machines could be given to strangers.
pub(super) async fn recall(base: &Base<'_>) -> Result<Kept, Failure> {
    let done = async {
        let mut kept = Kept::read(base.book).await?;
        if !base.settings.services.ovn.enabled {
            // Nobody says any more whose addresses they are. Another node may have been faster to write that down.
            let done = kept.write(base.book, &[]).await;
            if !kept.pins().is_empty() {
                done?;
            }
        }
        Ok::<_, purlin_api::Problem>(kept)
    };
    done.await.map_err(|problem| {
        let why = problem.detail();
        Failure::failed(
            format!("the addresses of OVN's ports that were known last could not be read: {why}"),
            "purlin doctor",
        )
    })
}

/// Begins to follow.
pub(super) fn follow(base: &Base<'_>, kept: Kept, platform: &Platform, dhcp: Handle) -> Following {
    let follower = Follower {
        ledger: base.book.clone(),
        cluster: base.cluster.clone(),
        shared: base.shared,
        dhcp,
        kept,
        own: None,
        written: false,
        failing: false,
    };
    Following(tokio::spawn(follower.run(HeldAddresses::of(platform))))
}

struct Follower {
    ledger: Ledger,
    cluster: Cluster,
    /// Whether other nodes read and write the records, too.
    shared: bool,
    dhcp: Handle,
    kept: Kept,
    /// What this node has read from the northbound last.
    own: Option<Arc<[Pin]>>,
    /// The records say that, as far as is known.
    written: bool,
    /// It was told that the records fail.
    failing: bool,
}

impl Follower {
    async fn run(mut self, mut addresses: HeldAddresses) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        if self.kept.is_new() {
            // A node that has become one of several brings what it knew alone.
            let running = Arc::clone(self.dhcp.plan().pins());
            let done = self.kept.write(&self.ledger, &running).await;
            self.tell(done.err().as_ref());
        }
        loop {
            tokio::select! {
                held = addresses.next() => {
                    let Some(held) = held else { return };
                    let pins = pins(&held);
                    // First to whoever answers now.
                    self.give(&pins).await;
                    (self.own, self.written) = (Some(pins), false);
                }
                _ = ticks.tick() => {}
            }
            let done = self.settle(addresses.is_live()).await;
            self.tell(done.err().as_ref());
        }
    }

    /// Brings together what this node knows and what the records say. `live` is whether the northbound is followed now: who
    /// does knows more than the records, which are written in pieces.
    async fn settle(&mut self, live: bool) -> Result<(), purlin_api::Problem> {
        let own = self.own.clone().filter(|_| live);
        if let Some(own) = &own {
            self.give(own).await;
        }
        if self.shared && self.kept.refresh(&self.ledger).await? {
            self.written = false;
            if own.is_none() {
                self.give(&self.kept.pins()).await;
            }
        }
        match own {
            Some(own) if !self.written && (!self.shared || self.cluster.leads()) => {
                self.kept.write(&self.ledger, &own).await?;
                self.written = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Puts pins in force, unless they are.
    async fn give(&self, pins: &Arc<[Pin]>) {
        if !Arc::ptr_eq(self.dhcp.plan().pins(), pins) {
            self.dhcp.pin(Arc::clone(pins)).await;
        }
    }

    fn tell(&mut self, problem: Option<&purlin_api::Problem>) {
        if let Some(problem) = problem
            && !self.failing
        {
            log::warn(&format!(
                "the addresses of OVN's ports are not kept for the next start: {}",
                problem.detail()
            ));
        }
        self.failing = problem.is_some();
    }
}

/// In an order that every node makes alike.
fn pins(held: &[Held]) -> Arc<[Pin]> {
    let mut pins: Vec<Pin> = held.iter().map(pin).collect();
    // Stable: of the addresses of a port the first stays the first.
    pins.sort_by(|a, b| a.by.cmp(&b.by));
    pins.into()
}

fn pin(held: &Held) -> Pin {
    Pin {
        mac: held.mac,
        address: held.address,
        within: held.within,
        by: format!("port {} of switch {}", held.port, held.switch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_becomes_a_pin_for_its_machine() {
        let held = |port: &str, at: usize, address: &str| Held {
            switch: "web".to_owned(),
            port: port.to_owned(),
            at,
            mac: "02:00:00:00:01:01".parse().expect("a MAC"),
            address: address.parse().expect("an address"),
            within: "10.88.0.2".parse().expect("an address"),
        };
        let all = [
            held("web-2", 0, "10.88.0.9"),
            held("web-1", 0, "10.88.0.12"),
            held("web-1", 1, "10.88.0.11"),
        ];
        let pins = pins(&all);
        let told: Vec<(&str, String)> = pins
            .iter()
            .map(|pin| (pin.by.as_str(), pin.address.to_string()))
            .collect();
        assert_eq!(
            told,
            [
                ("port web-1 of switch web", "10.88.0.12".to_owned()),
                ("port web-1 of switch web", "10.88.0.11".to_owned()),
                ("port web-2 of switch web", "10.88.0.9".to_owned()),
            ]
        );
    }
}
