//! DHCP: which backend gets a client's message, and whom an answer is for.
//!
//! ```text
//!   question  client ─► backend          known: the same for `affinity`; repeated unanswered: another one
//!             xid + chaddr ─► transaction: open work of that backend, and where the client's relay is
//!   answer    xid + chaddr ─► transaction ─► relay or client, from the address that was asked
//! ```
//!
//! **The way of answers.** A server on port 67 answers a relay at giaddr and a client that has an address at ciaddr (RFC
//! 2131, section 4.1): past the front, which is not missed by anybody. A server that answers the sender (RFC 8357, or
//! one on another port) answers the front, which passes it on. Nothing needs to be set: what comes is passed on. Open
//! work ends with the answer where it is seen; else when the client has been silent for [`SETTLED`], which it is once it
//! has been answered.

mod packet;

use crate::key_of;
use crate::pool::Pool;
use crate::udp::{Seen, Turn};
use packet::{ACK, DISCOVER, NAK, Packet};
use purlin_fabric::balance::{BackendId, Outcome, key};
use purlin_types::BootTime;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// What tells DHCP clients apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DhcpKey {
    /// The client identifier (option 61), else hardware type and address.
    #[default]
    Client,
    /// Hardware type and address: BIOS, boot loader and system of a machine name themselves differently, but have one.
    Chaddr,
    /// The relay: all clients of a segment go to one backend. Clients that ask themselves are told apart by ciaddr.
    Giaddr,
    /// The sender's address.
    ClientIp,
}

/// After a message that the client's server would answer with the last word, and after one that it would not.
const SETTLED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Clients and their transactions at one front.
#[derive(Debug)]
pub(super) struct Table {
    key: DhcpKey,
    affinity: Duration,
    patience: Option<Duration>,
    most: usize,
    clients: HashMap<u64, Client>,
    transactions: HashMap<u64, Transaction>,
}

#[derive(Debug)]
struct Client {
    backend: BackendId,
    to: SocketAddr,
    heard: BootTime,
}

#[derive(Debug)]
struct Transaction {
    backend: BackendId,
    /// Where it was asked from, and at which of our addresses.
    asked: Seen,
    /// The kind of the last message, and when the first of that kind came.
    kind: u8,
    since: BootTime,
    heard: BootTime,
    /// The last word was said: kept for answers to repetitions, no longer open work.
    closed: bool,
}

impl Table {
    pub(super) fn new(key: DhcpKey, affinity: Duration, patience: Option<Duration>, most: usize) -> Self {
        Self {
            key,
            affinity,
            patience,
            most,
            clients: HashMap::new(),
            transactions: HashMap::new(),
        }
    }

    /// Where a client's message goes.
    pub(super) fn ask(&mut self, turn: &Turn<'_>, seen: Seen, octets: &[u8]) -> Option<SocketAddr> {
        let Some(packet) = Packet::read(octets).filter(|packet| !packet.is_answer) else {
            turn.counters.unreadable.add();
            return None;
        };
        if !packet.is_answerable() {
            turn.counters.unanswerable.add();
            return None;
        }
        let client = self.client(&packet, seen.from);
        let tried = self.lost_patience(turn, client, &packet);
        let Some(place) = self.place(turn.pool, client, tried) else {
            turn.counters.refused.add();
            return None;
        };
        if tried.is_some() {
            turn.counters.retried.add();
        }
        if self.transactions.len() >= self.most && !self.transactions.contains_key(&packet.transaction()) {
            // A flood of strangers: served, not remembered.
            turn.counters.full.add();
            if place.counted {
                turn.pool.finish(place.backend, Outcome::Unknown);
            }
            return Some(place.to);
        }
        let (backend, to, heard) = (place.backend, place.to, turn.now);
        self.clients.insert(client, Client { backend, to, heard });
        self.note(turn, &place, &packet, seen);
        Some(to)
    }

    /// Whom a backend's answer is for, and from which of our addresses. Among nodes the holder of an address answers,
    /// whoever was asked: any answer shows that the one who was asked does its work.
    pub(super) fn answer(&mut self, turn: &Turn<'_>, octets: &[u8]) -> Option<Seen> {
        let packet = Packet::read(octets).filter(|packet| packet.is_answer)?;
        let transaction = self.transactions.get_mut(&packet.transaction())?;
        if matches!(packet.kind, ACK | NAK) && !transaction.closed {
            transaction.closed = true;
            turn.pool.finish(transaction.backend, Outcome::Succeeded);
        } else {
            turn.pool.report(transaction.backend, Outcome::Succeeded);
        }
        // The next message of this kind is a new question, not impatience.
        transaction.since = turn.now;
        Some(transaction.asked)
    }

    /// Forgets whoever was silent for long.
    pub(super) fn sweep(&mut self, turn: &Turn<'_>) {
        let affinity = self.affinity.as_millis() as u64;
        self.clients
            .retain(|_, client| turn.now.millis_since(client.heard) < affinity);
        self.transactions.retain(|_, transaction| {
            let settled = SETTLED[usize::from(transaction.kind == DISCOVER)].as_millis() as u64;
            let keep = turn.now.millis_since(transaction.heard) < settled;
            if !keep && !transaction.closed {
                turn.pool.finish(transaction.backend, Outcome::Unknown);
            }
            keep
        });
    }

    fn client(&self, packet: &Packet<'_>, from: SocketAddr) -> u64 {
        match self.key {
            DhcpKey::Client => packet.client(),
            DhcpKey::Chaddr => packet.chaddr(),
            DhcpKey::Giaddr if packet.giaddr.is_unspecified() => key(&packet.ciaddr.octets()),
            DhcpKey::Giaddr => key(&packet.giaddr.octets()),
            DhcpKey::ClientIp => key_of(from.ip()),
        }
    }

    /// The backend that left the client without an answer for so long that it asks again.
    fn lost_patience(&mut self, turn: &Turn<'_>, client: u64, packet: &Packet<'_>) -> Option<BackendId> {
        let patience = self.patience?.as_millis() as u64;
        let known = self.transactions.get(&packet.transaction())?;
        let waited = turn.now.millis_since(known.since) >= patience;
        if known.kind != packet.kind || known.closed || !waited {
            return None;
        }
        let lost = self.transactions.remove(&packet.transaction())?;
        turn.pool.finish(lost.backend, Outcome::Failed);
        self.clients.remove(&client);
        Some(lost.backend)
    }

    /// The client's backend, or another one; `None` when nobody can take it.
    fn place(&self, pool: &Pool, client: u64, tried: Option<BackendId>) -> Option<Place> {
        let known = self.clients.get(&client);
        if let Some(known) = known.filter(|known| pool.keeps(known.backend)) {
            return Some(Place {
                backend: known.backend,
                to: known.to,
                counted: false,
            });
        }
        let chosen = pool.choose(client, tried.as_slice());
        // The only one there is gets it again.
        let (backend, to) = chosen.or_else(|| pool.choose(client, &[]))?;
        Some(Place {
            backend,
            to,
            counted: true,
        })
    }

    /// Keeps the books of open work.
    fn note(&mut self, turn: &Turn<'_>, place: &Place, packet: &Packet<'_>, asked: Seen) {
        let (pool, now, wants_answer) = (turn.pool, turn.now, packet.wants_answer());
        let same = |known: &&mut Transaction| known.backend == place.backend && !place.counted;
        if let Some(known) = self.transactions.get_mut(&packet.transaction()).filter(same) {
            if known.kind != packet.kind {
                (known.kind, known.since) = (packet.kind, now);
            }
            if known.closed && wants_answer {
                (known.closed, known.since) = (false, now);
                pool.open(place.backend);
            }
            (known.asked, known.heard) = (asked, now);
            return;
        }
        match (place.counted, wants_answer) {
            (false, true) => pool.open(place.backend),
            (true, false) => pool.finish(place.backend, Outcome::Unknown),
            _ => {}
        }
        let new = Transaction {
            backend: place.backend,
            asked,
            kind: packet.kind,
            since: now,
            heard: now,
            closed: !wants_answer,
        };
        let old = self.transactions.insert(packet.transaction(), new);
        if let Some(old) = old.filter(|old| !old.closed) {
            pool.finish(old.backend, Outcome::Unknown);
        }
    }
}

/// Where a message goes.
struct Place {
    backend: BackendId,
    to: SocketAddr,
    /// Chosen now, so that it counts as open work already.
    counted: bool,
}

#[cfg(test)]
mod tests;
