//! The packet thread's end of a journal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use purlin_store::{AppendError, Journal, JournalHealth, Position};

use super::checkpoint::{Draft, Task};
use super::frame::{MAX_PAYLOAD, space};
use super::shared::Shared;
use crate::medium::{Lock, is_full};

/// Octets accepted and not written at most; then `defer` waits.
const GATHER_MAX: usize = 8 << 20;

/// After a checkpoint was given up, the log must grow by this before the next try, so that a full disk is not
/// asked again and again.
const RETRY_CHECKPOINT: u64 = 8 << 20;

/// An open journal.
pub(crate) struct FileJournal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) _lock: Lock,
    /// Position of the last frame accepted.
    pub(crate) position: u64,
    pub(crate) draft: Option<Draft>,
    pub(crate) retry_checkpoint_at: u64,
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
        self.shared.accepted.store(self.position, Ordering::Release);
        self.shared
            .log_end
            .fetch_add(space(payload.len()) as u64, Ordering::Relaxed);
        self.shared.unpark_sync();
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

    fn give_up_draft(&mut self, error: io::Error) -> AppendError {
        if let Some(draft) = self.draft.take() {
            self.hand_over(Task::Discard(draft.unfinished()));
        }
        self.retry_checkpoint_at = self.shared.log_end.load(Ordering::Relaxed) + RETRY_CHECKPOINT;
        self.shared.checkpointing.store(false, Ordering::Release);
        if !is_full(&error) {
            return self.shared.fail(error);
        }
        self.shared
            .counters
            .checkpoints_given_up
            .fetch_add(1, Ordering::Relaxed);
        AppendError::Full
    }

    fn hand_over(&self, task: Task) {
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
        Ok(self.accepted(payload))
    }

    fn defer(&mut self, payload: &[u8]) -> Result<Position, AppendError> {
        check(payload);
        self.await_room(payload.len())?;
        self.shared.gathered.fetch_add(payload.len(), Ordering::SeqCst);
        self.shared.gather().push(payload);
        Ok(self.accepted(payload))
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
            && end >= self.retry_checkpoint_at
            && !self.shared.checkpointing.load(Ordering::Acquire)
    }

    fn checkpoint_begin(&mut self) -> Result<(), AppendError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        if let Some(unfinished) = self.draft.take() {
            self.hand_over(Task::Discard(unfinished.unfinished()));
        }
        self.shared.checkpointing.store(true, Ordering::Release);
        match Draft::create(&self.shared) {
            Ok(draft) => self.draft = Some(draft),
            Err(error) => return Err(self.give_up_draft(error)),
        }
        Ok(())
    }

    fn checkpoint_write(&mut self, payload: &[u8]) -> Result<(), AppendError> {
        check(payload);
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        // Given up before: the owner was told, and may well go on to the end of its loop.
        let Some(draft) = &mut self.draft else {
            return Err(AppendError::Full);
        };
        match draft.write(payload) {
            Ok(true) => {
                let file = draft.file.clone();
                self.hand_over(Task::Sync(file));
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(error) => Err(self.give_up_draft(error)),
        }
    }

    fn checkpoint_finish(&mut self) -> Result<(), AppendError> {
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        let Some(mut draft) = self.draft.take() else {
            return Err(AppendError::Full);
        };
        if let Err(error) = draft.finish(self.position) {
            self.draft = Some(draft);
            return Err(self.give_up_draft(error));
        }
        self.hand_over(Task::Publish(draft));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        let shared = &self.shared;
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
