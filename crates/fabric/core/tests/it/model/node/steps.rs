//! What each step does to the world.

use super::super::scene::{Mutation, Scene};
use super::super::store::{Rows, Term};
use super::super::{State, Step};
use super::{Binding, Grant, Held, Renewal, Write, at};
use purlin_fabric::right::Right;

impl Scene {
    /// R1: no more than MCLT beyond what is recorded; beyond now where a record may be lost.
    pub(super) fn renewal(&self, binding: &Binding, now: u8) -> u8 {
        let base = if self.lossy { now } else { binding.pot.max(now) };
        let full = now + self.lease;
        if self.lacks(Mutation::UnboundedRenewal) {
            full
        } else {
            full.min(base + self.mclt)
        }
    }

    /// R2: unrecorded.
    pub(super) fn first(&self, now: u8) -> u8 {
        now + self.lease.min(self.mclt)
    }

    pub(super) fn durable_lease(&self) -> u8 {
        if self.lossy {
            self.lease.min(self.mclt)
        } else {
            self.lease
        }
    }

    /// R3: from when on another client may have the address.
    pub(super) fn reassign_from(&self, held: &Held, binding: &Binding) -> u8 {
        if !binding.inherited {
            return binding.promised;
        }
        let base = match self.mutation {
            Some(Mutation::NoMcltOnReassigning) => return binding.pot.max(binding.promised),
            Some(Mutation::NoTakeoverFloor) => binding.pot,
            _ => binding.pot.max(held.takeover),
        };
        (base + self.mclt).max(binding.promised)
    }

    /// Lets `step` happen; `None` when it cannot.
    pub(crate) fn apply(&self, state: &mut State, step: Step) -> Option<()> {
        let time = state.time;
        match step {
            Step::Tick => {
                state.time += 1;
                for node in &mut state.nodes {
                    node.lapse(self, time + 1);
                    node.forget(self, time + 1);
                }
                state
                    .clients
                    .iter_mut()
                    .filter(|until| **until <= time + 1)
                    .for_each(|until| *until = 0);
            }
            Step::Renewal(n) => self.renew(state, n)?,
            Step::RenewalAnswered(n) => self.renewed(state, n)?,
            Step::Look(n) => state.nodes[n].look(self, n, time, &state.store),
            Step::Claim(n) => self.claim(state, n)?,
            Step::Granted(n) => {
                state.nodes[n].grant?;
                state.nodes[n].granted(self, time, &state.store);
                let held = state.nodes[n].held.filter(|_| state.nodes[n].decides(self, time));
                let Some(held) = held else { return Some(()) };
                state.epoch_fell |= held.term < state.newest;
                state.newest = state.newest.max(held.term);
            }
            Step::Release(n) => self.release(state, n)?,
            Step::Settle(n) => self.settle(state, n)?,
            Step::Window(n) => {
                let held = state.nodes[n].held.filter(|held| self.lead && !held.window)?;
                self.fenced(&state.store, n, held.term).then_some(())?;
                state.store.window = true;
                state.nodes[n].held = Some(Held { window: true, ..held });
            }
            Step::Request(n, client) => {
                let served = state.nodes[n].serve(self, time, client as u8);
                state.newcomer &= served.is_none() && state.nodes[n].write.is_none();
                if let Some(end) = served {
                    state.clients[client] = state.clients[client].max(end);
                }
            }
            Step::Flush(n) => state.nodes[n].flush(self, time)?,
            Step::Write(n) => self.write(state, n)?,
            Step::Written(n) => {
                if let Some((client, end)) = state.nodes[n].written(self, time) {
                    let until = &mut state.clients[usize::from(client)];
                    *until = end.max(*until);
                }
            }
            Step::Replicate => state.standby = Some(Box::new(state.store)),
            Step::FailOver => {
                if state.store.timeline > 1 {
                    return None;
                }
                state.store = Rows {
                    timeline: 2,
                    ..**state.standby.as_ref()?
                };
                state.standby = None;
            }
        }
        Some(())
    }

    /// R7.
    fn fenced(&self, rows: &Rows, n: usize, term: Term) -> bool {
        let current = !self.lossy || term.0 == rows.timeline;
        rows.owner == Some(n as u8) && rows.term == term && current
    }

    fn claim(&self, state: &mut State, n: usize) -> Option<()> {
        let (seen, right) = state.nodes[n].wish(self, n, state.time)?;
        let rows = &mut state.store;
        if (rows.term, rows.step) != (seen.term, seen.step) {
            return None;
        }
        if rows.term.1 >= self.terms {
            return None;
        }
        let force = right == Right::ByForce;
        let before = rows.suspect && !self.lacks(Mutation::QuarantineNotDurable);
        rows.term = (rows.timeline, rows.term.1 + 1);
        (rows.step, rows.owner, rows.suspect) = (0, Some(n as u8), before || force);
        let (term, suspect) = (rows.term, rows.suspect);
        let foreseen = seen.timeline == rows.timeline;
        state.nodes[n].grant = Some(Grant {
            asked: state.time,
            term,
            suspect,
            foreseen,
        });
        Some(())
    }

    /// In order: everything is written, the window is given back.
    fn release(&self, state: &mut State, n: usize) -> Option<()> {
        let node = &state.nodes[n];
        let held = node.held.filter(|_| self.releases && node.write.is_none())?;
        if held.binding.is_some_and(|binding| binding.dirty) || !self.fenced(&state.store, n, held.term) {
            return None;
        }
        (state.store.owner, state.store.step) = (None, state.store.step + 1);
        state.store.window &= state.store.suspect;
        state.nodes[n].held = None;
        Some(())
    }

    fn settle(&self, state: &mut State, n: usize) -> Option<()> {
        let time = state.time;
        let held = state.nodes[n]
            .held
            .filter(|held| held.suspect && time >= held.quarantine)?;
        self.fenced(&state.store, n, held.term).then_some(())?;
        (state.store.suspect, state.store.step) = (false, state.store.step + 1);
        state.nodes[n].held = Some(Held {
            suspect: false,
            ..held
        });
        Some(())
    }

    fn write(&self, state: &mut State, n: usize) -> Option<()> {
        let write = state.nodes[n].write.filter(|write| write.outcome.is_none())?;
        let done = self.lacks(Mutation::NoFence) || self.fenced(&state.store, n, write.row.term);
        if done {
            state.store.lease = Some(write.row);
        }
        state.nodes[n].write = Some(Write {
            outcome: Some(done),
            ..write
        });
        Some(())
    }

    fn renew(&self, state: &mut State, n: usize) -> Option<()> {
        let time = state.time;
        let node = &mut state.nodes[n];
        if node.renewal.is_some() || node.renewed == Some(time) {
            return None;
        }
        node.renewed = Some(time);
        node.renewal = Some(Renewal {
            asked: time,
            timeline: state.store.timeline,
        });
        state.store.seqs[n] += 1;
        Some(())
    }

    fn renewed(&self, state: &mut State, n: usize) -> Option<()> {
        let time = state.time;
        let node = &mut state.nodes[n];
        let Renewal { asked, timeline } = node.renewal.take()?;
        if node.believe(self, timeline) {
            let asked = if self.lacks(Mutation::CountedFromAnswer) {
                time
            } else {
                asked
            };
            node.lease.renewed(&self.timing(), at(asked), at(time));
        }
        Some(())
    }
}
