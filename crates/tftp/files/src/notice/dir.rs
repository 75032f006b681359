//! One watched directory, and what depends on it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const MARKS: usize = 64;

/// One watched directory.
#[derive(Debug)]
pub(crate) struct Dir {
    alive: AtomicBool,
    marks: [AtomicU32; MARKS],
    /// Moves when a name comes into it that was not there.
    arrivals: AtomicU32,
    /// Device and inode.
    identity: (u64, u64),
    pub(super) root: Arc<Path>,
    pub(super) path: Box<str>,
    pub(super) watch: i32,
}

/// What an answer depends on: one name in one directory.
#[derive(Debug, Clone)]
pub(crate) struct Dependence {
    dir: Arc<Dir>,
    mark: usize,
    seen: u32,
}

impl Dependence {
    /// Whether nothing was heard of the name since.
    pub(crate) fn holds(&self) -> bool {
        self.dir.alive.load(Ordering::Acquire)
            && self.dir.marks[self.mark].load(Ordering::Acquire) == self.seen
    }
}

/// That no name came into a directory since.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    dir: Arc<Dir>,
    seen: u32,
}

impl Arrivals {
    /// Whether none was heard of.
    pub(crate) fn hold(&self) -> bool {
        self.alive() && self.dir.arrivals.load(Ordering::Acquire) == self.seen
    }

    /// Whether it is still watched.
    pub(crate) fn alive(&self) -> bool {
        self.dir.alive.load(Ordering::Acquire)
    }

    /// Whether this is the directory that is watched.
    pub(crate) fn watch(&self, device: u64, inode: u64) -> bool {
        self.dir.identity == (device, inode)
    }
}

impl Dir {
    pub(super) fn new((root, path): (Arc<Path>, &str), identity: (u64, u64), watch: i32) -> Self {
        Self {
            alive: AtomicBool::new(true),
            marks: [const { AtomicU32::new(0) }; MARKS],
            arrivals: AtomicU32::new(0),
            identity,
            root,
            path: path.into(),
            watch,
        }
    }

    /// From now on.
    pub(super) fn arrivals(self: &Arc<Self>) -> Arrivals {
        Arrivals {
            dir: Arc::clone(self),
            seen: self.arrivals.load(Ordering::Acquire),
        }
    }

    pub(super) fn dependence(self: &Arc<Self>, name: &str) -> Dependence {
        let mark = mark_of(name);
        Dependence {
            dir: Arc::clone(self),
            mark,
            seen: self.marks[mark].load(Ordering::Acquire),
        }
    }

    pub(super) fn touch(&self, name: &str) {
        self.marks[mark_of(name)].fetch_add(1, Ordering::Release);
    }

    pub(super) fn arrive(&self) {
        self.arrivals.fetch_add(1, Ordering::Release);
    }

    pub(super) fn kill(&self) {
        self.alive.store(false, Ordering::Release);
    }
}

/// FNV-1a, 32 bits: marks need no better spread.
fn mark_of(name: &str) -> usize {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, octet| {
        (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)
    });
    (hash >> 16 ^ hash) as usize % MARKS
}
