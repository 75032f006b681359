//! The journal: frames in, one by one durable, everything back after a crash.

use std::fmt;
use std::sync::Arc;

/// How many frames a journal had accepted when it accepted a frame, that frame included; 0 is "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Position(pub u64);

/// Whether a journal can take frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalHealth {
    Ready,
    /// No space for the next segment. Nothing was lost; the journal tries again by itself.
    Full,
    /// A write or sync failed: fail-stop until the process starts anew and replays what the disk really has.
    Failed,
}

/// Why a frame was not accepted. In every case the journal holds no part of it.
#[derive(Debug)]
pub enum AppendError {
    Full,
    Failed(Arc<std::io::Error>),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("no space left for the journal"),
            Self::Failed(_) => f.write_str("the journal stopped after a failed write or sync"),
        }
    }
}

impl std::error::Error for AppendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Full => None,
            Self::Failed(cause) => Some(cause.as_ref()),
        }
    }
}

/// Why a journal could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// Doing `what` on `path` failed.
    Io {
        what: &'static str,
        path: String,
        source: std::io::Error,
    },
    /// A frame that must be whole is not: not a torn tail, but damage in the middle of acknowledged history.
    Damaged {
        path: String,
        offset: u64,
        what: &'static str,
    },
    /// Another process has it.
    Locked { path: String },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, path, .. } => write!(f, "{what} {path} failed"),
            Self::Damaged { path, offset, what } => {
                write!(
                    f,
                    "{path} is damaged at byte {offset}: {what}; restore a backup or move the file away to start without it"
                )
            }
            Self::Locked { path } => write!(f, "{path} is in use by another process"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Called from the journal's own thread whenever `durable` or `health` has changed; must be quick.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Called once per frame while a journal is opened, checkpoint first, then the log, in the order of writing.
pub type Replay<'a> = &'a mut dyn FnMut(&[u8]);

/// One thread's durable log with checkpoints.
///
/// A checkpoint is fuzzy: between `checkpoint_begin` and `checkpoint_finish` the owner goes on appending, and
/// writes its whole state in pieces. Frames must therefore be full states that may be replayed twice. A journal that
/// has nothing to shorten leaves all that is about checkpoints as it is here: none is ever due.
pub trait Journal: Send + fmt::Debug {
    /// Appends one frame, not empty and at most 16 MiB. It is written, not yet durable, when this returns, and so
    /// is all that was deferred before: it survives the end of the process.
    ///
    /// # Errors
    /// See [`AppendError`]; the frame can be appended again after `Full`.
    fn append(&mut self, frame: &[u8]) -> Result<Position, AppendError>;

    /// Accepts one frame, not empty and at most 16 MiB, of which nothing is promised before it is durable. It may
    /// be in memory only when this returns: writing it is the journal's own business, so the caller does not wait
    /// for the disk. Frames keep the order of all calls to `append` and `defer`.
    ///
    /// When the disk turns out to be full afterwards, `health` says so, the frame keeps its place in front of all
    /// later ones, and it is written when there is space. It goes with the process if that ends before.
    ///
    /// While `has_room` says no this may wait for the disk, because memory is bounded.
    ///
    /// # Errors
    /// See [`AppendError`]; the frame can be handed over again after `Full`.
    fn defer(&mut self, frame: &[u8]) -> Result<Position, AppendError>;

    /// Whether deferred frames of some MiB more would be accepted without waiting. One atomic load. The wake-up
    /// after a sync tells when it may have changed.
    fn has_room(&self) -> bool;

    /// Up to which position everything survives power loss. One atomic load.
    fn durable(&self) -> Position;

    /// One atomic load. Turns from `Full` to `Ready` by itself when there is space again.
    fn health(&self) -> JournalHealth;

    /// Whether so much was appended since the last checkpoint that a new one would pay.
    fn checkpoint_due(&self) -> bool {
        false
    }

    /// Starts a checkpoint: all frames appended from here on will be replayed after it.
    ///
    /// # Errors
    /// As `append`.
    fn checkpoint_begin(&mut self) -> Result<(), AppendError> {
        Ok(())
    }

    /// Adds one frame of state to the open checkpoint. The disk's part is done in the background.
    ///
    /// # Errors
    /// As `append`; the checkpoint is given up and the former one stays valid. `Full` may come later than the
    /// frame that found no space, or be seen in the engine's figures only when the last frames did.
    fn checkpoint_write(&mut self, frame: &[u8]) -> Result<(), AppendError> {
        let _ = frame;
        Ok(())
    }

    /// Whether the disk keeps up with the open checkpoint. While not, the owner should write no more of it: each
    /// frame would be kept in memory. A wake-up tells when this has changed. One atomic load.
    fn checkpoint_has_room(&self) -> bool {
        true
    }

    /// Closes the checkpoint. It is synced and takes effect in the background; older files go after that.
    ///
    /// # Errors
    /// As `append`.
    fn checkpoint_finish(&mut self) -> Result<(), AppendError> {
        Ok(())
    }

    /// Waits until all that was accepted is durable (drain, tests).
    ///
    /// # Errors
    /// When the journal has failed or is full.
    fn flush(&mut self) -> Result<(), AppendError>;
}

/// Opens journals by name.
pub trait JournalEngine: Send + Sync + fmt::Debug {
    /// Opens or creates the journal `name`, handing every surviving frame to `replay` first.
    ///
    /// # Errors
    /// See [`OpenError`]. A torn tail is no error: it was never acknowledged.
    fn open(&self, name: &str, wake: Wake, replay: Replay<'_>) -> Result<Box<dyn Journal>, OpenError>;

    /// The names of all journals that exist.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn names(&self) -> Result<Vec<String>, OpenError>;

    /// Deletes a journal that is not open (after its state has been taken over by another).
    ///
    /// # Errors
    /// When a file cannot be removed.
    fn remove(&self, name: &str) -> Result<(), OpenError>;
}
