//! What goes wrong, and what operators do meanwhile.

use super::{Event, UPTIME, World};
use crate::clock::{Clock, MILLI};
use crate::database::Standby;
use crate::mutation::Mutation;
use crate::node::Machine;
use purlin_fabric::Input;
use purlin_fabric::port::NodeState;

/// Something that begins or ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Pause(usize, u64),
    Kill(usize),
    Start(usize),
    /// No way to the database; no way to other nodes; both hear it, and it hears neither.
    Cut(usize, u64),
    Alone(usize, u64),
    Deaf(usize, u64),
    SetClock(usize, i64),
    DatabaseDown(u64),
    DatabaseUp(usize),
    DiskFull(u64),
    DiskFree(usize),
    DiskSlow(u64),
    /// Redis is gone.
    HintsGone(u64),
    /// Somebody starts another node of that name.
    Twin(usize),
    StandbyCut(u64),
    StandbyBack(usize),
    StandbyNew(usize),
    /// The standby becomes the primary; the old one lives on for so long, for nodes that still reach it.
    FailOver(u64),
    Reconnect(usize),
    Drain(usize),
    Resume(usize),
    Leave(usize),
    Remove(usize),
    Join,
}

/// How many kinds of faults a run may have.
const KINDS: u64 = 18;

impl World {
    /// Draws the next fault, of the kinds that this run has.
    pub(super) fn next_fault(&mut self) {
        if self.calm {
            return;
        }
        let kind = self.random.below(KINDS);
        if self.scene.kinds & (1 << kind) != 0
            && let Some(fault) = self.draw(kind)
        {
            self.strike(fault);
        }
        let wait = self.random.between(MILLI, 2 * self.scene.fault_every);
        self.queue.put(self.real + wait, Event::NextFault);
    }

    fn draw(&mut self, kind: u64) -> Option<Fault> {
        let ttl = self.scene.timing.ttl.as_nanos() as u64;
        let brief = self.random.below(ttl / 2) + MILLI;
        let long = self.random.below(3 * ttl) + ttl / 4;
        let span = if self.random.chance(500) { brief } else { long };
        let living = self.living();
        if living.is_empty() {
            return Some(Fault::Join);
        }
        let node = *self.random.pick(&living);
        Some(match kind {
            0 => Fault::Pause(node, span),
            1 | 2 => Fault::Kill(node),
            3 => Fault::Cut(node, span),
            4 => Fault::Alone(node, span),
            5 => Fault::SetClock(node, self.clock_error()),
            6 => Fault::DatabaseDown(span),
            7 => Fault::DiskFull(span),
            8 => Fault::StandbyCut(span),
            9 => Fault::FailOver(if self.random.chance(500) { span } else { 0 }),
            10 => Fault::Drain(node),
            11 => Fault::Leave(node),
            12 => Fault::Remove(node),
            13 => Fault::Deaf(node, span),
            14 => Fault::DiskSlow(span),
            15 => Fault::HintsGone(span),
            16 => Fault::Twin(node),
            _ if self.living().len() < 6 => Fault::Join,
            _ => return None,
        })
    }

    fn clock_error(&mut self) -> i64 {
        let bound = match self.random.below(3) {
            0 => 0,
            1 => 1500,
            _ => 60_000,
        };
        self.random.below(2 * bound + 1) as i64 - bound as i64
    }

    fn soon(&mut self, wait: u64, fault: Fault) {
        self.queue.put(self.real + wait, Event::Fault(fault));
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        self.tally.faults += 1;
        self.trace.say(self.real, || format!("-- {fault:?}"));
        let (real, pace, primary) = (self.real, self.scene.pace, self.databases.len() - 1);
        match fault {
            Fault::Pause(node, span) => self.pause(node, span),
            Fault::Kill(node) => {
                self.nodes[node].alive = false;
                let wait = self.random.below(8 * pace);
                self.soon(wait, Fault::Start(node));
            }
            Fault::Start(node) => self.restart(node),
            Fault::Cut(node, span) => self.nodes[node].machine.cut_until = real + span,
            Fault::Alone(node, span) => self.nodes[node].machine.alone_until = real + span,
            Fault::Deaf(node, span) => self.nodes[node].machine.deaf_until = real + span,
            Fault::DiskSlow(span) => self.databases[primary].slow_until = real + span,
            Fault::HintsGone(span) => self.hintless_until = real + span,
            Fault::Twin(node) => self.double(node),
            Fault::SetClock(node, off) => {
                self.nodes[node].machine.clock.set_wall(real, off);
                if off != 0 {
                    let wait = pace + self.random.below(10 * pace);
                    self.soon(wait, Fault::SetClock(node, 0));
                }
            }
            Fault::DatabaseDown(span) => {
                self.databases[primary].up = false;
                self.soon(span, Fault::DatabaseUp(primary));
            }
            // An old primary is shut down for good.
            Fault::DatabaseUp(database) => self.databases[database].up = database == primary,
            Fault::DiskFull(span) => {
                self.databases[primary].full = true;
                self.soon(span, Fault::DiskFree(primary));
            }
            Fault::DiskFree(database) => self.databases[database].full = false,
            Fault::StandbyCut(span) => {
                self.databases[primary].cut_since.get_or_insert(real);
                self.soon(span, Fault::StandbyBack(primary));
            }
            Fault::StandbyBack(database) => {
                // The standby of an old primary is a primary itself now.
                if database == primary {
                    self.databases[database].cut_since = None;
                }
            }
            Fault::StandbyNew(database) => self.databases[database].attach_standby(),
            Fault::FailOver(span) => self.fail_over(span),
            Fault::Reconnect(node) => self.nodes[node].machine.database = primary,
            Fault::Drain(node) => {
                self.order(node, Input::Drain);
                let wait = self.random.below(20 * pace);
                self.soon(wait, Fault::Resume(node));
            }
            Fault::Resume(node) => self.order(node, Input::Resume),
            Fault::Leave(node) => self.leave_for_good(node),
            Fault::Remove(node) => {
                let id = self.nodes[node].me.id.clone();
                self.databases[primary].mark(&id, NodeState::Removed);
                self.soon(pace, Fault::Join);
            }
            Fault::Join => drop(self.join()),
        }
    }

    /// The process is stopped, or its machine sleeps.
    fn pause(&mut self, node: usize, span: u64) {
        let it = &mut self.nodes[node];
        if it.paused_until > self.real {
            return;
        }
        it.paused_until = self.real + span;
        if self.mutation == Some(Mutation::SleepingClock) {
            it.machine.clock.sleep(span);
        }
    }

    fn double(&mut self, node: usize) {
        if self.nodes[node].twin_of.is_none() {
            let clock = Clock::new(0, UPTIME);
            let id = self.nodes[node].me.id.clone();
            let twin = self.boot(id.as_str(), Machine::new(clock, 0));
            self.nodes[twin].twin_of = Some(node);
        }
    }

    fn order(&mut self, node: usize, input: Input) {
        if self.nodes[node].alive {
            self.later(node, 0, super::Local::Input(input));
        }
    }

    fn restart(&mut self, node: usize) {
        let id = self.nodes[node].me.id.clone();
        let newest = self.nodes.iter().rposition(|other| other.me.id == id);
        if newest == Some(node) && !self.nodes[node].alive {
            let machine = self.nodes[node].machine;
            let next = self.boot(id.as_str(), machine);
            self.nodes[next].twin_of = self.nodes[node].twin_of;
        }
    }

    /// A node leaves for good, if others stay; one of a new name comes later.
    fn leave_for_good(&mut self, node: usize) {
        if self.living().len() > 2 {
            self.order(node, Input::Leave);
            let wait = self.random.below(10 * self.scene.pace);
            self.soon(wait, Fault::Join);
        }
    }

    fn fail_over(&mut self, span: u64) {
        let (old, pace) = (self.databases.len() - 1, self.scene.pace);
        // Where commits do not wait for the standby, an old primary that lives on grants claims beside the new one, and
        // nodes that see only the one know nothing of the other: it must not live for as long as a lease takes to lapse.
        let span = match self.scene.standby {
            Standby::Async => span.min(self.scene.timing.tenure().as_nanos() as u64 / 2),
            Standby::None | Standby::Sync => span,
        };
        let behind = self.databases[old].behind();
        let Some(new) = self.databases[old].promote(self.real) else {
            return;
        };
        self.tally.failovers += 1;
        self.trace.say(self.real, || {
            format!("timeline {}: {behind} changes are lost", new.timeline)
        });
        self.databases[old].up &= span > 0;
        self.databases.push(new);
        self.queue
            .put(self.real + span, Event::Fault(Fault::DatabaseUp(old)));
        for node in self.living() {
            let stays = if span > 0 && self.random.chance(500) {
                span
            } else {
                pace
            };
            let wait = self.random.below(stays) + MILLI;
            self.soon(wait, Fault::Reconnect(node));
        }
        let wait = self.random.between(2 * pace, 15 * pace);
        self.soon(wait, Fault::StandbyNew(old + 1));
    }
}
