//! Sessions that move: to a client that has come back, with a token, or from a node that drains.

use super::super::hub::No;
use super::super::{Happens, World};
use super::{RING, Seat, Step};
use crate::clock::{MILLI, SECOND};
use crate::mutation::Mutation;
use purlin_fabric::port::SessionRow;
use purlin_fabric::resume::EventRing;
use purlin_fabric::session::{ResumeNote, SessionError};

impl World {
    /// To the node where it lives, or to another one, which takes it over.
    pub(super) fn come_back(&mut self, guest: usize, node: usize, former: &Seat) {
        let cursor = self.aside.guests[guest].cursor;
        if self.aside.desks[node].sessions.generation(&former.id).is_ok() {
            let row = self.aside.desks[node].sessions.here(&former.id);
            if let Some(row) = row {
                self.replay(guest, node, (&row, cursor));
            }
            return;
        }
        if !self.reaches_hub(node) {
            return;
        }
        match self.aside.hub.find(self.real, node, &former.id) {
            Some(generation) => self.take(guest, node, (&former.id, generation), None),
            None => self.aside.guests[guest].begin_anew(),
        }
    }

    pub(super) fn resume(&mut self, guest: usize, node: usize, token: &str) {
        if !self.reaches_hub(node) {
            return;
        }
        let note = self.aside.hub.recall(self.real, node, &format!("{token}:note"));
        let ring = self.aside.hub.recall(self.real, node, &format!("{token}:ring"));
        match note.as_deref().and_then(ResumeNote::decode) {
            Some(note) => self.take(guest, node, (&note.id, note.generation), ring),
            None => self.aside.guests[guest].token = None,
        }
    }

    /// The registry is asked for it.
    fn take(&mut self, guest: usize, node: usize, (id, seen): (&str, u64), ring: Option<Vec<u8>>) {
        let new_id = self.aside.guests[guest].new_id();
        let name = self.nodes[node].me.id.as_str().to_owned();
        let compares = self.mutation != Some(Mutation::BlindMove);
        let taken = (self.aside.hub).take(self.real, (node, &name), (id, seen), &new_id, compares);
        match taken {
            // Done, and nobody knows.
            Ok(_) if !self.calm && self.aside.random.chance(self.scene.unknowns) => {}
            Ok(row) => {
                let wait = self.aside.random.between(MILLI / 2, 8 * MILLI);
                let step = Step::Arrive(row, ring, guest, id.to_owned());
                self.aside_later(wait, Happens::Step(node, step));
            }
            // Spent, or somebody else was faster: what is left is to begin anew, if nothing comes of the other attempt.
            Err(No::Conflict | No::Away) => {
                let it = &mut self.aside.guests[guest];
                match it.token.take() {
                    Some(_) => {}
                    None if it.seat.is_none() => it.begin_anew(),
                    None => {}
                }
            }
        }
    }

    pub(in super::super) fn step_session(&mut self, node: usize, step: Step) {
        match step {
            Step::Part(id, guest) => self.part(node, &id, guest),
            Step::HandOver(id, guest, token) => self.hand_over(node, &id, guest, &token),
            Step::Arrive(row, ring, guest, former) => self.settle_in(node, (&row, ring), guest, &former),
        }
    }

    /// A node drains: its sessions go one after the other.
    pub(in super::super) fn part_from_all(&mut self, node: usize) {
        if self.stands_still(node) {
            return;
        }
        let here = |guest: &super::Guest| {
            let seat = guest.seat.as_ref().filter(|seat| seat.node == node)?;
            Some((guest.number, seat.id.clone()))
        };
        let all: Vec<_> = self.aside.guests.iter().filter_map(here).collect();
        for (guest, id) in all {
            let wait = self.aside.random.below(2 * SECOND);
            self.aside_later(wait, Happens::Step(node, Step::Part(id, guest)));
        }
    }

    fn part(&mut self, node: usize, id: &str, guest: usize) {
        let sessions = &mut self.aside.desks[node].sessions;
        sessions.untold(id);
        let now = self.nodes[node].machine.clock.boot(self.real);
        let Ok(Some(row)) = sessions.touch(now, id) else {
            return;
        };
        if !self.tell(node, &row) || !self.reaches_hub(node) {
            return;
        }
        let token = format!("token-{id}-{}", self.real);
        let note = ResumeNote {
            id: id.to_owned(),
            generation: row.generation,
            from: row.node,
            place: String::new(),
        };
        let key = format!("{token}:note");
        self.aside.hub.keep(self.real, node, key, note.encode());
        let wait = self.aside.random.between(MILLI / 2, 8 * MILLI);
        let step = Step::HandOver(id.to_owned(), guest, token);
        self.aside_later(wait, Happens::Step(node, step));
    }

    fn hand_over(&mut self, node: usize, id: &str, guest: usize, token: &str) {
        let sessions = &mut self.aside.desks[node].sessions;
        let ring = sessions.ring(id);
        sessions.lost(id);
        let Some(ring) = ring else { return };
        if self.reaches_hub(node) {
            self.aside
                .hub
                .keep(self.real, node, format!("{token}:ring"), ring);
        }
        let it = &mut self.aside.guests[guest];
        if it.home.as_ref().is_some_and(|home| home.id == id) {
            it.home = None;
        }
        if it.seat.as_ref().is_some_and(|seat| seat.id == id) {
            it.leave_seat();
            // It goes out with the close, and may be lost with the connection.
            let heard = self.calm || !self.aside.random.chance(self.scene.loss);
            self.aside.guests[guest].token = heard.then(|| token.to_owned());
        }
    }

    fn settle_in(
        &mut self,
        node: usize,
        (row, ring): (&SessionRow, Option<Vec<u8>>),
        guest: usize,
        former: &str,
    ) {
        let now = self.nodes[node].machine.clock.boot(self.real);
        let cursor = self.aside.guests[guest].cursor;
        let ring = ring.and_then(|octets| EventRing::decode(RING, &octets));
        let ring = match self.mutation {
            Some(Mutation::SilentGap) => ring.or_else(|| Some(EventRing::after(RING, cursor))),
            _ => ring,
        };
        let sessions = &mut self.aside.desks[node].sessions;
        sessions.lost(former);
        if sessions.arrive(now, row, ring).is_err() {
            return;
        }
        let it = &self.aside.guests[guest];
        let its = row.id.starts_with(&format!("{}-{}-", it.number, it.line));
        if its && it.seat.is_none() {
            self.replay(guest, node, (row, cursor));
        } else if its {
            // The other window: it only writes.
            let seat = Seat {
                node,
                id: row.id.clone(),
                generation: row.generation,
            };
            self.aside.guests[guest].trail.push(seat);
        }
    }

    /// What the client has not got, or that some of it is gone.
    fn replay(&mut self, guest: usize, node: usize, (row, cursor): (&SessionRow, u64)) {
        let events = self.aside.desks[node].sessions.replay(&row.id, cursor);
        self.sit_down(guest, (node, row));
        match events {
            Ok(events) => {
                for (number, body) in events {
                    self.receive(guest, number, &body);
                }
            }
            // It fetches everything anew.
            Err(SessionError::Gap(gap)) => {
                let it = &mut self.aside.guests[guest];
                (it.cursor, it.body) = (gap.newest, it.said);
            }
            Err(_) => self.aside.guests[guest].leave_seat(),
        }
    }
}
