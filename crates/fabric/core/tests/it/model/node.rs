//! A node of the model, and what each step does to it.

mod steps;

use super::NODES;
use super::scene::{Mutation, Scene};
use super::store::{Lease as Row, Rows, Term};
use purlin_fabric::lease::Lease;
use purlin_fabric::observe::{Look, Observer};
use purlin_fabric::right::{Holder, Right, right};
use purlin_types::BootTime;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    lease: Lease,
    observer: Observer<u8>,
    timeline: u8,
    /// Claims of an older timeline hold until here, in half ticks (0: there are none).
    frozen: u8,
    renewed: Option<u8>,
    renewal: Option<Renewal>,
    seen: Option<Seen>,
    grant: Option<Grant>,
    held: Option<Held>,
    write: Option<Write>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Renewal {
    asked: u8,
    /// The timeline that it was committed on.
    timeline: u8,
}

/// What a look showed of the claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Seen {
    timeline: u8,
    term: Term,
    step: u8,
    owner: Option<u8>,
}

/// A claim that the store granted and the node has not heard of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Grant {
    asked: u8,
    term: Term,
    suspect: bool,
    /// It was asked for after a look at the history that it was granted on.
    foreseen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) term: Term,
    takeover: u8,
    /// Unrecorded addresses are given away from then on.
    quarantine: u8,
    suspect: bool,
    window: bool,
    binding: Option<Binding>,
}

/// What the node knows of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Binding {
    client: u8,
    /// The record's, 0 when there is none.
    pot: u8,
    /// The end of what this node itself has promised.
    promised: u8,
    inherited: bool,
    dirty: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Write {
    row: Row,
    /// The client is told when it is written.
    tell: bool,
    /// Whether the store took it.
    outcome: Option<bool>,
}

fn at(tick: u8) -> BootTime {
    BootTime(u64::from(tick) * 2)
}

impl Held {
    pub(crate) fn first(row: Option<Row>) -> Self {
        let binding = row.map(|row| Binding {
            promised: row.pot,
            inherited: false,
            ..Binding::of(row)
        });
        Self {
            term: (1, 1),
            takeover: 0,
            quarantine: 0,
            suspect: false,
            window: false,
            binding,
        }
    }
}

impl Binding {
    fn of(row: Row) -> Self {
        Self {
            client: row.client,
            pot: row.pot,
            promised: 0,
            inherited: true,
            dirty: false,
        }
    }
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            lease: Lease::default(),
            observer: Observer::default(),
            timeline: 1,
            frozen: 0,
            renewed: None,
            renewal: None,
            seen: None,
            grant: None,
            held: None,
            write: None,
        }
    }

    pub(crate) fn hold(&mut self, held: Held) {
        self.held = Some(held);
    }

    /// Every node has just renewed and looked.
    pub(crate) fn start(&mut self, scene: &Scene, n: usize, rows: &Rows) {
        self.lease.renewed(&scene.timing(), at(0), at(0));
        self.renewed = Some(0);
        self.look(scene, n, 0, rows);
    }

    /// Whether the node may decide about the address (rule R0).
    pub(crate) fn decides(&self, scene: &Scene, time: u8) -> bool {
        let Some(held) = self.held else { return false };
        scene.lacks(Mutation::NoTimeLease)
            || (self.lease.holds(at(time))
                && (!self.doomed(scene, held.term) || at(time).0 < self.frozen.into()))
    }

    fn doomed(&self, scene: &Scene, term: Term) -> bool {
        scene.lossy && term.0 < self.timeline
    }

    /// What was held when the lease ended is lost.
    fn lapse(&mut self, scene: &Scene, time: u8) {
        let kept = scene.lacks(Mutation::LateRenewalRevives) || scene.lacks(Mutation::NoTimeLease);
        if !kept && !self.decides(scene, time) {
            self.held = None;
        }
    }

    /// What makes no difference from now on is made the same: it saves states.
    fn forget(&mut self, scene: &Scene, time: u8) {
        let useless = |grant: &Grant| !self.lease.covers(at(grant.asked), at(time));
        if !scene.lacks(Mutation::LateGrantHeld) && self.grant.as_ref().is_some_and(useless) {
            self.grant = None;
        }
        if let Some(held) = &mut self.held {
            held.quarantine = if held.quarantine <= time {
                0
            } else {
                held.quarantine
            };
            if let Some(binding) = &mut held.binding
                && binding.promised <= time
            {
                binding.promised = 0;
            }
        }
        if self.held.is_none() && self.write.is_some_and(|write| write.outcome.is_some()) {
            self.write = None;
        }
        if u64::from(self.frozen) <= at(time).0 {
            self.frozen = 0;
        }
    }

    /// An answer shows the store's history.
    fn believe(&mut self, scene: &Scene, timeline: u8) -> bool {
        if timeline > self.timeline {
            self.timeline = timeline;
            if scene.lossy {
                self.frozen = u8::try_from(self.lease.until().0).unwrap_or(u8::MAX);
            }
        }
        timeline == self.timeline
    }

    fn look(&mut self, scene: &Scene, me: usize, time: u8, rows: &Rows) {
        if !self.believe(scene, rows.timeline) {
            return;
        }
        let lives = (0..NODES)
            .filter(|&n| n != me)
            .map(|n| (n as u8, Some(u64::from(rows.seqs[n]))));
        let kept = scene.lacks(Mutation::WatchNotRestarted) || scene.lacks(Mutation::FreeTakenAtOnce);
        let timeline = if kept { 1 } else { rows.timeline };
        let look = self
            .observer
            .look(&scene.timing(), (at(time), at(time)), timeline.into(), lives);
        if scene.lacks(Mutation::FreeTakenAtOnce)
            && self.seen.is_some_and(|seen| seen.timeline < rows.timeline)
        {
            // Only the wait for free claims is left out: the watches start anew.
            self.observer = Observer::default();
            let lives = (0..NODES)
                .filter(|&n| n != me)
                .map(|n| (n as u8, Some(u64::from(rows.seqs[n]))));
            self.observer
                .look(&scene.timing(), (at(time), at(time)), 1, lives);
        }
        if matches!(look, Look::Fresh | Look::NewTimeline { .. }) {
            let Rows {
                timeline,
                term,
                step,
                owner,
                ..
            } = *rows;
            self.seen = Some(Seen {
                timeline,
                term,
                step,
                owner,
            });
        }
        let taken =
            |held: &Held| rows.term > held.term || (rows.owner != Some(me as u8) && rows.term == held.term);
        if self.held.as_ref().is_some_and(taken) && !scene.lacks(Mutation::NoTimeLease) {
            self.held = None;
        }
    }

    /// The claim that may be asked for.
    fn wish(&self, scene: &Scene, me: usize, time: u8) -> Option<(Seen, Right)> {
        let seen = self.seen?;
        let holder = match (self.held, seen.owner) {
            (Some(held), _) if self.doomed(scene, held.term) => Holder::MyselfStill,
            (Some(_), _) => return None,
            (None, None) => Holder::Nobody,
            (None, Some(owner)) if usize::from(owner) == me => Holder::Myself { flushed: false },
            (None, Some(owner)) => Holder::Other {
                lapsed: self.observer.lapsed(&owner),
            },
        };
        let doomed = scene.lossy && seen.term.0 < self.timeline;
        let settled = self.observer.settled();
        let right = right(
            holder,
            settled,
            doomed && !scene.lacks(Mutation::NoQuarantineAfterFailover),
        )?;
        let right = if doomed && scene.lacks(Mutation::NoQuarantineAfterFailover) {
            Right::InOrder
        } else {
            right
        };
        (self.grant.is_none() && self.lease.holds(at(time))).then_some((seen, right))
    }

    fn granted(&mut self, scene: &Scene, time: u8, rows: &Rows) {
        let Some(grant) = self.grant.take() else { return };
        let covered = self.lease.covers(at(grant.asked), at(time));
        let covered = covered || scene.lacks(Mutation::LateGrantHeld);
        let foreseen = grant.foreseen || scene.lacks(Mutation::GrantFromAnotherHistory);
        if !covered
            || !foreseen
            || self.doomed(scene, grant.term)
            || self.held.is_some_and(|held| held.term >= grant.term)
        {
            return;
        }
        // A window may be lost with a failover like any record: then all that is unrecorded is in doubt.
        let wait = grant.suspect && (rows.window || scene.lossy) && !scene.lacks(Mutation::NoQuarantine);
        self.held = Some(Held {
            term: grant.term,
            takeover: time,
            quarantine: if wait { time + scene.mclt } else { 0 },
            suspect: grant.suspect,
            window: rows.window,
            binding: rows.lease.map(Binding::of),
        });
    }

    /// What a client's request leads to: a promise until then, or a write first.
    fn serve(&mut self, scene: &Scene, time: u8, client: u8) -> Option<u8> {
        let mut held = self.held?;
        if !self.decides(scene, time) || self.write.is_some_and(|write| write.tell) {
            return None;
        }
        let end = match held.binding {
            Some(binding) if binding.client == client => scene.renewal(&binding, time),
            Some(binding) => {
                if time < scene.reassign_from(&held, &binding) {
                    return None;
                }
                if !scene.lacks(Mutation::LazyReassign) {
                    self.write_first(scene, time, client, held.term);
                    return None;
                }
                scene.first(time)
            }
            None if time < held.quarantine => return None,
            None if scene.durable => {
                self.write_first(scene, time, client, held.term);
                return None;
            }
            None if held.window || scene.lacks(Mutation::NoWindow) => scene.first(time),
            None => return None,
        };
        let old = held.binding.filter(|binding| binding.client == client);
        held.binding = Some(Binding {
            client,
            pot: old.map_or(0, |old| old.pot),
            promised: old.map_or(end, |old| old.promised.max(end)),
            inherited: old.is_some_and(|old| old.inherited),
            dirty: true,
        });
        self.held = Some(held);
        Some(end)
    }

    fn write_first(&mut self, scene: &Scene, time: u8, client: u8, term: Term) {
        if self.write.is_none() {
            let row = Row {
                client,
                pot: time + scene.durable_lease(),
                term,
            };
            self.write = Some(Write {
                row,
                tell: true,
                outcome: None,
            });
        }
    }

    fn flush(&mut self, scene: &Scene, time: u8) -> Option<()> {
        let binding = self.held?.binding.filter(|binding| binding.dirty)?;
        let row = Row {
            client: binding.client,
            pot: time + scene.durable_lease(),
            term: self.held?.term,
        };
        if self.write.is_some() {
            return None;
        }
        self.write = Some(Write {
            row,
            tell: false,
            outcome: None,
        });
        Some(())
    }

    /// The answer to a write: a promise to whom it was made for.
    fn written(&mut self, scene: &Scene, time: u8) -> Option<(u8, u8)> {
        let Write {
            row,
            tell,
            outcome: Some(done),
        } = self.write.take()?
        else {
            return None;
        };
        let held = self.held.as_mut().filter(|held| held.term == row.term)?;
        if !done {
            self.held = None;
            return None;
        }
        if !tell {
            let binding = held
                .binding
                .as_mut()
                .filter(|binding| binding.client == row.client)?;
            (binding.pot, binding.dirty) = (row.pot, false);
            return None;
        }
        let binding = Binding {
            client: row.client,
            pot: row.pot,
            promised: row.pot,
            inherited: false,
            dirty: false,
        };
        held.binding = Some(binding);
        self.decides(scene, time).then_some((row.client, row.pot))
    }
}
