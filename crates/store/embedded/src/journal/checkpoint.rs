//! Writing a checkpoint: the packet thread writes pieces, the keeper syncs and publishes.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::frame;
use super::header::{FILE_HEADER, FileHeader, FileKind};
use super::layout;
use super::shared::Shared;
use crate::medium::FileHandle;

/// Position of the frame that ends a checkpoint; its payload is the number of frames before it (u64).
pub(crate) const TRAILER: u64 = u64::MAX;

/// Frames gather until they are worth a system call.
const PIECE: usize = 256 << 10;

/// The keeper syncs the draft after so many bytes, so that the log's syncs never wait behind all of it.
const SYNC_AFTER: u64 = 4 << 20;

/// What the packet thread leaves to the keeper.
pub(crate) enum Task {
    /// Sync a part of a draft ahead.
    Sync(Arc<dyn FileHandle>),
    Discard(PathBuf),
    Publish(Draft),
}

impl Task {
    /// Whether it can be done now. A checkpoint may hold state that is younger than the durable log: published
    /// before, a crash could replay older frames over it and forget what the frames in between had said.
    pub(crate) fn is_ready(&self, durable: u64) -> bool {
        match self {
            Self::Publish(draft) => draft.position <= durable,
            Self::Sync(_) | Self::Discard(_) => true,
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "Sync",
            Self::Discard(_) => "Discard",
            Self::Publish(_) => "Publish",
        })
    }
}

/// A checkpoint being written.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) file: Arc<dyn FileHandle>,
    /// The name it gets when it is complete.
    pub(crate) path: PathBuf,
    pub(crate) generation: u64,
    /// Position at the beginning: the log from there on is replayed after it.
    pub(crate) covers: u64,
    /// Position at the end: the log must be durable to there before this takes effect.
    pub(crate) position: u64,
    /// `log_end` at the beginning.
    pub(crate) log_start: u64,
    /// Bytes written to the file.
    pub(crate) bytes: u64,
    salt: u32,
    frames: u64,
    buffer: Vec<u8>,
    unsynced: u64,
}

impl Draft {
    pub(crate) fn create(shared: &Shared) -> io::Result<Self> {
        // The owner's state holds what it has accepted, written or not.
        let covers = shared.accepted.load(Ordering::Acquire);
        let mut files = shared.files();
        let generation = files.next_generation;
        files.next_generation += 1;
        drop(files);
        let header = FileHeader::new(FileKind::Checkpoint, generation, covers, &shared.name)?;
        let path = layout::checkpoint(&shared.dir, generation);
        let file = shared.medium.create(&layout::unfinished(&path))?;
        let mut buffer = Vec::with_capacity(PIECE + FILE_HEADER);
        buffer.extend_from_slice(&header.encode());
        Ok(Self {
            file,
            path,
            generation,
            covers,
            position: covers,
            log_start: shared.log_end.load(Ordering::Relaxed),
            bytes: 0,
            salt: header.salt,
            frames: 0,
            buffer,
            unsynced: 0,
        })
    }

    pub(crate) fn unfinished(&self) -> PathBuf {
        layout::unfinished(&self.path)
    }

    /// Adds a frame; `true` when it is time to sync what is written.
    pub(crate) fn write(&mut self, payload: &[u8]) -> io::Result<bool> {
        self.frames += 1;
        frame::encode(&mut self.buffer, self.salt, self.frames, 0, payload);
        if self.buffer.len() >= PIECE {
            self.write_out()?;
        }
        let due = self.unsynced >= SYNC_AFTER;
        if due {
            self.unsynced = 0;
        }
        Ok(due)
    }

    /// Writes the trailer and all that is still in memory.
    pub(crate) fn finish(&mut self, position: u64) -> io::Result<()> {
        self.position = position;
        frame::encode(
            &mut self.buffer,
            self.salt,
            TRAILER,
            0,
            &self.frames.to_le_bytes(),
        );
        self.write_out()?;
        self.buffer = Vec::new();
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_at(self.bytes, &self.buffer)?;
        self.bytes += self.buffer.len() as u64;
        self.unsynced += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
