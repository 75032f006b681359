//! The file under the engine, and how it is opened again.
//!
//! The engine answers nothing after a failed write until it is opened anew, which brings it back to the last
//! commit: right for a full disk, wrong after a failed sync. What a failed `fdatasync` leaves on the disk nobody
//! knows, and a second one that succeeds says no more, so there is no second one.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{BackendError, Database, DatabaseError, StorageBackend};

use super::error::StoreError;

type Open = dyn Fn() -> Result<Database, DatabaseError> + Send + Sync;

/// Where a store's database comes from.
#[derive(Clone)]
pub(super) struct Source {
    open: Arc<Open>,
    pub(super) path: Option<PathBuf>,
    sync_failed: Arc<AtomicBool>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// The file at `path`, which the first opening makes; `pages` octets of it are kept in memory.
    pub(super) fn file(path: &Path, pages: usize) -> Self {
        let sync_failed = Arc::new(AtomicBool::new(false));
        let (flag, at) = (sync_failed.clone(), path.to_owned());
        let open = move || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&at)?;
            let watched = Watched {
                file: FileBackend::new(file)?,
                sync_failed: flag.clone(),
            };
            Database::builder()
                .set_cache_size(pages)
                .create_with_backend(watched)
        };
        Self {
            open: Arc::new(open),
            path: Some(path.to_owned()),
            sync_failed,
        }
    }

    /// Memory that is gone when the store is.
    pub(super) fn memory(pages: usize) -> Self {
        Self::of(move || {
            Database::builder()
                .set_cache_size(pages)
                .create_with_backend(InMemoryBackend::new())
        })
    }

    /// Whatever `open` opens.
    pub(super) fn of(open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static) -> Self {
        Self {
            open: Arc::new(open),
            path: None,
            sync_failed: Arc::default(),
        }
    }

    pub(super) fn open(&self) -> Result<Database, StoreError> {
        if self.sync_failed() {
            return Err(StoreError::SyncFailed);
        }
        (self.open)().map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => StoreError::InUse { path: self.name() },
            DatabaseError::UpgradeRequired(found) => StoreError::Damaged(format!(
                "{} is of the engine's format {found}, which this program does not read",
                self.name()
            )),
            DatabaseError::Storage(redb::StorageError::Io(cause)) => not_a_store(&self.name(), cause),
            other => other.into(),
        })
    }

    pub(super) fn sync_failed(&self) -> bool {
        self.sync_failed.load(Ordering::Acquire)
    }

    pub(super) fn name(&self) -> String {
        let path = self.path.as_ref();
        path.map_or_else(|| "memory".to_owned(), |path| path.display().to_string())
    }
}

/// The engine says what is wrong with a file's form as an error of reading it.
fn not_a_store(name: &str, cause: io::Error) -> StoreError {
    match cause.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            StoreError::Damaged(format!("{name} is torn or no file of a store ({cause})"))
        }
        _ => redb::Error::Io(cause).into(),
    }
}

/// The engine's file, with a memory for failed syncs.
#[derive(Debug)]
struct Watched {
    file: FileBackend,
    sync_failed: Arc<AtomicBool>,
}

impl StorageBackend for Watched {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.sync_failed.load(Ordering::Acquire) {
            return Err(io::Error::other("a sync failed before"));
        }
        self.file
            .sync_data()
            .inspect_err(|_| self.sync_failed.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
