//! Writing a checkpoint: the packet thread fills pieces in memory, the keeper writes, syncs and publishes them.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::frame;
use super::header::{FileHeader, FileKind};
use super::layout;
use super::shared::Shared;
use crate::medium::FileHandle;

/// Position of the frame that ends a checkpoint; its payload is the number of frames before it (u64).
pub(crate) const TRAILER: u64 = u64::MAX;

/// Frames gather until they are worth a system call.
const PIECE: usize = 256 << 10;

/// The file is synced after so many bytes, so that the log's syncs never wait behind all of it.
const SYNC_AFTER: u64 = 4 << 20;

/// After a checkpoint was given up, the log must grow by this before the next try, so that a full disk is not
/// asked again and again.
const RETRY: u64 = 8 << 20;

/// What the packet thread leaves to the keeper. Tasks are done in order.
pub(crate) enum Task {
    /// The next bytes of a checkpoint. The first ones make its file, in place of one that was never finished.
    Piece {
        generation: u64,
        bytes: Vec<u8>,
    },
    Publish(Finished),
}

impl Task {
    pub(crate) fn generation(&self) -> u64 {
        match self {
            Self::Piece { generation, .. } => *generation,
            Self::Publish(finished) => finished.generation,
        }
    }

    /// Whether it can be done now. A checkpoint may hold state that is younger than the durable log: published
    /// before, a crash could replay older frames over it and forget what the frames in between had said.
    pub(crate) fn is_ready(&self, durable: u64) -> bool {
        match self {
            Self::Publish(finished) => finished.position <= durable,
            Self::Piece { .. } => true,
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Piece { .. } => "Piece",
            Self::Publish(_) => "Publish",
        })
    }
}

/// A checkpoint of which all pieces have been handed over.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) generation: u64,
    /// Position at the beginning: the log from there on is replayed after it.
    pub(crate) covers: u64,
    /// Position at the end: the log must be durable to there before this takes effect.
    pub(crate) position: u64,
    /// `log_end` at the beginning.
    pub(crate) log_start: u64,
    /// Bytes of all its pieces.
    pub(crate) bytes: u64,
}

/// The packet thread's side of an open checkpoint.
#[derive(Debug)]
pub(crate) struct Draft {
    generation: u64,
    covers: u64,
    log_start: u64,
    salt: u32,
    frames: u64,
    /// Bytes handed over.
    bytes: u64,
    buffer: Vec<u8>,
}

impl Draft {
    pub(crate) fn begin(shared: &Shared) -> io::Result<Self> {
        // The owner's state holds what it has accepted, written or not.
        let covers = shared.accepted.load(Ordering::Acquire);
        let mut files = shared.files();
        let generation = files.next_generation;
        files.next_generation += 1;
        drop(files);
        let header = FileHeader::new(FileKind::Checkpoint, generation, covers, &shared.name)?;
        shared.draft.store(generation, Ordering::Release);
        Ok(Self {
            generation,
            covers,
            log_start: shared.log_end.load(Ordering::Relaxed),
            salt: header.salt,
            frames: 0,
            bytes: 0,
            buffer: header.encode().to_vec(),
        })
    }

    /// Whether the keeper has not given it up.
    pub(crate) fn is_wanted(&self, shared: &Shared) -> bool {
        shared.draft.load(Ordering::Acquire) == self.generation
    }

    /// Adds a frame; gives a piece when it is worth writing.
    pub(crate) fn write(&mut self, payload: &[u8]) -> Option<Task> {
        self.frames += 1;
        frame::encode(&mut self.buffer, self.salt, self.frames, 0, payload);
        (self.buffer.len() >= PIECE).then(|| self.piece())
    }

    /// Ends it: the last piece, with the trailer, and what is to be published when that is written.
    pub(crate) fn finish(mut self, position: u64) -> [Task; 2] {
        let frames = self.frames.to_le_bytes();
        frame::encode(&mut self.buffer, self.salt, TRAILER, 0, &frames);
        let last = self.piece();
        let finished = Finished {
            generation: self.generation,
            covers: self.covers,
            position,
            log_start: self.log_start,
            bytes: self.bytes,
        };
        [last, Task::Publish(finished)]
    }

    fn piece(&mut self) -> Task {
        self.bytes += self.buffer.len() as u64;
        let next = Vec::with_capacity(PIECE + (PIECE >> 2));
        Task::Piece {
            generation: self.generation,
            bytes: std::mem::replace(&mut self.buffer, next),
        }
    }
}

/// The keeper's side: the file, under a name that does not count yet.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) generation: u64,
    pub(crate) file: Arc<dyn FileHandle>,
    /// The name it gets when it is complete.
    pub(crate) path: PathBuf,
    /// Bytes written to the file.
    pub(crate) bytes: u64,
    unsynced: u64,
}

impl Sheet {
    pub(crate) fn create(shared: &Shared, generation: u64) -> io::Result<Self> {
        let path = layout::checkpoint(&shared.dir, generation);
        Ok(Self {
            generation,
            file: shared.medium.create(&layout::unfinished(&path))?,
            path,
            bytes: 0,
            unsynced: 0,
        })
    }

    pub(crate) fn unfinished(&self) -> PathBuf {
        layout::unfinished(&self.path)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(self.bytes, bytes)?;
        self.bytes += bytes.len() as u64;
        self.unsynced += bytes.len() as u64;
        if self.unsynced >= SYNC_AFTER {
            self.unsynced = 0;
            self.file.sync()?;
        }
        Ok(())
    }
}

/// Notes that a checkpoint will not be, for want of space; the former one stays valid.
pub(crate) fn give_up(shared: &Shared, generation: u64) {
    let next = shared.log_end.load(Ordering::Relaxed) + RETRY;
    shared.next_checkpoint.store(next, Ordering::Relaxed);
    // Unless the owner has begun another one meanwhile.
    let _ = shared
        .draft
        .compare_exchange(generation, 0, Ordering::AcqRel, Ordering::Acquire);
    let given_up = &shared.counters.checkpoints_given_up;
    given_up.fetch_add(1, Ordering::Relaxed);
    shared.checkpointing.store(false, Ordering::Release);
}
