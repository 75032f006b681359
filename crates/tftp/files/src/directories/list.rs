//! The names of one directory, and whether they may be trusted to be all.

use hashbrown::HashSet;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, fstat, fstatfs, statat};
use std::hash::BuildHasher;

/// Names in one list; a larger directory is looked up name by name.
const LIST_MAX: usize = 1 << 16;

/// File systems that may know names which they do not list: automounts, and whatever runs in user space.
const UNLISTED: [u64; 3] = [
    0x0187,      /* autofs */
    0x6573_5546, /* FUSE */
    0x9fa0,      /* proc */
];

/// A directory in one state: nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) device: u64,
    pub(super) inode: u64,
    modified: (i64, u64),
    changed: (i64, u64),
}

pub(super) fn version(handle: &OwnedFd) -> Option<Version> {
    let stat = fstat(handle).ok()?;
    Some(Version {
        device: stat.st_dev,
        inode: stat.st_ino,
        modified: (stat.st_mtime, stat.st_mtime_nsec),
        changed: (stat.st_ctime, stat.st_ctime_nsec),
    })
}

/// Hashes of all names.
#[derive(Debug, Default)]
pub(super) struct List {
    hashes: HashSet<u64, foldhash::fast::FixedState>,
    hasher: foldhash::fast::RandomState,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether the name is not there for sure. File systems differ in what else is one name beyond ASCII, and some hide
    /// directories behind a dot: such names are looked up.
    pub(super) fn lacks(&self, name: &str) -> bool {
        let plain = name.is_ascii() && !name.starts_with('.') && !name.is_empty();
        plain && !self.has(name.as_bytes())
    }

    fn has(&self, name: &[u8]) -> bool {
        self.hashes.contains(&self.hasher.hash_one(name))
    }

    fn add(&mut self, name: &[u8]) {
        self.hashes.insert(self.hasher.hash_one(name));
    }
}

/// All names of a directory; `None` when there are too many, or when a name that is not among them may be there.
pub(super) fn read(handle: &OwnedFd) -> Option<List> {
    let kind = fstatfs(handle).ok()?.f_type;
    if UNLISTED.contains(&(kind as u64)) {
        return None;
    }
    let mut list = List::default();
    let mut lettered: Option<Vec<u8>> = None;
    let mut beyond = false;
    for entry in Dir::read_from(handle).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if list.len() >= LIST_MAX {
            return None;
        }
        beyond |= !name.is_ascii();
        if lettered.is_none() && name.is_ascii() && name.iter().any(u8::is_ascii_alphabetic) {
            lettered = Some(name.to_vec());
        }
        list.add(name);
    }
    let exact = match lettered {
        Some(name) => tells_case_apart(handle, &list, &name),
        None => !beyond,
    };
    exact.then_some(list)
}

/// Whether another case is another name here: one name that is there is asked for in the other case.
fn tells_case_apart(directory: impl AsFd, list: &List, name: &[u8]) -> bool {
    let swapped: Vec<u8> = name
        .iter()
        .map(|octet| {
            if octet.is_ascii_lowercase() {
                octet.to_ascii_uppercase()
            } else {
                octet.to_ascii_lowercase()
            }
        })
        .collect();
    list.has(&swapped) || statat(directory, swapped, AtFlags::SYMLINK_NOFOLLOW).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, write};

    fn listed(names: &[&str]) -> Option<List> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            write(folder.path().join(name), "").unwrap();
        }
        read(&File::open(folder.path()).unwrap().into())
    }

    #[test]
    fn a_list_lacks_what_is_not_there() {
        let list = listed(&["a", "B2", ".hidden"]).unwrap();
        assert_eq!(list.len(), 3);
        assert!(list.lacks("b") && list.lacks("A") && list.lacks("b2"));
        assert!(!list.lacks("a") && !list.lacks("B2"));
        assert!(listed(&[]).unwrap().lacks("a"));
    }

    #[test]
    fn names_that_file_systems_read_differently_are_looked_up() {
        let list = listed(&["a"]).unwrap();
        for name in ["\u{e9}t\u{e9}", ".snapshot", ""] {
            assert!(!list.lacks(name), "{name}");
        }
        assert!(listed(&["\u{e9}"]).is_none(), "nothing to try the case with");
    }

    #[test]
    fn what_the_kernel_makes_up_is_no_list() {
        assert!(read(&File::open("/proc").unwrap().into()).is_none());
    }
}
