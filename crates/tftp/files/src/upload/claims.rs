//! Which names are being written: the first who asks has the name until it is done.

use crate::FileError;
use crate::error::refusal;
use rustix::fd::OwnedFd;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A directory by device and inode, and a name in it: whatever path led there.
type Name = (u64, u64, Box<str>);

/// All names being written by this process.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    names: Mutex<HashSet<Name>>,
}

/// One name, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    claims: Arc<Claims>,
    key: Name,
    /// The directory, open for syncing.
    pub(crate) directory: OwnedFd,
}

impl Claims {
    /// # Errors
    /// `Taken` while another upload has the name.
    pub(crate) fn claim(self: &Arc<Self>, directory: OwnedFd, name: &str) -> Result<Claim, FileError> {
        let stat = rustix::fs::fstat(&directory).map_err(refusal)?;
        let key: Name = (stat.st_dev, stat.st_ino, name.into());
        if !self.names().insert(key.clone()) {
            return Err(FileError::Taken);
        }
        Ok(Claim {
            claims: Arc::clone(self),
            key,
            directory,
        })
    }

    pub(crate) fn open(&self) -> usize {
        self.names().len()
    }

    fn names(&self) -> MutexGuard<'_, HashSet<Name>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    pub(crate) fn name(&self) -> &str {
        &self.key.2
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.names().remove(&self.key);
    }
}
