//! What is remembered of names.

use crate::support::{Differs, Rig, ask, ask_from, other_rig, rig};
use purlin_tftp_core::plan::Plan;
use purlin_tftp_core::settings::{Body, Template, Who};
use purlin_tftp_core::template::{NamePattern, Text};
use purlin_tftp_files::{FileError, Kernel, OwnedAsk};
use std::sync::{Arc, mpsc};
use std::time::Duration;

#[test]
fn a_file_that_was_opened_is_recalled() {
    let rig = rig(|_| {});
    rig.write("a/b", "text");
    assert!(rig.recall("a/b").is_none(), "nobody looked yet");
    assert_eq!(rig.text("a/b"), "text");
    assert_eq!(rig.recall("a/b").unwrap().unwrap().size(), 4);
    let stats = rig.tree.stats();
    assert_eq!(
        (stats.hits, stats.misses, stats.opens, stats.disk_reads),
        (1, 1, 1, 1)
    );
}

#[test]
fn a_missing_file_is_remembered_too() {
    let rig = rig(|_| {});
    assert_eq!(rig.get("none").err(), Some(FileError::NotFound));
    for _ in 0..1_000 {
        assert_eq!(rig.recall("none").unwrap().err(), Some(FileError::NotFound));
    }
    let stats = rig.tree.stats();
    assert_eq!(
        (stats.negative_hits, stats.misses, stats.stat_calls),
        (1_000, 1, 1)
    );
}

#[test]
fn the_names_of_boot_clients_lead_to_one_content() {
    let rig = rig(|_| {});
    rig.write("a/b", "text");
    let first = rig.get("a/b").unwrap();
    for name in ["/a/b", "\\a\\b", "//a//b", "./a/b"] {
        assert!(Arc::ptr_eq(&first, &rig.get(name).unwrap()), "{name}");
    }
    assert_eq!(rig.tree.stats().opens, 1);
}

#[test]
fn names_that_climb_are_refused_with_their_reason() {
    let rig = rig(|_| {});
    let refused = rig.get("../secret").err();
    assert!(matches!(refused, Some(FileError::NotAllowed(_))), "{refused:?}");
    assert_eq!(rig.recall("../secret").unwrap().err(), refused);
}

#[test]
fn directories_and_fifos_are_no_files() {
    let rig = rig(|_| {});
    rig.write("a/b", "");
    let folder = std::fs::File::open(&rig.root).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(&folder, "fifo", rustix::fs::FileType::Fifo, mode, 0).unwrap();
    assert_eq!(rig.get("a").err(), Some(FileError::IsDirectory));
    assert_eq!(rig.get("fifo").err(), Some(FileError::Denied));
    assert_eq!(rig.get("a/b").unwrap().size(), 0);
}

#[test]
fn ten_thousand_requests_for_a_cold_name_are_one_look() {
    let rig = rig(|settings| settings.io.threads = 4);
    rig.write("cold", vec![7; 100_000]);
    let (done, waits) = mpsc::channel();
    for i in 0..10_000u32 {
        let ask = OwnedAsk {
            client: std::net::Ipv4Addr::from(i).into(),
            ..OwnedAsk::from(&ask("cold"))
        };
        let done = done.clone();
        rig.tree.open(
            ask,
            false,
            Box::new(move |result| done.send(result.unwrap()).unwrap()),
        );
    }
    let first = waits.recv().unwrap();
    assert!(waits.iter().take(9_999).all(|other| Arc::ptr_eq(&first, &other)));
    let stats = rig.tree.stats();
    assert_eq!(
        (stats.opens, stats.disk_reads, stats.octets_read),
        (1, 1, 100_000)
    );
}

#[test]
fn a_million_missing_names_take_bounded_room() {
    let rig = rig(|settings| {
        settings.io.asynchronous = false;
        settings.files.root = Some("/nonexistent-root".into());
    });
    // The disk is not the subject; a root that is not there answers fastest.
    for i in 0..200_000u32 {
        assert!(rig.get(&format!("pxelinux.cfg/{i:08X}")).is_err());
    }
    assert!(rig.tree.stats().negative_entries <= 65_536);
}

#[test]
fn s2_24_without_a_cache_every_request_looks() {
    let rig = rig(|settings| settings.cache.enabled = false);
    rig.write("a", "one");
    assert_eq!(rig.text("a"), "one");
    assert!(rig.recall("a").is_none());
    rig.replace("a", "two");
    assert_eq!(rig.text("a"), "two");
    assert_eq!((rig.tree.stats().hits, rig.tree.stats().opens), (0, 2));
}

fn templated(body: &str) -> Rig {
    let template = Template {
        name: NamePattern::parse("boot.ipxe").expect("a name"),
        who: Who::default(),
        body: Body::Text(Text::parse(body).expect("a text")),
    };
    rig(|settings| settings.files.templates = vec![template])
}

#[test]
fn a_made_text_is_each_clients_own() {
    let rig = templated("#!ipxe\necho {{ip}}\n");
    let text = |last| {
        let ask = ask_from("boot.ipxe", last);
        let content = match rig.tree.recall(&ask, false) {
            Some(known) => known.unwrap(),
            None => rig.open_as(OwnedAsk::from(&ask), false).unwrap(),
        };
        (
            String::from_utf8(content.chunk(0).unwrap().to_vec()).unwrap(),
            content,
        )
    };
    let (first, content) = text(1);
    assert_eq!(first, "#!ipxe\necho 10.0.0.1\n");
    assert_eq!(content.kind(), Some("ipxe"));
    assert_eq!(text(2).0, "#!ipxe\necho 10.0.0.2\n");
    assert!(Arc::ptr_eq(&content, &text(1).1), "and remembered for each");
    assert_ne!(content.etag(), text(2).1.etag());
}

#[test]
fn equal_texts_have_equal_validators_everywhere() {
    let made = || {
        templated("#!ipxe\nsame\n")
            .get("boot.ipxe")
            .unwrap()
            .etag()
            .to_owned()
    };
    assert_eq!(made(), made());
}

#[test]
fn a_new_plan_forgets_what_names_meant() {
    let rig = rig(|_| {});
    rig.write("a", "old tree");
    let old = rig.get("a").unwrap();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("a"), "new tree").unwrap();
    let mut settings = rig.settings.clone();
    settings.files.root = Some(other.path().to_owned());
    rig.tree.apply(&Plan::compile(&settings));
    assert_eq!(rig.text("a"), "new tree");
    assert_eq!(
        &*old.chunk(0).unwrap(),
        b"old tree",
        "who has the old one keeps it"
    );
}

#[test]
fn an_old_kernel_does_as_well() {
    let kernel = Kernel {
        openat2: false,
        inotify: false,
        tmpfile: false,
    };
    let rig = other_rig(Differs { kernel, shared: None }, |_| {});
    rig.write("a/b", "text");
    assert_eq!(rig.text("a/b"), "text");
    let stats = rig.tree.stats();
    assert!(!stats.resolved_by_kernel);
    assert_eq!(stats.watches, 0);
    rig.replace("a/b", "next");
    rig.pass(Duration::from_secs(61));
    assert_eq!(rig.text("a/b"), "next", "believed for its time only");
}
