//! One record per request, found again by client, name and reason; open transfers as others see them.

use crate::rig::Rig;
use purlin_tftp_core::RecordQuery;

#[test]
fn a_record_tells_when_what_happened() {
    let mut rig = Rig::new();
    rig.held = true;
    rig.read("file", "blksize=1000 windowsize=4");
    rig.pass(12);
    let file = rig.files["file"].clone();
    rig.complete(|engine, now, slot, effects| engine.opened(now, slot, Ok(file), effects));
    rig.pass(8).ack(0);
    rig.pass(5).ack(2);
    for block in [6, 10, 11] {
        rig.pass(5).ack(block);
    }
    let told = rig.record();
    let record = told.record;
    assert_eq!(
        (record.opened_us, record.first_us, record.took_us),
        (12_000, 20_000, 40_000)
    );
    assert_eq!((record.octets, record.size, record.again), (10_000, 10_000, 4));
    assert_eq!((record.blksize, record.windowsize, record.port), (1000, 4, 2000));
    assert_eq!(
        (record.name(), told.text.as_str()),
        ("file".into(), "the whole file was sent")
    );
    assert_eq!(record.at, rig.now.wall);
}

#[test]
fn every_request_leaves_exactly_one_record() {
    let mut rig = Rig::new();
    rig.read("missing", "");
    rig.read("file", "blksize=1");
    rig.read("file", "");
    rig.read("file", "");
    rig.read("even", "tsize=0");
    rig.error(8);
    rig.write("up", "");
    rig.data(1, b"all");
    rig.after(60_000);
    let all = RecordQuery {
        limit: 100,
        ..RecordQuery::default()
    };
    let slugs: Vec<_> = rig
        .engine
        .find_records(&all)
        .iter()
        .map(|told| told.slug)
        .collect();
    assert_eq!(
        slugs,
        [
            "not_found",
            "bad_blksize",
            "superseded",
            "size_probe",
            "file_stored"
        ]
    );
    for slug in slugs {
        assert_eq!(rig.count(slug), 1, "{slug}");
    }
    assert_eq!(rig.engine.counters().requests, 6);
}

#[test]
fn records_are_found_by_client_and_by_name() {
    let mut rig = Rig::new();
    for host in 1..=9 {
        rig.client(host, 5).read("missing", "");
        rig.client(host, 6).read(&format!("cfg/{host}"), "");
    }
    let query = RecordQuery {
        client: Some("192.0.2.4".parse().unwrap()),
        limit: 10,
        ..RecordQuery::default()
    };
    let names: Vec<_> = rig
        .engine
        .find_records(&query)
        .iter()
        .map(|told| told.record.name())
        .collect();
    assert_eq!(names, ["missing", "cfg/4"]);
    let query = RecordQuery {
        name: Some("cfg/".into()),
        limit: 3,
        ..RecordQuery::default()
    };
    let newest: Vec<_> = rig
        .engine
        .find_records(&query)
        .iter()
        .map(|told| told.record.name())
        .collect();
    assert_eq!(newest, ["cfg/7", "cfg/8", "cfg/9"]);
}

#[test]
fn records_are_followed_by_number() {
    let mut rig = Rig::with(|settings| settings.decisions = 8);
    let (none, from, missed) = rig.engine.records_since(None, 10);
    assert_eq!((none.len(), from, missed), (0, 0, 0));
    for host in 1..=5 {
        rig.client(host, 5).read("missing", "");
    }
    let (first, from, missed) = rig.engine.records_since(Some(from), 3);
    assert_eq!((first.len(), from, missed), (3, 3, 0));
    for host in 6..=20 {
        rig.client(host, 5).read("missing", "");
    }
    let (rest, from, missed) = rig.engine.records_since(Some(from), 100);
    assert_eq!((rest.len(), from, missed), (8, 20, 9));
    let (none, from, missed) = rig.engine.records_since(Some(from), 100);
    assert_eq!((none.len(), from, missed), (0, 20, 0));
}

#[test]
fn open_transfers_are_listed() {
    let mut rig = Rig::new();
    rig.client(1, 1).read("file", "");
    rig.pass(7).ack(1);
    rig.client(2, 1).read("even", "tsize=0");
    rig.client(3, 1).write("up", "");
    rig.data(1, &[1; 512]);
    let list = rig.engine.list(10);
    let stages: Vec<_> = list
        .iter()
        .map(|view| (view.stage, view.octets, view.size))
        .collect();
    assert_eq!(
        stages,
        [
            ("sending", 512, 10_000),
            ("offered", 0, 1024),
            ("receiving", 512, 0)
        ]
    );
    assert_eq!(list[0].round_trip.as_millis(), 7);
    assert_eq!(rig.engine.list(1).len(), 1);
}

#[test]
fn the_first_block_counts_when_it_leaves_and_not_when_it_is_asked_for() {
    let mut rig = Rig::new();
    rig.cold = true;
    rig.read("short", "");
    rig.pass(30);
    rig.cold = false;
    rig.complete(|engine, now, slot, effects| engine.available(now, slot, Ok(()), effects));
    rig.pass(4).ack(1);
    let record = rig.record().record;
    assert_eq!(
        (record.opened_us, record.first_us, record.took_us),
        (1, 30_000, 34_000)
    );
}

#[test]
fn a_socket_for_both_families_hides_no_client() {
    let mut rig = Rig::with(|settings| settings.limits.per_ip = 1);
    let mut mapped = crate::rig::peer(9, 2000);
    mapped.address.set_ip("::ffff:192.0.2.9".parse().unwrap());
    let ask = crate::rig::request(false, "file", purlin_tftp_proto::Mode::Octet, "");
    rig.hear_from(mapped, &ask);
    assert_eq!(rig.engine.list(1)[0].client.to_string(), "192.0.2.9:2000");
    assert!(
        rig.client(9, 1).read("file", "").contains("too many"),
        "one address, two notations"
    );
    rig.hear_from(mapped, b"\0\x05\0\0x\0");
    for client in ["192.0.2.9", "::ffff:192.0.2.9"] {
        let query = RecordQuery {
            client: Some(client.parse().unwrap()),
            limit: 10,
            ..RecordQuery::default()
        };
        assert_eq!(rig.engine.find_records(&query).len(), 2);
    }
}
