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

/// A checkpoint of which all frames are there.
#[derive(Clone)]
struct Finished {
    frames: Vec<Vec<u8>>,
    /// How many frames came before it.
    covers: u64,
    /// Position that must be durable before it counts.
    position: u64,
}

#[derive(Clone, Default)]
struct Shelf {
    /// What its own disk does; `None`: as the others.
    disk: Option<Disk>,
    frames: Vec<Vec<u8>>,
    durable: u64,
    /// Position of the first frame in `frames`, less one.
    dropped: u64,
    checkpoint: Option<Vec<Vec<u8>>>,
    finished: Option<Finished>,
    checkpoint_due: bool,
    /// Checkpoints that were begun and that count.
    begun: u64,
    published: u64,
    wake: Option<Wake>,
}

impl Shelf {
    fn position(&self) -> u64 {
        self.dropped + self.frames.len() as u64
    }

    /// Everything is durable now.
    fn sync(&mut self) {
        self.durable = self.position();
        self.publish();
    }

    fn publish(&mut self) {
        let Some(finished) = self
            .finished
            .take_if(|finished| finished.position <= self.durable)
        else {
            return;
        };
        self.frames.drain(..(finished.covers - self.dropped) as usize);
        self.dropped = finished.covers;
        self.checkpoint = Some(finished.frames);
        self.checkpoint_due = false;
        self.published += 1;
    }
}

#[derive(Clone, Default)]
struct State {
    disk: Disk,
    /// Checkpoints are not written on.
    stalled: bool,
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

    /// Changes the disk of all and tells the packet threads, as an engine's sync thread does.
    pub(crate) fn set(&self, disk: Disk) {
        self.change(|state| {
            state.disk = disk;
            for shelf in state.shelves.values_mut() {
                shelf.disk = None;
                if disk == Disk::Good {
                    shelf.sync();
                }
            }
        });
    }

    /// Gives one journal a disk of its own.
    pub(crate) fn set_one(&self, name: &str, disk: Disk) {
        self.change(|state| state.shelves.entry(name.to_owned()).or_default().disk = Some(disk));
    }

    /// Lets open checkpoints wait, or go on.
    pub(crate) fn stall_checkpoints(&self, stalled: bool) {
        self.change(|state| state.stalled = stalled);
    }

    fn change(&self, work: impl FnOnce(&mut State)) {
        let wakes: Vec<Wake> = self.with(|state| {
            work(state);
            let shelves = state.shelves.values();
            shelves.filter_map(|shelf| shelf.wake.clone()).collect()
        });
        wakes.iter().for_each(|wake| wake());
    }

    /// How many checkpoints were begun, and how many of them count.
    pub(crate) fn checkpoints(&self, name: &str) -> (u64, u64) {
        self.with(|state| {
            let shelf = state.shelves.get(name);
            shelf.map_or((0, 0), |shelf| (shelf.begun, shelf.published))
        })
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
                shelf.finished = None;
            }
        });
    }

    /// What a power cut at this moment would leave, on a machine of its own with good disks.
    pub(crate) fn after_power_cut(&self) -> Self {
        let shelves = self.with(|state| state.shelves.clone());
        let left = Self(Arc::new(Mutex::new(State {
            shelves,
            ..State::default()
        })));
        left.cut_power();
        left.with(|state| {
            for shelf in state.shelves.values_mut() {
                (shelf.disk, shelf.wake) = (None, None);
            }
        });
        left
    }
}

impl JournalEngine for Journals {
    fn open(&self, name: &str, wake: Wake, replay: Replay<'_>) -> Result<Box<dyn Journal>, OpenError> {
        let frames = self.with(|state| {
            let shelf = state.shelves.entry(name.to_owned()).or_default();
            shelf.wake = Some(wake);
            shelf.durable = shelf.position();
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
            let all = state.disk;
            let shelf = state.shelves.entry(self.name.clone()).or_default();
            let disk = shelf.disk.unwrap_or(all);
            work(shelf, disk)
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
            let position = shelf.position();
            let wake = (disk == Disk::Good).then(|| {
                shelf.sync();
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
        let before = self.shelf(|shelf, _| {
            shelf.begun += 1;
            shelf.position()
        });
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
        !self.journals.with(|state| state.stalled)
    }

    fn checkpoint_finish(&mut self) -> Result<(), AppendError> {
        self.writable()?;
        let (frames, covers) = self.draft.take().expect("a checkpoint is open");
        self.shelf(|shelf, _| {
            shelf.finished = Some(Finished {
                frames,
                covers,
                position: shelf.position(),
            });
            shelf.publish();
        });
        Ok(())
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        self.writable()?;
        self.shelf(|shelf, _| shelf.sync());
        Ok(())
    }
}
