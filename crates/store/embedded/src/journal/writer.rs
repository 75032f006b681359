//! The packet thread's end of a journal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use purlin_store::{AppendError, Journal, JournalHealth, Position};

use super::checkpoint::{Draft, Task};
use super::frame::{MAX_PAYLOAD, space};
use super::shared::Shared;
use crate::medium::Lock;

/// Octets accepted and not written at most; then `defer` waits.
const GATHER_MAX: usize = 8 << 20;

/// Pieces of a checkpoint that wait for the keeper at most, each about half a mebibyte; then the owner should.
const PIECES_MAX: usize = 2;

/// An open journal.
pub(crate) struct FileJournal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) _lock: Lock,
    /// Position of the last frame accepted.
    pub(crate) position: u64,
    pub(crate) draft: Option<Draft>,
}

impl std::fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileJournal")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl FileJournal {
    /// Counts a frame that the journal has taken on.
    fn accepted(&mut self, payload: &[u8]) -> Position {
        self.position += 1;
        self.shared.accepted.store(self.position, Ordering::SeqCst);
        self.shared
            .log_end
            .fetch_add(space(payload.len()) as u64, Ordering::Relaxed);
        Position(self.position)
    }

    /// Waits until `octets` more may be gathered.
    fn await_room(&self, octets: usize) -> Result<(), AppendError> {
        let shared = &self.shared;
        let fits = || {
            let gathered = shared.gathered.load(Ordering::SeqCst);
            gathered == 0 || gathered + octets <= GATHER_MAX
        };
        if !fits() {
            shared.await_that(|| fits() || shared.health() != JournalHealth::Ready);
        }
        match shared.health() {
            JournalHealth::Ready => Ok(()),
            JournalHealth::Full => Err(AppendError::Full),
            JournalHealth::Failed => Err(shared.failure().expect("it says why before it says so")),
        }
    }

    /// The open checkpoint, unless it was given up: then the owner is told once, and may well go on to the end of
    /// its loop.
    fn open_draft(&mut self) -> Result<Draft, AppendError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        let draft = self.draft.take().ok_or(AppendError::Full)?;
        if draft.is_wanted(&self.shared) {
            Ok(draft)
        } else {
            Err(AppendError::Full)
        }
    }

    fn hand_over(&self, task: Task) {
        let pieces = usize::from(matches!(task, Task::Piece { .. }));
        self.shared.pieces.fetch_add(pieces, Ordering::AcqRel);
        self.shared.files().tasks.push_back(task);
        self.shared.notify();
    }
}

fn check(payload: &[u8]) {
    assert!(
        !payload.is_empty() && payload.len() <= MAX_PAYLOAD,
        "a frame is 1 byte to 16 MiB"
    );
}

impl Journal for FileJournal {
    fn append(&mut self, payload: &[u8]) -> Result<Position, AppendError> {
        check(payload);
        self.shared.tail().write_now(&self.shared, payload)?;
        let position = self.accepted(payload);
        if !self.shared.resting.load(Ordering::SeqCst) {
            self.shared.unpark_sync();
        }
        Ok(position)
    }

    fn defer(&mut self, payload: &[u8]) -> Result<Position, AppendError> {
        check(payload);
        self.await_room(payload.len())?;
        self.shared.gathered.fetch_add(payload.len(), Ordering::SeqCst);
        self.shared.gather().push(payload);
        let position = self.accepted(payload);
        self.shared.await_durable(position);
        Ok(position)
    }

    fn has_room(&self) -> bool {
        self.shared.gathered.load(Ordering::Relaxed) <= GATHER_MAX / 2
    }

    fn durable(&self) -> Position {
        Position(self.shared.durable.load(Ordering::Acquire))
    }

    fn health(&self) -> JournalHealth {
        self.shared.health()
    }

    fn checkpoint_due(&self) -> bool {
        let end = self.shared.log_end.load(Ordering::Relaxed);
        let grown = end - self.shared.log_start.load(Ordering::Relaxed);
        let last = self.shared.checkpoint_bytes.load(Ordering::Relaxed);
        grown >= last.max(self.shared.options.checkpoint_after)
            && end >= self.shared.next_checkpoint.load(Ordering::Relaxed)
            && !self.shared.checkpointing.load(Ordering::Acquire)
    }

    fn checkpoint_begin(&mut self) -> Result<(), AppendError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        self.shared.checkpointing.store(true, Ordering::Release);
        match Draft::begin(&self.shared) {
            Ok(draft) => self.draft = Some(draft),
            Err(error) => return Err(self.shared.fail(error)),
        }
        Ok(())
    }

    fn checkpoint_write(&mut self, payload: &[u8]) -> Result<(), AppendError> {
        check(payload);
        let mut draft = self.open_draft()?;
        if let Some(piece) = draft.write(payload) {
            self.hand_over(piece);
        }
        self.draft = Some(draft);
        Ok(())
    }

    fn checkpoint_has_room(&self) -> bool {
        self.shared.pieces.load(Ordering::Acquire) < PIECES_MAX
    }

    fn checkpoint_finish(&mut self) -> Result<(), AppendError> {
        let draft = self.open_draft()?;
        for task in draft.finish(self.position) {
            self.hand_over(task);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        let shared = &self.shared;
        shared.await_durable(Position(self.position));
        let durable = || shared.durable.load(Ordering::SeqCst) >= self.position;
        let stuck = || {
            shared.health() == JournalHealth::Full && shared.written.load(Ordering::Acquire) < self.position
        };
        shared.await_that(|| durable() || shared.failed() || stuck());
        if durable() {
            return Ok(());
        }
        Err(shared.failure().unwrap_or(AppendError::Full))
    }
}

impl Drop for FileJournal {
    /// Writes and syncs what was accepted, as far as the disk takes it, and ends both threads.
    fn drop(&mut self) {
        // Nothing was promised of what fails here.
        let _ = self.flush();
        self.shared.stop.store(true, Ordering::Release);
        self.shared.unpark_sync();
        drop(self.shared.files());
        self.shared.notify();
        for thread in self.threads.drain(..) {
            // A panic there is a bug that has been printed already; dropping must not add another.
            let _ = thread.join();
        }
    }
}
