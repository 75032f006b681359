//! The whole store of a node in one data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use purlin_store::{JournalEngine, OpenError, Records};

use crate::journal::{JournalFiles, JournalOptions, JournalStats};
use crate::medium::{Lock, Medium, RealFiles};
use crate::records::RecordFile;
use crate::restored::Restored;

pub(crate) const LOCK: &str = "lock";
const JOURNALS: &str = "journal";
const RECORDS: &str = "records.redb";

/// Here from the beginning of a restore to its end: a folder with it holds half a store.
pub(crate) const RESTORING: &str = "restoring";

/// How the store uses its disk.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub journal: JournalOptions,
}

/// An open data folder, locked as long as this lives: keep it as long as the process serves.
#[derive(Debug)]
pub struct Embedded {
    dir: PathBuf,
    pub(crate) medium: Arc<dyn Medium>,
    pub(crate) journals: Arc<JournalFiles>,
    pub(crate) records: Arc<RecordFile>,
    restored: Option<Restored>,
    _lock: Lock,
}

impl Embedded {
    /// Opens or creates the store in `dir`.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_on(Arc::new(RealFiles), dir, options)
    }

    /// As [`open`](Self::open), on any medium.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(medium: Arc<dyn Medium>, dir: &Path, options: Options) -> Result<Self, OpenError> {
        let failed = |what| {
            move |source| OpenError::Io {
                what,
                path: dir.display().to_string(),
                source,
            }
        };
        medium.create_dir(dir).map_err(failed("creating"))?;
        let lock = medium.lock(&dir.join(LOCK)).map_err(failed("locking"))?;
        let lock = lock.ok_or_else(|| OpenError::Locked {
            path: dir.display().to_string(),
        })?;
        if medium
            .list(dir)
            .map_err(failed("listing"))?
            .iter()
            .any(|name| name == RESTORING)
        {
            let what = "a restore into it did not finish";
            return Err(OpenError::Damaged {
                path: dir.display().to_string(),
                offset: 0,
                what,
            });
        }
        Self::assemble(medium, dir, options, lock)
    }

    pub(crate) fn assemble(
        medium: Arc<dyn Medium>,
        dir: &Path,
        options: Options,
        lock: Lock,
    ) -> Result<Self, OpenError> {
        let restored = Restored::read(medium.as_ref(), dir).map_err(|source| OpenError::Io {
            what: "reading the mark of a restore in",
            path: dir.display().to_string(),
            source,
        })?;
        let records = Arc::new(RecordFile::open(medium.clone(), &dir.join(RECORDS))?);
        let journals = Arc::new(JournalFiles::new(
            medium.clone(),
            &dir.join(JOURNALS),
            options.journal,
        )?);
        Ok(Self {
            dir: dir.to_owned(),
            medium,
            journals,
            records,
            restored,
            _lock: lock,
        })
    }

    /// The journals: one per packet thread.
    #[must_use]
    pub fn journals(&self) -> Arc<dyn JournalEngine> {
        self.journals.clone()
    }

    /// The records of the control plane.
    #[must_use]
    pub fn records(&self) -> Arc<dyn Records> {
        self.records.clone()
    }

    /// Where the contents came from, when that was a backup.
    #[must_use]
    pub fn restored(&self) -> Option<Restored> {
        self.restored
    }

    /// Figures of all open journals.
    #[must_use]
    pub fn journal_stats(&self) -> Vec<JournalStats> {
        self.journals.stats()
    }

    /// The data folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
