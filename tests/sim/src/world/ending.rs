//! The end of a run: everything is mended, the cluster must recover, and then one node dies (I12).

use super::{Event, World};
use crate::client::{INSISTENCE, Promise};
use crate::clock::SECOND;
use purlin_dhcp_core::settings::AckMode;
use purlin_fabric::Input;
use purlin_types::Slot;

/// The steps of the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing goes wrong from here on.
    Heal,
    /// Is every slot held? Asked again until then.
    Recovered(u64),
    /// One node dies.
    Kill,
    /// Has every client that was known then been served since?
    Served { since: u64 },
}

impl World {
    pub(super) fn end(&mut self, ending: Ending) {
        match ending {
            Ending::Heal => self.heal(),
            Ending::Recovered(since) => self.recovered(since),
            Ending::Kill => self.kill_one(),
            Ending::Served { since } => self.served(since),
        }
    }

    fn heal(&mut self) {
        self.calm = true;
        self.trace.say(self.real, || "-- everything is mended".to_owned());
        let primary = self.databases.len() - 1;
        self.redis.heal(self.real);
        self.mend_aside();
        self.links.clear();
        for (index, database) in self.databases.iter_mut().enumerate() {
            database.up = index == primary;
            database.full = false;
            database.slow_until = 0;
            database.lags_until = 0;
            if index == primary {
                database.cut_since = None;
                database.attach_standby();
            }
        }
        for node in self.living() {
            let id = &self.nodes[node].me.id;
            let newer = self.nodes[node + 1..]
                .iter()
                .any(|other| other.alive && other.me.id == *id);
            let shadow = self.is_shadow(node) || (newer && !self.is_enrolled(node));
            let it = &mut self.nodes[node];
            it.alive &= !shadow;
            it.thread_until = it.thread_until.min(self.real);
            it.fabric_until = it.fabric_until.min(self.real);
            it.trip = None;
            it.machine.mend();
            it.machine.database = primary;
            it.machine.clock.set_wall(self.real, 0);
            self.later(node, 0, super::Local::Input(Input::Resume));
        }
        for _ in self.taking_part()..3 {
            self.join();
        }
        let pace = self.scene.pace;
        self.queue
            .put(self.real + pace, Event::End(Ending::Recovered(self.real)));
    }

    /// How many can hold slots, now or later: who was removed runs on and never will.
    fn taking_part(&self) -> usize {
        let living = self.living().into_iter();
        living.filter(|&node| !self.nodes[node].is_over()).count()
    }

    /// Real time for a cluster without faults to have every slot held again: former lives must lapse, and, after a
    /// failover, free claims wait as long.
    fn recovery(&self) -> u64 {
        let timing = self.scene.timing;
        6 * timing.patience().as_nanos() as u64 + 2 * timing.node_timeout.as_nanos() as u64
    }

    fn recovered(&mut self, since: u64) {
        let held = |slot| {
            self.nodes
                .iter()
                .any(|node| node.may_decide(self.real, slot).is_some())
        };
        let missing: Vec<_> = self.slots.iter().copied().filter(|&slot| !held(slot)).collect();
        let pace = self.scene.pace;
        if missing.is_empty() {
            // Long enough for every known client to renew.
            let wait = self.scene.lease.as_nanos() as u64 + 2 * pace;
            self.queue.put(self.real + wait, Event::End(Ending::Kill));
        } else if self.real > since + self.recovery() {
            let what = format!("slots {missing:?} find an owner after everything was mended");
            self.check.unserved(self.real, since, &what);
        } else {
            self.queue
                .put(self.real + pace / 4, Event::End(Ending::Recovered(since)));
        }
    }

    fn kill_one(&mut self) {
        let owners = self.living().into_iter().filter(|&node| {
            let may = |slot: &Slot| self.nodes[node].may_decide(self.real, *slot).is_some();
            self.slots.iter().any(may)
        });
        let owners: Vec<usize> = owners.collect();
        if self.taking_part() < 2 || owners.is_empty() {
            self.over = true;
            return;
        }
        let node = *self.random.pick(&owners);
        self.nodes[node].alive = false;
        self.recorded = self.recorded();
        self.trace.say(self.real, || {
            format!("-- node {node} dies, and is to be replaced by the others")
        });
        let since = self.real;
        for client in 0..self.scene.clients {
            self.clients[usize::from(client)].insist();
            let wait = self.random.below(INSISTENCE);
            self.call_again(client, self.real + wait);
        }
        let limit = if self.scene.fast { 5 * SECOND } else { 20 * SECOND };
        // Where a relay knows one node at a time, that node must look at the store once more to know whom to forward to.
        let look = self.scene.timing.renew.as_nanos() as u64;
        let limit = if self.scene.repeats { limit } else { limit + look };
        self.queue
            .put(self.real + limit, Event::End(Ending::Served { since }));
    }

    /// Who was known when the node died, and still has its address, has been answered since. In lead mode who was answered
    /// ahead of its record may be unknown, and hears nothing until the quarantine is over.
    fn served(&mut self, since: u64) {
        let waiting = self.clients.iter().find(|client| {
            let known = client
                .promise
                .is_some_and(|promise| promise.until > self.real && promise.sent < since);
            let ahead = self.scene.ack == AckMode::Lead && !self.recorded.contains(&client.number);
            let known = known && !ahead;
            known && client.served < since && !self.scene.is_twin(client.number)
        });
        if let Some(client) = waiting {
            let who = format!("client {} is served after a node's death", client.number);
            let holder = self.describe_holder(client.promise);
            self.trace.say(self.real, || holder);
            self.check.unserved(self.real, since, &who);
        }
        self.audit();
        self.settled_aside();
        self.over = true;
    }

    fn describe_holder(&self, promise: Option<Promise>) -> String {
        let slot = promise.map(|promise| Slot::of_address(promise.address));
        let holders = self.nodes.iter().enumerate().filter_map(|(node, it)| {
            let slot = slot?;
            let (may, does) = (
                it.may_decide(self.real, slot).is_some(),
                it.thread.engine.held().contains(slot),
            );
            (it.alive && (may || does)).then(|| format!("node {node} may: {may}, does: {does}"))
        });
        let holders: Vec<String> = holders.collect();
        format!("slot {slot:?}: {}", holders.join(", "))
    }
}
