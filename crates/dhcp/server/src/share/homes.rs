//! Where slots are held, remembered for a moment.
//!
//! In a cluster whose relays know nothing of slots most packets go on to another node. Asking the fabric for each takes two
//! locks, a search and the reading of an address; where a slot is does not change that often.

use super::Homes;
use purlin_types::{BootTime, SLOTS, Slot};
use std::fmt;
use std::net::SocketAddrV4;

/// How long an answer counts, in milliseconds. A packet that is sent to a node which has just given its slot away is lost;
/// the client's next attempt comes after seconds.
const KEPT: u64 = 100;

/// What was asked about slots lately.
pub(crate) struct Book {
    homes: Homes,
    /// By slot; the outer `None` was not asked.
    known: Box<[Option<Option<SocketAddrV4>>]>,
    since: BootTime,
}

impl Book {
    pub(crate) fn new(homes: Homes) -> Self {
        Self {
            homes,
            known: vec![None; usize::from(SLOTS)].into(),
            since: BootTime(0),
        }
    }

    /// Where the node that holds a slot takes packets, by an answer that is no older than a moment.
    pub(crate) fn home(&mut self, now: BootTime, slot: Slot) -> Option<SocketAddrV4> {
        if now.millis_since(self.since) >= KEPT {
            self.known.fill(None);
            self.since = now;
        }
        *self.known[usize::from(slot.index())].get_or_insert_with(|| (self.homes)(slot))
    }

    /// The same, as it is.
    pub(crate) fn ask(&self, slot: Slot) -> Option<SocketAddrV4> {
        (self.homes)(slot)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU16, Ordering};

    #[test]
    fn a_slot_that_has_moved_is_followed_within_a_moment() {
        let at = Arc::new(AtomicU16::new(1));
        let asked = Arc::clone(&at);
        let home = move |_| {
            Some(SocketAddrV4::new(
                [192, 0, 2, 1].into(),
                asked.load(Ordering::Relaxed),
            ))
        };
        let mut book = Book::new(Arc::new(home));
        let slot = Slot::new(7).expect("below 4096");
        let mut port = |millis| {
            book.home(BootTime(0).plus_millis(millis), slot)
                .map(|home| home.port())
        };
        assert_eq!(port(5000), Some(1));
        at.store(2, Ordering::Relaxed);
        assert_eq!(port(5000 + KEPT - 1), Some(1));
        assert_eq!(port(5000 + KEPT), Some(2));
    }
}
