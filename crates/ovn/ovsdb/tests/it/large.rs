//! How much memory many rows take: a bound, on every machine the same.

#[path = "../../examples/decode/answer.rs"]
mod answer;
#[path = "../../examples/decode/layout.rs"]
mod layout;

use allocation_counter::measure;
use purlin_ovsdb::cache::{Cache, Database};
use purlin_ovsdb::nb::{LogicalSwitch, LogicalSwitchPort};
use purlin_ovsdb::session::{Event, Limits, Session, methods};
use purlin_ovsdb::typed::TypedRow;
use purlin_ovsdb::{Insert, Transaction, Uuid};
use std::sync::Arc;
use std::time::Duration;

const MIB: i64 = 1 << 20;
const PORTS: usize = 100_000;

/// From octets off a socket to rows that can be found; how many changed.
fn take(cache: &mut Cache, answer: &str) -> usize {
    let mut session = Session::new(Duration::ZERO, Duration::from_secs(5), Limits::default());
    session.call("monitor_cond_since", &methods::NONE);
    for piece in answer.as_bytes().chunks(64 << 10) {
        session.receive(Duration::ZERO, piece).unwrap();
    }
    let Some(Event::Reply(_, Ok(result))) = session.poll_event() else {
        panic!("an answer");
    };
    let (found, changes) = cache.catch_up(&result).unwrap();
    assert!(!found);
    changes.rows.len()
}

/// All columns that the schema has, three indexes. What the whole process may take is 120 MiB.
#[test]
fn a_hundred_thousand_ports_fit_in_their_memory() {
    let answer = answer::of_ports(PORTS);
    let mut cache = Cache::new(Arc::new(layout::of_ports()));
    let first = measure(|| assert_eq!(take(&mut cache, &answer), PORTS + PORTS / 100));
    let ports = cache.database().table(LogicalSwitchPort::TABLE).unwrap();
    assert_eq!(ports.len(), PORTS);
    let found = ports.find_one("name", "port-4711").unwrap();
    assert_eq!(found.columns().count(), LogicalSwitchPort::columns().len());
    let (kept, each) = (first.bytes_current / MIB, first.count_total / PORTS as u64);
    assert!(kept <= 48, "{kept} MiB stay");
    let most = first.bytes_max >> 20;
    assert!(most <= 100, "{most} MiB at most, the message included");
    assert!(each <= 6, "{each} allocations a port");
    // The same rows again, from another member: they stay the same memory, and what was read goes.
    let held = cache.database().clone();
    let again = measure(|| assert_eq!(take(&mut cache, &answer), 0));
    let (more, most) = (again.bytes_current / MIB, again.bytes_max >> 20);
    assert!(more <= 24, "{more} MiB more");
    assert!(most <= 100, "{most} MiB more at most");
    let row = |database: &Database| {
        let row = database.all::<LogicalSwitchPort<'_>>().next().unwrap();
        row.row().data().clone()
    };
    assert!(row(&held).is_same(&row(cache.database())));
}

/// What a port is written with: its row, and its place in a switch.
fn port(n: u8) -> Transaction {
    let mut change = Transaction::new();
    let port = change.insert(
        Insert::new(LogicalSwitchPort::TABLE)
            .set(LogicalSwitchPort::NAME, "web")
            .set(LogicalSwitchPort::EXTERNAL_IDS, [("owner", "purlin")]),
    );
    change.mutate(
        LogicalSwitch::TABLE,
        Uuid::ZERO,
        [LogicalSwitch::PORTS.insert([port])],
    );
    change.choose_uuids(|| [n; 16]);
    change
}

/// Names of columns that the compiler knows take no memory, and operations are sent as they stand.
#[test]
fn a_write_takes_few_allocations() {
    let mut octets = Vec::with_capacity(1 << 16);
    let counted = measure(|| {
        for n in 0..100 {
            let change = port(n);
            let operations: Vec<_> = change.operations().iter().collect();
            let transact = methods::Transact {
                database: "OVN_Northbound",
                operations: &operations,
            };
            octets.clear();
            serde_json::to_writer(&mut octets, &transact).unwrap();
        }
    });
    let each = counted.count_total / 100;
    assert!(each <= 16, "{each} allocations a write");
}
