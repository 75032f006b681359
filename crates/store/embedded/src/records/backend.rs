//! redb's view of a file on our medium.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;

use crate::medium::{FileHandle, Medium};

#[derive(Debug)]
pub(super) struct Backend {
    file: Arc<dyn FileHandle>,
    /// Set by the first sync that fails; no sync is tried after that.
    sync_failed: Arc<AtomicBool>,
}

impl Backend {
    pub(super) fn open(medium: &dyn Medium, path: &Path, sync_failed: Arc<AtomicBool>) -> io::Result<Self> {
        let file = match medium.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = medium.create(path)?;
                medium.sync_dir(path.parent().unwrap_or(Path::new(".")))?;
                file
            }
            other => other?,
        };
        Ok(Self { file, sync_failed })
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match self.file.read_at(offset, out)? {
            read if read == out.len() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.truncate(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.sync_failed.load(Ordering::Acquire) {
            return Err(io::Error::other("a sync failed before"));
        }
        self.file
            .sync()
            .inspect_err(|_| self.sync_failed.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)
    }
}
