//! The thread's journal: appending, holding back while the disk is full, checkpoints in pieces.

use super::Worker;
use super::copies::Copies;
use super::ledger::Ledger;
use super::rewrite::{Part, Rewrite};
use crate::marker;
use crate::status::Condition;
use purlin_dhcp_core::Engine;
use purlin_fabric_runtime::RowLogHandle;
use purlin_store::{AppendError, Journal, JournalHealth, Position};
use purlin_types::{Now, WallTime};
use std::sync::Arc;

/// Leases written per turn of the loop while a checkpoint is open: well under a millisecond of work.
const CHECKPOINT_PIECE: usize = 2048;
/// Leases per frame when the whole state is appended.
pub(crate) const STATE_PIECE: usize = 16_384;

type HandOver = fn(&mut dyn Journal, &[u8]) -> Result<Position, AppendError>;

/// A journal with what the packet thread must remember about it.
#[derive(Debug)]
pub(crate) struct Log {
    journal: Box<dyn Journal>,
    ledger: Ledger,
    position: Position,
    /// Frames the journal had no room for. The core has made these changes; they are appended before any others.
    pending: Vec<Vec<u8>>,
    /// When the oldest of them was made.
    pending_since: WallTime,
    /// Where the open checkpoint goes on.
    cursor: Option<u64>,
    /// A checkpoint was given up; none is begun before the next tick.
    resting: bool,
    /// A checkpoint is wanted although not due.
    wanted: bool,
    /// Leases have changed threads; no checkpoint is begun before all of it is durable.
    rewrite: Option<Part>,
    /// Latched: a journal that has failed once is never believed again.
    failed: bool,
    /// For rows in a store that may have a second copy.
    copies: Option<(RowLogHandle, Copies)>,
    boot: Option<[u8; 16]>,
    scratch: Vec<u8>,
}

impl Log {
    /// Takes over an opened journal, appends `first` and names this boot in it.
    pub(crate) fn new(
        journal: Box<dyn Journal>,
        boot: Option<[u8; 16]>,
        first: impl IntoIterator<Item = Vec<u8>>,
    ) -> Self {
        let marker = boot.map(marker::boot);
        let mut log = Self {
            journal,
            ledger: Ledger::default(),
            position: Position(0),
            pending: first
                .into_iter()
                .chain(marker)
                .filter(|frame| !frame.is_empty())
                .collect(),
            pending_since: WallTime(0),
            cursor: None,
            resting: false,
            wanted: false,
            rewrite: None,
            failed: false,
            copies: None,
            boot,
            scratch: Vec::new(),
        };
        log.append_pending();
        log
    }

    /// Heeds how far the copies of a shared store are.
    pub(crate) fn with_copies(mut self, rows: RowLogHandle) -> Self {
        self.copies = Some((rows, Copies::default()));
        self
    }

    pub(crate) fn copies(&mut self) -> Option<&mut Copies> {
        self.copies.as_mut().map(|(_, copies)| copies)
    }

    /// How far replies may go that wait for what is durable, and which of them not at all ([`Copies::alone`]).
    pub(crate) fn alone(&self, durable: Position) -> (Position, Option<(Position, Position)>) {
        match &self.copies {
            Some((rows, copies)) => copies.alone(&rows.copied(), durable),
            None => (durable, None),
        }
    }

    /// Up to where replies may go that wait for the store's second copy; `None` when they have to be forgotten.
    pub(crate) fn copied(&self) -> Option<Position> {
        let durable = self.journal.durable();
        let (rows, copies) = self.copies.as_ref()?;
        copies.due(&rows.copied(), durable)
    }

    /// An empty frame: once the copy has it, it has all that the store had before.
    pub(crate) fn mark(&mut self, at: WallTime) {
        self.append(at, &mut Vec::new());
    }

    /// What the core must know for its next decisions.
    pub(crate) fn state(&mut self, now: &Now) -> purlin_dhcp_core::step::Log {
        let writable = self.condition() == Condition::Serving;
        let position = self.journal.durable();
        let mut durable = self.ledger.durable(now.wall, position);
        if !self.pending.is_empty() {
            durable = durable.min(self.pending_since);
        }
        let copies = self.copies.as_mut();
        let copy = copies.and_then(|(rows, copies)| copies.state(now.wall, &rows.copied(), position));
        purlin_dhcp_core::step::Log {
            writable,
            durable,
            copy,
        }
    }

    pub(crate) fn durable(&self) -> Position {
        self.journal.durable()
    }

    /// Position of the last frame appended.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn condition(&self) -> Condition {
        match self.journal.health() {
            _ if self.failed => Condition::Failed,
            JournalHealth::Failed => Condition::Failed,
            JournalHealth::Ready if self.pending.is_empty() => Condition::Serving,
            JournalHealth::Ready | JournalHealth::Full => Condition::Full,
        }
    }

    /// Hands records made at `at` to the journal, which writes them in its own time: for replies that wait until
    /// they are durable, or for none. When that is not possible they are kept and `None` says so.
    pub(crate) fn append(&mut self, at: WallTime, records: &mut Vec<u8>) -> Option<Position> {
        self.record(at, records, |journal, frame| journal.defer(frame))
    }

    /// The same for replies that may leave once the records are written, durable or not. Waits for the file
    /// system.
    pub(crate) fn append_written(&mut self, at: WallTime, records: &mut Vec<u8>) -> Option<Position> {
        self.record(at, records, |journal, frame| journal.append(frame))
    }

    /// Whether the journal would take some batches more without waiting for the disk.
    pub(crate) fn has_room(&self) -> bool {
        self.journal.has_room()
    }

    fn record(&mut self, at: WallTime, records: &mut Vec<u8>, hand_over: HandOver) -> Option<Position> {
        if self.failed {
            return None;
        }
        if self.pending.is_empty()
            && let Ok(position) = hand_over(self.journal.as_mut(), records)
        {
            self.note(at, position);
            return Some(position);
        }
        if self.pending.is_empty() {
            self.pending_since = at;
        }
        // The core goes silent once it is told, so this does not grow beyond a batch and expiries.
        self.pending.push(std::mem::take(records));
        None
    }

    /// Once a second: tries again what was refused.
    pub(crate) fn tick(&mut self) {
        self.resting = false;
        if self.condition() != Condition::Failed && self.journal.health() == JournalHealth::Ready {
            self.append_pending();
        }
    }

    fn append_pending(&mut self) {
        let mut accepted = Vec::new();
        for frame in &self.pending {
            let Ok(position) = self.journal.defer(frame) else {
                break;
            };
            accepted.push(position);
        }
        self.pending.drain(..accepted.len());
        for position in accepted {
            self.note(self.pending_since, position);
        }
    }

    fn note(&mut self, at: WallTime, position: Position) {
        self.position = position;
        self.ledger.note(at, position);
        if let Some((_, copies)) = &mut self.copies {
            copies.note(at, position);
        }
    }

    /// Nothing is appended any more, whatever the journal says from now on.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
        self.cursor = None;
    }

    /// Whether the next piece of an open checkpoint can be written now; the journal wakes the thread when it can.
    pub(crate) fn may_write_piece(&self) -> bool {
        self.cursor.is_some() && self.journal.checkpoint_has_room()
    }

    /// Asks for a checkpoint although the journal is short.
    pub(crate) fn want_checkpoint(&mut self) {
        self.wanted = true;
    }

    /// Gives up an open checkpoint; another one takes its place.
    pub(crate) fn drop_checkpoint(&mut self) {
        self.wanted |= self.cursor.take().is_some();
    }

    /// Leases change threads from here on: no checkpoint until all states have been rewritten.
    pub(crate) fn begin_rewrite(&mut self, all: Arc<Rewrite>) {
        self.drop_checkpoint();
        self.rewrite = Some(Part::new(all));
    }

    /// Appends the whole new state: what came from another thread's journal is now in this one.
    pub(crate) fn rewrite(&mut self, at: WallTime, engine: &mut Engine) {
        let mut cursor = Some(0);
        while let Some(from) = cursor {
            let mut frame = Vec::new();
            cursor = engine.checkpoint_chunk(from, STATE_PIECE, &mut frame);
            if !frame.is_empty() {
                self.append(at, &mut frame);
            }
        }
        if let Some(part) = &mut self.rewrite {
            part.given();
        }
        // What the journal says of leases that have left shall not come back.
        self.want_checkpoint();
    }

    /// Looks how far a rewriting is; true when this thread's state was the last that it waited for.
    pub(crate) fn follow_rewrite(&mut self) -> bool {
        let Some(part) = &mut self.rewrite else {
            return false;
        };
        let accepted = self.pending.is_empty().then_some(self.position);
        let last = !self.failed && part.follow(accepted, self.journal.durable());
        self.rewrite.take_if(|part| part.is_over());
        last
    }

    /// Marks an orderly end and waits for the disk.
    pub(crate) fn close(&mut self) {
        // What fails here was never promised: the next start then assumes the worst, as after a power cut.
        if !self.failed && self.pending.is_empty() && self.journal.defer(&marker::CLEAN_STOP).is_ok() {
            let _ = self.journal.flush();
        }
    }
}

impl Worker {
    /// Writes one piece of the open checkpoint, or begins one when it would pay.
    pub(super) fn checkpoint_piece(&mut self) {
        let log = &self.log;
        let begins = !log.resting && log.rewrite.is_none() && (log.wanted || log.journal.checkpoint_due());
        let goes_on = match log.cursor {
            Some(_) => log.may_write_piece(),
            None => begins,
        };
        if log.failed || self.retired || !goes_on {
            return;
        }
        if self.write_piece().is_err() {
            self.log.cursor = None;
            self.log.resting = true;
        }
    }

    fn write_piece(&mut self) -> Result<(), AppendError> {
        let log = &mut self.log;
        let cursor = match log.cursor {
            Some(cursor) => cursor,
            None => {
                if !log.pending.is_empty() {
                    return Err(AppendError::Full);
                }
                log.journal.checkpoint_begin()?;
                if let Some(id) = log.boot {
                    log.journal.checkpoint_write(&marker::boot(id))?;
                }
                log.cursor = Some(0);
                0
            }
        };
        log.scratch.clear();
        let next = self
            .engine
            .checkpoint_chunk(cursor, CHECKPOINT_PIECE, &mut log.scratch);
        if !log.scratch.is_empty() {
            log.journal.checkpoint_write(&log.scratch)?;
        }
        log.cursor = next;
        if next.is_none() {
            log.journal.checkpoint_finish()?;
            log.wanted = false;
            self.counters.checkpoints += 1;
        }
        Ok(())
    }
}
