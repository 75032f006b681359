//! Thousands of clients that remember what they were promised, on one host, behind two relays.
//!
//! Those of the first relay have short leases and too few addresses, so that addresses change hands all the time; those
//! of the second have long leases, which must survive. Clients renew, restart, forget, release and vanish by chance.

mod packet;
mod person;
mod promises;
mod street;

pub use promises::{Moment, Note, Overlap, Stay, overlaps};

use super::campus::Host;
use promises::stays;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use street::Street;

/// Who is there.
#[derive(Debug, Clone)]
pub struct Population {
    /// The address of each relay, and how many clients are behind it.
    pub relays: Vec<(Ipv4Addr, u16)>,
    /// Wishes of all together in a second.
    pub rate: u32,
    pub seed: u64,
}

/// A crowd at work.
#[derive(Debug)]
pub struct Crowd {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Memory>>,
    begin: Instant,
}

#[derive(Debug)]
struct Shared {
    nodes: Mutex<Vec<Ipv4Addr>>,
    last_round: AtomicBool,
    promises: AtomicU64,
    owners: AtomicU64,
}

/// All that a crowd remembers.
#[derive(Debug, Default)]
pub struct Memory {
    pub notes: Vec<Note>,
    /// When somebody asked for an address that it had, and when it was answered, where that took long.
    pub waits: Vec<(Moment, Moment)>,
    /// Clients whose promise had not ended when the last round began, and those of them whom nobody answered.
    pub owners: u64,
    pub unanswered: u64,
    /// Answers for somebody else than they were addressed to.
    pub astray: u64,
}

impl Memory {
    /// How many ACKs there were.
    #[must_use]
    pub fn promises(&self) -> usize {
        let promised = |note: &&Note| matches!(note, Note::Promised { .. });
        self.notes.iter().filter(promised).count()
    }

    /// How often an address had another client than before.
    #[must_use]
    pub fn changes_of_hands(&self) -> usize {
        let mut stays = stays(&self.notes);
        stays.sort_by_key(|stay| (stay.address, stay.from));
        let pairs = stays.windows(2);
        pairs
            .filter(|two| two[0].address == two[1].address && two[0].client != two[1].client)
            .count()
    }

    /// Refusals of addresses that were promised.
    #[must_use]
    pub fn refusals(&self) -> Vec<Note> {
        let refused = |note: &&Note| matches!(note, Note::Refused { .. });
        self.notes.iter().filter(refused).copied().collect()
    }

    /// How often a client that had forgotten its address was offered another though its own was promised.
    #[must_use]
    pub fn moved(&self) -> usize {
        let moved = |note: &&Note| matches!(note, Note::Moved { .. });
        self.notes.iter().filter(moved).count()
    }

    /// The longest that a client which has an address waited for an answer after `event`, of those who asked or were
    /// waiting within `span` of it.
    #[must_use]
    pub fn longest_wait(&self, event: Moment, span: Duration) -> Duration {
        let touched = |wait: &&(Moment, Moment)| wait.1 > event && wait.0 < event + span;
        let after = |wait: &(Moment, Moment)| wait.1 - wait.0.max(event);
        self.waits
            .iter()
            .filter(touched)
            .map(after)
            .max()
            .unwrap_or_default()
    }
}

impl Crowd {
    /// Lets a population loose on `host`.
    #[must_use]
    pub fn start(host: &Arc<Host>, nodes: Vec<Ipv4Addr>, population: Population) -> Self {
        let shared = Arc::new(Shared {
            nodes: Mutex::new(nodes),
            last_round: AtomicBool::new(false),
            promises: 0.into(),
            owners: 0.into(),
        });
        let (host, begin) = (Arc::clone(host), Instant::now());
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                host.space
                    .inside(|| Street::open(population, begin, &shared).run())
            }
        });
        Self {
            shared,
            thread: Some(thread),
            begin,
        }
    }

    /// Time since it began.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.begin.elapsed()
    }

    /// The nodes that its relays list from now on.
    pub fn ask(&self, nodes: Vec<Ipv4Addr>) {
        *self.shared.nodes.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
    }

    /// Promises so far.
    #[must_use]
    pub fn promises(&self) -> u64 {
        self.shared.promises.load(Ordering::Relaxed)
    }

    /// Clients that have an address, as of a moment ago.
    #[must_use]
    pub fn owners(&self) -> u64 {
        self.shared.owners.load(Ordering::Relaxed)
    }

    /// Lets everybody who has an address ask for it once more, and ends.
    ///
    /// # Panics
    /// When the crowd did.
    #[must_use]
    pub fn finish(mut self) -> Memory {
        self.shared.last_round.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("until it is finished");
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.last_round.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
