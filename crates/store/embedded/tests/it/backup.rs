//! Backups of a store that goes on, and what comes out of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_store::contract::Bell;
use purlin_store::{Batch, Journal, OpenError};
use purlin_store_embedded::medium::{CrashDisk, Medium};
use purlin_store_embedded::{BackupError, Embedded, Options, restore_on, verify_on};

use crate::rigs::small;

const DATA: &str = "/data";
const ARCHIVE: &str = "/backup/store.purlin";
const TAKEN: u64 = 1_763_700_000;

fn open(disk: &CrashDisk, dir: &str) -> Embedded {
    let medium = Arc::new(disk.clone());
    Embedded::open_on(medium, Path::new(dir), Options { journal: small() }).expect("opens")
}

fn frames(store: &Embedded, name: &str) -> (Box<dyn Journal>, Vec<Vec<u8>>) {
    let mut frames = Vec::new();
    let mut take = |frame: &[u8]| frames.push(frame.to_vec());
    let journal = store
        .journals()
        .open(name, Bell::new().wake(), &mut take)
        .expect("opens");
    (journal, frames)
}

fn medium(disk: &CrashDisk) -> Arc<dyn Medium> {
    Arc::new(disk.clone())
}

fn disk() -> CrashDisk {
    let disk = CrashDisk::new();
    disk.create_dir(Path::new("/backup")).expect("a folder");
    disk
}

/// A store with an open journal of several segments and a checkpoint, a closed journal, and records.
fn used(disk: &CrashDisk) -> (Embedded, Box<dyn Journal>) {
    let store = open(disk, DATA);
    frames(&store, "closed").0.append(b"old").expect("there is space");
    let (mut journal, _) = frames(&store, "packet-0");
    for n in 0..200_u32 {
        journal
            .append(&n.to_le_bytes().repeat(60))
            .expect("there is space");
    }
    journal.checkpoint_begin().expect("there is space");
    journal.checkpoint_write(b"state").expect("there is space");
    journal.checkpoint_finish().expect("there is space");
    for n in 200..500_u32 {
        journal
            .append(&n.to_le_bytes().repeat(60))
            .expect("there is space");
    }
    journal.flush().expect("the disk works");
    for n in 0..300_u32 {
        let batch = Batch::default().put("audit", n.to_be_bytes(), vec![7; 5_000]);
        store.records().commit(batch).expect("works");
    }
    (store, journal)
}

#[test]
fn a_backup_of_a_running_store_restores_all_that_was_durable() {
    let disk = disk();
    let (store, mut journal) = used(&disk);
    let mut steps = Vec::new();
    let made = store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |done, total| {
            steps.push((done, total));
        })
        .expect("space");
    assert!(
        steps.is_sorted() && steps.last().is_some_and(|(done, total)| done == total),
        "{steps:?}"
    );
    journal.append(b"after the backup").expect("the store goes on");
    let verified = verify_on(&disk, Path::new(ARCHIVE), &mut |_, _| {}).expect("whole");
    assert_eq!(verified, made);
    let mut last = (0, 1);
    let restored = restore_on(
        &medium(&disk),
        Path::new(ARCHIVE),
        Path::new("/new"),
        None,
        &mut |done, total| {
            last = (done, total);
        },
    );
    assert_eq!(restored.expect("an empty folder"), made);
    assert_eq!(last.0, last.1);

    let new = open(&disk, "/new");
    let (_, found) = frames(&new, "packet-0");
    let tail: Vec<Vec<u8>> = (200..500_u32).map(|n| n.to_le_bytes().repeat(60)).collect();
    assert!(found.ends_with(&tail), "the log ends as it was");
    assert!(
        found.contains(&b"state".to_vec()) || found.len() == 500,
        "the checkpoint, if it was published"
    );
    assert_eq!(frames(&new, "closed").1, [b"old"]);
    assert_eq!(
        new.records().scan("audit", b"", 1_000).expect("readable").len(),
        300
    );
    assert_eq!(made.rows, 300);
}

#[test]
fn a_folder_that_holds_something_is_not_restored_into() {
    let disk = disk();
    let (store, _journal) = used(&disk);
    store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    let refused = restore_on(
        &medium(&disk),
        Path::new(ARCHIVE),
        Path::new(DATA),
        None,
        &mut |_, _| {},
    );
    assert!(
        matches!(refused, Err(BackupError::NotEmpty { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_damaged_or_cut_archive_is_refused_before_anything_is_written() {
    let disk = disk();
    let (store, _journal) = used(&disk);
    let made = store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    let refused = || {
        let outcome = restore_on(
            &medium(&disk),
            Path::new(ARCHIVE),
            Path::new("/new"),
            None,
            &mut |_, _| {},
        );
        assert!(matches!(outcome, Err(BackupError::Damaged { .. })), "{outcome:?}");
        assert!(!disk.files().iter().any(|path| path.starts_with("/new")));
    };
    for offset in [3, 130, made.bytes / 2, made.bytes - 10] {
        disk.rot(Path::new(ARCHIVE), offset);
        refused();
        disk.rot(Path::new(ARCHIVE), offset);
    }
    let file = Medium::open(&disk, Path::new(ARCHIVE)).expect("there");
    file.truncate(made.bytes - 40).expect("the disk works");
    refused();
}

#[test]
fn a_restore_broken_off_leaves_a_folder_that_is_refused() {
    let first = disk();
    let (store, journal) = used(&first);
    store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    first.die_after(40);
    let broken = restore_on(
        &medium(&first),
        Path::new(ARCHIVE),
        Path::new("/new"),
        None,
        &mut |_, _| {},
    );
    assert!(broken.is_err());
    let next = first.power_cut(1);
    drop((store, journal));
    let opened = Embedded::open_on(Arc::new(next), Path::new("/new"), Options::default());
    assert!(matches!(opened, Err(OpenError::Damaged { .. })), "{opened:?}");
}

#[test]
fn a_full_disk_leaves_no_half_archive_and_the_former_one() {
    let disk = disk();
    let (store, _journal) = used(&disk);
    let made = store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    disk.fill();
    assert!(store.backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {}).is_err());
    disk.set_capacity(None);
    assert_eq!(
        verify_on(&disk, Path::new(ARCHIVE), &mut |_, _| {}).expect("the former one"),
        made
    );
    assert!(
        !disk
            .files()
            .iter()
            .any(|path| path.to_string_lossy().ends_with(".partial"))
    );
}

#[test]
fn a_restored_folder_says_so_for_ever_and_each_restore_by_another_name() {
    let disk = disk();
    let (store, journal) = used(&disk);
    assert_eq!(store.restored(), None);
    store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    drop((store, journal));
    let hold = Some(Duration::from_secs(60));
    let mut ids = Vec::new();
    for dir in ["/first", "/second"] {
        restore_on(
            &medium(&disk),
            Path::new(ARCHIVE),
            Path::new(dir),
            hold,
            &mut |_, _| {},
        )
        .expect("an empty folder");
        for _ in 0..2 {
            let restored = open(&disk, dir).restored().expect("it was restored");
            assert_eq!((restored.taken, restored.hold), (TAKEN, hold));
            ids.push(restored.id);
        }
    }
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[test]
fn no_crash_leaves_a_folder_that_opens_without_saying_that_it_was_restored() {
    let archive = disk();
    let store = open(&archive, DATA);
    let (mut journal, _) = frames(&store, "packet-0");
    journal.append(b"a lease").expect("there is space");
    journal.flush().expect("the disk works");
    store
        .backup(Path::new(ARCHIVE), TAKEN, &mut |_, _| {})
        .expect("there is space");
    drop((store, journal));
    let bytes = archive.open_read(Path::new(ARCHIVE)).expect("there");
    let mut backup = vec![0; usize::try_from(bytes.length().expect("known")).expect("small")];
    bytes.read_at(0, &mut backup).expect("readable");
    let steps = |die_after| {
        let disk = disk();
        let copy = disk.create(Path::new(ARCHIVE)).expect("there is space");
        copy.write_at(0, &backup)
            .and_then(|()| copy.sync())
            .expect("there is space");
        disk.die_after(die_after);
        let done = restore_on(
            &medium(&disk),
            Path::new(ARCHIVE),
            Path::new("/new"),
            None,
            &mut |_, _| {},
        );
        let cut = disk.power_cut(die_after);
        let listed = cut.list(Path::new("/new")).unwrap_or_default();
        let opened = Embedded::open_on(Arc::new(cut), Path::new("/new"), Options { journal: small() });
        // A folder in which nothing is yet is a new one.
        if let Ok(store) = opened
            && !listed.is_empty()
        {
            assert!(store.restored().is_some(), "after {die_after} steps");
        }
        done.is_ok()
    };
    assert!((5..500).any(steps), "a restore comes to its end");
}
