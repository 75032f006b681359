//! RFC 2347, 2348, 2349, 7440 and the options of tftp-hpa.

use crate::rig::{Rig, peer, request};
use purlin_tftp_core::settings::{ClientClass, Network};
use purlin_tftp_proto::Mode;
use std::net::Ipv4Addr;

#[test]
fn options_are_answered_within_the_caps() {
    let mut rig = Rig::with(|settings| {
        settings.caps.blksize = 1468;
        settings.caps.windowsize = 16;
    });
    for (asked, answered) in [
        ("blksize=65464", "blksize=1468"),
        ("blksize=8", "blksize=8"),
        ("windowsize=65535", "windowsize=16"),
        ("tsize=0", "tsize=10000"),
        ("tsize=77", "tsize=10000"),
        ("timeout=6", "timeout=6"),
        ("utimeout=250000", "utimeout=250000"),
        ("rollover=1", "rollover=1"),
        ("blksize2=1400", "blksize2=1024"),
        ("BLKSIZE=1024 TSize=0", "blksize=1024 tsize=10000"),
        ("multicast=1 blksize=512", "blksize=512"),
        (
            "windowsize=4 timeout=2 blksize=1432 tsize=0",
            "blksize=1432 tsize=10000 timeout=2 windowsize=4",
        ),
    ] {
        let answer = rig.read("file", asked);
        assert_eq!(
            answer.rsplit("; ").next(),
            Some(&*format!("OACK {answered}")),
            "{asked}"
        );
    }
}

#[test]
fn unknown_options_alone_need_no_answer() {
    let mut rig = Rig::new();
    assert_eq!(rig.read("file", "multicast=1 x-vendor=y"), "DATA 1");
}

#[test]
fn bad_values_are_refused() {
    let mut rig = Rig::new();
    for (asked, name) in [
        ("blksize=4", "blksize"),
        ("blksize=65465", "blksize"),
        ("blksize=big", "blksize"),
        ("blksize2=7", "blksize2"),
        ("windowsize=0", "windowsize"),
        ("windowsize=65536", "windowsize"),
        ("timeout=0", "timeout"),
        ("timeout=256", "timeout"),
        ("utimeout=1", "utimeout"),
        ("tsize=-1", "tsize"),
        ("rollover=2", "rollover"),
    ] {
        assert_eq!(
            rig.read("file", asked),
            format!("ERROR 8 bad value of option {name}")
        );
        assert_eq!(rig.record().slug, format!("bad_{name}"));
    }
    assert_eq!((rig.engine.transfers(), rig.admission.open()), (0, 0));
}

#[test]
fn without_options_everything_goes_by_the_first_rfc() {
    let mut rig = Rig::with(|settings| settings.caps.options = false);
    assert_eq!(rig.read("file", "blksize=1468 windowsize=16 tsize=0"), "DATA 1");
    assert_eq!(rig.client(10, 2001).read("file", "blksize=nonsense"), "DATA 1");
    assert_eq!(
        rig.read("file", "blksize=nonsense"),
        "",
        "the same request once more"
    );
}

#[test]
fn a_class_of_clients_has_its_own_caps() {
    let mut rig = Rig::with(|settings| {
        let mut caps = settings.caps;
        caps.blksize = 1024;
        caps.windowsize = 2;
        settings.classes.push(ClientClass {
            name: "behind a tunnel".into(),
            networks: vec![Network {
                address: Ipv4Addr::new(192, 0, 2, 64).into(),
                length: 26,
            }],
            file: None,
            asks_blksize: None,
            asks_windowsize: None,
            caps,
        });
    });
    let asked = "blksize=1468 windowsize=16";
    assert_eq!(
        rig.client(10, 2000).read("file", asked),
        "OACK blksize=1468 windowsize=16"
    );
    assert_eq!(
        rig.client(70, 2000).read("file", asked),
        "OACK blksize=1024 windowsize=2"
    );
}

#[test]
fn modes_are_told_apart() {
    let mut rig = Rig::new();
    let mail = request(false, "file", Mode::Mail, "");
    assert_eq!(rig.hear(&mail), "ERROR 4 mode mail is not supported");
    assert_eq!(rig.hear(b"\0\x01file\0binary\0"), "ERROR 4 unknown mode");
    assert_eq!(rig.hear(b"\0\x01file\0OCTET\0"), "DATA 1");
    rig.held = true;
    let text = request(false, "file", Mode::Netascii, "");
    assert_eq!(rig.hear_from(peer(11, 1), &text), "asked");
    let slot = rig.last_slot.unwrap();
    assert!(
        rig.engine.request(slot).unwrap().netascii,
        "the shell opens the converted text"
    );
}

#[test]
fn a_plan_that_changes_leaves_open_transfers_as_they_are() {
    let mut rig = Rig::new();
    rig.read("file", "blksize=1000 windowsize=4");
    let mut narrow = purlin_tftp_core::settings::Settings::default();
    narrow.caps.blksize = 512;
    narrow.caps.windowsize = 1;
    rig.engine.apply(purlin_tftp_core::Plan::compile(&narrow));
    assert_eq!(rig.pass(1).ack(0), "DATA 1-4");
    let later = rig.client(10, 2001).read("file", "blksize=1000 windowsize=4");
    assert_eq!(later, "OACK blksize=512 windowsize=1");
}
