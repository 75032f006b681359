//! From the disk into memory: one read per chunk, however many wait for it.

use super::slots::{Slot, State};
use super::{Body, Content, Disk, Wanted};
use crate::error::refusal;
use crate::pool::{ALIGN, Job, Scratch};
use crate::resolve::Identity;
use crate::stats::nanos_since;
use crate::{CHUNK, Chunk, FileError};
use rustix::fs::{self, OFlags};
use rustix::io::Errno;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

impl Content {
    /// Chunk `index` if it is in memory: octets from `index * CHUNK`, [`CHUNK`] of them or up to the end. Never waits.
    ///
    /// An empty file has one empty chunk, so that "the chunk of octet 0" is always an answer.
    pub fn chunk(self: &Arc<Self>, index: u64) -> Option<Chunk> {
        let disk = match &self.body {
            _ if self.size == 0 && index == 0 => return Some(Chunk::from([])),
            Body::Whole(chunks) => return chunks.get(usize::try_from(index).ok()?).cloned(),
            Body::Disk(disk) => disk,
        };
        let found = disk.slots.known(index).and_then(|slot| {
            let chunk = slot.chunk()?;
            if slot.take_mark() {
                self.ahead(disk, index + 1);
            }
            Some(chunk)
        });
        if found.is_some() {
            self.machine.counters.chunk_hits.one();
        }
        found
    }

    /// Loads chunk `index`, and some after it, on an I/O thread; `done` is called once it is there or cannot be had.
    ///
    /// Everybody who wants a chunk while it is on its way waits for the same read. Past the end there is nothing to
    /// load, and `done` hears so at once. Without I/O threads all of it happens before this returns.
    ///
    /// `done` may hear `Io` when the file changed or shrank, and `Busy` when too much is waiting or in use.
    pub fn want(self: &Arc<Self>, index: u64, done: Wanted) {
        let slot = match &self.body {
            Body::Disk(disk) => disk.slots.slot(index).map(|slot| (disk, slot)),
            Body::Whole(_) => None,
        };
        let Some((disk, slot)) = slot else {
            return done(Ok(()));
        };
        let mut state = slot.write();
        match &mut *state {
            State::Present(_) => {
                drop(state);
                done(Ok(()));
            }
            State::Loading(load) => {
                load.wait(done);
                // It was only read ahead so far: now it goes before that.
                let sooner = load.ahead && !load.running;
                load.ahead = false;
                drop(state);
                if sooner && self.machine.pool.submit(self.job(index)).is_err() {
                    // It keeps its place in the other queue.
                    slot.set_ahead();
                }
            }
            State::Absent => {
                *state = State::wanted(done);
                drop(state);
                self.machine.counters.chunk_misses.one();
                if self.machine.pool.submit(self.job(index)).is_err() {
                    self.machine.counters.refused_busy.one();
                    self.settle(disk, slot, index, Err(FileError::Busy));
                }
                self.ahead(disk, index + 1);
            }
        }
    }

    fn job(self: &Arc<Self>, index: u64) -> Job {
        let content = Arc::clone(self);
        Box::new(move |scratch: &mut Scratch| content.load(index, scratch))
    }

    /// Loads the first chunk here and now, unless someone else is at it.
    pub(crate) fn preload(self: &Arc<Self>, scratch: &mut Scratch) {
        let Body::Disk(disk) = &self.body else { return };
        let Some(slot) = disk.slots.slot(0) else { return };
        let mut state = slot.write();
        if matches!(*state, State::Absent) {
            *state = State::ahead();
            drop(state);
            self.load(0, scratch);
        }
    }

    /// Queues the chunks from `first` on that are not there yet, as far as is read ahead.
    fn ahead(self: &Arc<Self>, disk: &Disk, first: u64) {
        let octets = self.machine.read_ahead();
        let count = octets.div_ceil(CHUNK as u64);
        if !self.machine.pool.is_asynchronous() {
            // Without threads the kernel does it.
            let length = NonZeroU64::new(octets);
            let _ = fs::fadvise(&disk.file, first * CHUNK as u64, length, fs::Advice::WillNeed);
            return;
        }
        for index in first..first.saturating_add(count) {
            let Some(slot) = disk.slots.slot(index) else {
                return;
            };
            if index == first + count / 2 {
                slot.set_mark();
            }
            let mut state = slot.write();
            if !matches!(*state, State::Absent) {
                continue;
            }
            *state = State::ahead();
            drop(state);
            if !self.machine.pool.submit_ahead(self.job(index)) {
                // Whoever came for it meanwhile has queued it again, in front, unless that was full too.
                if slot.is_ahead() {
                    self.settle(disk, slot, index, Err(FileError::Busy));
                }
                return;
            }
        }
    }

    /// The job behind [`Self::want`].
    pub(crate) fn load(self: &Arc<Self>, index: u64, scratch: &mut Scratch) {
        let Body::Disk(disk) = &self.body else { return };
        let Some(slot) = disk.slots.slot(index) else {
            return;
        };
        match &mut *slot.write() {
            State::Loading(load) if !load.running => load.running = true,
            // Queued twice, or an I/O thread that needed it for a variant was faster: everybody was told.
            _ => return,
        }
        let read = self.charged_read(disk, index, scratch);
        self.settle(disk, slot, index, read);
    }

    /// Reads chunk `index` here and now; for I/O threads, which must never wait for each other.
    ///
    /// # Errors
    /// As [`Self::want`] says; `NotFound` past the end.
    pub(crate) fn read(self: &Arc<Self>, index: u64, scratch: &mut Scratch) -> Result<Chunk, FileError> {
        if let Some(chunk) = self.chunk(index) {
            return Ok(chunk);
        }
        let Body::Disk(disk) = &self.body else {
            return Err(FileError::NotFound);
        };
        let slot = disk.slots.slot(index).ok_or(FileError::NotFound)?;
        let chunk = self.charged_read(disk, index, scratch)?;
        self.settle(disk, slot, index, Ok(Arc::clone(&chunk)));
        Ok(chunk)
    }

    /// Puts a chunk, or its failure, where everybody finds it, and tells who waits.
    fn settle(self: &Arc<Self>, disk: &Disk, slot: &Slot, index: u64, read: Result<Chunk, FileError>) {
        let result = read.as_ref().map(|_| ()).map_err(|error| *error);
        let before = match read {
            Ok(chunk) => slot.fill(chunk),
            Err(_) => slot.empty(),
        };
        let waiting = match before {
            State::Loading(load) => load.into_waiting(),
            State::Absent => Vec::new(),
            // Read twice at the same time: only one of the two is held.
            State::Present(_) => {
                self.machine.ring.release(disk.slots.len(index));
                return;
            }
        };
        if result.is_ok() {
            let place = u32::try_from(index).expect("a file of 2^32 chunks is longer than any disk");
            self.machine.ring.push(self, place);
        }
        for done in waiting {
            done(result);
        }
    }

    fn charged_read(&self, disk: &Disk, index: u64, scratch: &mut Scratch) -> Result<Chunk, FileError> {
        let length = disk.slots.len(index);
        self.machine
            .ring
            .charge(length, &self.machine.counters.evictions)?;
        let read = self.read_disk(disk, index, scratch);
        if read.is_err() {
            self.machine.ring.release(length);
        }
        read
    }

    fn read_disk(&self, disk: &Disk, index: u64, scratch: &mut Scratch) -> Result<Chunk, FileError> {
        let length = usize::try_from(disk.slots.len(index)).expect("at most a chunk");
        let buffer = scratch.chunk();
        let began = Instant::now();
        let mut filled = 0;
        while filled < length {
            let at = index * CHUNK as u64 + filled as u64;
            let direct = disk.direct.load(Ordering::Relaxed);
            // Direct reads take whole sectors; past the end of the file they stop by themselves.
            let end = if direct {
                length.next_multiple_of(ALIGN)
            } else {
                length
            };
            match rustix::io::pread(&disk.file, &mut buffer[filled..end], at) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(Errno::INVAL) if direct => self.leave_direct(disk)?,
                Err(errno) => return Err(refusal(errno)),
            }
            if direct && filled < length && !filled.is_multiple_of(ALIGN) {
                self.leave_direct(disk)?;
            }
        }
        self.machine.counters.disk_reads.one();
        self.machine.counters.read_nanos.add(nanos_since(began));
        self.machine.counters.octets_read.add(filled as u64);
        let now = fs::fstat(&disk.file)
            .map_err(refusal)
            .and_then(|stat| Identity::of(&stat))?;
        if filled < length || !now.same_octets(&disk.identity) {
            self.stale.store(true, Ordering::Relaxed);
            self.machine.counters.changed.one();
            return Err(FileError::Io);
        }
        Ok(Chunk::from(&buffer[..length]))
    }

    /// Goes on through the page cache, for good.
    fn leave_direct(&self, disk: &Disk) -> Result<(), FileError> {
        self.machine.refuse_direct("the file system refuses direct reads");
        disk.direct.store(false, Ordering::Relaxed);
        let flags = fs::fcntl_getfl(&disk.file).map_err(refusal)?;
        fs::fcntl_setfl(&disk.file, flags.difference(OFlags::DIRECT)).map_err(refusal)
    }
}
