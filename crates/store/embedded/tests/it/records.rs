//! Records on a disk that dies in the middle of a commit, and on a full one.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use purlin_store::{Batch, RecordError, Records};
use purlin_store_embedded::RecordFile;
use purlin_store_embedded::medium::{CrashDisk, Medium};

fn open(disk: &CrashDisk) -> RecordFile {
    disk.create_dir(Path::new("/data")).expect("a folder");
    RecordFile::open(Arc::new(disk.clone()), Path::new("/data/records"))
        .expect("no crash makes it unreadable")
}

fn put(n: u32) -> Batch {
    Batch::default()
        .put("a", *b"n", n.to_le_bytes())
        .put("b", n.to_le_bytes(), vec![n as u8; 900])
}

fn newest(records: &RecordFile) -> u32 {
    let value = records.get("a", b"n").expect("readable");
    let n = value.map_or(0, |value| u32::from_le_bytes(value.try_into().expect("a number")));
    let rows = records.scan("b", b"", 10_000).expect("readable").len();
    assert_eq!(rows, n as usize, "all of a batch or nothing");
    n
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_commit_survives_any_power_cut_whole_or_never_was(cuts in prop::collection::vec((0..60_u64, any::<u64>()), 1..6)) {
        let mut disk = CrashDisk::new();
        let mut n = 0;
        for (steps, seed) in cuts {
            let records = open(&disk);
            let found = newest(&records);
            // The commit that failed may have reached the disk all the same.
            assert!(found == n || found == n + 1, "{found} of {n}");
            n = found;
            disk.die_after(steps);
            while records.commit(put(n + 1)).is_ok() {
                n += 1;
            }
            let next = disk.power_cut(seed);
            drop(records);
            disk = next;
        }
        let found = newest(&open(&disk));
        assert!(found == n || found == n + 1);
    }
}

#[test]
fn a_full_disk_refuses_commits_until_there_is_space_again() {
    let disk = CrashDisk::new();
    let records = open(&disk);
    records.commit(put(1)).expect("there is space");
    disk.fill();
    let large = Batch::default().put("c", *b"k", vec![1; 8 << 20]);
    assert!(matches!(records.commit(large.clone()), Err(RecordError::Full)));
    assert_eq!(newest(&records), 1, "reading goes on");
    disk.set_capacity(None);
    records.commit(large).expect("there is space");
    records.commit(put(2)).expect("there is space");
    assert_eq!(newest(&records), 2);
}

#[test]
fn a_failed_sync_of_records_is_for_ever() {
    let disk = CrashDisk::new();
    let records = open(&disk);
    disk.fail_syncs(true);
    assert!(matches!(records.commit(put(1)), Err(RecordError::Failed(_))));
    disk.fail_syncs(false);
    assert!(matches!(records.commit(put(1)), Err(RecordError::Failed(_))));
}
