//! Chunks: read once, kept within bounds, given up in order.

use crate::support::{LONG, MANY, octets, pattern, rig, want};
use purlin_tftp_files::{CHUNK, FileError};
use std::sync::{Arc, mpsc};

#[test]
fn every_octet_arrives() {
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, MANY] {
        let rig = rig(|_| {});
        rig.write("a", pattern(length));
        let content = rig.get("a").unwrap();
        assert_eq!(content.size(), length as u64);
        assert_eq!(octets(&content).unwrap(), pattern(length), "{length}");
        assert_eq!(content.held(), length as u64);
        assert!(content.chunk(content.chunks() + 1).is_none());
        assert_eq!(
            want(&content, content.chunks()),
            Ok(()),
            "nothing to load past the end"
        );
    }
}

#[test]
fn the_first_chunk_is_there_with_the_file() {
    let rig = rig(|_| {});
    rig.write("a", pattern(MANY));
    assert!(rig.get("a").unwrap().chunk(0).is_some());
}

#[test]
fn everybody_waits_for_the_same_read() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("a", pattern(MANY));
    let content = rig.get("a").unwrap();
    let (done, waits) = mpsc::channel();
    for _ in 0..10_000 {
        let done = done.clone();
        content.want(3, Box::new(move |result| done.send(result).unwrap()));
    }
    assert!((0..10_000).all(|_| waits.recv_timeout(LONG) == Ok(Ok(()))));
    assert_eq!(rig.tree.stats().disk_reads, 2, "the first chunk, and this one");
}

#[test]
fn s2_49_reading_ahead_stays_ahead() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 4 * CHUNK as u64);
    rig.write("a", pattern(40 * CHUNK));
    let content = rig.get("a").unwrap();
    assert_eq!(want(&content, 1), Ok(()));
    // A reader that never asks for a chunk gets them all, because each window that it enters orders the next.
    for index in 1..40 {
        crate::support::until("the next chunk", || content.chunk(index).is_some());
    }
    assert_eq!(rig.tree.stats().disk_reads, 40);
}

#[test]
fn a_chunk_that_is_read_ahead_and_wanted_is_read_once() {
    let rig = rig(|settings| (settings.io.read_ahead.0, settings.io.threads) = (64 * CHUNK as u64, 4));
    rig.write("a", pattern(64 * CHUNK));
    let content = rig.get("a").unwrap();
    let (done, waits) = mpsc::channel();
    for index in (0..64).chain((0..64).rev()) {
        let done = done.clone();
        content.want(index, Box::new(move |result| done.send(result).unwrap()));
    }
    assert!((0..128).all(|_| waits.recv_timeout(LONG) == Ok(Ok(()))));
    assert_eq!(octets(&content).unwrap(), pattern(64 * CHUNK));
    assert_eq!(rig.tree.stats().disk_reads, 64);
}

#[test]
fn s2_17_s2_30_the_cap_holds_while_many_load_at_once() {
    let cap = 4 << 20;
    let rig = rig(|settings| {
        settings.cache.size_max = Some(purlin_types::ByteSize(cap));
        settings.io.threads = 8;
    });
    for i in 0..8u8 {
        rig.write(&format!("{i}"), vec![i; 2 << 20]);
    }
    std::thread::scope(|scope| {
        for i in 0..8u8 {
            let rig = &rig;
            scope.spawn(move || {
                for _ in 0..3 {
                    let content = rig.get(&format!("{i}")).unwrap();
                    assert!(octets(&content).unwrap().iter().all(|octet| *octet == i));
                    assert!(
                        rig.tree.stats().octets <= cap + 9 * CHUNK as u64,
                        "loads count before they end"
                    );
                }
            });
        }
    });
    crate::support::until("the cap", || rig.tree.stats().octets <= cap);
    assert!(rig.tree.stats().evictions > 0);
}

#[test]
fn what_is_read_often_outlives_what_is_read_once() {
    let rig = rig(|settings| {
        settings.cache.size_max = Some(purlin_types::ByteSize(8 * CHUNK as u64));
        settings.io.read_ahead.0 = 0;
    });
    rig.write("hot", pattern(CHUNK));
    let hot = rig.get("hot").unwrap();
    for i in 0..40 {
        rig.write(&format!("{i}"), pattern(CHUNK));
        rig.get(&format!("{i}")).unwrap();
        assert!(hot.chunk(0).is_some(), "after {i} others");
    }
    assert_eq!(rig.tree.stats().disk_reads, 41);
}

#[test]
fn a_chunk_that_is_being_sent_is_not_given_up() {
    let rig = rig(|settings| {
        settings.cache.size_max = Some(purlin_types::ByteSize(4 * CHUNK as u64));
        settings.io.read_ahead.0 = 0;
    });
    rig.write("sent", pattern(CHUNK));
    let content = rig.get("sent").unwrap();
    let sending = content.chunk(0).unwrap();
    rig.write("long", pattern(20 * CHUNK));
    octets(&rig.get("long").unwrap()).unwrap();
    assert!(Arc::ptr_eq(&sending, &content.chunk(0).unwrap()));
    assert!(rig.tree.stats().octets <= 4 * CHUNK as u64);
}

#[test]
fn dropping_everything_gives_the_memory_back() {
    let rig = rig(|_| {});
    rig.write("a", pattern(MANY));
    let content = rig.get("a").unwrap();
    octets(&content).unwrap();
    rig.tree.drop_all();
    assert_eq!(rig.tree.stats().octets, 0);
    assert!(rig.recall("a").is_none());
    assert_eq!(
        octets(&content).unwrap(),
        pattern(MANY),
        "a running transfer reads again"
    );
    drop(content);
    // The last job lets go of it a moment after its answer.
    crate::support::until("nothing is held", || rig.tree.stats().files == 0);
    assert_eq!(rig.tree.stats().octets, 0);
}

#[test]
fn files_in_memory_are_listed_the_largest_first() {
    let rig = rig(|_| {});
    rig.write("small", "text");
    rig.write("large", pattern(2 * CHUNK));
    octets(&rig.get("large").unwrap()).unwrap();
    rig.get("small").unwrap();
    let files = rig.tree.files(10);
    assert_eq!(files.len(), 2);
    assert!(files[0].name.ends_with("/large"));
    assert_eq!(files[0].held, 2 * CHUNK as u64);
    // The job that answered lets go of it a moment after.
    crate::support::until("only its name holds it", || rig.tree.files(1)[0].holders == 1);
    assert_eq!(rig.tree.files(1).len(), 1);
}

#[test]
fn s2_47_without_io_threads_the_asking_thread_reads() {
    let rig = rig(|settings| settings.io.asynchronous = false);
    rig.write("a", pattern(MANY));
    assert_eq!(octets(&rig.get("a").unwrap()).unwrap(), pattern(MANY));
    assert_eq!(rig.tree.stats().queue, 0);
}

#[test]
fn s2_48_direct_reads_give_the_same_octets_or_a_reason() {
    let rig = rig(|settings| settings.io.direct = true);
    for length in [1, 4_095, 4_096, CHUNK, MANY] {
        rig.replace("a", pattern(length));
        rig.tree.drop_all();
        assert_eq!(
            octets(&rig.get("a").unwrap()).unwrap(),
            pattern(length),
            "{length}"
        );
    }
    println!(
        "direct reads: {}",
        rig.tree.stats().direct_refused.unwrap_or("in use")
    );
}

#[test]
fn a_sparse_terabyte_costs_nothing_until_it_is_read() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("a", "");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(rig.root.join("a"))
        .unwrap();
    if file.set_len(1 << 40).is_err() {
        println!("skipped: the file system has no files of a terabyte");
        return;
    }
    let content = rig.get("a").unwrap();
    let last = content.chunks() - 1;
    assert_eq!(want(&content, last), Ok(()));
    assert!(content.chunk(last).unwrap().iter().all(|octet| *octet == 0));
    assert_eq!(content.held(), 2 * CHUNK as u64);
}

#[test]
fn a_file_without_the_right_to_read_is_denied() {
    use std::os::unix::fs::PermissionsExt;
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may read everything");
        return;
    }
    let rig = rig(|_| {});
    rig.write("a", "text");
    std::fs::set_permissions(rig.root.join("a"), PermissionsExt::from_mode(0o000)).unwrap();
    assert_eq!(rig.get("a").err(), Some(FileError::Denied));
}
