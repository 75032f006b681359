//! A disk in memory that loses power, fills up, stalls and fails on command.
//!
//! What a power cut leaves of a file: what was synced, plus of everything written since an arbitrary subset,
//! sector by sector, with one write torn at any byte. Of names in a folder: what was synced, plus a prefix of
//! the changes since (journaling file systems keep these in order).

mod handle;
mod plate;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use self::handle::Handle;
use self::plate::{Change, Dice, Entry, Faults, Node, State};

use super::{FileHandle, Lock, Medium};

/// A crash-simulating disk. Clones share it; those made before a cut or kill can do nothing after it.
#[derive(Debug, Clone, Default)]
pub struct CrashDisk {
    shared: Arc<Shared>,
    life: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl CrashDisk {
    /// An empty disk without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power: open handles die, and what was not synced survives as `seed` decides.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        let mut state = self.plate();
        let mut dice = Dice(seed);
        state.life += 1;
        state.locks.clear();
        state.faults = Faults::default();
        let kept = dice.below(state.changes.len() + 1);
        let changes = std::mem::take(&mut state.changes);
        for change in &changes[..kept] {
            change.apply(&mut state.stable);
        }
        state.live = state.stable.clone();
        state.nodes.iter_mut().for_each(|node| node.lose(&mut dice));
        let life = state.life;
        drop(state);
        self.shared.changed.notify_all();
        Self {
            shared: self.shared.clone(),
            life,
        }
    }

    /// Ends the process only: handles die, all that was written stays.
    #[must_use]
    pub fn kill(&self) -> Self {
        let mut state = self.plate();
        state.life += 1;
        state.locks.clear();
        let life = state.life;
        drop(state);
        self.shared.changed.notify_all();
        Self {
            shared: self.shared.clone(),
            life,
        }
    }

    /// Lets files hold `bytes` in total, or any number.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.plate().faults.capacity = bytes;
    }

    /// Lets the disk be exactly full now.
    pub fn fill(&self) {
        let mut state = self.plate();
        state.faults.capacity = Some(state.used());
    }

    /// Lets every write, even inside allocated space, report "no space" (copy-on-write file systems do).
    pub fn refuse_writes(&self, refuse: bool) {
        self.plate().faults.writes_full = refuse;
    }

    /// Lets every sync from now on fail.
    pub fn fail_syncs(&self, fail: bool) {
        self.plate().faults.syncs_fail = fail;
    }

    /// Holds syncs of files back until released.
    pub fn hold_syncs(&self, hold: bool) {
        self.plate().faults.syncs_held = hold;
        self.shared.changed.notify_all();
    }

    /// Lets `steps` more changes and syncs happen; after that everything fails until the power is cut.
    pub fn die_after(&self, steps: u64) {
        self.plate().faults.steps_left = Some(steps);
    }

    /// Inverts one byte of a file, on the plate and in memory.
    ///
    /// # Panics
    /// When there is no such file or byte.
    pub fn rot(&self, path: &Path, offset: u64) {
        let mut state = self.plate();
        let Some(Entry::File(id)) = state.live.get(path).copied() else {
            panic!("{} is no file", path.display())
        };
        let node = &mut state.nodes[id];
        node.live[offset as usize] ^= 0xff;
        if let Some(byte) = node.stable.get_mut(offset as usize) {
            *byte ^= 0xff;
        }
    }

    /// Full paths of all files.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let is_file =
            |(path, entry): (&PathBuf, &Entry)| matches!(entry, Entry::File(_)).then(|| path.clone());
        self.plate().live.iter().filter_map(is_file).collect()
    }

    fn plate(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .expect("no thread panics with the disk locked")
    }

    /// The disk, if this handle to it is of its present life.
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.plate();
        if state.life == self.life {
            Ok(state)
        } else {
            Err(io::Error::other("the power was cut"))
        }
    }

    /// The disk for one change or sync.
    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state()?;
        match &mut state.faults.steps_left {
            Some(0) => return Err(io::Error::other("the disk is dying")),
            Some(steps) => *steps -= 1,
            None => {}
        }
        Ok(state)
    }

    fn handle(&self, id: usize) -> Arc<dyn FileHandle> {
        Arc::new(Handle {
            disk: self.clone(),
            id,
        })
    }
}

impl Medium for CrashDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        for dir in path.ancestors() {
            state.live.entry(dir.to_owned()).or_insert(Entry::Dir);
            state.stable.entry(dir.to_owned()).or_insert(Entry::Dir);
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        let mut state = self.step()?;
        let id = state.nodes.len();
        state.nodes.push(Node::default());
        state.change(Change::Set(path.to_owned(), Entry::File(id)));
        Ok(self.handle(id))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        let state = self.state()?;
        match state.live.get(path) {
            Some(Entry::File(id)) => Ok(self.handle(*id)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn FileHandle>> {
        Medium::open(self, path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state()?;
        if !state.live.contains_key(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = state.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        if !state.live.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        if !matches!(state.live.get(path), Some(Entry::File(_))) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.change(Change::Remove(path.to_owned()));
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        state.change(Change::Remove(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        if state.faults.syncs_fail {
            return Err(io::Error::other("the sync failed"));
        }
        // In order: a change elsewhere that came before the last one here becomes durable with it.
        let last = state
            .changes
            .iter()
            .rposition(|change| change.dirs().any(|changed| changed == dir));
        let count = last.map_or(0, |last| last + 1);
        let State { changes, stable, .. } = &mut *state;
        for change in changes.drain(..count) {
            change.apply(stable);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let mut state = self.state()?;
        if state.locks.get(path).is_some_and(|held| held.strong_count() > 0) {
            return Ok(None);
        }
        let held = Arc::new(());
        state.locks.insert(path.to_owned(), Arc::downgrade(&held));
        Ok(Some(Box::new(held)))
    }
}
