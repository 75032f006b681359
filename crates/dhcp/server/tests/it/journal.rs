//! A journal in memory whose disk does what the test says: sync, wait, fill up, fail.

use purlin_store::{AppendError, Journal, JournalEngine, JournalHealth, OpenError, Position, Replay, Wake};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

/// What the disk does from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Disk {
    #[default]
    Good,
    /// Writes are taken, nothing becomes durable.
    Slow,
    Full,
    Failed,
}

#[derive(Default)]
struct Shelf {
    frames: Vec<Vec<u8>>,
    durable: u64,
    /// Position of the first frame in `frames`, less one.
    dropped: u64,
    checkpoint: Option<Vec<Vec<u8>>>,
    checkpoint_due: bool,
    wake: Option<Wake>,
}

#[derive(Default)]
struct State {
    disk: Disk,
    shelves: BTreeMap<String, Shelf>,
}

/// All journals of one pretend machine; survives a restart of the service.
#[derive(Clone, Default)]
pub(crate) struct Journals(Arc<Mutex<State>>);

impl fmt::Debug for Journals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journals")
    }
}

impl Journals {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().expect("no test thread panics while holding it"))
    }

    /// Changes the disk and tells the packet threads, as an engine's sync thread does.
    pub(crate) fn set(&self, disk: Disk) {
        let wakes: Vec<Wake> = self.with(|state| {
            state.disk = disk;
            let shelves = state.shelves.values_mut();
            shelves
                .filter_map(|shelf| {
                    if disk == Disk::Good {
                        shelf.durable = shelf.dropped + shelf.frames.len() as u64;
                    }
                    shelf.wake.clone()
                })
                .collect()
        });
        wakes.iter().for_each(|wake| wake());
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.with(|state| state.shelves.keys().cloned().collect())
    }

    pub(crate) fn frames(&self, name: &str) -> usize {
        self.with(|state| state.shelves.get(name).map_or(0, |shelf| shelf.frames.len()))
    }

    /// Makes every journal ask for a checkpoint.
    pub(crate) fn want_checkpoints(&self) {
        self.with(|state| {
            for shelf in state.shelves.values_mut() {
                shelf.checkpoint_due = true;
            }
        });
    }

    /// What a power cut leaves: only what was durable.
    pub(crate) fn cut_power(&self) {
        self.with(|state| {
            for shelf in state.shelves.values_mut() {
                shelf.frames.truncate((shelf.durable - shelf.dropped) as usize);
            }
        });
    }
}

impl JournalEngine for Journals {
    fn open(&self, name: &str, wake: Wake, replay: Replay<'_>) -> Result<Box<dyn Journal>, OpenError> {
        let frames = self.with(|state| {
            let shelf = state.shelves.entry(name.to_owned()).or_default();
            shelf.wake = Some(wake);
            shelf.durable = shelf.dropped + shelf.frames.len() as u64;
            shelf
                .checkpoint
                .iter()
                .flatten()
                .chain(&shelf.frames)
                .cloned()
                .collect::<Vec<_>>()
        });
        frames.iter().for_each(|frame| replay(frame));
        Ok(Box::new(Open {
            journals: self.clone(),
            name: name.to_owned(),
            draft: None,
        }))
    }

    fn names(&self) -> Result<Vec<String>, OpenError> {
        Ok(Self::names(self))
    }

    fn remove(&self, name: &str) -> Result<(), OpenError> {
        self.with(|state| state.shelves.remove(name));
        Ok(())
    }
}

struct Open {
    journals: Journals,
    name: String,
    /// The open checkpoint and how many frames came before it.
    draft: Option<(Vec<Vec<u8>>, u64)>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Open {
    fn shelf<T>(&self, work: impl FnOnce(&mut Shelf, Disk) -> T) -> T {
        self.journals.with(|state| {
            let disk = state.disk;
            work(state.shelves.entry(self.name.clone()).or_default(), disk)
        })
    }

    fn writable(&self) -> Result<(), AppendError> {
        match self.shelf(|_, disk| disk) {
            Disk::Good | Disk::Slow => Ok(()),
            Disk::Full => Err(AppendError::Full),
            Disk::Failed => Err(AppendError::Failed(Arc::new(io::Error::other(
                "the test said so",
            )))),
        }
    }
}

impl Journal for Open {
    fn append(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        assert!(!frame.is_empty(), "a frame is never empty");
        self.writable()?;
        let (position, wake) = self.shelf(|shelf, disk| {
            shelf.frames.push(frame.to_vec());
            let position = shelf.dropped + shelf.frames.len() as u64;
            let wake = (disk == Disk::Good).then(|| {
                shelf.durable = position;
                shelf.wake.clone()
            });
            (Position(position), wake.flatten())
        });
        if let Some(wake) = wake {
            wake();
        }
        Ok(position)
    }

    /// What is not durable at once waits here as if it were in memory only.
    fn defer(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        self.append(frame)
    }

    fn has_room(&self) -> bool {
        true
    }

    fn durable(&self) -> Position {
        self.shelf(|shelf, _| Position(shelf.durable))
    }

    fn health(&self) -> JournalHealth {
        match self.shelf(|_, disk| disk) {
            Disk::Good | Disk::Slow => JournalHealth::Ready,
            Disk::Full => JournalHealth::Full,
            Disk::Failed => JournalHealth::Failed,
        }
    }

    fn checkpoint_due(&self) -> bool {
        self.shelf(|shelf, _| shelf.checkpoint_due)
    }

    fn checkpoint_begin(&mut self) -> Result<(), AppendError> {
        self.writable()?;
        let before = self.shelf(|shelf, _| shelf.dropped + shelf.frames.len() as u64);
        self.draft = Some((Vec::new(), before));
        Ok(())
    }

    fn checkpoint_write(&mut self, frame: &[u8]) -> Result<(), AppendError> {
        self.writable()?;
        self.draft
            .as_mut()
            .expect("a checkpoint is open")
            .0
            .push(frame.to_vec());
        Ok(())
    }

    fn checkpoint_has_room(&self) -> bool {
        true
    }

    fn checkpoint_finish(&mut self) -> Result<(), AppendError> {
        self.writable()?;
        let (draft, before) = self.draft.take().expect("a checkpoint is open");
        self.shelf(|shelf, _| {
            shelf.frames.drain(..(before - shelf.dropped) as usize);
            shelf.dropped = before;
            shelf.durable = shelf.durable.max(before);
            shelf.checkpoint = Some(draft);
            shelf.checkpoint_due = false;
        });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        self.writable()?;
        self.shelf(|shelf, _| shelf.durable = shelf.dropped + shelf.frames.len() as u64);
        Ok(())
    }
}
