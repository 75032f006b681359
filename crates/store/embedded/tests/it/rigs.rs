//! Storage for the contract suite and the tests beside it.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_store::contract::{Bell, JournalRig};
use purlin_store::{Journal, JournalEngine, OpenError, Replay};
use purlin_store_embedded::medium::{CrashDisk, RealFiles};
use purlin_store_embedded::{JournalFiles, JournalOptions};
use tempfile::TempDir;

/// Segments so small that every test changes them many times.
pub(crate) fn small() -> JournalOptions {
    JournalOptions {
        segment_bytes: 16 << 10,
        checkpoint_after: 256 << 10,
        retry: Duration::from_millis(2),
        rest: Duration::from_millis(1),
    }
}

pub(crate) struct OnFiles(pub(crate) TempDir);

impl OnFiles {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
}

impl JournalRig for OnFiles {
    fn engine(&self) -> Arc<dyn JournalEngine> {
        Arc::new(JournalFiles::new(Arc::new(RealFiles), self.0.path(), small()).expect("a folder"))
    }
}

pub(crate) struct OnCrashDisk(pub(crate) RefCell<CrashDisk>);

impl OnCrashDisk {
    pub(crate) fn new() -> Self {
        Self(CrashDisk::new().into())
    }

    pub(crate) fn power_cut(&self, seed: u64) {
        let next = self.0.borrow().power_cut(seed);
        *self.0.borrow_mut() = next;
    }
}

/// Opens the only journal of the crash tests.
pub(crate) fn journal_on(disk: &CrashDisk, replay: Replay<'_>) -> Result<Box<dyn Journal>, OpenError> {
    engine_on(disk).open("packet-0", Bell::new().wake(), replay)
}

pub(crate) fn engine_on(disk: &CrashDisk) -> JournalFiles {
    JournalFiles::new(Arc::new(disk.clone()), Path::new("/data"), small()).expect("a folder")
}

impl JournalRig for OnCrashDisk {
    fn engine(&self) -> Arc<dyn JournalEngine> {
        Arc::new(engine_on(&self.0.borrow()))
    }

    fn fill(&self) -> bool {
        self.0.borrow().fill();
        true
    }

    fn free(&self) {
        self.0.borrow().set_capacity(None);
    }

    fn fail_syncs(&self) -> bool {
        self.0.borrow().fail_syncs(true);
        true
    }

    fn hold_syncs(&self, hold: bool) -> bool {
        self.0.borrow().hold_syncs(hold);
        true
    }

    fn kill(&self) -> bool {
        let next = self.0.borrow().kill();
        *self.0.borrow_mut() = next;
        true
    }
}
