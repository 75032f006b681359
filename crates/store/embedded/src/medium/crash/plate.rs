//! What the disk holds: what is durable, what is only written, and what a cut leaves of the difference.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Weak;

const SECTOR: usize = 512;

#[derive(Debug, Default)]
pub(super) struct State {
    /// Power cuts so far; a handle from before the last one is dead.
    pub(super) life: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) live: BTreeMap<PathBuf, Entry>,
    pub(super) stable: BTreeMap<PathBuf, Entry>,
    /// Changes of names since they were last synced, oldest first.
    pub(super) changes: Vec<Change>,
    pub(super) locks: BTreeMap<PathBuf, Weak<()>>,
    pub(super) faults: Faults,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) capacity: Option<u64>,
    pub(super) syncs_fail: bool,
    pub(super) writes_full: bool,
    pub(super) syncs_held: bool,
    pub(super) steps_left: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Dir,
    File(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Set(PathBuf, Entry),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl Change {
    pub(super) fn dirs(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match self {
            Self::Set(path, _) | Self::Remove(path) => (path, None),
            Self::Rename(from, to) => (from, Some(to)),
        };
        [Some(first), second]
            .into_iter()
            .flatten()
            .filter_map(|path| path.parent())
    }

    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            Self::Set(path, entry) => drop(names.insert(path.clone(), *entry)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to) => rename(names, from, to),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) live: Vec<u8>,
    pub(super) stable: Vec<u8>,
    pub(super) pending: Vec<Pending>,
}

#[derive(Debug)]
pub(super) enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl State {
    pub(super) fn used(&self) -> u64 {
        let size = |entry: &Entry| match entry {
            Entry::File(id) => self.nodes[*id].live.len() as u64,
            Entry::Dir => 0,
        };
        self.live.values().map(size).sum()
    }

    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.changes.push(change);
    }

    pub(super) fn ensure_space(&self, id: usize, length: usize) -> io::Result<()> {
        let more = length.saturating_sub(self.nodes[id].live.len()) as u64;
        match self.faults.capacity {
            Some(capacity) if more > 0 && self.used() + more > capacity => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }
}

impl Node {
    pub(super) fn lose(&mut self, dice: &mut Dice) {
        let pending = std::mem::take(&mut self.pending);
        for change in pending {
            match change {
                Pending::Length(length) if dice.coin() => self.stable.resize(length, 0),
                Pending::Length(_) => {}
                Pending::Write(offset, bytes) => {
                    for (index, sector) in bytes.chunks(SECTOR).enumerate() {
                        let kept = [0, sector.len(), dice.below(sector.len() + 1)][dice.below(3)];
                        put(&mut self.stable, offset + index * SECTOR, &sector[..kept]);
                    }
                }
            }
        }
        self.live = self.stable.clone();
    }
}

pub(super) fn put(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    if target.len() < offset + bytes.len() {
        target.resize(offset + bytes.len(), 0);
    }
    target[offset..offset + bytes.len()].copy_from_slice(bytes);
}

pub(super) fn rename(names: &mut BTreeMap<PathBuf, Entry>, from: &Path, to: &Path) {
    let moved: Vec<_> = names
        .keys()
        .filter(|path| path.starts_with(from))
        .cloned()
        .collect();
    for path in moved {
        if let (Some(entry), Ok(rest)) = (names.remove(&path), path.strip_prefix(from)) {
            let target = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            names.insert(target, entry);
        }
    }
}

/// SplitMix64: enough to decide what a cut leaves, and the same on every machine.
#[derive(Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}
