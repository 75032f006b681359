//! What only the simulator can see: the rows against what clients believe, and what a node knows before and after.

use super::World;
use crate::clock::true_wall;
use crate::database::Database;
use crate::node::{Continued, Gained};
use purlin_dhcp_core::rows::{LEASES, WINDOWS, stored_lease};
use purlin_dhcp_core::view::LeaseState;
use purlin_fabric::Action;
use purlin_fabric::port::NodeState;
use purlin_types::{BootTime, Incarnation, NodeId, Now, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

impl World {
    /// I6 from inside: whoever was promised more than what may be promised without a record has one, and nobody has two.
    pub(super) fn audit(&mut self) {
        let primary = self.databases.len() - 1;
        let lead = self.scene.timing.mclt.as_nanos() as u64;
        for client in &self.clients {
            let full = client
                .holds(self.real)
                .filter(|promise| promise.until - promise.sent > lead);
            let Some(promise) = full.filter(|_| !self.scene.is_twin(client.number)) else {
                continue;
            };
            if !self.is_recorded(client.number, promise.address) {
                let (number, address) = (client.number, promise.address);
                self.check.fail(self.real, "I6", || {
                    format!("client {number} has a full lease of {address}, of which there is no record")
                });
            }
        }
        let mut live: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for (key, unique, _) in self.databases[primary].all(LEASES) {
            let Some(unique) = unique else { continue };
            if let Some(other) = live.insert(unique.to_vec(), key) {
                let (one, two) = (Ipv4Addr::from(other as u32), Ipv4Addr::from(key as u32));
                self.check.fail(self.real, "R7", || {
                    format!("{one} and {two} are both recorded as one client's")
                });
            }
        }
    }

    /// Whether the newest database knows of a client that it has an address.
    fn is_recorded(&self, client: u16, address: Ipv4Addr) -> bool {
        let now = Now {
            boot: BootTime(0),
            wall: true_wall(self.real),
        };
        let primary = self.databases.len() - 1;
        let body = self.databases[primary].body(LEASES, u64::from(address.to_bits()));
        let row = body.and_then(|body| stored_lease(&self.start.plan, &now, body));
        let bound = |state| matches!(state, LeaseState::Bound | LeaseState::Expired);
        row.is_some_and(|row| bound(row.state) && self.is_client(row.mac.0, client))
    }

    /// Clients of whose leases there is a record.
    pub(super) fn recorded(&self) -> BTreeSet<u16> {
        let clients = self.clients.iter();
        let recorded = clients.filter(|client| {
            let promise = client.holds(self.real);
            promise.is_some_and(|promise| self.is_recorded(client.number, promise.address))
        });
        recorded.map(|client| client.number).collect()
    }

    /// Promises that nobody knows of once a node is dead.
    pub(super) fn count_unrecorded(&mut self) {
        let lost = self.clients.iter().filter(|client| {
            let promise = client.holds(self.real);
            promise.is_some_and(|promise| !self.is_recorded(client.number, promise.address))
        });
        self.tally.unrecorded += lost.count() as u64;
    }

    /// I4 from inside: what a node goes by is all that was written under former claims, in the history of its own claim. The
    /// database that it reaches by now may be of a later one.
    pub(super) fn read_all(&mut self, gained: &[Gained]) {
        let lacks = |one: &&Gained| {
            let of_claim = |database: &&Database| database.timeline == one.takeover.epoch.timeline;
            let database = self.databases.iter().find(of_claim);
            let database = database.expect("a claim is of a history that there was");
            let rows = [WINDOWS, LEASES].into_iter();
            let mut rows = rows.flat_map(|table| database.load(table, &[one.takeover.slot]));
            let known = |epoch, body: &Vec<u8>| one.rows.iter().any(|row| (row.0, &row.1) == (epoch, body));
            rows.any(|(_, epoch, body)| epoch < one.takeover.epoch && !known(epoch, &body))
        };
        if let Some(slot) = gained.iter().find(lacks).map(|one| one.takeover.slot) {
            self.check.late_row(self.real, slot);
        }
    }

    /// Notes whom a node knows in slots that it has held all the while and that are under another epoch by now.
    pub(super) fn remember(&mut self, node: usize) {
        let it = &self.nodes[node];
        let continued = |address: Ipv4Addr| {
            let slot = Slot::of_address(address);
            let former = it.holdings.continues(slot);
            former.is_some() && it.thread.engine.epoch(slot) == former
        };
        let promised = self.clients.iter().filter_map(|client| {
            let promise = client.holds(self.real)?;
            let known = continued(promise.address) && self.knows(node, client.number, promise.address);
            known.then_some((client.number, promise.address))
        });
        let remembered = promised.collect::<Vec<_>>();
        self.nodes[node].remembered.extend(remembered);
    }

    /// What a node holds no more, it has not held all the while when it gets it again: it may forget whom it knew there.
    pub(super) fn gave_away(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        let held = it.holdings.slots();
        it.remembered
            .retain(|&(_, address)| held.contains(Slot::of_address(address)));
    }

    /// These went on without being read anew.
    pub(super) fn went_on(&mut self, node: usize, known: &[Continued]) {
        let of = |address| known.iter().any(|one| one.slot == Slot::of_address(address));
        self.nodes[node].remembered.retain(|&(_, address)| !of(address));
    }

    /// 2.2: what was known of a slot that was held all the while is known under its next epoch.
    pub(super) fn still_known(&mut self, node: usize, slots: &[Slot]) {
        let of = |&mut (_, address): &mut (u16, Ipv4Addr)| slots.contains(&Slot::of_address(address));
        let read: Vec<_> = self.nodes[node].remembered.extract_if(.., of).collect();
        for (client, address) in read {
            let promise = self.clients[usize::from(client)].holds(self.real);
            let holds = promise.is_some_and(|promise| promise.address == address);
            if holds && !self.knows(node, client, address) {
                self.check.fail(self.real, "I6", || {
                    format!(
                        "node {node} has held the slot of {address} all the while and forgets client {client}"
                    )
                });
            }
        }
    }

    fn knows(&self, node: usize, client: u16, address: Ipv4Addr) -> bool {
        let now = self.nodes[node].machine.clock.now(self.real);
        let lease = self.nodes[node].thread.engine.lease(&now, address);
        lease.is_some_and(|lease| lease.state == LeaseState::Bound && self.is_client(lease.mac.0, client))
    }

    fn is_client(&self, mac: [u8; 6], client: u16) -> bool {
        let other = crate::scene::client_of(mac);
        other < self.scene.clients && self.scene.identity(other) == self.scene.identity(client)
    }

    /// The life that an enrolment would replace.
    pub(super) fn former_life(&self, database: usize, action: &Action) -> Option<(NodeId, Incarnation)> {
        let Action::Enrol(wish) = action else { return None };
        let row = self.databases[database].enrolled(&wish.id)?;
        let other = row.incarnation != wish.incarnation && row.state != NodeState::Removed;
        other.then(|| (row.id.clone(), row.incarnation))
    }

    /// 2.5: a life is replaced when its lease is over, not before.
    pub(super) fn replaced(&mut self, (id, incarnation): &(NodeId, Incarnation)) {
        let former = |node: &crate::node::Node| node.me.id == *id && node.me.incarnation == *incarnation;
        let Some(node) = self.nodes.iter().position(former) else {
            return;
        };
        let it = &self.nodes[node];
        if it.alive && it.tenure.holds(it.machine.clock.boot(self.real)) {
            self.check.fail(self.real, "2.5", || {
                format!("node {node} ({id}) is replaced by another of its name while its lease holds")
            });
        }
    }
}
