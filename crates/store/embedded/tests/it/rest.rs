//! When a sync pays: at once for those who wait, after a rest for those who do not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_store::contract::Bell;
use purlin_store::{Journal, JournalEngine};
use purlin_store_embedded::medium::{CrashDisk, Medium};
use purlin_store_embedded::{JournalFiles, JournalOptions};

struct Desk {
    files: JournalFiles,
    journal: Box<dyn Journal>,
    bell: Bell,
}

impl Desk {
    /// A journal that has synced once and rests as long as that.
    fn resting(rest: Duration) -> Self {
        let disk = CrashDisk::new();
        disk.create_dir(Path::new("/data")).expect("a folder");
        let options = JournalOptions {
            rest,
            ..JournalOptions::default()
        };
        let files = JournalFiles::new(Arc::new(disk), Path::new("/data"), options).expect("a folder");
        let bell = Bell::new();
        let journal = files.open("packet-0", bell.wake(), &mut |_| ()).expect("opens");
        let mut desk = Self { files, journal, bell };
        desk.journal.append(b"the first").expect("room");
        desk.await_all();
        desk
    }

    fn await_all(&self) {
        let accepted = self.files.stats()[0].written;
        self.bell
            .await_that("durability", || self.journal.durable() >= accepted);
    }

    fn syncs(&self) -> u64 {
        self.files.stats()[0].syncs
    }
}

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

#[test]
fn frames_that_nobody_waits_for_share_the_sync_of_the_next_who_does() {
    let mut desk = Desk::resting(FOR_EVER);
    let before = desk.syncs();
    for _ in 0..100 {
        desk.journal.append(b"a renewal").expect("room");
    }
    desk.journal.defer(b"a first binding").expect("room");
    desk.await_all();
    // One may have been on its way when the first of them came.
    assert!(desk.syncs() <= before + 2, "{} syncs", desk.syncs() - before);
}

#[test]
fn nobody_who_waits_is_kept_waiting_by_a_rest() {
    let mut desk = Desk::resting(FOR_EVER);
    for _ in 0..50 {
        desk.journal.append(b"a renewal").expect("room");
        desk.journal.defer(b"a first binding").expect("room");
        desk.await_all();
    }
    desk.journal.append(b"a renewal").expect("room");
    desk.journal.flush().expect("a flush waits, too");
}

#[test]
fn a_rest_ends() {
    let mut desk = Desk::resting(Duration::from_millis(1));
    for _ in 0..50 {
        desk.journal.append(b"a renewal").expect("room");
        desk.await_all();
    }
}
