//! Opens journals by name; knows those that are open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::thread;

use purlin_store::{Journal, JournalEngine, OpenError, Replay, Wake};

use super::header::FILE_HEADER;
use super::recovery::{Site, failed};
use super::shared::{Files, Segment, Shared, Start};
use super::writer::{FileJournal, Log, next_segment};
use super::{JournalOptions, JournalStats, keeper, layout, syncer};
use crate::medium::{FileHandle, Lock, Medium};

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

/// The files of an open journal at one moment. They stay readable when a checkpoint replaces them.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) checkpoint: Option<(PathBuf, Arc<dyn FileHandle>)>,
    pub(crate) covers: u64,
    pub(crate) segments: Vec<(PathBuf, Arc<Segment>)>,
    pub(crate) durable: u64,
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

    /// What is durable now in the journal `name`; `None` when it is not open here.
    pub(crate) fn pin(&self, name: &str) -> Result<Option<Pinned>, OpenError> {
        let Some(shared) = self.registry().get(name).and_then(Weak::upgrade) else {
            return Ok(None);
        };
        // The durable position first: whatever segments are added meanwhile only hold later frames.
        let files = shared.files();
        let durable = shared.durable.load(Ordering::Acquire);
        let checkpoint = files.checkpoint.clone();
        let covers = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.covers);
        let checkpoint = match checkpoint {
            Some(checkpoint) => {
                let path = layout::checkpoint(&shared.dir, checkpoint.generation);
                let file = shared.medium.open(&path).map_err(failed("opening", &path))?;
                Some((path, file))
            }
            None => None,
        };
        let paths = files.segments.iter().map(|entry| entry.segment.clone());
        let segments = paths
            .map(|segment| (shared.segment_path(segment.number), segment))
            .collect();
        Ok(Some(Pinned {
            checkpoint,
            covers,
            segments,
            durable,
        }))
    }

    /// Replays a journal that is not open, without opening it; gives its last position.
    pub(crate) fn read(&self, name: &str, replay: Replay<'_>) -> Result<u64, OpenError> {
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
        let log = Log {
            segment: None,
            offset: FILE_HEADER as u64,
            position,
            buffer: Vec::new(),
        };
        let mut journal = FileJournal {
            shared,
            threads: Vec::new(),
            _lock: lock,
            log,
            draft: None,
            retry_checkpoint_at: 0,
        };
        start_threads(&mut journal).map_err(failed("starting the threads of", &self.dir.join(name)))?;
        // On a full disk the journal opens all the same: it can be read, and says `Full`.
        journal.log.segment = next_segment(&journal.shared, position).ok();
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
