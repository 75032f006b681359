//! What goes wrong, and what operators do meanwhile.

use super::{Event, UPTIME, World};
use crate::clock::{Clock, MILLI, SECOND};
use crate::database::Standby;
use crate::mutation::Mutation;
use crate::node::{Machine, Step, Way};
use crate::scene::Mix;
use purlin_fabric::Input;
use purlin_fabric::port::NodeState;

/// Something that begins or ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The process is stopped, or its machine sleeps.
    Pause(usize, u64),
    /// Only the packet thread stands still; only everything else does.
    StallThread(usize, u64),
    StallFabric(usize, u64),
    /// The process is stopped for so long when it comes to that step.
    Trip(usize, Step, u64),
    Kill(usize),
    KillAll,
    Start(usize),
    Cut(usize, Way, u64),
    /// What one node sends to another is lost, not the other way round.
    CutLink(usize, usize, u64),
    SetClock(usize, i64),
    DatabaseDown(u64),
    DatabaseUp(usize),
    DiskFull(u64),
    DiskFree(usize),
    DiskSlow(u64),
    RedisGone(u64),
    RedisSplit(u64),
    /// It has forgotten everything.
    RedisFlushed,
    /// A replica leads that says again what was said; what was said meanwhile is lost.
    RedisFailsOver(u64, u64),
    /// Words out of nowhere.
    RedisBabbles,
    /// Somebody starts another node of that name.
    Twin(usize),
    StandbyCut(u64),
    /// It follows, and is late.
    StandbyLags(u64),
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
const KINDS: u64 = 32;

impl World {
    /// Draws the next fault, of the kinds that this run has.
    pub(super) fn next_fault(&mut self) {
        if self.calm {
            return;
        }
        let fault = match self.scene.mix {
            Mix::Any => {
                let kind = self.random.below(KINDS);
                let drawn = self.scene.kinds & (1 << kind) != 0;
                drawn.then(|| self.draw(kind)).flatten()
            }
            Mix::Clocks => self.mislead_a_clock(),
            Mix::Handovers => self.lose_a_handover(),
            Mix::News => self.lose_notes(),
        };
        if let Some(fault) = fault {
            self.strike(fault);
        }
        let most = match self.random.chance(self.scene.bursts) {
            true => self.scene.pace / 2,
            false => 2 * self.scene.fault_every,
        };
        let wait = self.random.between(MILLI, most);
        self.queue.put(self.real + wait, Event::NextFault);
    }

    fn draw(&mut self, kind: u64) -> Option<Fault> {
        let span = self.span();
        let living = self.living();
        if living.is_empty() {
            return Some(Fault::Join);
        }
        let node = *self.random.pick(&living);
        Some(match kind {
            0 => Fault::Pause(node, span),
            1 | 2 => Fault::Kill(node),
            3 => Fault::Cut(node, Way::Database, span),
            4 => Fault::Cut(node, Way::Peers, span),
            5 => Fault::SetClock(node, self.clock_error()),
            6 => Fault::DatabaseDown(span),
            7 => Fault::DiskFull(span),
            8 => Fault::StandbyCut(span),
            9 => Fault::FailOver(if self.random.chance(500) { span } else { 0 }),
            10 => Fault::Drain(node),
            11 => Fault::Leave(node),
            12 => Fault::Remove(node),
            13 => Fault::Cut(node, Way::In, span),
            14 => Fault::DiskSlow(span),
            15 => self.draw_redis(node, span),
            16 => Fault::Twin(node),
            17 if living.len() < 6 => Fault::Join,
            18 => Fault::StallFabric(node, self.long_span(span)),
            19 => Fault::StallThread(node, span),
            20 => self.draw_trip(node, span),
            21 => Fault::Cut(node, Way::Claims, span),
            22 => Fault::Cut(node, Way::Rows, span),
            23 => Fault::Cut(node, Way::Out, span),
            24 => Fault::CutLink(node, *self.random.pick(&living), span),
            25 => Fault::StandbyLags(span),
            26..=30 => return self.combine(node, span),
            31 if self.random.chance(200) => Fault::KillAll,
            _ => return None,
        })
    }

    /// Shorter than a lease, or longer than a takeover takes.
    fn span(&mut self) -> u64 {
        let ttl = self.scene.timing.ttl.as_nanos() as u64;
        let brief = self.random.below(ttl / 2) + MILLI;
        let long = self.random.below(3 * ttl) + ttl / 4;
        if self.random.chance(500) { brief } else { long }
    }

    /// Longer than a takeover with its quarantine, at times.
    fn long_span(&mut self, span: u64) -> u64 {
        let timing = &self.scene.timing;
        let takeover = (timing.patience() + timing.mclt).as_nanos() as u64;
        if self.random.chance(400) {
            takeover + 4 * span
        } else {
            span
        }
    }

    fn draw_redis(&mut self, node: usize, span: u64) -> Fault {
        match self.random.below(6) {
            0 => Fault::RedisGone(span),
            1 => Fault::RedisSplit(span),
            2 => Fault::RedisFlushed,
            3 => Fault::RedisFailsOver(span / 2, span),
            4 => Fault::RedisBabbles,
            _ => Fault::Cut(node, Way::Redis, span),
        }
    }

    fn draw_trip(&mut self, node: usize, span: u64) -> Fault {
        let steps = [
            Step::Check,
            Step::Send,
            Step::Claims,
            Step::Written,
            Step::Loaded,
            Step::Job,
        ];
        Fault::Trip(node, *self.random.pick(&steps), span)
    }

    /// Several at once that need each other to do harm: the first of them, the others come soon after.
    fn combine(&mut self, node: usize, span: u64) -> Option<Fault> {
        let (pace, patience) = (self.scene.pace, self.scene.timing.patience().as_nanos() as u64);
        let other = *self.random.pick(&self.living());
        let soon = self.random.below(pace) + MILLI;
        let late = self.random.below(span.max(pace)) + MILLI;
        Some(match self.random.below(10) {
            // What the standby does not have is lost, and who knew it is dead.
            0 => {
                self.soon(late, Fault::Kill(node));
                self.soon(late + soon, Fault::FailOver(0));
                Fault::StandbyLags(late + 2 * pace)
            }
            1 => {
                self.soon(late, Fault::FailOver(0));
                self.soon(late + soon / 4, Fault::Kill(node));
                Fault::StandbyCut(late + 2 * pace)
            }
            // A failover in the middle of a handover.
            2 => {
                let lives_on = if self.random.chance(300) { span } else { 0 };
                self.soon(soon / 2, Fault::FailOver(lives_on));
                Fault::Drain(node)
            }
            3 => {
                self.soon(soon, Fault::FailOver(0));
                self.soon(soon + soon / 4, Fault::Kill(other));
                Fault::Join
            }
            // A second takeover on the heels of the first.
            4 => {
                let then = patience + self.random.below(3 * pace);
                let next = if self.random.chance(500) {
                    Fault::Drain(other)
                } else {
                    Fault::Kill(other)
                };
                self.soon(then, next);
                Fault::Cut(node, Way::Database, patience + late)
            }
            // What was told and not written dies with who told it; and who takes over gives back what he took.
            5 | 6 => {
                self.soon(late, Fault::Kill(node));
                let then = late + patience + self.random.below(3 * pace);
                if self.random.chance(500) {
                    self.soon(then, Fault::Drain(other));
                }
                Fault::Cut(node, Way::Rows, late + pace)
            }
            // It goes on answering, and learns nothing, until others have taken over and given away what it has.
            7 | 8 => {
                let timing = &self.scene.timing;
                let takeover = (timing.patience() + timing.mclt).as_nanos() as u64;
                Fault::StallFabric(node, takeover + 4 * span)
            }
            // The owner writes what it has left while another takes its slots.
            _ => {
                let then = patience - self.random.below(pace).min(patience / 2);
                self.soon(then, Fault::DiskSlow(pace));
                Fault::Cut(node, Way::Claims, 2 * patience)
            }
        })
    }

    /// Of [`Mix::Clocks`]: a clock goes ahead or back by about a lease, and its node does not hear of it.
    fn mislead_a_clock(&mut self) -> Option<Fault> {
        let living = self.living();
        let node = *living.get(self.random.below(living.len().max(1) as u64) as usize)?;
        let tenure = self.scene.timing.tenure().as_nanos() as u64;
        let lease_ms = self.scene.lease.as_millis() as u64;
        let off = self.random.between(lease_ms / 4, 2 * lease_ms) as i64;
        let wait = self.random.below(SECOND / 2);
        let off = if self.random.chance(800) { off } else { -off };
        self.soon(wait, Fault::SetClock(node, off));
        Some(Fault::Cut(node, Way::Claims, tenure))
    }

    /// Of [`Mix::Handovers`]: the standby is behind, a node gives its slots away, and who has them cannot read their rows
    /// before the standby has taken over without all that; nor do its claims get through for a while.
    fn lose_a_handover(&mut self) -> Option<Fault> {
        let living = self.living();
        let node = *living.get(self.random.below(living.len().max(1) as u64) as usize)?;
        let pace = self.scene.pace;
        let drain = self.random.below(2 * pace) + pace / 2;
        let over = drain + self.random.between(pace / 4, pace);
        let tenure = self.scene.timing.tenure().as_nanos() as u64;
        if self.real + over + tenure > self.scene.trouble_until {
            return None;
        }
        for other in living {
            if other != node {
                self.soon(drain, Fault::Cut(other, Way::Rows, over - drain + pace));
                self.soon(over, Fault::Cut(other, Way::Claims, tenure));
            }
        }
        self.soon(drain, Fault::Drain(node));
        self.soon(over + MILLI, Fault::FailOver(0));
        Some(Fault::StandbyLags(over + pace))
    }

    /// Of [`Mix::News`]: the standby is behind for about as long as two changes take, and then the primary.
    fn lose_notes(&mut self) -> Option<Fault> {
        let behind = self.random.between(SECOND, 6 * SECOND);
        self.soon(behind, Fault::FailOver(0));
        Some(Fault::StandbyLags(behind + SECOND))
    }

    fn clock_error(&mut self) -> i64 {
        let bound = match self.random.below(8) {
            0 | 1 => 0,
            2 | 3 => 1500,
            4..7 => 60_000,
            _ => 100_000_000,
        };
        self.random.below(2 * bound + 1) as i64 - bound as i64
    }

    fn soon(&mut self, wait: u64, fault: Fault) {
        self.queue.put(self.real + wait, Event::Fault(fault));
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        self.tally.faults += 1;
        self.trace.say(self.real, || format!("-- {fault:?}"));
        self.strike_aside(fault);
        let (real, pace, primary) = (self.real, self.scene.pace, self.databases.len() - 1);
        // What waits in a process that is stopped waits no longer than trouble lasts.
        let end = self.scene.trouble_until;
        match fault {
            Fault::Pause(node, span) => self.pause(node, span),
            Fault::Kill(node) => {
                self.nodes[node].alive = false;
                self.count_unrecorded();
                let wait = self.random.below(8 * pace);
                self.soon(wait, Fault::Start(node));
            }
            Fault::Start(node) => self.restart(node),
            Fault::StallThread(node, span) => {
                let it = &mut self.nodes[node];
                it.thread_until = it.thread_until.max((real + span).min(end));
            }
            Fault::StallFabric(node, span) => {
                let it = &mut self.nodes[node];
                it.fabric_until = it.fabric_until.max((real + span).min(end));
            }
            Fault::Trip(node, step, span) => self.nodes[node].trip = Some((step, span)),
            Fault::KillAll => {
                for node in self.living() {
                    self.nodes[node].alive = false;
                    let wait = self.random.below(4 * pace);
                    self.soon(wait, Fault::Start(node));
                }
            }
            Fault::Cut(node, way, span) => self.nodes[node].machine.cut(way, real + span),
            Fault::CutLink(from, to, span) => drop(self.links.insert((from, to), real + span)),
            Fault::DiskSlow(span) => self.databases[primary].slow_until = real + span,
            Fault::RedisGone(span) => self.redis.leave_until(real + span),
            Fault::RedisSplit(span) => self.redis.split_until(real + span),
            Fault::RedisFlushed => self.redis.flush(),
            Fault::RedisFailsOver(gone, stale) => {
                self.redis.leave_until(real + gone);
                self.redis.stale_until(real + gone + stale);
            }
            Fault::RedisBabbles => self.babble(),
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
            Fault::StandbyLags(span) => self.databases[primary].lags_until = real + span,
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
            Fault::Remove(node) => self.remove(node),
            Fault::Join => drop(self.join()),
        }
    }

    /// The node is removed by force, and another comes for it.
    fn remove(&mut self, node: usize) {
        let id = self.nodes[node].me.id.clone();
        let primary = self.databases.len() - 1;
        self.databases[primary].mark(&id, NodeState::Removed);
        self.soon(self.scene.pace, Fault::Join);
    }

    /// The process is stopped, or its machine sleeps.
    fn pause(&mut self, node: usize, span: u64) {
        let it = &mut self.nodes[node];
        it.stop_until((self.real + span).min(self.scene.trouble_until));
        if self.mutation == Some(Mutation::SleepingClock) {
            it.machine.clock.sleep(span);
        }
    }

    /// Everybody is told to look, and told again.
    fn babble(&mut self) {
        for node in self.living() {
            for _ in 0..self.random.below(20) {
                let wait = self.random.below(4 * self.scene.pace);
                self.later(node, wait, super::Local::Input(Input::Hinted));
            }
        }
    }

    fn double(&mut self, node: usize) {
        let id = self.nodes[node].me.id.clone();
        let lives = self.nodes.iter().filter(|other| other.alive && other.me.id == id);
        if lives.count() == 1 {
            let clock = Clock::new(0, UPTIME);
            self.boot(id.as_str(), Machine::new(clock, 0));
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
            self.boot(id.as_str(), machine);
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
