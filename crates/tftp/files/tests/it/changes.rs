//! Files that change, come and go while they are remembered and read.

use crate::support::{MANY, octets, pattern, rig, until, want};
use purlin_tftp_files::{CHUNK, FileError};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_replaced_file_is_noticed_at_once() {
    let rig = rig(|_| {});
    rig.write("a/b", "one");
    let old = rig.get("a/b").unwrap();
    rig.replace("a/b", "two");
    until("the notice", || rig.recall("a/b").is_none());
    assert_eq!(rig.text("a/b"), "two");
    assert_eq!(
        octets(&old).unwrap(),
        b"one",
        "a running transfer keeps the old file"
    );
    assert_ne!(old.etag(), rig.get("a/b").unwrap().etag());
}

#[test]
fn a_missing_file_that_comes_is_noticed_at_once() {
    let rig = rig(|_| {});
    for name in ["here", "not/yet/there"] {
        assert_eq!(rig.get(name).err(), Some(FileError::NotFound));
        rig.write(name, "now");
        until("the notice", || rig.recall(name).is_none());
        assert_eq!(rig.text(name), "now");
    }
}

#[test]
fn a_deleted_file_is_noticed_and_given_up() {
    let rig = rig(|_| {});
    rig.write("a", "text");
    drop(rig.get("a").unwrap());
    std::fs::remove_file(rig.root.join("a")).unwrap();
    until("the notice", || rig.recall("a").is_none());
    assert_eq!(rig.tree.stats().files, 1, "still open");
    rig.tree.sweep();
    until("its space is free again", || rig.tree.stats().files == 0);
    assert_eq!(rig.get("a").err(), Some(FileError::NotFound));
}

#[test]
fn files_whose_time_is_over_are_given_up_by_and_by() {
    let rig = rig(|_| {});
    rig.write("a", "text");
    drop(rig.get("a").unwrap());
    rig.pass(Duration::from_secs(61));
    assert_eq!(rig.get("none").err(), Some(FileError::NotFound));
    until("the sweep", || rig.tree.stats().files == 0);
}

#[test]
fn a_renamed_directory_is_noticed() {
    let rig = rig(|_| {});
    rig.write("a/b/c", "text");
    assert_eq!(rig.text("a/b/c"), "text");
    std::fs::rename(rig.root.join("a"), rig.root.join("z")).unwrap();
    until("the notice", || rig.recall("a/b/c").is_none());
    assert_eq!(rig.get("a/b/c").err(), Some(FileError::NotFound));
    assert_eq!(rig.text("z/b/c"), "text");
}

#[test]
fn a_change_behind_a_link_is_noticed() {
    let rig = rig(|_| {});
    rig.write("releases/1/kernel", "one");
    symlink("releases/1/kernel", rig.root.join("kernel")).unwrap();
    assert_eq!(rig.text("kernel"), "one");
    rig.replace("releases/1/kernel", "two");
    until("the notice", || rig.recall("kernel").is_none());
    assert_eq!(rig.text("kernel"), "two");
}

#[test]
fn a_link_to_a_directory_that_moves_on_is_noticed() {
    let rig = rig(|_| {});
    rig.write("releases/1/kernel", "one");
    rig.write("releases/2/kernel", "two");
    symlink("releases/1", rig.root.join("now")).unwrap();
    assert_eq!(rig.text("now/kernel"), "one");
    symlink("releases/2", rig.root.join("next")).unwrap();
    std::fs::rename(rig.root.join("next"), rig.root.join("now")).unwrap();
    until("the notice", || rig.recall("now/kernel").is_none());
    assert_eq!(rig.text("now/kernel"), "two");
}

#[test]
fn s2_29_an_unchanged_file_keeps_its_content_past_its_time() {
    let rig = rig(|_| {});
    rig.write("a", "text");
    let first = rig.get("a").unwrap();
    rig.pass(Duration::from_secs(61));
    assert!(rig.recall("a").is_none(), "its time is over");
    assert!(Arc::ptr_eq(&first, &rig.get("a").unwrap()));
    let stats = rig.tree.stats();
    assert_eq!((stats.opens, stats.disk_reads, stats.stat_calls), (1, 1, 2));
}

#[test]
fn changes_next_door_do_not_matter() {
    let rig = rig(|_| {});
    rig.write("a", "text");
    let first = rig.get("a").unwrap();
    // One that is heard of for sure, written last.
    assert!(rig.get("door").is_err());
    rig.write("next", "else");
    rig.write("door", "else");
    until("the notice", || rig.recall("door").is_none());
    assert!(Arc::ptr_eq(&first, &rig.recall("a").unwrap().unwrap()));
}

#[test]
fn a_file_that_shrinks_under_a_transfer_ends_it() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("a", pattern(MANY));
    let content = rig.get("a").unwrap();
    assert!(content.chunk(0).is_some());
    std::fs::OpenOptions::new()
        .write(true)
        .open(rig.root.join("a"))
        .unwrap()
        .set_len(CHUNK as u64)
        .unwrap();
    assert_eq!(want(&content, 3), Err(FileError::Io));
    assert_eq!(
        rig.get("a").unwrap().size(),
        CHUNK as u64,
        "the next one gets the new file"
    );
    assert_eq!(rig.tree.stats().changed, 1);
}

#[test]
fn octets_of_two_states_are_never_mixed() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("a", vec![1; MANY]);
    let content = rig.get("a").unwrap();
    assert!(content.chunk(0).unwrap().iter().all(|octet| *octet == 1));
    // In place and of the same length: only the time of the last write tells.
    std::fs::write(rig.root.join("a"), vec![2; MANY]).unwrap();
    assert_eq!(want(&content, 1), Err(FileError::Io));
    let next = octets(&rig.get("a").unwrap()).unwrap();
    assert!(next.iter().all(|octet| *octet == 2));
}

#[test]
fn a_deleted_file_is_sent_to_its_end() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("a", pattern(MANY));
    let content = rig.get("a").unwrap();
    std::fs::remove_file(rig.root.join("a")).unwrap();
    assert_eq!(octets(&content).unwrap(), pattern(MANY));
}

#[test]
fn a_tree_moved_into_the_roots_place_is_served() {
    let rig = rig(|_| {});
    rig.write("a", "old tree");
    assert_eq!(rig.text("a"), "old tree");
    let aside = rig.root.with_file_name("aside");
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("a"), "new tree").unwrap();
    std::fs::rename(&rig.root, rig.root.with_file_name("gone")).unwrap();
    std::fs::rename(&aside, &rig.root).unwrap();
    until("the notice", || rig.recall("a").is_none());
    rig.pass(Duration::from_secs(6));
    assert_eq!(rig.text("a"), "new tree");
}
