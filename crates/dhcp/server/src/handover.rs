//! Packets that reached the wrong thread, on their way to the right one.
//!
//! The kernel steers relayed and renewing packets by address, so this is the rare path: link selection options
//! that overrule giaddr, unicast to a local segment's socket, more ranges than a steering program holds. A
//! lock and a copy per packet are fine here and nowhere else.

use purlin_netio::Waker;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};

/// Packets waiting for one thread at most; what is above is dropped and counted.
pub(crate) const HANDED_MAX: usize = 4096;

/// A datagram that changes threads.
#[derive(Debug)]
pub(crate) struct Handed {
    /// The port it came by: its reply leaves by the owner's socket of the same port.
    pub(crate) port: u32,
    pub(crate) payload: Box<[u8]>,
    pub(crate) source: SocketAddrV4,
    pub(crate) local: Ipv4Addr,
    pub(crate) broadcast: bool,
}

/// A segment that another node is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// That node's address there.
    pub(crate) segment: Ipv4Addr,
    /// Where it takes replies for it.
    pub(crate) back: SocketAddrV4,
}

/// What other threads hand to one thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    waiting: Mutex<Vec<Handed>>,
    waker: Arc<Waker>,
}

impl Inbox {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self {
            waiting: Mutex::default(),
            waker,
        }
    }

    /// False when it is full.
    pub(crate) fn put(&self, handed: Handed) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= HANDED_MAX {
            return false;
        }
        waiting.push(handed);
        if waiting.len() == 1 {
            self.waker.wake();
        }
        true
    }

    /// Wakes the owner.
    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// Swaps what waits with `empty`.
    pub(crate) fn take(&self, empty: &mut Vec<Handed>) {
        debug_assert!(empty.is_empty());
        std::mem::swap(
            &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner),
            empty,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_packet_wakes_and_a_full_inbox_refuses() {
        let waker = Arc::new(Waker::new().unwrap());
        let inbox = Inbox::new(Arc::clone(&waker));
        let handed = || Handed {
            port: 0,
            payload: Box::from(*b"x"),
            source: "10.0.0.1:67".parse().unwrap(),
            local: Ipv4Addr::LOCALHOST,
            broadcast: false,
        };
        for _ in 0..HANDED_MAX {
            assert!(inbox.put(handed()));
        }
        assert!(!inbox.put(handed()));
        assert!(waker.drain());
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        assert_eq!(taken.len(), HANDED_MAX);
        assert!(!waker.drain());
        assert!(inbox.put(handed()));
    }
}
