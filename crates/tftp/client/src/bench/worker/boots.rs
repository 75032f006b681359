//! A boot from its first request to its last.

use super::super::meters::Stretch;
use super::super::ports::Place;
use super::super::profile::Aim;
use super::super::slots::Machine;
use super::Worker;
use purlin_load::{Due, Schedule};
use purlin_tftp_proto::ErrorCode;

/// Boots started before looking at the sockets again.
const STARTS_MAX: u32 = 32;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Probed,
    Missed,
    Refused,
    TimedOut,
    TooSlow,
    Wrong,
    Unfinished,
}

impl Worker<'_> {
    /// Starts what is due; returns when to look again, `None` when the phase starts nothing more.
    pub(super) fn start_due(&mut self, schedule: &mut Schedule) -> Option<u64> {
        for _ in 0..STARTS_MAX {
            match schedule.due(self.now_ns, self.slots.in_flight()) {
                Due::Over => return None,
                Due::At(at_ns) => return Some(at_ns),
                Due::WhenOneEnds => return Some(u64::MAX),
                Due::Now { intended_ns } => {
                    if self.slots.in_flight() >= self.boots_max {
                        if !schedule.is_open() {
                            return Some(u64::MAX);
                        }
                        self.meters.shed += 1;
                        schedule.started();
                        continue;
                    }
                    schedule.started();
                    self.start(intended_ns);
                }
            }
        }
        Some(self.now_ns)
    }

    fn start(&mut self, intended_ns: u64) {
        let number = self.dice.below(self.mix.weights());
        let profile = self.mix.pick(number) as u16;
        let index = self.slots.begin();
        let files = self.files.len() as u64;
        let slot = self.slots.get(index);
        slot.boot = self.boots;
        slot.profile = profile;
        slot.step = 0;
        slot.file = ((self.boots + u64::from(self.index)) % files) as u32;
        slot.boot_ns = intended_ns;
        self.boots += 1;
        self.meters.boots_started += 1;
        self.request(index, intended_ns);
    }

    /// Begins the slot's current step from a fresh port.
    fn request(&mut self, index: u32, intended_ns: u64) {
        self.meters.transfers.started += 1;
        let turn = self.slots.look(index).turn;
        let place = self.ports.take(index, turn);
        let (server, limit_ns) = (self.server, self.now_ns.saturating_add(self.limit_ns));
        let slot = self.slots.get(index);
        slot.machine = Machine::Asked;
        slot.peer = server;
        slot.settled = false;
        slot.attempts = 0;
        slot.served = false;
        slot.step_ns = intended_ns;
        slot.limit_ns = limit_ns;
        match place {
            Ok(place) => {
                slot.place = place;
                self.ask(index);
            }
            Err(error) => {
                self.meters.error(0, format!("(this side) no port: {error}"));
                self.finish(index, Outcome::Unfinished);
            }
        }
    }

    /// Ends the request; a boot goes on with its next step.
    pub(super) fn finish(&mut self, index: u32, outcome: Outcome) {
        let took = self.now_ns.saturating_sub(self.slots.look(index).step_ns);
        let count = &mut self.meters.transfers;
        let (counter, stretch) = match outcome {
            Outcome::Done => (&mut count.done, Some(Stretch::Transfer)),
            Outcome::Probed => (&mut count.probed, Some(Stretch::Probe)),
            Outcome::Missed => (&mut count.missed, Some(Stretch::Miss)),
            Outcome::Refused => (&mut count.refused, None),
            Outcome::TimedOut => (&mut count.timed_out, None),
            Outcome::TooSlow => (&mut count.too_slow, None),
            Outcome::Wrong => (&mut count.wrong, None),
            Outcome::Unfinished => (&mut count.unfinished, None),
        };
        *counter += 1;
        let found = outcome == Outcome::Done && matches!(self.aim(index), Aim::Config(_));
        if let Some(stretch) = stretch {
            self.meters.took(stretch, took);
        }
        self.meters.last_ns = self.now_ns;
        let slot = self.slots.get(index);
        let place = std::mem::replace(&mut slot.place, Place::None);
        slot.turn = slot.turn.wrapping_add(1) & 0x7fff_ffff;
        let steps = &self.profiles[usize::from(slot.profile)].1;
        slot.step += 1;
        while found && matches!(steps[usize::from(slot.step)].aim, Aim::Config(_)) {
            slot.step += 1;
        }
        let more = usize::from(slot.step) < steps.len();
        let boot_ns = slot.boot_ns;
        self.ports.give_back(place);
        match (stretch, more) {
            (Some(_), true) => return self.request(index, self.now_ns),
            (Some(_), false) => {
                self.meters.boots_done += 1;
                self.meters
                    .took(Stretch::Boot, self.now_ns.saturating_sub(boot_ns));
            }
            (None, _) => self.meters.boots_failed += u64::from(outcome != Outcome::Unfinished),
        }
        self.slots.end(index);
    }

    /// The phase is over: servers are told, so that they do not go on alone.
    pub(super) fn break_off(&mut self) {
        for index in self.slots.busy() {
            self.tell_server(index, ErrorCode::Undefined, "the load ended");
            self.finish_for_good(index);
        }
        self.ports.flush();
    }

    fn finish_for_good(&mut self, index: u32) {
        self.finish(index, Outcome::Unfinished);
    }
}
