//! A world of machines around one store, stepped from event to event; everything follows from one seed and a list of
//! faults.

mod machine;
mod serve;
mod store;

use machine::Machine;
use purlin_fabric::port::{ClaimKey, Durability, NodeState, Wish};
use purlin_fabric::{Action, Event, Input, Timing};
use purlin_types::{BootTime, Epoch, NodeId, Slot, SlotSet};
use serve::unknown;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use store::Store;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// What goes wrong, or what an operator does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Pause {
        node: usize,
        secs: u8,
    },
    Cut {
        node: usize,
        secs: u8,
    },
    /// Requests arrive, answers do not.
    Deafen {
        node: usize,
        secs: u8,
    },
    /// The store takes no requests.
    StoreDown {
        secs: u8,
    },
    FailOver,
    Restart {
        node: usize,
    },
    Kill {
        node: usize,
    },
    /// A second process under the same id.
    Duplicate {
        node: usize,
    },
    Drain {
        node: usize,
    },
    Leave {
        node: usize,
    },
    Resume {
        node: usize,
    },
    Skew {
        node: usize,
        ms: i16,
    },
    Hint {
        node: usize,
    },
    Replicate,
    /// Without asking the node.
    Remove {
        node: usize,
    },
}

enum Happening {
    Fault(Fault),
    Tick(usize),
    Arrive { node: usize, sent: Sent },
    Answer { node: usize, input: Input },
    Flush { node: usize, slots: Vec<Slot> },
}

/// A request under way: over at `give_up` by the sender's patience.
struct Sent {
    asked: BootTime,
    action: Action,
    back: u64,
    give_up: u64,
    timeline: u32,
}

pub(crate) struct World {
    pub(crate) real: u64,
    timing: Timing,
    keyspace: Vec<Slot>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) store: Store,
    store_down_until: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    next: u64,
    random: u64,
    /// Long delays now and then.
    pub(crate) rough: bool,
    /// How long a machine waits for an answer.
    pub(crate) patience: u64,
    /// How much later answers to claims of slots come than others.
    pub(crate) late_claims: u64,
    newest: BTreeMap<Slot, Epoch>,
    pub(crate) events: Vec<(u64, usize, Event)>,
}

impl World {
    /// `slots` of the keyspace are in use.
    pub(crate) fn new(seed: u64, nodes: usize, slots: u16, timing: Timing, durability: Durability) -> Self {
        let keyspace: Vec<Slot> = (0..slots)
            .filter_map(|n| Slot::new(n * (purlin_types::SLOTS / slots)))
            .collect();
        let mut world = Self {
            real: SECOND,
            timing,
            keyspace,
            machines: Vec::new(),
            store: Store::new(durability),
            store_down_until: 0,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            next: 0,
            random: seed,
            rough: false,
            patience: 2 * SECOND,
            late_claims: 0,
            newest: BTreeMap::new(),
            events: Vec::new(),
        };
        for node in 0..nodes {
            world.add(&format!("n{node}"));
        }
        world
    }

    pub(crate) fn add(&mut self, name: &str) -> usize {
        let ppm = i64::try_from(self.below(20_001)).expect("small") - 10_000;
        let incarnation = self.machines.len() as u64 + 1;
        let keyspace: SlotSet = self.keyspace.iter().copied().collect();
        self.machines
            .push(Machine::new(name, incarnation, ppm, self.timing, keyspace));
        let node = self.machines.len() - 1;
        self.after(0, Happening::Tick(node));
        node
    }

    pub(crate) fn fault_at(&mut self, real: u64, fault: Fault) {
        self.at(real, Happening::Fault(fault));
    }

    pub(crate) fn keyspace(&self) -> &[Slot] {
        &self.keyspace
    }

    /// Lets everything up to that instant happen; panics when two nodes may decide about one slot, or when an epoch
    /// does not rise.
    pub(crate) fn run_until(&mut self, real: u64) {
        while let Some(&Reverse((at, id))) = self.queue.peek() {
            if at > real {
                break;
            }
            self.queue.pop();
            self.real = at;
            let happening = self.happenings.remove(&id).expect("queued once");
            self.happen(happening);
            self.check();
        }
        self.real = real;
        self.check();
    }

    /// Runs until `done`, or panics after `secs`.
    pub(crate) fn run_for(&mut self, secs: u64, what: &str, done: impl Fn(&Self) -> bool) -> u64 {
        let start = self.real;
        while !done(self) {
            assert!(
                self.real < start + secs * SECOND,
                "{what}: not within {secs} s; {}",
                self.describe()
            );
            self.run_until(self.real + SECOND / 20);
        }
        self.real - start
    }

    /// Who decides about a slot.
    pub(crate) fn holder(&self, slot: Slot) -> Option<usize> {
        (0..self.machines.len()).find(|&node| self.machines[node].may_decide(self.real, slot).is_some())
    }

    pub(crate) fn all_held(&self) -> bool {
        self.keyspace.iter().all(|&slot| self.holder(slot).is_some())
    }

    pub(crate) fn held_by(&self, node: usize) -> usize {
        self.keyspace
            .iter()
            .filter(|&&slot| self.holder(slot) == Some(node))
            .count()
    }

    pub(crate) fn describe(&self) -> String {
        let machines = self.machines.iter().map(|machine| {
            let slots = self
                .keyspace
                .iter()
                .filter(|&&slot| machine.may_decide(self.real, slot).is_some());
            let ready = machine.coordinator.readiness();
            format!(
                "{} alive={} {:?} holds {}",
                machine.candidate.id,
                machine.alive,
                ready,
                slots.count()
            )
        });
        machines.collect::<Vec<_>>().join("; ")
    }

    fn check(&mut self) {
        for &slot in &self.keyspace {
            let mut holder: Option<(usize, Epoch)> = None;
            for (node, machine) in self.machines.iter().enumerate() {
                let Some(epoch) = machine.may_decide(self.real, slot) else {
                    continue;
                };
                assert!(
                    holder.is_none(),
                    "slot {slot} has two owners at {} s: {holder:?} and {node} under {epoch}",
                    self.real as f64 / 1e9
                );
                holder = Some((node, epoch));
            }
            let Some((node, epoch)) = holder else { continue };
            let newest = self.newest.entry(slot).or_default();
            assert!(
                epoch >= *newest,
                "slot {slot}: node {node} decides under {epoch} after {newest}"
            );
            *newest = epoch;
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Fault(fault) => self.fault(fault),
            Happening::Tick(node) => {
                if self.machines[node].tick <= self.real {
                    self.machines[node].tick = u64::MAX;
                }
                self.feed(node, Input::Tick);
            }
            Happening::Arrive { node, sent } => self.arrive(node, sent),
            Happening::Answer { node, input } => self.feed(node, input),
            Happening::Flush { node, slots } => self.flush(node, slots),
        }
    }

    /// One step of a machine's process, when it runs.
    fn feed(&mut self, node: usize, input: Input) {
        let machine = &mut self.machines[node];
        if !machine.alive {
            return;
        }
        if self.real < machine.paused_until {
            let wake = machine.paused_until;
            self.at(wake, Happening::Answer { node, input });
            return;
        }
        let now = machine.now(self.real);
        let mut out = Vec::new();
        machine.coordinator.step(&now, input, &mut out);
        for action in out {
            self.act(node, now.boot, action);
        }
        let machine = &mut self.machines[node];
        machine.publish_tenure();
        let due = machine
            .real(machine.coordinator.next_deadline())
            .max(self.real + 1);
        if due < machine.tick {
            machine.tick = due;
            self.at(due, Happening::Tick(node));
        }
    }

    fn act(&mut self, node: usize, asked: BootTime, action: Action) {
        match action {
            Action::Holdings => self.machines[node].publish_holdings(),
            Action::Tell(event) => self.events.push((self.real, node, event)),
            Action::GiveUp(slots) => {
                let wait = self.delay() * 4;
                self.after(wait, Happening::Flush { node, slots });
            }
            action => {
                let (there, mut back) = (self.delay(), self.delay());
                let of_slots = |wish: &Wish| matches!(wish.key, ClaimKey::Slot(_));
                if matches!(&action, Action::Claim(wishes) if wishes.iter().any(of_slots)) {
                    back += self.late_claims;
                }
                let give_up = self.real + self.patience;
                let timeline = self.store.timeline;
                self.after(
                    there,
                    Happening::Arrive {
                        node,
                        sent: Sent {
                            asked,
                            action,
                            back,
                            give_up,
                            timeline,
                        },
                    },
                );
            }
        }
    }

    /// A request at the store.
    fn arrive(&mut self, node: usize, sent: Sent) {
        let machine = &self.machines[node];
        let lost = self.real < machine.cut_until || self.real < self.store_down_until;
        // Half of what was on its way when the store failed over is lost with the connection.
        let lost = lost || (sent.timeline != self.store.timeline && self.below(2) == 0);
        let answer = if lost {
            unknown(sent.asked, sent.action)
        } else {
            self.serve(node, sent.asked, sent.action)
        };
        let Some((answer, unknown)) = answer else { return };
        let at = self.real + sent.back;
        if lost || at > sent.give_up || at < self.machines[node].deaf_until {
            self.at(
                sent.give_up.max(self.real),
                Happening::Answer { node, input: unknown },
            );
        } else {
            self.at(at, Happening::Answer { node, input: answer });
        }
    }

    /// The service writes what is left under the old term; its fence decides.
    fn flush(&mut self, node: usize, slots: Vec<Slot>) {
        let machine = &self.machines[node];
        let away = self.real
            < machine
                .cut_until
                .max(machine.paused_until)
                .max(self.store_down_until);
        if away {
            self.after(SECOND / 2, Happening::Flush { node, slots });
            return;
        }
        let by = machine.candidate.clone();
        let epochs: Vec<_> = slots.iter().map(|&slot| (slot, machine.leaving(slot))).collect();
        let held = |(slot, epoch): &(Slot, Option<Epoch>)| {
            epoch.is_some_and(|epoch| self.store.fences(&by, *slot, epoch))
        };
        let (kept, lost): (Vec<_>, Vec<_>) = epochs.into_iter().partition(held);
        let slots =
            |pairs: Vec<(Slot, Option<Epoch>)>| pairs.into_iter().map(|(slot, _)| slot).collect::<Vec<_>>();
        let slots_kept = slots(kept);
        let refused = match std::mem::take(&mut self.machines[node].refused) {
            true => slots_kept.clone(),
            false => Vec::new(),
        };
        self.feed(
            node,
            Input::Flushed {
                slots: slots_kept,
                refused,
            },
        );
        self.feed(node, Input::FenceLost { slots: slots(lost) });
    }

    fn fault(&mut self, fault: Fault) {
        let real = self.real;
        let until = |secs: u8| real + u64::from(secs) * SECOND;
        let count = self.machines.len();
        let of = |node: usize| node % count;
        match fault {
            Fault::Pause { node, secs } => self.machines[of(node)].paused_until = until(secs),
            Fault::Cut { node, secs } => self.machines[of(node)].cut_until = until(secs),
            Fault::Deafen { node, secs } => self.machines[of(node)].deaf_until = until(secs),
            Fault::StoreDown { secs } => self.store_down_until = until(secs),
            Fault::FailOver => self.store.fail_over(),
            Fault::Replicate => self.store.replicate(),
            Fault::Kill { node } => self.machines[of(node)].alive = false,
            Fault::Restart { node } => {
                self.machines[of(node)].alive = false;
                let name = self.machines[of(node)].candidate.id.to_string();
                self.add(&name);
            }
            Fault::Duplicate { node } => {
                let name = self.machines[of(node)].candidate.id.to_string();
                self.add(&name);
            }
            Fault::Drain { node } => self.feed(of(node), Input::Drain),
            Fault::Leave { node } => self.feed(of(node), Input::Leave),
            Fault::Resume { node } => self.feed(of(node), Input::Resume),
            Fault::Hint { node } => self.feed(of(node), Input::Hinted),
            Fault::Skew { node, ms } => self.machines[of(node)].wall_off_ms = i64::from(ms),
            Fault::Remove { node } => {
                let id: NodeId = self.machines[of(node)].candidate.id.clone();
                self.store.mark(&id, NodeState::Removed);
            }
        }
    }

    fn delay(&mut self) -> u64 {
        let usual = 1_000_000 + self.below(20_000_000);
        if self.rough && self.below(20) == 0 {
            usual + self.below(20 * SECOND)
        } else {
            usual
        }
    }

    /// Splitmix64: few lines, and every seed is as good as another.
    fn below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn after(&mut self, wait: u64, happening: Happening) {
        self.at(self.real + wait, happening);
    }

    fn at(&mut self, real: u64, happening: Happening) {
        self.next += 1;
        self.queue.push(Reverse((real.max(self.real), self.next)));
        self.happenings.insert(self.next, happening);
    }
}
