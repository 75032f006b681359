//! The keeper's work on checkpoints: writes the pieces, then makes the whole the valid one.

use std::io;
use std::sync::atomic::Ordering;

use super::checkpoint::{Finished, Sheet, Task, give_up};
use super::layout;
use super::shared::{CheckpointFile, Shared};
use crate::medium::is_full;

/// What the keeper remembers from one task to the next.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    open: Option<Sheet>,
    /// The last generation that was given up: its other pieces are of no use.
    given_up: u64,
}

impl Desk {
    pub(crate) fn work(&mut self, shared: &Shared, task: Task) {
        let generation = task.generation();
        let done = match task {
            Task::Piece { bytes, .. } => {
                let done = self.write(shared, generation, &bytes);
                shared.pieces.fetch_sub(1, Ordering::AcqRel);
                done
            }
            Task::Publish(finished) => self.publish(shared, &finished),
        };
        match done {
            Ok(()) => {}
            Err(error) if is_full(&error) => {
                self.discard(shared);
                self.given_up = generation;
                give_up(shared, generation);
            }
            Err(error) => return drop(shared.fail(error)),
        }
        shared.notify();
        shared.wake_owner();
    }

    fn write(&mut self, shared: &Shared, generation: u64, bytes: &[u8]) -> io::Result<()> {
        if generation == self.given_up {
            return Ok(());
        }
        if self
            .open
            .as_ref()
            .is_some_and(|sheet| sheet.generation != generation)
        {
            self.discard(shared);
        }
        let sheet = match &mut self.open {
            Some(sheet) => sheet,
            None => self.open.insert(Sheet::create(shared, generation)?),
        };
        sheet.write(bytes)
    }

    fn discard(&mut self, shared: &Shared) {
        if let Some(sheet) = self.open.take() {
            // What is left of it is removed at the next opening at the latest.
            let _ = shared.medium.remove(&sheet.unfinished());
        }
    }

    fn publish(&mut self, shared: &Shared, finished: &Finished) -> io::Result<()> {
        let Some(sheet) = &self.open else {
            // Given up before it was finished.
            return Ok(());
        };
        assert_eq!(
            (sheet.generation, sheet.bytes),
            (finished.generation, finished.bytes),
            "pieces arrive in order, and all of them"
        );
        install(shared, finished, sheet)?;
        self.open = None;
        shared.counters.checkpoints.fetch_add(1, Ordering::Relaxed);
        shared.checkpointing.store(false, Ordering::Release);
        Ok(())
    }
}

/// Gives a finished checkpoint the name that counts, then removes what it replaces.
fn install(shared: &Shared, finished: &Finished, sheet: &Sheet) -> io::Result<()> {
    sheet.file.sync()?;
    shared.medium.rename(&sheet.unfinished(), &sheet.path)?;
    shared.medium.sync_dir(&shared.dir)?;
    shared.log_start.store(finished.log_start, Ordering::Relaxed);
    shared.checkpoint_bytes.store(sheet.bytes, Ordering::Relaxed);
    let made = CheckpointFile {
        generation: finished.generation,
        covers: finished.covers,
        bytes: sheet.bytes,
    };
    let mut files = shared.files();
    let mut obsolete: Vec<_> = files
        .checkpoint
        .replace(made)
        .iter()
        .map(|old| layout::checkpoint(&shared.dir, old.generation))
        .collect();
    while files
        .segments
        .front()
        .is_some_and(|entry| entry.last <= finished.covers)
    {
        let entry = files.segments.pop_front().expect("looked at above");
        obsolete.push(shared.segment_path(entry.segment.number));
    }
    drop(files);
    for path in obsolete {
        // A file that cannot be removed now is harmless: it is covered, and the next opening tries again.
        let _ = shared.medium.remove(&path);
    }
    shared.medium.sync_dir(&shared.dir)
}
