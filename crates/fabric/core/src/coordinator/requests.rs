//! Which requests are under way, and when the next ones are due.

use super::life::Life;
use super::{Action, Coordinator, life_key};
use crate::port::{Enrolment, NodeState};
use purlin_types::BootTime;

/// One kind of request: at most one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Request {
    sent: Option<BootTime>,
    due: BootTime,
}

impl Request {
    /// Marks it as sent if it is due and none is under way. One without an answer for `patience` nanoseconds is given
    /// up; the caller of the coordinator should have answered it long before.
    pub(super) fn start(&mut self, now: BootTime, patience: BootTime) -> bool {
        let waiting = self
            .sent
            .is_some_and(|sent| now.0 < sent.0.saturating_add(patience.0));
        if waiting || now < self.due {
            return false;
        }
        self.sent = Some(now);
        true
    }

    /// It was answered; the next one is due then.
    pub(super) const fn done(&mut self, due: BootTime) {
        self.sent = None;
        self.due = due;
    }

    /// The next one is due at the latest then.
    pub(super) fn hasten(&mut self, due: BootTime) {
        self.due = self.due.min(due);
    }

    /// When time alone would start one.
    pub(super) fn next(&self) -> BootTime {
        if self.sent.is_some() {
            BootTime::MAX
        } else {
            self.due
        }
    }
}

/// All kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Requests {
    pub(super) enrol: Request,
    pub(super) renew: Request,
    pub(super) view: Request,
    pub(super) claim: Request,
    pub(super) release: Request,
    pub(super) settle: Request,
    pub(super) advance: Request,
    pub(super) publish: Request,
}

impl Requests {
    /// When a renewal (once enrolled) or a look is due; the others follow from answers and are retried with these.
    pub(super) fn next(&self, enrolled: bool) -> BootTime {
        let renew = if enrolled {
            self.renew.next()
        } else {
            BootTime::MAX
        };
        renew.min(self.view.next())
    }
}

impl Coordinator {
    /// Asks for what is due.
    pub(super) fn request(&mut self, now: BootTime, out: &mut Vec<Action>) {
        let patience = BootTime(u64::try_from(self.timing.ttl.as_nanos()).unwrap_or(u64::MAX));
        if let Some(state) = self.life.state() {
            if self.requests.renew.start(now, patience) {
                out.push(Action::Renew);
            }
            self.advance(now, patience, state, out);
        } else {
            self.enrol(now, patience, out);
        }
        if self.may_claim(now) && self.has_wishes() && self.requests.claim.start(now, patience) {
            let wishes = self.next_wishes();
            out.push(Action::Claim(wishes));
        }
        if self.has_releases() && self.requests.release.start(now, patience) {
            let held = self.next_release();
            out.push(Action::Release(held));
        }
        self.settle(now, patience, out);
        if self.leading.has_pending() && self.requests.publish.start(now, patience) {
            self.next_plan(out);
        }
        if self.requests.view.start(now, patience) {
            out.push(Action::View);
        }
    }

    fn settle(&mut self, now: BootTime, patience: BootTime, out: &mut Vec<Action>) {
        if self.table.next_settle() > now
            || !self.lease.holds(now)
            || !self.requests.settle.start(now, patience)
        {
            return;
        }
        let held = self.next_settled(now);
        if held.is_empty() {
            self.requests.settle.done(now);
        } else {
            out.push(Action::Settle(held));
        }
    }

    /// Enrols once nobody lives under this node's id.
    fn enrol(&mut self, now: BootTime, patience: BootTime, out: &mut Vec<Action>) {
        let replaces = match self.life {
            Life::Looking if self.roster.timeline.is_some() => None,
            Life::Watching { other, seq, .. } if self.is_lapsed(&life_key(&self.me.id, other)) => {
                Some((other, seq))
            }
            _ => return,
        };
        if self.requests.enrol.start(now, patience) {
            out.push(Action::Enrol(Enrolment {
                id: self.me.id.clone(),
                incarnation: self.me.incarnation,
                facts: self.facts.clone(),
                replaces,
            }));
        }
    }

    /// Moves on in life: active as soon as the lease holds, draining when asked to or when the clock is off, removed
    /// when everything is given away.
    fn advance(&mut self, now: BootTime, patience: BootTime, from: NodeState, out: &mut Vec<Action>) {
        let empty = self.table.occupied() == 0 && !self.has_releases() && self.leading.epoch().is_none();
        let to = match () {
            () if self.leaving && empty => NodeState::Removed,
            () if self.gives_all_away() => NodeState::Draining,
            () => NodeState::Active,
        };
        if to != from && self.lease.holds(now) && self.requests.advance.start(now, patience) {
            self.advancing = Some(to);
            out.push(Action::Advance { from, to });
        }
    }
}
