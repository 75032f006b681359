//! Admission, draining, and the operator.

use crate::rig::Rig;
use purlin_tftp_core::Engine;

#[test]
fn limits_refuse_with_an_error_and_a_reason() {
    let mut rig = Rig::with(|settings| {
        settings.limits.per_ip = 2;
        settings.limits.total = 3;
    });
    rig.client(10, 1).read("file", "");
    rig.client(10, 2).read("file", "");
    let busy = "ERROR 0 too many transfers, try again";
    assert_eq!(rig.client(10, 3).read("file", ""), busy);
    assert_eq!(rig.record().text, "this address has 2 transfers open already");
    rig.client(11, 1).read("file", "");
    assert_eq!(rig.client(12, 1).read("file", ""), busy);
    assert_eq!(rig.record().slug, "limit_total");
    rig.client(10, 1).error(0);
    assert_eq!(rig.client(12, 1).read("file", ""), "DATA 1");
}

#[test]
fn every_end_gives_its_place_back() {
    let mut rig = Rig::with(|settings| {
        settings.limits.per_ip = 1;
        settings.limits.per_client = 1;
        settings.files.uploads.size_max = purlin_types::ByteSize(600);
    });
    for round in 0..3 {
        rig.client(10, round).read("missing", "");
        rig.read("short", "");
        rig.ack(1);
        rig.read("file", "tsize=0");
        rig.error(8);
        rig.read("file", "");
        rig.after(120_000);
        rig.write("up", "");
        rig.data(1, &[0; 512]);
        rig.data(2, &[0; 512]);
        rig.write("up", "");
        rig.data(1, b"whole");
        assert_eq!(
            rig.admission.open(),
            0,
            "the upload counts no more while it dallies"
        );
        rig.after(60_000);
        assert_eq!(rig.engine.transfers(), 0);
    }
}

#[test]
fn a_stopping_server_finishes_what_is_open() {
    let mut rig = Rig::new();
    rig.read("even", "");
    rig.engine.drain();
    assert_eq!(
        rig.client(11, 1).read("even", ""),
        "ERROR 0 the server is stopping"
    );
    assert_eq!(rig.record().slug, "server_stopping");
    rig.client(10, 2000);
    assert_eq!(rig.ack(1), "DATA 2");
    assert_eq!(rig.ack(2), "DATA 3 last");
    assert_eq!(rig.ack(3), "end file_sent");
}

#[test]
fn an_operator_can_end_a_transfer() {
    let mut rig = Rig::new();
    rig.read("file", "");
    let end = rig.complete(Engine::end);
    assert_eq!(end, "ERROR 0 ended by the operator; end ended_by_operator");
    let again = rig.complete(Engine::end);
    assert_eq!(again, "");
}

#[test]
fn a_flood_of_forged_requests_does_not_lock_real_clients_out() {
    let mut rig = Rig::with(|settings| settings.limits.total = 50);
    rig.client(9, 9).read("even", "");
    rig.ack(1);
    for port in 0..60 {
        rig.client(66, port).read("file", "tsize=0");
    }
    let busy = "ERROR 0 too many transfers, try again";
    assert_eq!(
        rig.client(10, 1).read("file", ""),
        busy,
        "they may be as real as any"
    );
    rig.after(3000);
    for port in 1..=20 {
        let served = rig.client(10, port).read("short", "tsize=0");
        assert!(served.ends_with("end crowded_out; OACK tsize=100"), "{served}");
    }
    assert_eq!((rig.engine.transfers(), rig.count("crowded_out")), (50, 20));
    assert_eq!(
        rig.client(9, 9).ack(2),
        "DATA 3 last",
        "whoever has answered stays"
    );
    assert_eq!(rig.ack(3), "end file_sent");
}
