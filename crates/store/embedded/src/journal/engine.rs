//! Opens journals by name; knows those that are open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use purlin_store::{Journal, JournalEngine, OpenError, Replay, Wake};

use super::pinned::Pinned;
use super::recovery::{Site, failed};
use super::shared::{Files, Shared, Start};
use super::tail::{Patience, next_segment};
use super::writer::FileJournal;
use super::{JournalOptions, JournalStats, keeper, layout, syncer};
use crate::medium::{Lock, Medium};

/// The threads read little and call shallowly.
const STACK: usize = 128 << 10;

/// All journals of one folder, on any medium.
#[derive(Debug)]
pub struct JournalFiles {
    medium: Arc<dyn Medium>,
    dir: PathBuf,
    options: JournalOptions,
    open: Mutex<BTreeMap<String, Weak<Shared>>>,
}

impl JournalFiles {
    /// Journals below `dir`, which is created.
    ///
    /// # Errors
    /// When the folder cannot be created.
    ///
    /// # Panics
    /// When `segment_bytes` is below 4 KiB.
    pub fn new(medium: Arc<dyn Medium>, dir: &Path, options: JournalOptions) -> Result<Self, OpenError> {
        assert!(options.segment_bytes >= 4096, "a segment holds at least 4 KiB");
        medium.create_dir(dir).map_err(failed("creating", dir))?;
        let files = Self {
            medium,
            dir: dir.to_owned(),
            options,
            open: Mutex::default(),
        };
        files.finish_removals()?;
        Ok(files)
    }

    /// Figures of all open journals, in the order of their names.
    #[must_use]
    pub fn stats(&self) -> Vec<JournalStats> {
        self.registry()
            .values()
            .filter_map(Weak::upgrade)
            .map(|shared| shared.stats())
            .collect()
    }

    /// Hands every durable frame of a journal to `replay`, open or not, and gives their number's end: the last
    /// position. Appending goes on meanwhile.
    pub(crate) fn read(&self, name: &str, replay: Replay<'_>) -> Result<u64, OpenError> {
        if let Some(shared) = self.registry().get(name).and_then(Weak::upgrade) {
            return Pinned::new(&shared)?.replay(replay);
        }
        let dir = self.dir.join(name);
        let _lock = self.lock(&dir)?;
        Ok(Site {
            medium: self.medium.as_ref(),
            dir: &dir,
            name,
        }
        .recover(replay)?
        .position)
    }

    /// Bytes of a journal's files.
    pub(crate) fn size(&self, name: &str) -> Result<u64, OpenError> {
        let dir = self.dir.join(name);
        let names = self.medium.list(&dir).map_err(failed("listing", &dir))?;
        // A file that goes while we look was replaced by a checkpoint; the size is an estimate anyway.
        let length = |name: &String| {
            self.medium
                .open(&dir.join(name))
                .and_then(|file| file.length())
                .unwrap_or(0)
        };
        Ok(names.iter().map(length).sum())
    }

    fn registry(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Weak<Shared>>> {
        self.open
            .lock()
            .expect("nothing panics with the list of journals locked")
    }

    fn dir_of(&self, name: &str) -> Result<PathBuf, OpenError> {
        layout::valid_name(name).map_err(failed("naming the journal", Path::new(name)))?;
        Ok(self.dir.join(name))
    }

    fn lock(&self, dir: &Path) -> Result<Lock, OpenError> {
        let path = dir.join(layout::LOCK);
        let lock = self.medium.lock(&path).map_err(failed("locking", &path))?;
        lock.ok_or_else(|| OpenError::Locked {
            path: dir.display().to_string(),
        })
    }

    fn finish_removals(&self) -> Result<(), OpenError> {
        for name in self.list()? {
            if name.starts_with(layout::REMOVING) {
                self.delete(&self.dir.join(name))?;
            }
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>, OpenError> {
        self.medium.list(&self.dir).map_err(failed("listing", &self.dir))
    }

    fn delete(&self, dir: &Path) -> Result<(), OpenError> {
        for name in self.medium.list(dir).map_err(failed("listing", dir))? {
            let path = dir.join(name);
            self.medium.remove(&path).map_err(failed("removing", &path))?;
        }
        self.medium.remove_dir(dir).map_err(failed("removing", dir))?;
        self.medium
            .sync_dir(&self.dir)
            .map_err(failed("syncing", &self.dir))
    }
}

impl JournalEngine for JournalFiles {
    fn open(&self, name: &str, wake: Wake, replay: Replay<'_>) -> Result<Box<dyn Journal>, OpenError> {
        let dir = self.dir_of(name)?;
        self.medium.create_dir(&dir).map_err(failed("creating", &dir))?;
        let lock = self.lock(&dir)?;
        let recovered = Site {
            medium: self.medium.as_ref(),
            dir: &dir,
            name,
        }
        .recover(replay)?;
        let position = recovered.position;
        let shared = Arc::new(Shared::new(Start {
            name: name.to_owned(),
            dir,
            medium: self.medium.clone(),
            options: self.options.clone(),
            wake,
            position,
            log_bytes: recovered.log_bytes,
            torn_tail: recovered.torn_tail,
            files: Files {
                segments: recovered.segments,
                unsynced_from: recovered.next_number,
                spare: None,
                next_number: recovered.next_number,
                checkpoint: recovered.checkpoint,
                next_generation: recovered.next_generation,
                tasks: [].into(),
                no_space: false,
                write_refused: false,
            },
        }));
        let mut journal = FileJournal {
            shared,
            threads: Vec::new(),
            _lock: lock,
            position,
            draft: None,
        };
        start_threads(&mut journal).map_err(failed("starting the threads of", &self.dir.join(name)))?;
        // On a full disk the journal opens all the same: it can be read, and says `Full`.
        let segment = next_segment(&journal.shared, position, Patience::Wait);
        journal.shared.tail().segment = segment.ok().flatten();
        self.registry()
            .insert(name.to_owned(), Arc::downgrade(&journal.shared));
        Ok(Box::new(journal))
    }

    fn names(&self) -> Result<Vec<String>, OpenError> {
        Ok(self
            .list()?
            .into_iter()
            .filter(|name| layout::valid_name(name).is_ok())
            .collect())
    }

    fn remove(&self, name: &str) -> Result<(), OpenError> {
        let dir = self.dir_of(name)?;
        let lock = self.lock(&dir)?;
        // In one step, so that half a journal is never mistaken for a damaged one.
        let doomed = self.dir.join(format!("{}{name}", layout::REMOVING));
        self.medium
            .rename(&dir, &doomed)
            .map_err(failed("renaming", &dir))?;
        self.medium
            .sync_dir(&self.dir)
            .map_err(failed("syncing", &self.dir))?;
        drop(lock);
        self.registry().remove(name);
        self.delete(&doomed)
    }
}

fn start_threads(journal: &mut FileJournal) -> io::Result<()> {
    let spawn = |what: &str, run: fn(&Shared)| {
        let shared = journal.shared.clone();
        let builder = thread::Builder::new()
            .name(format!("{what}-{}", shared.name))
            .stack_size(STACK);
        builder.spawn(move || run(&shared))
    };
    let sync = spawn("sync", syncer::run)?;
    // Nothing is appended before this function returns, so no wake-up can be missed.
    let _ = journal.shared.sync_thread.set(sync.thread().clone());
    let keep = spawn("keep", keeper::run);
    journal.threads.push(sync);
    journal.threads.push(keep?);
    Ok(())
}
