//! The pool's memory over a restart: a file that grows with each arrival, and is written anew now and then.
//!
//! Its thread does all the writing, so that no request waits for a disk, and rests after each write: what comes meanwhile is
//! one write, and wakes nobody. Nothing is synced: what is lost with the power was promised to nobody (see
//! `purlin_chain_core::pool::journal`).

use crate::error::StartError;
use purlin_chain_core::pool::journal::{Entry, decode};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The file's name in the data directory.
const NAME: &str = "pool.journal";
/// Octets that may be appended before the file is written anew.
pub(crate) const APPENDED_MAX: usize = 16 << 20;

/// Writes that may wait for the disk. A disk that hangs must not fill the memory.
const WAITING_MAX: usize = 4_096;
/// After a write, until the next.
const REST: Duration = Duration::from_millis(5);
/// Octets of one write: what waited longer than a rest is written in several.
const WRITE_MAX: usize = 1 << 20;

#[derive(Debug)]
enum Task {
    Append(Vec<u8>),
    /// The whole of what the pool holds.
    Rewrite(Vec<u8>),
}

/// The way to the journal's thread.
#[derive(Debug)]
pub(crate) struct Journal {
    tasks: SyncSender<Task>,
}

/// Opens the journal: what it holds, the way to write to it, and its thread.
///
/// # Errors
/// See [`StartError::Journal`].
pub(crate) fn open(directory: &Path) -> Result<(Vec<Entry>, Journal, JoinHandle<()>), StartError> {
    let path = directory.join(NAME);
    let failed = |what| {
        let path = path.clone();
        move |source| StartError::Journal { what, path, source }
    };
    fs::create_dir_all(directory).map_err(failed("making the directory of"))?;
    let octets = match fs::read(&path) {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed("reading the pool's journal")(error)),
    };
    let decoded = decode(&octets);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.map_err(failed("opening the pool's journal"))?;
    if let Some(fault) = decoded.fault {
        // Entries that come now must not stand behind octets that nobody can read.
        file.set_len(fault.at as u64)
            .map_err(failed("cutting the pool's journal"))?;
    }
    let (tasks, queue) = sync_channel(WAITING_MAX);
    let thread = std::thread::Builder::new()
        .name("chain-journal".to_owned())
        .spawn(move || write(&path, file, &queue))
        .map_err(|source| StartError::System {
            what: "starting the journal's thread",
            source,
        })?;
    Ok((decoded.entries, Journal { tasks }, thread))
}

impl Journal {
    /// Whether it will be written: not when the disk is too far behind.
    pub(crate) fn append(&self, entries: Vec<u8>) -> bool {
        self.tasks.try_send(Task::Append(entries)).is_ok()
    }

    /// As [`Self::append`].
    pub(crate) fn rewrite(&self, whole: Vec<u8>) -> bool {
        self.tasks.try_send(Task::Rewrite(whole)).is_ok()
    }
}

/// Works until everybody who could write is gone.
fn write(path: &Path, mut file: File, tasks: &Receiver<Task>) {
    let mut next = tasks.recv().ok();
    while let Some(task) = next.take() {
        // A journal that cannot be written is a convenience less: the chain goes on without.
        match task {
            Task::Append(mut octets) => {
                next = gather(tasks, &mut octets);
                let _ = file.write_all(&octets);
            }
            Task::Rewrite(octets) => {
                if let Ok(anew) = replace(path, &octets) {
                    file = anew;
                }
            }
        }
        if next.is_none() {
            std::thread::park_timeout(REST);
            next = tasks.recv().ok();
        }
    }
}

/// Appends what waits already; returns the task that is none of it.
fn gather(tasks: &Receiver<Task>, octets: &mut Vec<u8>) -> Option<Task> {
    while octets.len() < WRITE_MAX {
        match tasks.try_recv().ok()? {
            Task::Append(more) => octets.extend(more),
            rewrite @ Task::Rewrite(_) => return Some(rewrite),
        }
    }
    None
}

/// Puts a new file in the place of the old one, at once.
fn replace(path: &Path, octets: &[u8]) -> io::Result<File> {
    let new: PathBuf = path.with_extension("journal.new");
    let mut file = File::create(&new)?;
    file.write_all(octets)?;
    fs::rename(&new, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_one_write_up_to_a_rewrite() {
        let (tasks, queue) = sync_channel(8);
        for task in [
            Task::Append(vec![1]),
            Task::Append(vec![2, 3]),
            Task::Rewrite(vec![4]),
            Task::Append(vec![5]),
        ] {
            tasks.try_send(task).expect("room");
        }
        let mut octets = vec![0];
        let next = gather(&queue, &mut octets);
        assert_eq!(octets, [0, 1, 2, 3]);
        assert!(matches!(next, Some(Task::Rewrite(whole)) if whole == [4]));
        let mut octets = Vec::new();
        assert!(gather(&queue, &mut octets).is_none());
        assert_eq!(octets, [5]);
    }
}
