//! The chain's directory is looked at: what it takes of the disk, against what it may take.
//!
//! ```text
//!   each second, and before each block ─► measure ─► Quota (chain/core) ─┬─► decisions, health, metrics
//!   Handle::limit_storage, while it runs ─────────────────►              └─► full: no transactions, no blocks
//! ```
//!
//! Without a limit only the look each second is made. It is bounded to the block: what is looked at before a block is made or decided, the block itself may exceed. Room inside the
//! chain's file that pruning has freed counts as taken, because the disk does not have it.

use crate::codes;
use crate::node::Node;
use crate::story::{Decision, Story};
use purlin_chain_core::storage::{Level, Quota};
use purlin_telemetry::health::{Bears, Check};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Between two looks where no block makes one.
const LOOK: Duration = Duration::from_secs(1);
/// What a file system calls a block, whatever its own are (`st_blocks`, stat(2)).
const BLOCK: u64 = 512;

const TOPIC: &str = "chain.storage";
const FIX: &str = "raise chain.storage_max, which counts at once; or stop the node, keep less (chain.pruning_mode) and run `purlin chain prune`";

/// See the module.
#[derive(Debug)]
pub(crate) struct Storage {
    /// None: the chain lies in memory and takes nothing.
    directory: Option<PathBuf>,
    quota: Mutex<Quota>,
    /// The limit is reached. Every transaction asks; nobody waits for a look.
    full: AtomicBool,
    story: Arc<Story>,
}

impl Storage {
    /// Looks at once, so that nothing is taken in before it is known whether there is room.
    pub(crate) fn new(directory: Option<PathBuf>, limit: Option<u64>, story: Arc<Story>) -> Self {
        let storage = Self {
            directory,
            quota: Mutex::new(Quota::new(limit)),
            full: AtomicBool::new(false),
            story,
        };
        storage.look();
        storage
    }

    fn lock(&self) -> MutexGuard<'_, Quota> {
        self.quota.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was looked at last.
    pub(crate) fn quota(&self) -> Quota {
        *self.lock()
    }

    /// Why nothing is taken in, when that is so.
    pub(crate) fn full(&self) -> Option<String> {
        let full = self.full.load(Ordering::Acquire);
        full.then(|| full_words(&self.quota()))
    }

    /// Looks whether another block may be written.
    ///
    /// # Errors
    /// When not, why in a sentence.
    pub(crate) fn room(&self) -> Result<(), String> {
        // What has no bounds need not be measured for each block; the look each second keeps the figure fresh.
        if self.quota().limit().is_none() {
            return Ok(());
        }
        self.look();
        self.full().map_or(Ok(()), Err)
    }

    /// From now on so many octets are allowed.
    pub(crate) fn allow(&self, limit: Option<u64>) {
        let mut quota = self.lock();
        let turn = quota.allow(limit);
        self.turned(&quota, turn);
    }

    fn look(&self) {
        // A directory that cannot be read is no reason to stop: what is wrong with it, writing will find out.
        let Some(Ok(used)) = self.directory.as_deref().map(taken) else {
            return;
        };
        let mut quota = self.lock();
        let turn = quota.take(used);
        self.turned(&quota, turn);
    }

    /// Under the quota's lock, so that turns are told in their order.
    fn turned(&self, quota: &Quota, turn: Option<Level>) {
        let Some(level) = turn else {
            return;
        };
        self.full.store(level == Level::Full, Ordering::Release);
        let (code, says) = match level {
            Level::Roomy => (codes::STORAGE_ROOM, format!("there is room again: {quota}")),
            Level::Short => (codes::STORAGE_SHORT, format!("room runs out: {quota}")),
            Level::Full => (codes::STORAGE_FULL, full_words(quota)),
        };
        let number = |octets: u64| i64::try_from(octets).unwrap_or(i64::MAX);
        let mut decision = Decision::new(code, TOPIC, "", says).with("octets", number(quota.used()));
        if let Some(limit) = quota.limit() {
            decision = decision.with("octets_max", number(limit));
        }
        self.story.push(decision, 0);
    }

    /// Nothing for a chain that may grow as it likes.
    pub(crate) fn check(&self) -> Option<Check> {
        const NAME: &str = "chain.storage";
        let quota = self.quota();
        quota.limit()?;
        Some(match quota.level() {
            Level::Roomy => Check::pass(NAME, Bears::Advice, quota.to_string()),
            Level::Short => Check::warn(NAME, Bears::Advice, quota.to_string(), FIX),
            // It can be asked still; but what it answers grows old.
            Level::Full => Check::fail(NAME, Bears::Ready, full_words(&quota), FIX),
        })
    }
}

fn full_words(quota: &Quota) -> String {
    format!(
        "the chain's storage is full: {quota}; no transactions and blocks are taken in until there is room"
    )
}

/// Octets that the file system has given to a directory's files. Holes of files are not among them.
fn taken(directory: &Path) -> io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A file may go while it is looked at.
        let Ok(about) = entry.metadata() else { continue };
        sum += about.blocks() * BLOCK;
        if about.is_dir() {
            sum += taken(&entry.path())?;
        }
    }
    Ok(sum)
}

/// Looks each second until `stop` says so: what grows or goes without blocks is noticed, too.
pub(crate) async fn watch(node: Arc<Node>, mut stop: watch::Receiver<bool>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = looks.tick() => {}
        }
        let looked = Arc::clone(&node);
        // A panic is told by the runtime; the next look is made all the same.
        let _ = tokio::task::spawn_blocking(move || looked.storage.look()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_deeper_counts_and_holes_do_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let before = taken(directory.path()).expect("read");
        let hole = fs::File::create(directory.path().join("hole")).expect("a file");
        hole.set_len(1 << 30).expect("long");
        fs::create_dir(directory.path().join("steps")).expect("a directory");
        let step = directory.path().join("steps/1.json");
        fs::write(&step, vec![7; 64 << 10]).expect("written");
        // Some file systems count what is written when they write it.
        fs::File::open(&step)
            .and_then(|file| file.sync_all())
            .expect("synced");
        let grown = taken(directory.path()).expect("read") - before;
        assert!((64 << 10..256 << 10).contains(&grown), "{grown}");
    }

    #[test]
    fn a_chain_in_memory_takes_nothing() {
        let storage = Storage::new(None, Some(1), Arc::new(Story::new()));
        assert_eq!(storage.room(), Ok(()));
        assert_eq!(storage.quota().used(), 0);
    }
}
