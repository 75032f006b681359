//! A packet thread's journal over rows that a cluster shares: what is durable is what the store has taken under the claims.
//!
//! ```text
//!   packet thread ──defer(frame)──► rows with the epoch of this moment ──► queue
//!   writer task      queue ──► batch of whole frames ──► FencedRows::write ──► durable grows, wake
//!                                        │ Lost, Taken: that row is left out, its frame is a setback
//!                                        └ Unknown: the same again, until the store answers
//! ```
//!
//! Nothing survives the end of the process before the store has it: `append` promises no more than `defer` here. What is
//! answered ahead of its record is within the client lead time (rules R1 and R2), which a successor waits out.

mod batch;
mod copies;
mod writer;

pub use copies::Copied;

use batch::Entry;
use copies::Frontier;
use purlin_store::{AppendError, FencedRow, FencedRows, Journal, JournalHealth, Position, Wake};
use purlin_types::{Epoch, SLOTS, Slot};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

/// Octets of rows that wait for the store at most; then `defer` waits.
const QUEUE_MAX: usize = 8 << 20;

/// One row of a frame, and the table that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRow {
    pub table: &'static str,
    pub row: FencedRow,
}

/// Turns a service's frame into rows, in its order.
pub type RowReader = Arc<dyn Fn(&[u8], &mut Vec<LoggedRow>) + Send + Sync>;

/// Under which epoch the packet thread decides about each slot, from its adoption to its resignation. Only that thread
/// changes it, so that a frame is written under the terms under which it was decided.
#[derive(Debug, Clone)]
pub struct Terms(Arc<Mutex<Vec<Option<Epoch>>>>);

impl Default for Terms {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(vec![None; usize::from(SLOTS)])))
    }
}

impl Terms {
    pub fn set(&self, slot: Slot, epoch: Option<Epoch>) {
        self.all()[usize::from(slot.index())] = epoch;
    }

    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Epoch> {
        self.all()[usize::from(slot.index())]
    }

    fn all(&self) -> MutexGuard<'_, Vec<Option<Epoch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row that the store did not take and never will. No reply that waited for its frame may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setback {
    /// The frame's.
    pub position: Position,
    pub table: &'static str,
    pub key: u64,
    pub why: Refused,
}

/// Why a row was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The slot is somebody else's since: stop deciding about it.
    Lost { slot: Slot, epoch: Option<Epoch> },
    /// The store is on another history than that of the epoch, and does not rely on claims from before. The slot may
    /// well be this node's still; all that it knows of it is to be said again once it is claimed anew.
    Former { slot: Slot, epoch: Epoch },
    /// What must be unique is another live row's. The term goes on; whoever holds the slot under it records what follows
    /// ([`RowLogHandle::made_good`]), and until then the slot is not given back in order.
    Taken {
        by: u64,
        unique: Vec<u8>,
        slot: Slot,
        epoch: Epoch,
    },
}

impl Refused {
    /// The term whose end was the reason.
    fn term(&self) -> Option<(Slot, Epoch)> {
        match *self {
            Self::Lost {
                slot,
                epoch: Some(epoch),
            }
            | Self::Former { slot, epoch } => Some((slot, epoch)),
            Self::Lost { epoch: None, .. } | Self::Taken { .. } => None,
        }
    }
}

/// What the packet thread and the writer share.
pub(crate) struct Shared {
    rows: Arc<dyn FencedRows>,
    reader: RowReader,
    terms: Terms,
    wake: Wake,
    queue: Mutex<VecDeque<Entry>>,
    /// Rings when the queue was empty, and at the end.
    bell: Notify,
    /// Octets in the queue and in the batch under way.
    octets: AtomicUsize,
    accepted: AtomicU64,
    durable: watch::Sender<u64>,
    setbacks: Mutex<Vec<Setback>>,
    /// The last term of each slot of which a row was refused for its fence.
    refused: Mutex<BTreeMap<Slot, Epoch>>,
    /// How many rows of a term were refused for another row, and not made good.
    taken: Mutex<BTreeMap<(Slot, Epoch), usize>>,
    stop: AtomicBool,
    /// For the packet thread, which waits for room or durability without a runtime.
    moved: (Mutex<()>, Condvar),
    trouble: watch::Sender<Option<String>>,
    copies: Mutex<Frontier>,
}

impl Shared {
    fn copies(&self) -> MutexGuard<'_, Frontier> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowLog")
            .field("accepted", &self.accepted)
            .field("durable", &*self.durable.borrow())
            .finish_non_exhaustive()
    }
}

/// What others than the packet thread may ask of its log.
#[derive(Debug, Clone)]
pub struct RowLogHandle(Arc<Shared>);

impl RowLogHandle {
    /// The rows that were refused since the last call. Ask after reading `durable` and before releasing what waits for
    /// it: a setback is there before durability passes its frame.
    #[must_use]
    pub fn setbacks(&self) -> Vec<Setback> {
        std::mem::take(&mut *self.0.setbacks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those of `terms` of which a row was refused, for its fence or for another row and not made good: what was promised under them is not all with the store.
    /// Ask after [`Self::flushed`]. A slot without an epoch counts by any of its terms.
    #[must_use]
    pub fn refused(&self, terms: &[(Slot, Option<Epoch>)]) -> Vec<Slot> {
        let refused = self.0.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_refused = |&&(slot, epoch): &&(Slot, Option<Epoch>)| {
            let last = refused.get(&slot).copied();
            let least = Epoch::default();
            let mut open = taken.range((slot, epoch.unwrap_or(least))..);
            last.is_some_and(|last| epoch.is_none_or(|epoch| last >= epoch))
                || open.next().is_some_and(|((of, _), _)| *of == slot)
        };
        terms.iter().filter(is_refused).map(|&(slot, _)| slot).collect()
    }

    /// What follows from one row that was refused as [`Refused::Taken`] is in the log, under the term that it was refused
    /// under.
    pub fn made_good(&self, slot: Slot, epoch: Epoch) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = taken.get_mut(&(slot, epoch)) {
            *left -= 1;
            if *left == 0 {
                taken.remove(&(slot, epoch));
            }
        }
    }

    /// How far the copies of the store are. Ask after reading `durable`: whoever sees a frame that was refused for the
    /// end of its history ([`Refused::Former`]) as dealt with sees the new history here.
    #[must_use]
    pub fn copied(&self) -> Copied {
        self.0.copies().now()
    }

    /// Ends when all that has been accepted so far is with the store, or refused.
    pub async fn flushed(&self) {
        let goal = self.0.accepted.load(Ordering::SeqCst);
        // The sender lives as long as this handle.
        let _ = self
            .0
            .durable
            .subscribe()
            .wait_for(|&durable| durable >= goal)
            .await;
    }

    /// What is wrong with the store, while something is.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.borrow().clone()
    }
}

/// An open log.
#[derive(Debug)]
pub struct RowLog {
    shared: Arc<Shared>,
    position: u64,
    scratch: Vec<LoggedRow>,
}

impl RowLog {
    /// Opens an empty log and starts its writer on `runtime`. `wake` is called whenever `durable` has changed.
    #[must_use]
    pub fn open(
        runtime: &Handle,
        rows: Arc<dyn FencedRows>,
        reader: RowReader,
        terms: Terms,
        wake: Wake,
    ) -> (Self, RowLogHandle) {
        let shared = Arc::new(Shared {
            rows,
            reader,
            terms,
            wake,
            queue: Mutex::default(),
            bell: Notify::new(),
            octets: AtomicUsize::new(0),
            accepted: AtomicU64::new(0),
            durable: watch::Sender::new(0),
            setbacks: Mutex::default(),
            refused: Mutex::default(),
            taken: Mutex::default(),
            stop: AtomicBool::new(false),
            moved: (Mutex::new(()), Condvar::new()),
            trouble: watch::Sender::new(None),
            copies: Mutex::default(),
        });
        runtime.spawn(writer::run(Arc::clone(&shared)));
        runtime.spawn(copies::follow(Arc::downgrade(&shared)));
        let log = Self {
            shared: Arc::clone(&shared),
            position: 0,
            scratch: Vec::new(),
        };
        (log, RowLogHandle(shared))
    }

    fn wait_until(&self, reached: impl Fn(&Shared) -> bool) {
        let (lock, condition) = &self.shared.moved;
        let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        // A panic of the writer poisons nothing that is read here.
        drop(condition.wait_while(guard, |()| !reached(&self.shared)));
    }
}

/// The store keeps the newest of each row: there is nothing to shorten, and no checkpoint is ever due.
impl Journal for RowLog {
    fn append(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        self.defer(frame)
    }

    fn defer(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        let fits = |shared: &Shared| shared.octets.load(Ordering::SeqCst) < QUEUE_MAX;
        if !fits(&self.shared) {
            self.wait_until(fits);
        }
        self.position += 1;
        self.scratch.clear();
        (self.shared.reader)(frame, &mut self.scratch);
        let position = Position(self.position);
        let entry = Entry::new(position, self.scratch.drain(..), &self.shared.terms);
        self.shared.octets.fetch_add(entry.octets(), Ordering::SeqCst);
        self.shared
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(entry);
        self.shared.accepted.store(self.position, Ordering::SeqCst);
        self.shared.bell.notify_one();
        Ok(position)
    }

    fn has_room(&self) -> bool {
        self.shared.octets.load(Ordering::Relaxed) <= QUEUE_MAX / 2
    }

    fn durable(&self) -> Position {
        Position(*self.shared.durable.borrow())
    }

    /// A store that does not answer is waited for; what may still be answered meanwhile is the tenure's to say.
    fn health(&self) -> JournalHealth {
        JournalHealth::Ready
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        let goal = self.position;
        self.wait_until(|shared| *shared.durable.borrow() >= goal);
        Ok(())
    }
}

impl Drop for RowLog {
    /// The writer ends after what was accepted, if the store takes it, and waits for no store that does not answer.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.bell.notify_one();
    }
}
