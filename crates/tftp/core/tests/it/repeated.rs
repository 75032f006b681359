//! Requests that come twice, new requests from old ports, and errors from clients.

use crate::rig::Rig;
use std::time::Duration;

#[test]
fn a_copied_request_opens_no_second_transfer() {
    let mut rig = Rig::new();
    assert_eq!(rig.read("file", ""), "DATA 1");
    for _ in 0..5 {
        assert_eq!(
            rig.read("file", ""),
            "",
            "copies of the same moment are not answered"
        );
    }
    assert_eq!(rig.engine.transfers(), 1);
    assert_eq!(rig.count("repeated_request"), 5);
    assert_eq!(
        rig.pass(50).read("file", ""),
        "DATA 1",
        "the client's own retry is"
    );
    assert_eq!(rig.pass(1).ack(1), "DATA 2");
}

#[test]
fn a_repeated_request_is_answered_no_faster_than_a_round_trip() {
    let mut rig = Rig::new();
    // Another client has shown that a round trip takes 80 ms.
    rig.read("short", "");
    rig.pass(80).ack(1);
    assert_eq!(rig.client(11, 3000).read("file", "tsize=0"), "OACK tsize=10000");
    assert_eq!(rig.pass(40).read("file", "tsize=0"), "");
    assert_eq!(rig.pass(41).read("file", "tsize=0"), "OACK tsize=10000");
}

#[test]
fn a_request_that_comes_while_the_file_is_looked_for_waits_with_it() {
    let mut rig = Rig::new();
    rig.held = true;
    assert_eq!(rig.read("file", ""), "asked");
    assert_eq!(rig.pass(500).read("file", ""), "");
    assert_eq!(rig.engine.transfers(), 1);
}

#[test]
fn a_late_copy_does_not_end_what_moves() {
    let mut rig = Rig::new();
    rig.read("file", "");
    rig.pass(5).ack(1);
    assert_eq!(rig.pass(5).read("file", ""), "");
    assert_eq!(rig.pass(5).ack(2), "DATA 3");
}

#[test]
fn a_client_that_restarted_begins_again() {
    let mut rig = Rig::with(|settings| settings.timing.first = Duration::from_millis(200));
    rig.read("file", "");
    rig.pass(5).ack(1);
    assert_eq!(rig.pass(300).read("file", ""), "end superseded; DATA 1");
    assert_eq!(rig.engine.transfers(), 1);
    assert_eq!(rig.admission.open(), 1);
}

#[test]
fn another_file_from_the_same_port_replaces_the_first() {
    let mut rig = Rig::new();
    rig.read("file", "");
    rig.ack(1);
    assert_eq!(rig.read("even", ""), "end superseded; DATA 1");
    assert_eq!(rig.ack(1), "DATA 2");
    assert_eq!(rig.read("file", "tsize=0"), "end superseded; OACK tsize=10000");
    let netascii = crate::rig::request(false, "file", purlin_tftp_proto::Mode::Netascii, "tsize=0");
    assert_eq!(rig.hear(&netascii), "end superseded; OACK tsize=10000");
}

#[test]
fn an_error_of_the_client_ends_its_transfer() {
    let mut rig = Rig::new();
    rig.read("file", "");
    rig.ack(1);
    assert_eq!(rig.error(3), "end client_error");
    assert_eq!(rig.record().text, "the client ended the transfer with error 3");
    assert_eq!(rig.after(60_000), "");
}

#[test]
fn a_completion_that_comes_too_late_changes_nothing() {
    let mut rig = Rig::new();
    rig.held = true;
    rig.read("file", "");
    let old = rig.last_slot.unwrap();
    assert_eq!(rig.error(0), "end client_withdrew");
    rig.read("even", "");
    assert_eq!(rig.last_slot.unwrap().index, old.index, "the place is used again");
    rig.last_slot = Some(old);
    let file = rig.files["file"].clone();
    let late = rig.complete(|engine, now, slot, effects| engine.opened(now, slot, Ok(file), effects));
    assert_eq!(late, "");
    assert!(rig.engine.file(old).is_none() && rig.engine.run(old, 1, 1).is_none());
}
