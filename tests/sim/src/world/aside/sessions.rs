//! Sessions of API clients, glued as `fabric/runtime/src/sessions` and `fabric/server/src/keeper.rs` glue them, and clients
//! that remember how far they were told.

mod guest;
mod moving;

pub(super) use guest::{Guest, Visits};

use super::hub::No;
use super::{Happens, World};
use crate::clock::SECOND;
use crate::mutation::Mutation;
use guest::Seat;
use purlin_fabric::port::SessionRow;
use purlin_fabric::resume::RingLimits;
use purlin_fabric::session::SessionSettings;
use std::time::Duration;

/// Events of a session that are kept.
const RING: RingLimits = RingLimits {
    events: 16,
    octets: 1 << 20,
};

pub(super) fn settings() -> SessionSettings {
    SessionSettings {
        // A touch in a tenth of it is told to the registry.
        ttl: Duration::from_secs(40),
        ring: RING,
        ..SessionSettings::default()
    }
}

/// A node in the middle of it.
#[derive(Debug)]
pub(crate) enum Step {
    /// It drains: this one goes next.
    Part(String, usize),
    /// The note is kept, the session goes.
    HandOver(String, usize, String),
    /// The registry has moved it here.
    Arrive(SessionRow, Option<Vec<u8>>, usize, String),
}

impl World {
    /// Something is done by a client, about every second.
    pub(super) fn knock(&mut self, guest: usize) {
        let wait = self.aside.random.between(SECOND / 4, SECOND);
        self.aside_later(wait, Happens::Knock(guest));
        match self.aside.guests[guest].seat.clone() {
            Some(seat) => self.use_seat(guest, &seat),
            None => self.look_for_seat(guest),
        }
        // Windows that are still open elsewhere, and what was under way.
        if !self.aside.guests[guest].trail.is_empty() && self.aside.random.chance(500) {
            let trail = self.aside.guests[guest].trail.clone();
            let at = self.aside.random.pick(&trail).clone();
            self.touch(&at);
            let as_of = match self.aside.random.chance(500) {
                true => self.aside.guests[guest]
                    .seat
                    .clone()
                    .unwrap_or_else(|| at.clone()),
                false => at.clone(),
            };
            let late = Seat {
                node: at.node,
                ..as_of
            };
            self.write(guest, &late);
        }
    }

    fn use_seat(&mut self, guest: usize, seat: &Seat) {
        if self.stands_still(seat.node) {
            let it = &mut self.aside.guests[guest];
            it.unanswered += 1;
            if it.unanswered > 2 {
                it.leave_seat();
            }
            return;
        }
        if !self.touch(seat) || self.aside.random.chance(20) {
            self.aside.guests[guest].leave_seat();
            return;
        }
        let cursor = self.aside.guests[guest].cursor;
        let sessions = &mut self.aside.desks[seat.node].sessions;
        let _elsewhere = sessions.confirm(&seat.id, cursor);
        self.write(guest, seat);
    }

    /// Something was heard of the client: whether its session still lives there.
    fn touch(&mut self, seat: &Seat) -> bool {
        let node = seat.node;
        if self.stands_still(node) {
            return false;
        }
        let now = self.nodes[node].machine.clock.boot(self.real);
        match self.aside.desks[node].sessions.touch(now, &seat.id) {
            Err(_) => false,
            Ok(None) => true,
            Ok(Some(row)) => self.tell(node, &row),
        }
    }

    /// Tells the registry: whether the session may stay.
    fn tell(&mut self, node: usize, row: &SessionRow) -> bool {
        let outcome = match self.reaches_hub(node) {
            true => self.aside.hub.put(self.real, node, row),
            false => Err(No::Away),
        };
        match outcome {
            Ok(()) => true,
            Err(No::Away) => {
                self.aside.desks[node].sessions.untold(&row.id);
                true
            }
            Err(No::Conflict) => {
                self.aside.visits.refused.insert((node, row.id.clone()));
                if self.mutation == Some(Mutation::DeafToConflict) {
                    return true;
                }
                self.aside.desks[node].sessions.lost(&row.id);
                false
            }
        }
    }

    fn reaches_hub(&mut self, node: usize) -> bool {
        let lost = !self.calm && self.aside.random.chance(self.scene.unknowns);
        self.has_line(node) && !lost
    }

    /// A write under a generation: who takes it?
    fn write(&mut self, guest: usize, seat: &Seat) {
        if self.stands_still(seat.node) {
            return;
        }
        let sessions = &self.aside.desks[seat.node].sessions;
        let any = |had: &Seat| had.node == seat.node && sessions.check(&had.id, had.generation).is_ok();
        let taken = match self.mutation {
            Some(Mutation::AnyGeneration) => self.aside.guests[guest].trail.iter().any(any),
            _ => sessions.check(&seat.id, seat.generation).is_ok(),
        };
        if taken {
            self.accepted(guest, seat);
        }
    }

    /// I10: one node takes writes of one generation, and none that was told that the session has moved on.
    fn accepted(&mut self, guest: usize, seat: &Seat) {
        let (real, node, generation) = (self.real, seat.node, seat.generation);
        let line = self.aside.guests[guest].line();
        let whole = self.aside.hub.is_whole();
        let id = &seat.id;
        let visits = &mut self.aside.visits;
        let by_id = *visits.by_id.entry((id.clone(), generation)).or_insert(node);
        let current = id.starts_with(&format!("{}-{}-", line.0, line.1));
        let by_line = if current && whole {
            *visits.by_line.entry((line.0, line.1, generation)).or_insert(node)
        } else {
            node
        };
        let told = visits.refused.contains(&(node, id.clone()));
        if by_id != node || by_line != node {
            let other = if by_id == node { by_line } else { by_id };
            self.check.fail(real, "I10", || {
                format!("nodes {other} and {node} take writes of generation {generation} of session {id}")
            });
        } else if told {
            self.check.fail(real, "I10", || {
                format!("node {node} takes a write of session {id} after it was told that it lives elsewhere")
            });
        }
    }

    /// A client without a connection finds a node.
    fn look_for_seat(&mut self, guest: usize) {
        let open = self.living().into_iter().filter(|&node| {
            let leaving = matches!(
                self.nodes[node].coordinator.readiness(),
                Err(purlin_fabric::NotReady::Draining
                    | purlin_fabric::NotReady::Left
                    | purlin_fabric::NotReady::Superseded)
            );
            !self.stands_still(node) && !leaving
        });
        let open: Vec<usize> = open.collect();
        if open.is_empty() {
            return;
        }
        let node = *self.aside.random.pick(&open);
        if let Some(token) = self.aside.guests[guest].token.clone() {
            self.resume(guest, node, &token);
            // Two windows that both have it.
            if self.aside.random.chance(300) {
                let other = *self.aside.random.pick(&open);
                self.resume(guest, other, &token);
            }
        } else if let Some(former) = self.aside.guests[guest].former.clone() {
            self.come_back(guest, node, &former);
        } else {
            self.register(guest, node);
        }
    }

    fn register(&mut self, guest: usize, node: usize) {
        let now = self.nodes[node].machine.clock.boot(self.real);
        let id = self.aside.guests[guest].new_id();
        let user = format!("guest-{guest}");
        if let Ok(row) = self.aside.desks[node].sessions.register(now, &id, &user)
            && self.tell(node, &row)
        {
            self.sit_down(guest, (node, &row));
        }
    }

    fn sit_down(&mut self, guest: usize, (node, row): (usize, &SessionRow)) {
        let seat = Seat {
            node,
            id: row.id.clone(),
            generation: row.generation,
        };
        let it = &mut self.aside.guests[guest];
        (it.token, it.former, it.unanswered) = (None, None, 0);
        (it.seat, it.home) = (Some(seat.clone()), Some(seat.clone()));
        it.trail.push(seat);
        if it.trail.len() > 4 {
            it.trail.remove(0);
        }
    }

    /// Something happens that the client wants to know: the node of its session keeps it and sends it.
    pub(super) fn emit(&mut self, guest: usize) {
        let wait = self.aside.random.between(SECOND / 2, 3 * SECOND);
        self.aside_later(wait, Happens::Emit(guest));
        let Some(home) = self.aside.guests[guest].home.clone() else {
            return;
        };
        if self.stands_still(home.node) {
            return;
        }
        let body = self.aside.guests[guest].said + 1;
        let sessions = &mut self.aside.desks[home.node].sessions;
        let Ok(number) = sessions.event(&home.id, body.to_be_bytes().to_vec()) else {
            return;
        };
        self.aside.guests[guest].said = body;
        let connected = self.aside.guests[guest].seat.as_ref() == Some(&home);
        if connected && !self.aside.random.chance(50) {
            self.receive(guest, number, &body.to_be_bytes());
        } else if connected {
            // Lost with the connection.
            self.aside.guests[guest].leave_seat();
        }
    }

    /// I10: no event is lost or comes twice without a word.
    fn receive(&mut self, guest: usize, number: u64, body: &[u8]) {
        let body = body.try_into().map_or(0, u64::from_be_bytes);
        let it = &mut self.aside.guests[guest];
        let (after, last) = (it.cursor, it.body);
        (it.cursor, it.body) = (number, body);
        if (number, body) != (after + 1, last + 1) {
            self.check.fail(self.real, "I10", || {
                format!(
                    "client {guest} of the API gets event {number}, the {body}. there was, after event {after}, the {last}."
                )
            });
        }
    }
}
