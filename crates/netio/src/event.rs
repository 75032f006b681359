//! Waking a thread that sleeps in a [`crate::Poller`].

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// An `eventfd`. Watched edge-triggered it needs no reading back: every wake is an edge of its own.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wakes whoever watches it; any thread may call this.
    pub fn wake(&self) {
        // Full only after 2^64 - 2 wakes without a reader; the watcher is awake then anyway.
        let _ = write(&self.0, &1u64.to_ne_bytes());
    }

    /// Takes the wakes so far, for level-triggered use; tells whether there were any.
    pub fn drain(&self) -> bool {
        read(&self.0, &mut [0u8; 8]).is_ok()
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
