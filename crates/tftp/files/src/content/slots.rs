//! The chunks of one file: which are in memory, which are on their way, and who waits for them.

use super::{Eviction, Wanted};
use crate::{CHUNK, Chunk};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Slots are made in rows, so that a sparse file of a terabyte costs nothing until it is read.
const ROW: usize = 64;

pub(super) struct Slots {
    size: u64,
    rows: Box<[OnceLock<Box<[Slot]>>]>,
}

pub(super) struct Slot {
    state: RwLock<State>,
    /// Read since the clock's hand passed.
    used: AtomicBool,
    /// Reading ahead goes on when this chunk is first read.
    mark: AtomicBool,
}

pub(super) enum State {
    Absent,
    Loading(Load),
    Present(Chunk),
}

/// A chunk on its way.
pub(super) struct Load {
    /// Who waits. Only ever reached through a writer's lock; the mutex says so to the compiler.
    waiting: Mutex<Vec<Wanted>>,
    /// Queued behind everything that a client waits for.
    pub(super) ahead: bool,
    /// An I/O thread is at it.
    pub(super) running: bool,
}

impl Load {
    pub(super) fn wait(&mut self, done: Wanted) {
        self.waiting
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .push(done);
    }

    pub(super) fn into_waiting(self) -> Vec<Wanted> {
        self.waiting.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Somebody waits for it.
    pub(super) fn wanted(done: Wanted) -> Self {
        Self::Loading(Load {
            waiting: Mutex::new(vec![done]),
            ahead: false,
            running: false,
        })
    }

    /// Nobody waits for it yet.
    pub(super) fn ahead() -> Self {
        Self::Loading(Load {
            waiting: Mutex::default(),
            ahead: true,
            running: false,
        })
    }
}

impl Slots {
    pub(super) fn new(size: u64) -> Self {
        let rows = size.div_ceil((CHUNK * ROW) as u64);
        Self {
            size,
            rows: (0..rows).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Octets of chunk `index`; 0 past the end.
    pub(super) fn len(&self, index: u64) -> u64 {
        let start = index.saturating_mul(CHUNK as u64);
        self.size.saturating_sub(start).min(CHUNK as u64)
    }

    /// `None` past the end, and for a row nobody asked for.
    pub(super) fn known(&self, index: u64) -> Option<&Slot> {
        let index = usize::try_from(index).ok()?;
        self.rows.get(index / ROW)?.get()?.get(index % ROW)
    }

    /// `None` past the end.
    pub(super) fn slot(&self, index: u64) -> Option<&Slot> {
        if self.len(index) == 0 {
            return None;
        }
        let index = usize::try_from(index).ok()?;
        let row = self
            .rows
            .get(index / ROW)?
            .get_or_init(|| (0..ROW).map(|_| Slot::new()).collect());
        row.get(index % ROW)
    }

    pub(super) fn held(&self) -> u64 {
        let rows = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(at, row)| Some((at, row.get()?)));
        let slots =
            rows.flat_map(|(at, row)| row.iter().enumerate().map(move |(i, slot)| (at * ROW + i, slot)));
        slots
            .filter(|(_, slot)| slot.is_present())
            .map(|(index, _)| self.len(index as u64))
            .sum()
    }

    pub(super) fn evict(&self, index: u64) -> Eviction {
        let Some(slot) = self.known(index) else {
            return Eviction::Nothing;
        };
        if slot.used.swap(false, Ordering::Relaxed) {
            return Eviction::Kept;
        }
        let mut state = slot.write();
        match &*state {
            State::Present(chunk) if Arc::strong_count(chunk) > 1 => Eviction::Kept,
            State::Present(_) => {
                *state = State::Absent;
                Eviction::Freed(self.len(index))
            }
            State::Absent | State::Loading(_) => Eviction::Nothing,
        }
    }
}

impl Slots {
    pub(super) fn evict_all(&self) -> u64 {
        let rows = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.get().is_some());
        let all = rows.flat_map(|(at, _)| at * ROW..(at + 1) * ROW);
        all.map(|index| {
            if let Some(slot) = self.known(index as u64) {
                slot.used.store(false, Ordering::Relaxed);
            }
            match self.evict(index as u64) {
                Eviction::Freed(octets) => octets,
                _ => 0,
            }
        })
        .sum()
    }
}

impl Slot {
    fn new() -> Self {
        Self {
            state: RwLock::new(State::Absent),
            used: AtomicBool::new(false),
            mark: AtomicBool::new(false),
        }
    }

    pub(super) fn chunk(&self) -> Option<Chunk> {
        let State::Present(chunk) = &*self.read() else {
            return None;
        };
        // Looked at first: a hot chunk's flag stays in every core's cache.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(chunk))
    }

    pub(super) fn is_present(&self) -> bool {
        matches!(*self.read(), State::Present(_))
    }

    /// A fresh chunk is in use: whoever waited for it comes back in a moment.
    pub(super) fn fill(&self, chunk: Chunk) -> State {
        self.used.store(true, Ordering::Relaxed);
        std::mem::replace(&mut *self.write(), State::Present(chunk))
    }

    pub(super) fn empty(&self) -> State {
        std::mem::replace(&mut *self.write(), State::Absent)
    }

    pub(super) fn set_ahead(&self) {
        if let State::Loading(load) = &mut *self.write() {
            load.ahead = !load.running;
        }
    }

    /// Queued for reading ahead, and nowhere else.
    pub(super) fn is_ahead(&self) -> bool {
        matches!(&*self.read(), State::Loading(load) if load.ahead)
    }

    pub(super) fn set_mark(&self) {
        self.mark.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_mark(&self) -> bool {
        self.mark.load(Ordering::Relaxed) && self.mark.swap(false, Ordering::Relaxed)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}
