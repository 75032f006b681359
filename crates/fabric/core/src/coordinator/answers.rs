//! What comes in, and what the answers to requests mean.

use super::life::Life;
use super::{Action, Coordinator, Denied, Input, life_key};
use crate::event::Event;
use crate::observe::after;
use crate::port::{NodeState, Refusal, Renewal};
use purlin_types::{BootTime, Incarnation, Now};

impl Coordinator {
    pub(super) fn take_in(&mut self, now: &Now, input: Input, out: &mut Vec<Action>) {
        match input {
            Input::Tick => {}
            Input::Enrolled { asked, outcome } => self.enrolled(now, asked, &outcome, out),
            Input::Renewed { asked, outcome } => self.renewed(now, asked, &outcome, out),
            Input::Viewed { asked, outcome } => self.viewed(now, asked, outcome, out),
            Input::Claimed {
                asked,
                wishes,
                outcome,
            } => {
                self.claimed(now.boot, asked, &wishes, outcome.ok().as_deref(), out);
            }
            Input::Released { held, outcome } => self.released(now.boot, &held, outcome.is_ok(), out),
            Input::Settled { held, outcome } => self.settled(now.boot, &held, outcome.is_ok()),
            Input::Advanced { to, outcome } => self.advanced(now.boot, to, &outcome),
            Input::Published { outcome, .. } => self.published(now.boot, outcome.is_ok()),
            Input::FenceLost { slots } => self.fence_lost(now.boot, &slots, out),
            Input::Flushed { slots, refused } => {
                self.fence_lost(now.boot, &refused, out);
                self.flushed(&slots);
            }
            Input::Hinted => self.requests.view.hasten(after(now.boot, self.timing.renew / 20)),
            Input::Replan(settings) => self.leading.replan(settings),
            Input::Drain => self.drain(now.boot, out),
            Input::Resume => self.resume(now.boot),
            Input::Leave => self.leave(now.boot, out),
        }
    }

    fn enrolled(
        &mut self,
        now: &Now,
        asked: BootTime,
        outcome: &Result<Renewal, Denied>,
        out: &mut Vec<Action>,
    ) {
        self.requests.enrol.done(self.soon(now.boot));
        self.requests.view.hasten(now.boot);
        if self.life.state().is_some() {
            return;
        }
        match outcome {
            Ok(renewal) if self.believe(now.boot, &renewal.probe, out) => {
                if let Some(other) = self.note_replaced() {
                    self.observer.bury(life_key(&self.me.id, other));
                }
                // No lease yet: the store may have enrolled it long ago, and contenders have watched it since.
                self.life = Life::Enrolled(renewal.state);
                self.enrolled = (now.boot, renewal.probe.timeline);
                self.compare_clocks(asked, now, &renewal.probe, out);
                self.requests.renew.hasten(now.boot);
            }
            Err(Denied::Refused(Refusal::DuplicateId { live })) => {
                let live = *live;
                self.life = Life::Watching {
                    other: live,
                    seq: 0,
                    renewed: true,
                };
                Self::tell(out, Event::DuplicateId { live });
            }
            Err(Denied::Refused(Refusal::Superseded)) => self.supersede(out),
            // Looked at anew: the store may have enrolled it all the same.
            Ok(_) | Err(_) => {}
        }
    }

    /// Whom this life, enrolled now, has replaced.
    pub(super) fn note_replaced(&mut self) -> Option<Incarnation> {
        let Life::Watching { other, .. } = self.life else {
            return None;
        };
        self.replaced = Some(other);
        self.replaced
    }

    /// A life that is not found may be over, or a failover may have lost its enrolment: a look tells.
    fn renewed(
        &mut self,
        now: &Now,
        asked: BootTime,
        outcome: &Result<Renewal, Denied>,
        out: &mut Vec<Action>,
    ) {
        self.requests.renew.done(self.soon(now.boot));
        match outcome {
            Ok(renewal) if self.believe(now.boot, &renewal.probe, out) => self.live(now, asked, renewal, out),
            Err(Denied::Refused(Refusal::Superseded)) => self.requests.view.hasten(now.boot),
            Ok(_) | Err(_) => {}
        }
    }

    /// The store has renewed this life's lease.
    fn live(&mut self, now: &Now, asked: BootTime, renewal: &Renewal, out: &mut Vec<Action>) {
        self.told_to_drain(asked, renewal.state);
        self.life = Life::Enrolled(renewal.state);
        self.enrolled.1 = renewal.probe.timeline;
        self.compare_clocks(asked, now, &renewal.probe, out);
        self.lease.renewed(&self.timing, asked, now.boot);
        self.requests.renew.done(after(asked, self.timing.renew));
    }

    /// Takes part again, and takes back an order that stands in the store and has not been seen here yet: the next word
    /// from there is none.
    fn resume(&mut self, now: BootTime) {
        self.draining = self.leaving;
        self.resumed = Some(now);
        self.requests.renew.hasten(now);
    }

    /// Somebody else moved this node to draining: an order. The first word of a history that may lack the end of the one
    /// before is none: it may be an order that was taken back in what is lost. Who gave one there gives it again.
    fn told_to_drain(&mut self, asked: BootTime, state: NodeState) {
        let was = self.life.state();
        let taken_back = self.resumed.is_some();
        self.resumed = self.resumed.filter(|&resumed| asked < resumed);
        let outdated = taken_back || self.enrolled.1 < self.lossy_below;
        let ordered = state == NodeState::Draining && self.advancing != Some(state) && !outdated;
        if ordered && was == Some(NodeState::Active) {
            self.draining = true;
            self.step_down();
        }
    }

    fn advanced(&mut self, now: BootTime, to: NodeState, outcome: &Result<(), Denied>) {
        self.requests.advance.done(self.soon(now));
        match outcome {
            Ok(()) if to == NodeState::Removed => {
                self.life = Life::Left;
                self.lay_down();
            }
            Ok(()) => {
                self.life = Life::Enrolled(to);
                self.requests.advance.done(now);
                self.requests.view.hasten(now);
            }
            // The next renewal tells the state.
            Err(_) => self.requests.renew.hasten(self.soon(now)),
        }
    }

    /// This life is over by the store's word.
    pub(super) fn supersede(&mut self, out: &mut Vec<Action>) {
        self.life = Life::Superseded;
        self.lay_down();
        Self::tell(out, Event::Superseded);
    }

    fn lay_down(&mut self) {
        self.leading.lose();
        for slot in self.table.select(|_| true) {
            self.table.set(slot, super::table::Mine::Not);
        }
        self.table.changed = true;
    }
}
