//! The packet thread's end of a journal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use purlin_store::{AppendError, Journal, JournalHealth, Position};

use super::checkpoint::{Draft, Task};
use super::frame::{self, MAX_PAYLOAD, space};
use super::header::FILE_HEADER;
use super::shared::{LogSegment, Segment, Shared};
use crate::medium::{Lock, is_full};

/// A buffer above this is given back after use.
const KEEP_BUFFER: usize = 1 << 20;

/// After a checkpoint was given up, the log must grow by this before the next try, so that a full disk is not
/// asked again and again.
const RETRY_CHECKPOINT: u64 = 8 << 20;

/// An open journal.
pub(crate) struct FileJournal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) threads: Vec<JoinHandle<()>>,
    pub(crate) _lock: Lock,
    pub(crate) log: Log,
    pub(crate) draft: Option<Draft>,
    pub(crate) retry_checkpoint_at: u64,
}

/// Where the next frame goes.
pub(crate) struct Log {
    pub(crate) segment: Option<Arc<Segment>>,
    pub(crate) offset: u64,
    pub(crate) position: u64,
    pub(crate) buffer: Vec<u8>,
}

impl std::fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileJournal")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

impl FileJournal {
    /// The segment that has room for `needed` bytes: the present one or the spare.
    fn segment_for(&mut self, needed: usize) -> Result<&Segment, AppendError> {
        let log = &mut self.log;
        let fits = log.segment.as_ref().is_some_and(|segment| {
            log.offset + needed as u64 <= segment.capacity || log.offset == FILE_HEADER as u64
        });
        if !fits {
            log.segment = Some(next_segment(&self.shared, log.position)?);
            log.offset = FILE_HEADER as u64;
        }
        Ok(log.segment.as_deref().expect("there is one now"))
    }

    fn refuse(&self, error: io::Error) -> AppendError {
        if !is_full(&error) {
            return self.shared.fail(error);
        }
        let mut files = self.shared.files();
        files.no_space = true;
        files.write_refused = true;
        self.shared.now_full();
        drop(files);
        self.shared.notify();
        AppendError::Full
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

/// Takes the spare into the log; waits for the keeper when it is still at work on it.
pub(crate) fn next_segment(shared: &Shared, position: u64) -> Result<Arc<Segment>, AppendError> {
    let mut files = shared.files();
    loop {
        if let Some(failure) = shared.failure() {
            return Err(failure);
        }
        if let Some(spare) = files.spare.take() {
            if let Some(present) = files.segments.back_mut() {
                present.last = present.last.min(position);
            }
            files.segments.push_back(LogSegment {
                segment: spare.clone(),
                last: u64::MAX,
            });
            drop(files);
            shared.notify();
            return Ok(spare);
        }
        if files.no_space {
            shared.now_full();
            return Err(AppendError::Full);
        }
        files = shared.wait(files);
    }
}

impl Journal for FileJournal {
    fn append(&mut self, payload: &[u8]) -> Result<Position, AppendError> {
        assert!(
            !payload.is_empty() && payload.len() <= MAX_PAYLOAD,
            "a frame is 1 byte to 16 MiB"
        );
        if let Some(failure) = self.shared.failure() {
            return Err(failure);
        }
        let synced = self.shared.durable.load(Ordering::Acquire);
        let salt = self.segment_for(space(payload.len()))?.salt;
        let log = &mut self.log;
        log.buffer.clear();
        frame::encode(&mut log.buffer, salt, log.position + 1, synced, payload);
        let segment = log.segment.as_ref().expect("chosen above");
        if let Err(error) = segment.file.write_at(log.offset, &log.buffer) {
            return Err(self.refuse(error));
        }
        log.offset += log.buffer.len() as u64;
        log.position += 1;
        self.shared
            .log_end
            .fetch_add(log.buffer.len() as u64, Ordering::Relaxed);
        if log.buffer.capacity() > KEEP_BUFFER {
            log.buffer = Vec::new();
        }
        self.shared.written.store(log.position, Ordering::Release);
        self.shared.unpark_sync();
        Ok(Position(log.position))
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
        assert!(
            !payload.is_empty() && payload.len() <= MAX_PAYLOAD,
            "a frame is 1 byte to 16 MiB"
        );
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
        if let Err(error) = draft.finish(self.log.position) {
            self.draft = Some(draft);
            return Err(self.give_up_draft(error));
        }
        self.hand_over(Task::Publish(draft));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        if self.shared.await_durable(self.log.position) {
            return Ok(());
        }
        Err(self
            .shared
            .failure()
            .expect("the wait ends early only by failure"))
    }
}

impl Drop for FileJournal {
    /// Syncs what is written and ends both threads.
    fn drop(&mut self) {
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
