//! The fabric's task of a node (`fabric/runtime/src/drive.rs`) and its loader.

use super::{Event, Local, World};
use crate::clock::MILLI;
use crate::mutation::Mutation;
use crate::node::{Body, Continued, Job, Next};
use crate::world::statements::Question;
use purlin_fabric::{Action, Input};
use purlin_store::Standing;
use purlin_types::Slot;
use std::sync::Arc;

impl World {
    /// One step of a node's coordinator, and what it wants done.
    pub(super) fn drive(&mut self, node: usize, mut input: Input) {
        let mut now = self.nodes[node].machine.clock.now(self.real);
        self.misdate(&mut now, &mut input);
        let it = &mut self.nodes[node];
        let mut actions = Vec::new();
        it.coordinator.step(&now, input, &mut actions);
        for action in actions {
            self.perform(node, action);
        }
        let it = &mut self.nodes[node];
        // After the holdings, which an action has published.
        it.tenure = it.coordinator.tenure();
        let due = it.machine.clock.real(it.coordinator.next_deadline());
        let due = due.max(self.real + MILLI);
        if due < it.tick {
            it.tick = due;
            self.queue.put(due, Event::On(node, Local::Tick));
        }
        self.check.owners(self.real, &self.nodes, &self.slots);
    }

    fn perform(&mut self, node: usize, action: Action) {
        match action {
            Action::Holdings => {
                self.nodes[node].holdings = Arc::clone(self.nodes[node].coordinator.holdings());
                self.gave_away(node);
                let wait = self.random.between(10_000, MILLI);
                self.later(node, wait, Local::Load);
            }
            Action::Tell(event) => self.trace.say(self.real, || format!("node {node}: {event:?}")),
            Action::GiveUp(slots) => {
                self.trace
                    .say(self.real, || format!("node {node} gives up {slots:?}"));
                let holdings = self.nodes[node].coordinator.holdings();
                let term = |slot: Slot| (slot, holdings.epoch(slot).or_else(|| holdings.leaving(slot)));
                let terms = slots.into_iter().map(term).collect();
                let wait = self.random.between(10_000, MILLI);
                self.later(node, wait, Local::Job(Job::GiveUp(terms)));
            }
            action => {
                if let Action::Claim(wishes) = &action {
                    self.tally.takeovers += wishes.iter().filter(|wish| wish.by_force).count() as u64;
                }
                let asked = self.nodes[node].machine.clock.boot(self.real);
                self.state(node, Question::Claims { asked, action });
            }
        }
    }

    /// The loader looks at the newest holdings.
    pub(super) fn load(&mut self, node: usize) {
        if self.nodes[node].loader.busy {
            return;
        }
        self.remember(node);
        let it = &mut self.nodes[node];
        let continued = it.loader.turn_to(&it.holdings);
        if continued.is_empty() {
            self.load_others(node);
        } else {
            it.loader.busy = true;
            self.give(node, Job::GoOn(continued));
        }
    }

    /// The packet thread has gone on with slots that it held all the while.
    pub(super) fn gone_on(&mut self, node: usize, known: &[Continued]) {
        self.trace.say(self.real, || {
            let slots = known
                .iter()
                .map(|one| format!("{} under {}", one.slot, one.epoch));
            format!(
                "node {node} goes on with {}",
                slots.collect::<Vec<_>>().join("; ")
            )
        });
        self.went_on(node, known);
        self.nodes[node].loader.gone_on(known);
        self.load_others(node);
    }

    fn load_others(&mut self, node: usize) {
        let loader = &mut self.nodes[node].loader;
        let gone = loader.gone();
        let next = loader.begin();
        if !gone.is_empty() {
            self.give(node, Job::Resign(gone));
        }
        self.load_next(node, next);
    }

    fn load_next(&mut self, node: usize, next: Next) {
        match next {
            Next::Rest => {}
            Next::Load(table, slots) => {
                let epochs = self.nodes[node].loader.epochs();
                self.state(node, Question::Load { table, slots, epochs });
            }
            Next::Standing => self.state(node, Question::Standing(None)),
        }
    }

    /// Rows have come, or nobody knows.
    pub(super) fn loaded(&mut self, node: usize, table: &'static str, rows: Option<Vec<Body>>) {
        match rows {
            Some(rows) => {
                let next = self.nodes[node].loader.loaded(table, rows);
                self.load_next(node, next);
            }
            None => self.load_again(node),
        }
    }

    fn load_again(&mut self, node: usize) {
        self.nodes[node].loader.busy = false;
        self.later(node, 200 * MILLI, Local::Load);
    }

    /// All is read, and the store has said what it is.
    pub(super) fn stands(&mut self, node: usize, standing: Option<Standing>) {
        let it = &mut self.nodes[node];
        if !standing.is_some_and(|standing| it.loader.judge(&standing)) {
            self.load_again(node);
            return;
        }
        let gained = it.loader.finish(&it.holdings);
        it.loader.busy = false;
        let compared = self.mutation != Some(Mutation::DeafToSkew);
        let distance = it.holdings.wall_less_boot().filter(|_| compared);
        self.trace.say(self.real, || {
            let slots = gained.iter().map(|one| {
                let takeover = &one.takeover;
                let doubt = match (takeover.suspect_until, takeover.given_back) {
                    (Some(_), _) => " in doubt",
                    (None, Some(_)) => " in order",
                    (None, None) => "",
                };
                format!(
                    "{} under {}{doubt}, {} rows",
                    takeover.slot,
                    takeover.epoch,
                    one.rows.len()
                )
            });
            format!("node {node} adopts {}", slots.collect::<Vec<_>>().join("; "))
        });
        self.read_all(&gained);
        let slots: Vec<Slot> = gained.iter().map(|one| one.takeover.slot).collect();
        self.give(node, Job::Adopt(gained, distance));
        self.still_known(node, &slots);
        let wait = self.random.between(10_000, MILLI);
        self.later(node, wait, Local::Load);
    }
}
