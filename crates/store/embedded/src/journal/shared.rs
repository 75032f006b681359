//! What the packet thread, the sync thread and the keeper of one journal share.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::Thread;

use purlin_store::{AppendError, JournalHealth, Position, Wake};

use super::checkpoint::Task;
use super::gather::Gather;
use super::stats::{Counters, JournalStats};
use super::tail::Tail;
use super::{JournalOptions, layout};
use crate::medium::{FileHandle, Medium};

const READY: u8 = 0;
const FULL: u8 = 1;
const FAILED: u8 = 2;

/// A segment file ready for frames.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) salt: u32,
    /// Bytes allocated; a frame longer than all of it makes the file grow.
    pub(crate) capacity: u64,
    pub(crate) file: Arc<dyn FileHandle>,
}

/// A segment in the log.
#[derive(Debug)]
pub(crate) struct LogSegment {
    pub(crate) segment: Arc<Segment>,
    /// Position of its last frame; of the one being written, `u64::MAX`.
    pub(crate) last: u64,
}

/// A published checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFile {
    pub(crate) generation: u64,
    pub(crate) covers: u64,
    pub(crate) bytes: u64,
}

/// The files of a journal; locked for moments only, never while syncing.
#[derive(Debug)]
pub(crate) struct Files {
    /// Oldest first; the last one is being written.
    pub(crate) segments: VecDeque<LogSegment>,
    /// Segments before this number are durable.
    pub(crate) unsynced_from: u64,
    pub(crate) spare: Option<Arc<Segment>>,
    pub(crate) next_number: u64,
    pub(crate) checkpoint: Option<CheckpointFile>,
    pub(crate) next_generation: u64,
    pub(crate) tasks: VecDeque<Task>,
    /// The spare could not be made, or a write found no space.
    pub(crate) no_space: bool,
    /// A write inside a prepared segment found no space (copy-on-write file systems).
    pub(crate) write_refused: bool,
}

pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) options: JournalOptions,
    pub(crate) torn_tail: bool,
    wake: Wake,
    /// Three marks of the same count: `durable <= written <= accepted`. What is between the last two is in
    /// memory only.
    pub(crate) accepted: AtomicU64,
    pub(crate) written: AtomicU64,
    pub(crate) durable: AtomicU64,
    /// Up to here somebody waits for durability; what is accepted beyond may wait for company.
    pub(crate) awaited: AtomicU64,
    /// The sync thread waits for company, or for somebody who waits: only the latter need wake it.
    pub(crate) resting: AtomicBool,
    /// Locked for the copying of a frame, or to take all of it away.
    gather: Mutex<Gather>,
    /// Octets of payload that are accepted and not written.
    pub(crate) gathered: AtomicUsize,
    /// Locked while writing; taken before `gather` and `files`, never the other way.
    tail: Mutex<Tail>,
    health: AtomicU8,
    cause: OnceLock<Arc<io::Error>>,
    pub(crate) stop: AtomicBool,
    pub(crate) sync_thread: OnceLock<Thread>,
    files: Mutex<Files>,
    /// Goes with `files`: a spare, space, a task, durability for those who wait, the end.
    changed: Condvar,
    waiting: AtomicUsize,
    /// Bytes of frames since the opening, plus those that were replayed.
    pub(crate) log_end: AtomicU64,
    /// Value of `log_end` where the last published checkpoint began.
    pub(crate) log_start: AtomicU64,
    pub(crate) checkpoint_bytes: AtomicU64,
    /// A checkpoint is open or being published.
    pub(crate) checkpointing: AtomicBool,
    /// Generation of the checkpoint being written, 0 when it was given up.
    pub(crate) draft: AtomicU64,
    /// Pieces of it that the keeper has not written yet.
    pub(crate) pieces: AtomicUsize,
    /// Value of `log_end` before which no checkpoint is due.
    pub(crate) next_checkpoint: AtomicU64,
    pub(crate) counters: Counters,
}

/// What a journal starts with.
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) options: JournalOptions,
    pub(crate) wake: Wake,
    pub(crate) position: u64,
    pub(crate) log_bytes: u64,
    pub(crate) torn_tail: bool,
    pub(crate) files: Files,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("name", &self.name)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(start: Start) -> Self {
        let checkpoint_bytes = start
            .files
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.bytes);
        Self {
            name: start.name,
            dir: start.dir,
            medium: start.medium,
            options: start.options,
            torn_tail: start.torn_tail,
            wake: start.wake,
            accepted: AtomicU64::new(start.position),
            written: AtomicU64::new(start.position),
            durable: AtomicU64::new(start.position),
            awaited: AtomicU64::new(start.position),
            resting: AtomicBool::new(false),
            gather: Mutex::default(),
            gathered: AtomicUsize::new(0),
            tail: Mutex::new(Tail::new(start.position)),
            health: AtomicU8::new(READY),
            cause: OnceLock::new(),
            stop: AtomicBool::new(false),
            sync_thread: OnceLock::new(),
            files: Mutex::new(start.files),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            log_end: AtomicU64::new(start.log_bytes),
            log_start: AtomicU64::new(0),
            checkpoint_bytes: AtomicU64::new(checkpoint_bytes),
            checkpointing: AtomicBool::new(false),
            draft: AtomicU64::new(0),
            pieces: AtomicUsize::new(0),
            next_checkpoint: AtomicU64::new(0),
            counters: Counters::default(),
        }
    }

    pub(crate) fn files(&self) -> MutexGuard<'_, Files> {
        self.files
            .lock()
            .expect("no journal thread panics with the files locked")
    }

    pub(crate) fn gather(&self) -> MutexGuard<'_, Gather> {
        self.gather.lock().expect("copying and swapping do not panic")
    }

    pub(crate) fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail
            .lock()
            .expect("no journal thread panics while it writes")
    }

    pub(crate) fn wait<'a>(&self, files: MutexGuard<'a, Files>) -> MutexGuard<'a, Files> {
        self.changed
            .wait(files)
            .expect("no journal thread panics with the files locked")
    }

    /// Waits for a change or the retry time; `true` when the time is over.
    pub(crate) fn wait_retry<'a>(&self, files: MutexGuard<'a, Files>) -> (MutexGuard<'a, Files>, bool) {
        let woken = self.changed.wait_timeout(files, self.options.retry);
        let (files, timeout) = woken.expect("no journal thread panics with the files locked");
        (files, timeout.timed_out())
    }

    /// Tells everyone who waits that something has changed in `files`.
    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    pub(crate) fn wake_owner(&self) {
        (self.wake)();
    }

    pub(crate) fn health(&self) -> JournalHealth {
        match self.health.load(Ordering::Acquire) {
            READY => JournalHealth::Ready,
            FULL => JournalHealth::Full,
            _ => JournalHealth::Failed,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.health.load(Ordering::Acquire) == FAILED
    }

    pub(crate) fn failure(&self) -> Option<AppendError> {
        self.cause.get().map(|cause| AppendError::Failed(cause.clone()))
    }

    /// Full, unless failed; `true` when that is news. Called with the files locked, so that it cannot cross the
    /// keeper's good news.
    pub(crate) fn now_full(&self) -> bool {
        self.health
            .compare_exchange(READY, FULL, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Ready, unless failed; `true` when that is news. Called with the files locked.
    pub(crate) fn now_ready(&self) -> bool {
        self.health
            .compare_exchange(FULL, READY, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Stops the journal for ever. The first cause stays.
    pub(crate) fn fail(&self, error: io::Error) -> AppendError {
        let cause = self.cause.get_or_init(|| Arc::new(error)).clone();
        self.health.store(FAILED, Ordering::Release);
        drop(self.files());
        self.notify();
        self.wake_owner();
        AppendError::Failed(cause)
    }

    /// All up to `position` is durable.
    pub(crate) fn publish(&self, position: u64) {
        self.durable.store(position, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // Taking the lock puts this after the waiter's look at `durable`, so that it hears the notice.
            drop(self.files());
            self.notify();
        }
        self.wake_owner();
    }

    /// Waits until `done` says so; it is asked again after every sync and every change of `files` or health.
    pub(crate) fn await_that(&self, mut done: impl FnMut() -> bool) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut files = self.files();
        while !done() {
            files = self.wait(files);
        }
        drop(files);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits for a change of `files`, or until more than now is durable.
    pub(crate) fn wait_or_sync<'a>(
        &self,
        files: MutexGuard<'a, Files>,
        durable: u64,
    ) -> MutexGuard<'a, Files> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // A sync that ended before the line above told nobody.
        let files = if self.durable.load(Ordering::SeqCst) > durable {
            files
        } else {
            self.wait(files)
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        files
    }

    /// Somebody waits until everything up to `position` is durable: no rest before that.
    pub(crate) fn await_durable(&self, position: Position) {
        self.awaited.fetch_max(position.0, Ordering::SeqCst);
        self.unpark_sync();
    }

    pub(crate) fn unpark_sync(&self) {
        if let Some(thread) = self.sync_thread.get() {
            thread.unpark();
        }
    }

    pub(crate) fn stats(&self) -> JournalStats {
        let files = self.files();
        let (segments, next_segment_ready) = (files.segments.len(), files.spare.is_some());
        drop(files);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        JournalStats {
            name: self.name.clone(),
            health: self.health(),
            written: Position(self.accepted.load(Ordering::Acquire)),
            durable: Position(self.durable.load(Ordering::Acquire)),
            segments,
            next_segment_ready,
            log_bytes: load(&self.log_end) - load(&self.log_start),
            checkpoint_bytes: load(&self.checkpoint_bytes),
            checkpoints: load(&self.counters.checkpoints),
            checkpoints_given_up: load(&self.counters.checkpoints_given_up),
            syncs: load(&self.counters.syncs),
            last_sync: self.counters.last_sync(),
            sync_micros: self.counters.sync_micros(),
            torn_tail: self.torn_tail,
        }
    }

    pub(crate) fn segment_path(&self, number: u64) -> PathBuf {
        layout::segment(&self.dir, number)
    }
}
