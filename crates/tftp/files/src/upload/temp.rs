//! The file before it has its name.
//!
//! Where the file system can, it has none at all (`O_TMPFILE`), so that not even a crash leaves anything. Elsewhere it
//! is hidden under a name that is never served; a lock tells the next start which of them a live process still has.

use super::Claim;
use crate::error::refusal;
use crate::{FileError, UPLOAD_PREFIX};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, CWD, FallocateFlags, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::sync::atomic::{AtomicU64, Ordering};

/// Names to try when others have them already.
const TRIES: usize = 16;

static NUMBER: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
pub(crate) struct Temp {
    file: OwnedFd,
    /// Its directory and hidden name, if it has one.
    hidden: Option<(OwnedFd, String)>,
}

impl Temp {
    /// A new file in `directory`, readable as `mode` says. `size` octets are set aside where the file system can.
    ///
    /// # Errors
    /// `Denied` where this process may not write, `NoSpace` when `size` does not fit.
    pub(crate) fn create(
        directory: &OwnedFd,
        nameless: bool,
        mode: Mode,
        size: Option<u64>,
    ) -> Result<Self, FileError> {
        let temp = match nameless.then(|| Self::nameless(directory, mode)) {
            Some(Ok(temp)) => temp,
            Some(Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT)) | None => {
                Self::hidden(directory, mode).map_err(refusal)?
            }
            Some(Err(errno)) => return Err(refusal(errno)),
        };
        if let Some(size) = size.filter(|size| *size > 0) {
            // Setting aside is a courtesy: where it cannot be done, a full disk shows later.
            let aside = fs::fallocate(&temp.file, FallocateFlags::KEEP_SIZE, 0, size);
            if let Err(errno @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) = aside {
                return Err(refusal(errno));
            }
        }
        Ok(temp)
    }

    fn nameless(directory: &OwnedFd, mode: Mode) -> Result<Self, Errno> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = fs::openat(directory, ".", flags, mode)?;
        // On its way over another file it has a hidden name for a moment.
        fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        // It gets its name through /proc; where that is not mounted, a hidden name has to do.
        fs::statat(CWD, proc_path(&file), AtFlags::empty())?;
        Ok(Self { file, hidden: None })
    }

    fn hidden(directory: &OwnedFd, mode: Mode) -> Result<Self, Errno> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let keep = directory.try_clone().map_err(|_| Errno::MFILE)?;
        for _ in 0..TRIES {
            let name = hidden_name();
            match fs::openat(directory, &name, flags, mode) {
                Ok(file) if is_ours(&file, directory, &name) => {
                    return Ok(Self {
                        file,
                        hidden: Some((keep, name)),
                    });
                }
                // Someone who cleans up was faster than the lock.
                Ok(_) => {}
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            }
        }
        Err(Errno::EXIST)
    }

    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Gives the file its name in one step, and makes that durable.
    ///
    /// # Errors
    /// `Exists` when the name is taken and may not be replaced; the file is gone then.
    pub(crate) fn publish(mut self, claim: &Claim, overwrite: bool) -> Result<(), FileError> {
        let directory = &claim.directory;
        let named = match (&self.hidden, overwrite) {
            (None, _) => self.link(directory, claim.name(), overwrite),
            (Some((_, hidden)), true) => fs::renameat(directory, hidden, directory, claim.name()),
            (Some((_, hidden)), false) => rename_new(directory, hidden, claim.name()),
        };
        named.map_err(refusal)?;
        self.hidden = None;
        fs::fsync(directory).map_err(refusal)
    }

    /// A name for a file that has none; over another file it takes two steps, of which only the second shows.
    fn link(&self, directory: &OwnedFd, name: &str, overwrite: bool) -> Result<(), Errno> {
        let from = proc_path(&self.file);
        let link = |name: &str| fs::linkat(CWD, &from, directory, name, AtFlags::SYMLINK_FOLLOW);
        match link(name) {
            Err(Errno::EXIST) if overwrite => {}
            other => return other,
        }
        let hidden = hidden_name();
        link(&hidden)?;
        fs::renameat(directory, &hidden, directory, name).inspect_err(|_| {
            let _ = fs::unlinkat(directory, &hidden, AtFlags::empty());
        })
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if let Some((directory, name)) = &self.hidden {
            // What cannot be removed now is removed at the next start.
            let _ = fs::unlinkat(directory, name, AtFlags::empty());
        }
    }
}

/// Removes what a crash left; `false` for a file that a live process still writes, or that is none of ours.
pub(crate) fn remove_leftover(directory: &OwnedFd, name: &str) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let ours = name.starts_with(UPLOAD_PREFIX);
    let file = ours
        .then(|| fs::openat(directory, name, flags, Mode::empty()).ok())
        .flatten();
    let idle = file.is_some_and(|file| fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
    idle && fs::unlinkat(directory, name, AtFlags::empty()).is_ok()
}

/// Locks a file that was just made; `false` when it lost its name before.
fn is_ours(file: &OwnedFd, directory: &OwnedFd, name: &str) -> bool {
    let locked = fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let named = fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    let same = |named: fs::Stat| {
        fs::fstat(file).is_ok_and(|file| (file.st_dev, file.st_ino) == (named.st_dev, named.st_ino))
    };
    locked && named.is_ok_and(same)
}

/// A rename that never replaces, also where the file system does not know how.
fn rename_new(directory: &OwnedFd, from: &str, to: &str) -> Result<(), Errno> {
    match fs::renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::linkat(directory, from, directory, to, AtFlags::empty())?;
            fs::unlinkat(directory, from, AtFlags::empty())
        }
        other => other,
    }
}

fn hidden_name() -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{UPLOAD_PREFIX}{}-{number}", std::process::id())
}

fn proc_path(file: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
