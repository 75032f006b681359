//! What the journal needs of a disk, and nothing more: the seam where tests put a disk that crashes.
//!
//! Every promise of the journal rests on these: `sync` makes a file's bytes and length survive power loss,
//! `sync_dir` does the same for names in a folder, `rename` replaces a name in one step, and bytes of a file
//! that were not synced may survive a power cut in any subset.

mod crash;
mod files;

use std::any::Any;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use crash::CrashDisk;
pub use files::RealFiles;

/// An open file. All calls may come from several threads at once, to different ranges.
pub trait FileHandle: Send + Sync + fmt::Debug {
    /// Length in bytes.
    ///
    /// # Errors
    /// As the disk reports.
    fn length(&self) -> io::Result<u64>;

    /// Reads at `offset` into `buffer`; short only at the end of the file.
    ///
    /// # Errors
    /// As the disk reports.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, in one system call unless the kernel takes fewer.
    ///
    /// # Errors
    /// As the disk reports; a part may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file `length` bytes of zeros whose blocks are allocated and written, so that later writes
    /// inside it neither need space nor change the file system's own books.
    ///
    /// # Errors
    /// `StorageFull` when there is no space; the file's length is then undefined.
    fn preallocate(&self, length: u64) -> io::Result<()>;

    /// Cuts the file.
    ///
    /// # Errors
    /// As the disk reports.
    fn truncate(&self, length: u64) -> io::Result<()>;

    /// Returns once bytes and length survive power loss.
    ///
    /// # Errors
    /// As the disk reports. It must not be tried again: the kernel may have dropped what it could not write.
    fn sync(&self) -> io::Result<()>;
}

/// Whoever holds this holds the lock.
pub type Lock = Box<dyn Any + Send + Sync>;

/// A place with folders and files.
pub trait Medium: Send + Sync + fmt::Debug {
    /// Creates a folder and those above it, unless they exist; durable on return.
    ///
    /// # Errors
    /// As the disk reports.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a file, or empties one that is there, for reading and writing.
    ///
    /// # Errors
    /// As the disk reports.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>>;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// As the disk reports.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>>;

    /// Opens a file for reading only.
    ///
    /// # Errors
    /// As the disk reports.
    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>>;

    /// Names in a folder, sorted.
    ///
    /// # Errors
    /// As the disk reports.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Renames a file or folder, replacing what has that name.
    ///
    /// # Errors
    /// As the disk reports.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the disk reports.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder that holds nothing.
    ///
    /// # Errors
    /// As the disk reports.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Returns once creations, renames and removals in a folder survive power loss.
    ///
    /// # Errors
    /// As the disk reports.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the lock file `path` for this process's life or until dropped; `None` when someone has it.
    ///
    /// # Errors
    /// As the disk reports.
    fn lock(&self, path: &Path) -> io::Result<Option<Lock>>;
}

/// Whether an error says "no space" rather than "broken".
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
