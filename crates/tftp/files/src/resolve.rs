//! From a root and a name to an open file, whatever others do to the tree meanwhile.
//!
//! `openat2` lets the kernel refuse what leaves the root, so nothing can be swapped between a check and its use. Where
//! the kernel does not know it, `walk` takes one component at a time. Either way a file is first looked at through a
//! handle that opens nothing: devices and FIFOs are never touched.

mod walk;

use crate::error::refusal;
use crate::{FileError, UPLOAD_PREFIX};
use purlin_tftp_core::settings::Links;
use rustix::fd::OwnedFd;
use rustix::fs::{self, CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a look-up that met a rename is repeated before the walk has to do it.
const RACES: usize = 8;

/// A handle to look at: opens nothing, needs no right to read.
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
/// Reading without waiting for a FIFO's writer and without taking a terminal.
const READ: OFlags = OFlags::CLOEXEC.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// A tree that names are looked up in.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) path: Arc<Path>,
    handle: OwnedFd,
    /// Its path without links, for absolute links that lead back inside.
    real: PathBuf,
}

impl Root {
    /// # Errors
    /// When `path` is no directory that can be entered.
    pub(crate) fn open(path: &Arc<Path>) -> Result<Self, FileError> {
        let handle = fs::open(&**path, LOOK | OFlags::DIRECTORY, Mode::empty()).map_err(refusal)?;
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        Ok(Self {
            path: Arc::clone(path),
            handle,
            real,
        })
    }

    /// The part of an absolute path that is below this root.
    fn inside<'a>(&self, absolute: &'a Path) -> Option<&'a Path> {
        absolute
            .strip_prefix(&self.real)
            .or_else(|_| absolute.strip_prefix(&self.path))
            .ok()
    }
}

/// Which file it is, and in which state: another value means that cached content is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) modified: i128,
    /// Also moves when rights or links change, so that a file that became unreadable is opened again.
    pub(crate) changed: i128,
}

impl Identity {
    /// # Errors
    /// `IsDirectory`, or `Denied` for whatever else is no regular file.
    pub(crate) fn of(stat: &fs::Stat) -> Result<Self, FileError> {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(FileError::IsDirectory),
            _ => return Err(FileError::Denied),
        }
        let nanos = |secs: i64, nanos: i128| i128::from(secs) * 1_000_000_000 + nanos;
        Ok(Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: nanos(stat.st_mtime, i128::from(stat.st_mtime_nsec)),
            changed: nanos(stat.st_ctime, i128::from(stat.st_ctime_nsec)),
        })
    }

    /// Whether the octets are still those: links and rights may have changed since.
    pub(crate) fn same_octets(&self, other: &Self) -> bool {
        (self.inode, self.device, self.size, self.modified)
            == (other.inode, other.device, other.size, other.modified)
    }
}

/// A regular file that was there a moment ago.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) identity: Identity,
    /// The name leads through a link: its directory is not the one the name says.
    pub(crate) real: Option<PathBuf>,
}

/// Looks names up. One for all roots; it only remembers what the kernel can do.
#[derive(Debug)]
pub(crate) struct Resolver {
    kernel: AtomicBool,
}

impl Resolver {
    /// `kernel: false` walks by hand from the start.
    pub(crate) fn new(kernel: bool) -> Self {
        Self {
            kernel: AtomicBool::new(kernel),
        }
    }

    /// Whether `openat2` does the work.
    pub(crate) fn by_kernel(&self) -> bool {
        self.kernel.load(Ordering::Relaxed)
    }

    /// Looks at a file without opening it.
    ///
    /// # Errors
    /// `NotFound`, `IsDirectory`, or `Denied` for what the link policy forbids and for everything but regular files.
    pub(crate) fn find(&self, root: &Root, path: &str, links: Links) -> Result<Found, FileError> {
        reserved(path)?;
        let direct = self.at(root, path, Links::Never, LOOK);
        let (handle, linked) = match direct {
            Err(Errno::LOOP) if links != Links::Never => (self.at(root, path, links, LOOK), true),
            other => (other, false),
        };
        let handle = handle.map_err(refusal)?;
        let identity = Identity::of(&fs::fstat(&handle).map_err(refusal)?)?;
        let real = linked.then(|| real_path(&handle)).flatten();
        Ok(Found { identity, real })
    }

    /// Opens a regular file for reading. `extra` adds flags such as `O_DIRECT`; the answer says whether they took.
    ///
    /// # Errors
    /// As [`Self::find`]; `Denied` also for a file this process may not read.
    pub(crate) fn open(
        &self,
        root: &Root,
        path: &str,
        links: Links,
        extra: OFlags,
    ) -> Result<(OwnedFd, Identity, bool), FileError> {
        reserved(path)?;
        let (file, extra) = match self.at(root, path, links, READ | extra) {
            Err(Errno::INVAL) if !extra.is_empty() => (self.at(root, path, links, READ), false),
            other => (other, !extra.is_empty()),
        };
        let file = file.map_err(refusal)?;
        let identity = Identity::of(&fs::fstat(&file).map_err(refusal)?)?;
        Ok((file, identity, extra))
    }

    /// Opens a directory below the root; an empty path is the root itself.
    pub(crate) fn directory(&self, root: &Root, path: &str, links: Links) -> Result<OwnedFd, Errno> {
        let path = if path.is_empty() { "." } else { path };
        self.at(
            root,
            path,
            links,
            OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY,
        )
    }

    fn at(&self, root: &Root, path: &str, links: Links, flags: OFlags) -> Result<OwnedFd, Errno> {
        if self.by_kernel() {
            match by_kernel(root, path, links, flags) {
                Err(Errno::NOSYS) => self.kernel.store(false, Ordering::Relaxed),
                // A sandbox may forbid the call itself; the walk then meets the real answer.
                Err(Errno::PERM | Errno::AGAIN) => {}
                // The kernel refuses every absolute link; one that leads back inside is fine.
                Err(Errno::XDEV) if links == Links::Inside => {}
                other => return other,
            }
        }
        walk::walk(root, path, links, flags)
    }
}

fn by_kernel(root: &Root, path: &str, links: Links, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = match links {
        Links::Never => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_SYMLINKS,
        Links::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        Links::Anywhere => ResolveFlags::NO_MAGICLINKS,
    };
    let mut result = Err(Errno::AGAIN);
    for _ in 0..RACES {
        result = fs::openat2(&root.handle, path, flags, Mode::empty(), resolve);
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    result
}

/// Unfinished uploads are nobody's business.
fn reserved(path: &str) -> Result<(), FileError> {
    let hidden = path.split('/').any(|part| part.starts_with(UPLOAD_PREFIX));
    if hidden { Err(FileError::NotFound) } else { Ok(()) }
}

/// Where an open handle really is; `None` without `/proc`, or once it is gone.
fn real_path(handle: &OwnedFd) -> Option<PathBuf> {
    use rustix::fd::AsRawFd;
    let link = format!("/proc/self/fd/{}", handle.as_raw_fd());
    let target = fs::readlinkat(CWD, link, Vec::new()).ok()?;
    let path = PathBuf::from(target.to_string_lossy().into_owned());
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests;
