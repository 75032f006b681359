//! Waiting for sockets and wakes.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Most events told per wait; the rest come with the next.
const EVENTS: usize = 64;

/// When a source is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// As long as there is something to read.
    Level,
    /// Once per arrival.
    Edge,
}

/// A set of watched descriptors (`epoll`).
#[derive(Debug)]
pub struct Poller(OwnedFd);

/// The tokens that became ready, and the space for them.
pub struct Ready {
    events: [MaybeUninit<Event>; EVENTS],
    tokens: [u64; EVENTS],
    count: usize,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.tokens()).finish()
    }
}

impl Default for Ready {
    fn default() -> Self {
        Self {
            events: [MaybeUninit::uninit(); EVENTS],
            tokens: [0; EVENTS],
            count: 0,
        }
    }
}

impl Ready {
    /// Tokens of the sources that can be read.
    #[must_use]
    pub fn tokens(&self) -> &[u64] {
        &self.tokens[..self.count]
    }
}

impl Poller {
    /// # Errors
    /// When the process is out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Watches `source` for reading under `token`.
    ///
    /// # Errors
    /// When it is watched already or cannot be watched.
    pub fn add(&self, source: &impl AsFd, token: u64, trigger: Trigger) -> io::Result<()> {
        let edge = if trigger == Trigger::Edge {
            EventFlags::ET
        } else {
            EventFlags::empty()
        };
        Ok(epoll::add(
            &self.0,
            source,
            EventData::new_u64(token),
            EventFlags::IN | edge,
        )?)
    }

    /// Watches it no more. Needed when the descriptor lives on elsewhere; a closed one goes by itself.
    ///
    /// # Errors
    /// When it was not watched.
    pub fn remove(&self, source: &impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.0, source)?)
    }

    /// Waits until something is ready or `timeout` has passed; `None` waits for ever. A signal ends it early.
    ///
    /// # Errors
    /// Only what a programming error can cause.
    pub fn wait(&self, ready: &mut Ready, timeout: Option<Duration>) -> io::Result<()> {
        // Rounded up to milliseconds: plain epoll_wait then, and never a spin just before a deadline.
        let timeout = timeout.map(|t| {
            let millis = t.as_nanos().div_ceil(1_000_000);
            Timespec {
                tv_sec: (millis / 1000) as i64,
                tv_nsec: (millis % 1000 * 1_000_000) as i64,
            }
        });
        ready.count = 0;
        match epoll::wait(&self.0, &mut ready.events[..], timeout.as_ref()) {
            Ok((found, _)) => {
                ready.count = found.len();
                for (token, event) in ready.tokens.iter_mut().zip(found) {
                    *token = event.data.u64();
                }
                Ok(())
            }
            Err(rustix::io::Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Waker;
    use std::sync::Arc;

    #[test]
    fn a_wake_from_another_thread_ends_the_wait_once() {
        let poller = Poller::new().unwrap();
        let waker = Arc::new(Waker::new().unwrap());
        poller.add(&*waker, 7, Trigger::Edge).unwrap();
        let other = Arc::clone(&waker);
        let thread = std::thread::spawn(move || other.wake());
        let mut ready = Ready::default();
        poller.wait(&mut ready, None).unwrap();
        assert_eq!(ready.tokens(), [7]);
        poller.wait(&mut ready, Some(Duration::ZERO)).unwrap();
        assert!(ready.tokens().is_empty());
        waker.wake();
        poller.wait(&mut ready, None).unwrap();
        assert_eq!(ready.tokens(), [7]);
        thread.join().unwrap();
    }

    #[test]
    fn a_level_source_is_told_until_drained() {
        let poller = Poller::new().unwrap();
        let waker = Waker::new().unwrap();
        poller.add(&waker, 1, Trigger::Level).unwrap();
        waker.wake();
        let mut ready = Ready::default();
        for _ in 0..2 {
            poller.wait(&mut ready, None).unwrap();
            assert_eq!(ready.tokens(), [1]);
        }
        assert!(waker.drain());
        poller.wait(&mut ready, Some(Duration::ZERO)).unwrap();
        assert!(ready.tokens().is_empty());
    }
}
