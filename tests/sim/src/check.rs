//! What must hold whatever happens: the invariants, checked from the clients' side where a client can tell.

use crate::client::{Client, Promise};
use crate::clock::{SECOND, true_wall};
use crate::database::{Database, Standby};
use crate::node::Node;
use crate::scene::{Scene, client_of};
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::rows::{LEASES, stored_lease};
use purlin_dhcp_core::view::LeaseState;
use purlin_dhcp_proto::Message;
use purlin_fabric::port::{ClaimKey, Wish};
use purlin_types::{BootTime, Epoch, Now, Slot};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// By how much clocks within their bounds, and whole seconds, may blur a bound.
const BLUR_SECS: u64 = 5;

/// Leases are kept in whole seconds, rounded down: the last second of a promise is nobody's.
const ROUNDING: u64 = SECOND;

/// An invariant that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Nanoseconds of real time.
    pub at: u64,
    /// `I1` to `I12` of the design.
    pub rule: &'static str,
    pub what: String,
}

#[derive(Debug)]
pub(crate) struct Checker {
    plan: Arc<Plan>,
    mclt: u64,
    lease: u64,
    reserved: BTreeMap<Ipv4Addr, u16>,
    /// Until when addresses are nobody's that somebody has declined, as far as no failover may have lost that.
    declined: BTreeMap<Ipv4Addr, u64>,
    forgets: bool,
    /// Who a client is to a server, and whether it is not the only one of that name.
    identities: Vec<(u16, bool)>,
    /// Every claim that was ever granted, and to whom.
    granted: BTreeMap<(ClaimKey, Epoch), usize>,
    /// The newest epoch that anybody decided under, and who that was.
    newest: BTreeMap<Slot, (Epoch, usize)>,
    broken: Option<Broken>,
}

impl Checker {
    pub(crate) fn new(scene: &Scene, plan: Arc<Plan>) -> Self {
        let reserved = (0..scene.clients).filter_map(|n| scene.reservation(n).map(|address| (address, n)));
        Self {
            plan,
            // What the fabric waits out, not what a service may have been told.
            mclt: scene.timing.mclt.as_secs(),
            lease: scene.lease.as_secs(),
            reserved: reserved.collect(),
            declined: BTreeMap::new(),
            forgets: scene.standby == Standby::Async,
            identities: (0..scene.clients)
                .map(|n| (scene.identity(n), scene.is_twin(n)))
                .collect(),
            granted: BTreeMap::new(),
            newest: BTreeMap::new(),
            broken: None,
        }
    }

    pub(crate) const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    pub(crate) fn fail(&mut self, at: u64, rule: &'static str, what: impl FnOnce() -> String) {
        if self.broken.is_none() {
            let what = what();
            self.broken = Some(Broken { at, rule, what });
        }
    }

    fn identity(&self, client: u16) -> Option<u16> {
        self.identities.get(usize::from(client)).map(|it| it.0)
    }

    /// Whether what it believes may be ended by another client that no server can tell from it.
    fn is_twin(&self, client: u16) -> bool {
        self.identities.get(usize::from(client)).is_some_and(|it| it.1)
    }

    /// I3: no epoch is granted twice, whatever a failover has forgotten.
    pub(crate) fn granted(&mut self, real: u64, node: usize, wishes: &[Wish], epochs: &[Option<Epoch>]) {
        for (wish, epoch) in wishes.iter().zip(epochs) {
            let Some(epoch) = *epoch else { continue };
            if let Some(other) = self.granted.insert((wish.key.clone(), epoch), node) {
                self.fail(real, "I3", || {
                    let key = &wish.key;
                    format!("{key:?} under {epoch} is granted to node {node} after node {other}")
                });
            }
        }
    }

    /// I1 and I7: an address has one client, and a reserved one its own.
    pub(crate) fn promised(&mut self, real: u64, client: u16, promise: Promise, all: &[Client]) {
        let other = all.iter().find(|other| {
            let theirs = other
                .holds(real + ROUNDING)
                .filter(|theirs| theirs.address == promise.address);
            let same = self.identity(other.number) == self.identity(client);
            theirs.is_some() && !same && !self.is_twin(other.number)
        });
        if let Some(other) = other.filter(|_| promise.until > real) {
            self.fail(real, "I1", || {
                let theirs = other.promise.map_or(0, |theirs| theirs.until - real) as f64 / 1e9;
                let address = promise.address;
                let number = other.number;
                format!("{address} is promised to client {client} while client {number} has it for {theirs:.3} s more")
            });
        }
        self.left_alone(real, client, promise);
        if let Some(owner) = self
            .reserved
            .get(&promise.address)
            .filter(|owner| **owner != client)
            .copied()
        {
            self.fail(real, "I7", || {
                format!(
                    "{} is reserved for client {owner} and was given to {client}",
                    promise.address
                )
            });
        }
    }

    /// R5: an address was declined, and the record of that is durable.
    pub(crate) fn declined(&mut self, address: Ipv4Addr, until: u64) {
        if !self.forgets {
            self.declined.insert(address, until - BLUR_SECS * SECOND);
        }
    }

    fn left_alone(&mut self, real: u64, client: u16, promise: Promise) {
        let until = self.declined.get(&promise.address).copied().unwrap_or(0);
        if promise.sent < until {
            let left = (until - promise.sent) as f64 / 1e9;
            self.fail(real, "R5", || {
                format!(
                    "{} was declined, to be left alone for {left:.1} s more, and client {client} has it",
                    promise.address
                )
            });
        }
    }

    /// I6, from the client's side: what it was promised is not known any more. Where a failover may lose commits, only a
    /// promise beyond the client lead time has to be known.
    pub(crate) fn refused(&mut self, real: u64, client: u16, former: Option<Promise>) {
        let least = if self.forgets { self.mclt * SECOND } else { 0 };
        let unexpired = former.filter(|promise| promise.until > real && promise.until - promise.sent > least);
        let moved = self.reserved.values().any(|owner| *owner == client);
        if let Some(promise) = unexpired.filter(|_| !moved && !self.is_twin(client)) {
            self.fail(real, "I6", || {
                let left = (promise.until - real) as f64 / 1e9;
                format!(
                    "client {client} is refused {} that it has for {left:.3} s more",
                    promise.address
                )
            });
        }
    }

    /// I2 and I3: one node decides about a slot, under an epoch that never goes back nor is anybody else's.
    pub(crate) fn owners(&mut self, real: u64, nodes: &[Node], slots: &[Slot]) {
        for &slot in slots {
            let mut holder: Option<usize> = None;
            for (node, it) in nodes.iter().enumerate() {
                let Some(epoch) = it.may_decide(real, slot) else {
                    continue;
                };
                if let Some(other) = holder {
                    self.fail(real, "I2", || {
                        format!("slot {slot} is held by nodes {other} and {node}")
                    });
                }
                holder = Some(node);
                let (newest, by) = *self.newest.entry(slot).or_insert((epoch, node));
                if epoch < newest || (epoch == newest && by != node) {
                    self.fail(real, "I3", || {
                        format!(
                            "slot {slot}: node {node} decides under {epoch}, node {by} did under {newest}"
                        )
                    });
                }
                self.newest.insert(slot, (epoch, node));
            }
        }
    }

    /// I4: a row under an old epoch after the new owner has read.
    pub(crate) fn late_row(&mut self, real: u64, slot: Slot) {
        self.fail(real, "I4", || {
            format!("a row of slot {slot} comes in after its next owner has read it")
        });
    }

    /// I5: no promise goes further beyond its record than the client lead time.
    pub(crate) fn leaves(
        &mut self,
        (real, decided): (u64, u64),
        node: usize,
        message: &Message<'_>,
        databases: &[Database],
    ) {
        // Whoever asked counts from before the decision.
        let (address, now) = (message.yiaddr(), true_wall(decided));
        let secs = u64::from(message.lease_time().unwrap_or(0));
        let client = message.mac().map_or(u16::MAX, |mac| client_of(mac.0));
        let time = Now {
            boot: BootTime(0),
            wall: now,
        };
        let pot_in = |database: &Database| {
            let body = database.body(LEASES, u64::from(address.to_bits()));
            let row = body.and_then(|body| stored_lease(&self.plan, &time, body));
            let own = row.filter(|row| self.identity(client_of(row.mac.0)) == self.identity(client));
            // A row of a bound lease allows one and a half leases from when it was made.
            own.map_or(0, |row| match row.state {
                LeaseState::Bound | LeaseState::Expired => {
                    u64::from(row.last_seen) + self.lease + self.lease / 2
                }
                _ => 0,
            })
        };
        let pot = databases.iter().map(pot_in).max().unwrap_or(0);
        let now = u64::from(now.secs());
        let bound = pot.max(now) + self.mclt + BLUR_SECS;
        if now + secs > bound {
            let over = now + secs - bound;
            self.fail(real, "I5", || format!("node {node} promises {address} to client {client} for {secs} s, {over} s more than its record allows"));
        }
    }

    /// I12: somebody waited too long.
    pub(crate) fn unserved(&mut self, real: u64, since: u64, who: &str) {
        self.fail(real, "I12", || {
            format!("{who}: not within {:.1} s", (real - since) as f64 / SECOND as f64)
        });
    }
}
