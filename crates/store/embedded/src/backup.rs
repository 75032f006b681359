//! Backup of a running store into one file, and the way back.
//!
//! ```text
//!   archive: file header | item | item | ... | end item        docs/formats/backup.md
//!   item:    a frame as in a journal; its `position` counts items, its `synced` says what it is
//! ```

mod archive;
mod restore;

use std::fmt;
use std::io;
use std::path::Path;

use purlin_store::{JournalEngine, OpenError, RecordError};

use self::archive::{Archive, Kind, Row};
use crate::embedded::Embedded;

pub use restore::{restore, restore_on, verify, verify_on};

/// Called with the bytes done and the bytes there are in all; an estimate until both are equal at the end.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Names of the journals and the number of their frames.
    pub journals: Vec<(String, u64)>,
    /// Rows of all tables of the records.
    pub rows: u64,
    /// Length of the archive.
    pub bytes: u64,
    /// When it was begun, in Unix seconds; 0 when it does not say.
    pub taken: u64,
}

/// Why a backup or restore did not happen.
#[derive(Debug)]
pub enum BackupError {
    /// Doing `what` on `path` failed.
    Io {
        what: &'static str,
        path: String,
        source: io::Error,
    },
    /// The store could not be read or written.
    Store(OpenError),
    Records(RecordError),
    /// A journal refused a restored frame.
    Append(purlin_store::AppendError),
    /// The archive is no archive, or not whole.
    Damaged {
        path: String,
        offset: u64,
        what: &'static str,
    },
    /// The folder to restore into holds something.
    NotEmpty {
        path: String,
    },
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, path, .. } => write!(f, "{what} {path} failed"),
            Self::Store(_) => f.write_str("the store could not be opened"),
            Self::Records(_) => f.write_str("the records could not be read or written"),
            Self::Append(_) => f.write_str("a restored lease could not be written"),
            Self::Damaged { path, offset, what } => write!(f, "{path} is damaged at byte {offset}: {what}"),
            Self::NotEmpty { path } => write!(f, "{path} is not empty; restore into an empty folder"),
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Store(source) => Some(source),
            Self::Records(source) => Some(source),
            Self::Append(source) => Some(source),
            Self::Damaged { .. } | Self::NotEmpty { .. } => None,
        }
    }
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        Self::Store(error)
    }
}

impl From<RecordError> for BackupError {
    fn from(error: RecordError) -> Self {
        Self::Records(error)
    }
}

pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.display().to_string();
    move |source| BackupError::Io { what, path, source }
}

impl Embedded {
    /// Writes all that is durable now to the file `archive` while the store goes on: every journal up to its
    /// durable position, the records as of one moment. The file appears under its name when it is whole and
    /// synced; a former one of that name is replaced. `now` is the time in Unix seconds, for whoever restores it.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn backup(&self, archive: &Path, now: u64, progress: Progress<'_>) -> Result<Summary, BackupError> {
        let names = self.journals.names()?;
        let mut total = self.records.size();
        for name in &names {
            total += self.journals.size(name)?;
        }
        let mut out = Archive::create(self.medium.clone(), archive)?;
        let mut summary = Summary {
            taken: now,
            ..Summary::default()
        };
        out.add(Kind::Taken, &now.to_le_bytes());
        for name in names {
            let frames =
                self.back_up_journal(&mut out, &name, &mut |done| progress(done.min(total), total))?;
            summary.journals.push((name, frames));
        }
        self.records.for_each(&mut |table, key, value| {
            summary.rows += 1;
            out.add(Kind::Row, &Row { table, key, value }.encode());
        })?;
        summary.bytes = out.finish()?;
        progress(total, total);
        Ok(summary)
    }

    fn back_up_journal(
        &self,
        out: &mut Archive,
        name: &str,
        done: &mut dyn FnMut(u64),
    ) -> Result<u64, BackupError> {
        let mut frames = 0;
        out.add(Kind::Journal, name.as_bytes());
        self.journals.read(name, &mut |frame| {
            frames += 1;
            if out.add(Kind::Frame, frame) {
                done(out.bytes());
            }
        })?;
        Ok(frames)
    }
}
