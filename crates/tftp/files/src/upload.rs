//! A file on its way in: it appears whole, under its name, or not at all.
//!
//! ```text
//!   append, append, …  ─► one job at a time on an I/O thread ─► a file without a name
//!   commit             ─► sync ─► the name, in one step ─► sync of the directory
//! ```
//!
//! Whatever fails on the way (a full disk, too many octets, a client that went away, a crash) leaves nothing behind.

mod claims;
mod temp;

pub(crate) use claims::{Claim, Claims};
pub(crate) use temp::{Temp, remove_leftover};

use crate::FileError;
use crate::error::refusal;
use crate::machine::Machine;
use crate::stats::nanos_since;
use rustix::fs;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Octets that may wait for the disk, per upload: the widest window there is (64 blocks of 65,464 octets) twice.
const PENDING_MAX: usize = 8 << 20;

/// Called once with the octets stored so far, on an I/O thread.
pub type Stored = Box<dyn FnOnce(Result<u64, FileError>) + Send>;
/// Called once when the file has its name and is safe on the disk, or cannot be had.
pub type Committed = Box<dyn FnOnce(Result<(), FileError>) + Send>;

/// An upload that was admitted. Dropping it without a commit discards it.
pub struct Upload {
    machine: Arc<Machine>,
    strand: Mutex<Strand>,
}

/// What happens to one upload, one after the other.
struct Strand {
    queue: VecDeque<Step>,
    pending: usize,
    running: bool,
    /// `None` while a job works with it, and once it is over.
    writer: Option<Writer>,
    over: Option<FileError>,
}

enum Step {
    Append(Vec<u8>, Stored),
    Commit(Committed),
    Discard,
}

/// The file and its rules.
pub(crate) struct Writer {
    pub(crate) temp: Temp,
    pub(crate) claim: Claim,
    pub(crate) written: u64,
    /// Octets at most.
    pub(crate) size_max: u64,
    pub(crate) overwrite: bool,
    /// Sync with every step rather than once at the end.
    pub(crate) sync_each: bool,
    /// Forgets what was remembered of the name.
    pub(crate) published: Box<dyn FnOnce() + Send>,
}

impl Upload {
    pub(crate) fn new(machine: &Arc<Machine>, writer: Writer) -> Arc<Self> {
        let strand = Strand {
            queue: VecDeque::new(),
            pending: 0,
            running: false,
            writer: Some(writer),
            over: None,
        };
        Arc::new(Self {
            machine: Arc::clone(machine),
            strand: Mutex::new(strand),
        })
    }

    /// Adds octets at the end. Calls keep their order; `done` hears `TooBig`, `NoSpace` or `Io` when the upload is over
    /// with that, and `Busy` when too much waits for the disk.
    pub fn append(self: &Arc<Self>, octets: Vec<u8>, done: Stored) {
        let mut strand = self.strand();
        let over = strand.over.or_else(|| {
            let full = strand.pending + octets.len() > PENDING_MAX;
            full.then_some(FileError::Busy)
        });
        if let Some(error) = over {
            drop(strand);
            return done(Err(error));
        }
        strand.pending += octets.len();
        strand.queue.push_back(Step::Append(octets, done));
        self.run(strand);
    }

    /// Gives the file its name once everything before is stored; `done` hears `Exists` when another was faster and may
    /// not be replaced.
    pub fn commit(self: &Arc<Self>, done: Committed) {
        let mut strand = self.strand();
        if let Some(error) = strand.over {
            drop(strand);
            return done(Err(error));
        }
        strand.queue.push_back(Step::Commit(done));
        self.run(strand);
    }

    /// Gives up; nothing stays. Steps that wait hear `Io`.
    pub fn discard(self: &Arc<Self>) {
        let mut strand = self.strand();
        strand.queue.push_back(Step::Discard);
        self.run(strand);
    }

    fn strand(&self) -> MutexGuard<'_, Strand> {
        self.strand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: &Arc<Self>, mut strand: MutexGuard<'_, Strand>) {
        if strand.running {
            return;
        }
        strand.running = true;
        drop(strand);
        let upload = Arc::clone(self);
        if self
            .machine
            .pool
            .submit(Box::new(move |_| upload.work()))
            .is_err()
        {
            self.machine.counters.refused_busy.one();
            let writer = self.strand().writer.take();
            self.end(writer, FileError::Busy);
        }
    }

    /// The job: all steps that wait, then back into the queue's hands.
    fn work(&self) {
        let mut writer = self.strand().writer.take();
        loop {
            let mut strand = self.strand();
            let Some(step) = strand.queue.pop_front() else {
                strand.running = false;
                strand.writer = writer;
                return;
            };
            if let Step::Append(octets, _) = &step {
                strand.pending -= octets.len();
            }
            drop(strand);
            let Some(open) = writer.take() else {
                step.fail(FileError::Io);
                continue;
            };
            match self.step(open, step) {
                Ok(still) => writer = Some(still),
                Err(error) => {
                    self.end(None, error);
                    return;
                }
            }
        }
    }

    /// One step; the error with which the upload is over, its step already answered.
    fn step(&self, mut writer: Writer, step: Step) -> Result<Writer, FileError> {
        match step {
            Step::Append(octets, done) => {
                let began = Instant::now();
                let written = writer.append(&octets);
                self.machine.counters.write_nanos.add(nanos_since(began));
                match written {
                    Ok(()) => {
                        self.machine.counters.octets_written.add(octets.len() as u64);
                        done(Ok(writer.written));
                        Ok(writer)
                    }
                    Err(error) => {
                        self.machine.counters.uploads_failed.one();
                        // First away with it, then the news: who hears it may look.
                        drop(writer);
                        done(Err(error));
                        Err(error)
                    }
                }
            }
            Step::Commit(done) => {
                let result = writer.publish();
                let counters = &self.machine.counters;
                let counter = if result.is_ok() {
                    &counters.uploads
                } else {
                    &counters.uploads_failed
                };
                counter.one();
                done(result);
                Err(result.err().unwrap_or(FileError::Io))
            }
            Step::Discard => {
                self.machine.counters.uploads_failed.one();
                Err(FileError::Io)
            }
        }
    }

    /// Over: whatever waits hears why.
    fn end(&self, writer: Option<Writer>, error: FileError) {
        drop(writer);
        let mut strand = self.strand();
        strand.over = Some(error);
        strand.running = false;
        strand.pending = 0;
        let waiting = std::mem::take(&mut strand.queue);
        drop(strand);
        for step in waiting {
            step.fail(error);
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let strand = self.strand.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = strand.writer.take() {
            self.machine.counters.uploads_failed.one();
            // Giving a large file's space back takes a while; without room in the queue it is done here.
            let _ = self.machine.pool.submit(Box::new(move |_| drop(writer)));
        }
    }
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({} octets waiting)", self.strand().pending)
    }
}

impl Step {
    fn fail(self, error: FileError) {
        match self {
            Self::Append(_, done) => done(Err(error)),
            Self::Commit(done) => done(Err(error)),
            Self::Discard => {}
        }
    }
}

impl Writer {
    fn append(&mut self, octets: &[u8]) -> Result<(), FileError> {
        if self.written + octets.len() as u64 > self.size_max {
            return Err(FileError::TooBig);
        }
        let mut rest = octets;
        while !rest.is_empty() {
            match rustix::io::pwrite(self.temp.file(), rest, self.written) {
                Ok(0) => return Err(FileError::Io),
                Ok(count) => {
                    rest = &rest[count..];
                    self.written += count as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(refusal(errno)),
            }
        }
        if self.sync_each {
            fs::fdatasync(self.temp.file()).map_err(refusal)?;
        }
        Ok(())
    }

    fn publish(self) -> Result<(), FileError> {
        // Space that was set aside for an announced size and not used is given back.
        fs::ftruncate(self.temp.file(), self.written).map_err(refusal)?;
        fs::fsync(self.temp.file()).map_err(refusal)?;
        self.temp.publish(&self.claim, self.overwrite)?;
        (self.published)();
        Ok(())
    }
}
