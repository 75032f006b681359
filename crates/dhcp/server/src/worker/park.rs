//! Replies that wait for the disk: first in, first out, in one block of memory made at the start.
//!
//! ```text
//!   arena  |....free....|oldest ..... newest|....free....|
//!                        ▲ release            ▲ head: the next reply is copied here, or to the front
//! ```

use super::receive::DATAGRAMS_PER_TURN;
use purlin_dhcp_core::step::{Destination, Reply};
use purlin_store::Position;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Instant;

/// Replies parked at most; then reading stops, OFFERs wait too, and the kernel's queue absorbs or drops. At 100,000 ACKs
/// a second this outlasts a disk that is silent for 320 ms; virtual disks were seen to be for 130 ms.
pub(crate) const PARKED_MAX: usize = 32_768;
/// Bytes for them: 512 octets each on average. Pages are touched only as deep as the queue ever gets.
const ARENA: usize = PARKED_MAX * 512;

/// Replies that must find room before more is read.
const ROOM: usize = 2 * DATAGRAMS_PER_TURN;

/// One waiting reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parked {
    /// It may leave once this is durable.
    pub(crate) position: Position,
    /// The port its request came by.
    pub(crate) port: u32,
    /// The address its request was sent to.
    pub(crate) local: Ipv4Addr,
    pub(crate) to: Destination,
    pub(crate) from: Ipv4Addr,
    pub(crate) since: Instant,
    start: u32,
    len: u16,
    /// Octets it takes, with what was skipped at the end of the arena before it.
    charge: u32,
}

/// Where a reply came from and how far the journal must get before it leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) position: Position,
    pub(crate) port: u32,
    pub(crate) local: Ipv4Addr,
    pub(crate) since: Instant,
}

#[derive(Debug)]
pub(crate) struct ParkRing {
    entries: VecDeque<Parked>,
    arena: Box<[u8]>,
    head: usize,
    used: usize,
}

impl ParkRing {
    pub(crate) fn new() -> Self {
        Self {
            entries: VecDeque::with_capacity(PARKED_MAX),
            arena: vec![0; ARENA].into(),
            head: 0,
            used: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the longest replies to all that one receive call usually brings have room.
    pub(crate) fn has_room(&self) -> bool {
        let longest = purlin_dhcp_core::step::REPLY_MAX;
        self.entries.len() + ROOM <= PARKED_MAX && self.used + (ROOM + 1) * longest <= ARENA
    }

    /// Copies a reply in; false when there is no room.
    pub(crate) fn put(&mut self, ticket: Ticket, reply: &Reply) -> bool {
        let bytes = reply.as_bytes();
        let wraps = self.head + bytes.len() > ARENA;
        let skipped = if wraps { ARENA - self.head } else { 0 };
        let charge = skipped + bytes.len();
        if self.entries.len() >= PARKED_MAX || self.used + charge > ARENA {
            return false;
        }
        // The end may have been reached exactly, with nothing to skip.
        let start = if wraps { 0 } else { self.head };
        self.arena[start..start + bytes.len()].copy_from_slice(bytes);
        self.head = start + bytes.len();
        self.used += charge;
        self.entries.push_back(Parked {
            position: ticket.position,
            port: ticket.port,
            local: ticket.local,
            since: ticket.since,
            to: reply.to,
            from: reply.from,
            start: start as u32,
            len: bytes.len() as u16,
            charge: charge as u32,
        });
        true
    }

    /// The oldest replies that are durable, all by the same port.
    pub(crate) fn due(&self, durable: Position) -> impl Iterator<Item = (&Parked, &[u8])> + Clone {
        let port = self.entries.front().map(|p| p.port);
        self.entries
            .iter()
            .take_while(move |p| p.position <= durable && Some(p.port) == port)
            .map(|p| {
                (
                    p,
                    &self.arena[p.start as usize..p.start as usize + usize::from(p.len)],
                )
            })
    }

    /// Forgets the `count` oldest.
    pub(crate) fn release(&mut self, count: usize) {
        for gone in self.entries.drain(..count) {
            self.used -= gone.charge as usize;
        }
        if self.entries.is_empty() {
            // From the front again: a shallow queue keeps to a few warm pages.
            self.head = 0;
        }
    }

    /// Forgets the replies of these frames wherever they wait; tells how many.
    pub(crate) fn strike(&mut self, is_struck: impl Fn(Position) -> bool) -> usize {
        let mut struck = 0;
        for parked in &mut self.entries {
            if is_struck(parked.position) && parked.len > 0 {
                parked.len = 0;
                struck += 1;
            }
        }
        struck
    }

    /// Forgets everything; tells how many.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.entries.len();
        self.release(count);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(len: usize, mark: u8) -> Reply {
        let mut reply = Reply {
            len,
            ..Reply::default()
        };
        reply.bytes[..len].fill(mark);
        reply
    }

    fn ticket(position: u64, port: u32) -> Ticket {
        Ticket {
            position: Position(position),
            port,
            local: Ipv4Addr::LOCALHOST,
            since: Instant::now(),
        }
    }

    #[test]
    fn replies_leave_in_order_and_only_when_durable() {
        let mut ring = ParkRing::new();
        for (position, port) in [(1, 0), (1, 0), (2, 0), (2, 1)] {
            assert!(ring.put(ticket(position, port), &reply(300, position as u8)));
        }
        assert_eq!(ring.due(Position(0)).count(), 0);
        assert_eq!(ring.due(Position(1)).count(), 2);
        ring.release(2);
        let due: Vec<_> = ring
            .due(Position(9))
            .map(|(p, bytes)| (p.port, bytes[0], bytes.len()))
            .collect();
        assert_eq!(due, [(0, 2, 300)]);
        ring.release(1);
        assert_eq!(ring.due(Position(9)).next().map(|(p, _)| p.port), Some(1));
    }

    #[test]
    fn bytes_survive_many_rounds_of_wrapping() {
        let mut ring = ParkRing::new();
        let (mut put, mut seen) = (0u64, 0u64);
        for round in 0..40 {
            while ring.has_room() {
                assert!(ring.put(ticket(put, 0), &reply(700 + (put % 600) as usize, put as u8)));
                put += 1;
            }
            let keep = if round % 2 == 0 { 3 } else { 1000 };
            let take = ring.len() - keep;
            for (parked, bytes) in ring.due(Position(u64::MAX)).take(take) {
                assert_eq!(parked.position, Position(seen));
                assert!(bytes.iter().all(|&b| b == seen as u8));
                seen += 1;
            }
            ring.release(take);
        }
        assert!(seen > 100_000);
        assert_eq!(ring.clear() as u64, put - seen);
        assert_eq!(ring.used, 0);
    }

    #[test]
    fn replies_that_end_where_the_memory_ends_are_followed_from_the_front() {
        let mut ring = ParkRing::new();
        let length = ARENA / PARKED_MAX;
        while ring.put(ticket(1, 0), &reply(length, 1)) {}
        assert_eq!((ring.len(), ring.head), (PARKED_MAX, ARENA));
        ring.release(1);
        assert!(ring.put(ticket(2, 0), &reply(length, 2)));
        ring.release(PARKED_MAX - 1);
        let left: Vec<_> = ring.due(Position(2)).map(|(_, bytes)| bytes.to_vec()).collect();
        assert_eq!(left, [vec![2; length]]);
    }

    #[test]
    fn a_full_ring_refuses() {
        let mut ring = ParkRing::new();
        let mut count = 0;
        while ring.put(ticket(1, 0), &reply(10, 1)) {
            count += 1;
        }
        assert_eq!(count, PARKED_MAX);
        assert!(!ring.has_room());
    }
}
