//! Directories that are kept as lists: what is not in them is not looked for.

use crate::support::{Rig, rig, until};
use purlin_tftp_core::settings::Settings;
use purlin_tftp_files::FileError;
use std::time::Duration;

/// Lists are made before the first answer, so that nothing has to be waited for.
fn listing(change: impl FnOnce(&mut Settings)) -> Rig {
    rig(|settings| {
        settings.io.asynchronous = false;
        change(settings);
    })
}

fn missing(rig: &Rig, name: &str) {
    assert_eq!(rig.get(name).err(), Some(FileError::NotFound), "{name}");
}

/// A list is made once no notice is on its way any more.
fn listed_again(rig: &Rig, folder: &str) {
    until("the list", || {
        rig.pass(Duration::from_secs(1));
        missing(rig, &format!("{folder}/again"));
        rig.recall(&format!("{folder}/another")).is_some()
    });
}

#[test]
fn s2_32_a_directory_is_listed_once_and_answers_for_names_nobody_asked_for() {
    let rig = listing(|_| {});
    rig.write("pxelinux.cfg/default", "menu");
    missing(&rig, "pxelinux.cfg/01-02-00-00-00-00-01");
    for machine in 0..10_000 {
        let name = format!("pxelinux.cfg/{machine:08X}");
        let known = rig.recall(&name).expect("no look is needed");
        assert_eq!(known.err(), Some(FileError::NotFound));
    }
    assert_eq!(rig.text("pxelinux.cfg/default"), "menu");
    let stats = rig.tree.stats();
    assert_eq!((stats.listings, stats.listed_names), (1, 1));
    assert_eq!((stats.listing_reads, stats.listing_hits), (1, 10_000));
    assert_eq!(
        (stats.stat_calls, stats.misses),
        (2, 2),
        "the first name, and default"
    );
    assert_eq!(
        (stats.negative_hits, stats.negative_entries),
        (0, 1),
        "each number counts one thing"
    );
}

#[test]
fn on_threads_of_its_own_the_list_comes_behind_the_answer() {
    let rig = rig(|_| {});
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    until("the list", || rig.tree.stats().listings == 1);
    assert!(rig.recall("a/other").is_some());
}

#[test]
fn a_name_that_comes_is_found_at_once() {
    let rig = listing(|_| {});
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    assert!(rig.recall("a/new").is_some(), "listed as missing");
    rig.write("a/new", "now");
    until("the notice", || rig.recall("a/new").is_none());
    assert_eq!(rig.text("a/new"), "now");
    rig.replace("a/moved", "in");
    until("the notice", || rig.get("a/moved").is_ok());
}

#[test]
fn what_is_below_a_missing_directory_is_missing() {
    let rig = listing(|_| {});
    rig.write("a", "");
    missing(&rig, "pxelinux.cfg/default");
    assert!(rig.recall("pxelinux.cfg/C0A80001").is_some());
    assert!(rig.recall("other/folder/x").is_some());
    assert!(rig.recall("a/x").is_none(), "a is there: someone has to look");
    rig.write("pxelinux.cfg/default", "menu");
    until("the notice", || rig.get("pxelinux.cfg/default").is_ok());
    missing(&rig, "pxelinux.cfg/C0A80001");
    assert!(
        rig.recall("pxelinux.cfg/C0A80002").is_some(),
        "by its own list now"
    );
    std::fs::remove_dir_all(rig.root.join("pxelinux.cfg")).unwrap();
    until("the notice", || rig.recall("pxelinux.cfg/default").is_none());
    listed_again(&rig, "pxelinux.cfg");
}

#[test]
fn an_unchanged_directory_is_looked_at_and_not_read_again() {
    let rig = listing(|_| {});
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    for round in 0..3 {
        rig.pass(Duration::from_secs(6));
        assert!(rig.recall("a/other").is_none(), "its time is over");
        missing(&rig, &format!("a/{round}"));
        assert!(rig.recall("a/third").is_some());
    }
    assert_eq!(rig.tree.stats().listing_reads, 1);
}

#[test]
fn another_directory_in_its_place_is_read_anew() {
    let rig = listing(|_| {});
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    rig.write("next/none", "now");
    std::fs::rename(rig.root.join("a"), rig.root.join("gone")).unwrap();
    std::fs::rename(rig.root.join("next"), rig.root.join("a")).unwrap();
    until("the notice", || rig.get("a/none").is_ok());
    missing(&rig, "a/b");
    listed_again(&rig, "a");
}

#[test]
fn a_directory_that_names_keep_coming_into_is_not_read_for_each() {
    let rig = listing(|_| {});
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    for upload in 0..20 {
        rig.write(&format!("a/{upload}"), "x");
        until("the notice", || rig.recall("a/other").is_none());
        missing(&rig, &format!("a/none-{upload}"));
    }
    assert_eq!(rig.tree.stats().listing_reads, 1, "not within a second");
    listed_again(&rig, "a");
}

#[test]
fn with_rules_the_list_still_spares_the_disk() {
    let rig = listing(|settings| {
        settings.files.rules = purlin_tftp_core::rule::hpa::parse("r ^old/ new/").expect("a rule");
    });
    rig.write("a/b", "text");
    missing(&rig, "a/none");
    assert!(
        rig.recall("a/other").is_none(),
        "patterns are not for packet threads"
    );
    let before = rig.tree.stats().stat_calls;
    missing(&rig, "a/other");
    let stats = rig.tree.stats();
    assert_eq!((stats.stat_calls, stats.listing_hits), (before, 1));
    assert!(rig.recall("a/other").is_some(), "and remembered");
}

#[test]
fn without_a_cache_or_without_notices_nothing_is_listed() {
    let off = listing(|settings| settings.cache.enabled = false);
    off.write("a/b", "text");
    missing(&off, "a/none");
    assert!(off.recall("a/other").is_none());
    assert_eq!(off.tree.stats().listings, 0);
}

#[test]
fn a_new_plan_forgets_the_lists_too() {
    let rig = listing(|_| {});
    rig.write("a", "");
    missing(&rig, "none");
    assert_eq!(rig.tree.stats().listings, 1);
    rig.tree
        .apply(&purlin_tftp_core::plan::Plan::compile(&rig.settings));
    assert_eq!(rig.tree.stats().listings, 0);
}
