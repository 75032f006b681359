//! What survived: the newest checkpoint, then the log, in order, and nothing that is not certain.

mod log;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use purlin_store::{OpenError, Replay};

use super::checkpoint::TRAILER;
use super::header::{FileHeader, FileKind};
use super::layout;
use super::reader::{Item, Reader};
use super::shared::{CheckpointFile, LogSegment};
use crate::medium::{FileHandle, Medium};

/// A journal's folder and who it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) medium: &'a dyn Medium,
    pub(crate) dir: &'a Path,
    pub(crate) name: &'a str,
}

/// What a journal holds after a start.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The last position that survived.
    pub(crate) position: u64,
    pub(crate) segments: VecDeque<LogSegment>,
    pub(crate) next_number: u64,
    pub(crate) checkpoint: Option<CheckpointFile>,
    pub(crate) next_generation: u64,
    /// Bytes of frames after the checkpoint.
    pub(crate) log_bytes: u64,
    pub(crate) torn_tail: bool,
}

impl Site<'_> {
    /// Hands every surviving frame to `replay`, makes them durable, cuts off what was torn, removes leftovers.
    pub(crate) fn recover(self, replay: Replay<'_>) -> Result<Recovered, OpenError> {
        let names = self.medium.list(self.dir).map_err(failed("listing", self.dir))?;
        for name in names.iter().filter(|name| name.ends_with(layout::UNFINISHED)) {
            self.remove(&self.dir.join(name))?;
        }
        let (numbers, generations) = layout::sort(&names);
        let checkpoint = match generations.last() {
            Some(generation) => Some(self.replay_checkpoint(*generation, replay)?),
            None => None,
        };
        for generation in generations.iter().rev().skip(1) {
            self.remove(&layout::checkpoint(self.dir, *generation))?;
        }
        let covers = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.covers);
        let log = self.replay_log(&numbers, covers, replay)?;
        self.medium
            .sync_dir(self.dir)
            .map_err(failed("syncing", self.dir))?;
        Ok(Recovered {
            position: log.last,
            segments: log.segments,
            next_number: numbers.last().map_or(1, |number| number + 1),
            checkpoint,
            next_generation: generations.last().map_or(1, |generation| generation + 1),
            log_bytes: log.bytes,
            torn_tail: log.torn,
        })
    }

    fn replay_checkpoint(self, generation: u64, replay: Replay<'_>) -> Result<CheckpointFile, OpenError> {
        let path = layout::checkpoint(self.dir, generation);
        let (file, header) = self.open(&path, FileKind::Checkpoint, generation)?;
        let bytes = file.length().map_err(failed("reading", &path))?;
        let covers = header.covers;
        replay_checkpoint(file, header.salt, &path, replay)?;
        Ok(CheckpointFile {
            generation,
            covers,
            bytes,
        })
    }

    /// Opens a file and checks that it is what its name says.
    fn open(
        self,
        path: &Path,
        kind: FileKind,
        number: u64,
    ) -> Result<(Arc<dyn FileHandle>, FileHeader), OpenError> {
        let file = self.medium.open(path).map_err(failed("opening", path))?;
        let header = FileHeader::read(file.as_ref()).map_err(failed("reading", path))?;
        let header = header.map_err(|what| damaged(path, 0, what))?;
        if header.kind != kind || header.number != number || header.journal != self.name {
            return Err(damaged(path, 0, "the file belongs elsewhere"));
        }
        Ok((file, header))
    }

    fn remove(self, path: &Path) -> Result<(), OpenError> {
        self.medium.remove(path).map_err(failed("removing", path))
    }
}

/// Hands all frames of a checkpoint to `replay`.
pub(crate) fn replay_checkpoint(
    file: Arc<dyn FileHandle>,
    salt: u32,
    path: &Path,
    replay: Replay<'_>,
) -> Result<(), OpenError> {
    let mut reader = Reader::new(file, salt);
    let mut frames = 0_u64;
    loop {
        let offset = reader.offset();
        match reader.next().map_err(failed("reading", path))? {
            Item::Frame { header, payload } if header.position == frames + 1 => {
                frames += 1;
                replay(payload);
            }
            Item::Frame { header, payload }
                if header.position == TRAILER && payload == frames.to_le_bytes() =>
            {
                return Ok(());
            }
            _ => return Err(damaged(path, offset, "the checkpoint is not whole")),
        }
    }
}

pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.display().to_string();
    move |source| OpenError::Io { what, path, source }
}

pub(crate) fn damaged(path: &Path, offset: u64, what: &'static str) -> OpenError {
    OpenError::Damaged {
        path: path.display().to_string(),
        offset,
        what,
    }
}

/// A segment found on disk.
struct Found {
    number: u64,
    path: PathBuf,
    salt: u32,
    file: Arc<dyn FileHandle>,
    /// Position of its first frame, when that is whole.
    first: Option<u64>,
}
