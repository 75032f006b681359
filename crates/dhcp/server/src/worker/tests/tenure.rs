//! R0 at the moment of sending: whatever the thread was kept by since it decided.

use super::*;
use crate::share::{Gained, open};
use crate::{ForwardKey, ShareConfig};
use purlin_dhcp_core::Takeover;
use purlin_dhcp_core::rows::freed;
use purlin_dhcp_core::step::Verdict;
use purlin_fabric_runtime::SharedTenure;
use purlin_netio::{UdpOptions, UdpPort};
use purlin_store::{FenceFault, FencedRow, FencedRows, Later, StoredRow, Written};
use purlin_types::{Epoch, Slot};
use std::net::SocketAddrV4;
use tokio::runtime::Runtime;

/// How long the tenure still holds when a test begins.
const LEFT: u64 = 200;

/// Rows that nobody writes; or whose slots are all somebody else's.
#[derive(Debug)]
struct NoRows {
    lost: bool,
}

impl FencedRows for NoRows {
    fn write<'a>(
        &'a self,
        _: &'a str,
        held: &'a [(Slot, Epoch)],
        _: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        let lost = held.iter().filter(|_| self.lost).map(|&(slot, _)| slot);
        let lost: Vec<Slot> = lost.collect();
        Box::pin(async move {
            if lost.is_empty() {
                Ok(Written::default())
            } else {
                Err(FenceFault::Lost(lost))
            }
        })
    }

    fn load<'a>(
        &'a self,
        _: &'a str,
        _: &'a [Slot],
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn page<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// A journal that takes a record, and the thread with it stands still until then.
#[derive(Debug)]
struct Stalling(BootTime, Counting);

impl Journal for Stalling {
    fn append(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        wait_for(self.0);
        self.1.append(frame)
    }

    fn defer(&mut self, frame: &[u8]) -> Result<Position, AppendError> {
        self.append(frame)
    }

    fn has_room(&self) -> bool {
        true
    }

    fn durable(&self) -> Position {
        self.1.durable()
    }

    fn health(&self) -> JournalHealth {
        JournalHealth::Ready
    }

    fn flush(&mut self) -> Result<(), AppendError> {
        Ok(())
    }
}

fn wait_for(instant: BootTime) {
    while now().boot < instant {
        std::thread::yield_now();
    }
}

/// A packet thread of a node whose tenure ends soon; with a journal that outlasts it, or a quick one.
fn bench(stalls: bool) -> (Worker, BootTime, Runtime) {
    let end = now().boot.plus_millis(LEFT);
    let journal: Box<dyn Journal> = match stalls {
        true => Box::new(Stalling(end, Counting::default())),
        false => Box::new(Counting::default()),
    };
    let log = Log::new(journal, None, []);
    let (worker, runtime) = worker_of(NoRows { lost: false }, end, Some(log));
    (worker, end, runtime)
}

/// The same with that log, or with that of the rows.
fn worker_of(rows: NoRows, end: BootTime, log: Option<Log>) -> (Worker, Runtime) {
    let runtime = Runtime::new().expect("a runtime");
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let peers = UdpPort::bind(any, &UdpOptions::default());
    let config = ShareConfig {
        rows: Arc::new(rows),
        tenure: SharedTenure::until(end),
        lost: tokio::sync::mpsc::unbounded_channel().0,
        homes: Arc::new(|_| None),
        peers: Arc::new(peers.expect("a free port")),
        key: ForwardKey::new(b"a secret of this test").expect("long enough"),
        runtime: runtime.handle().clone(),
        patient: None,
    };
    let mut faults = Faults::default();
    let document = Document::parse([Input::builtin("demo.toml", reader::demo())], &mut faults);
    let settings = reader::read(&document, &mut faults).expect("the demo has no faults");
    let plan = Plan::compile(&settings, None);
    let waker = Arc::new(Waker::new().expect("descriptors are left"));
    let inboxes: Arc<[Inbox]> = Arc::from([Inbox::new(Arc::clone(&waker))]);
    let (engine, shared_log, own) = open(&config, &plan, &waker).expect("a share");
    let (_, tasks) = std::sync::mpsc::channel();
    let worker = Worker::new(Parts {
        shard: 0,
        shards: 1,
        engine,
        own,
        switches: Switches::default(),
        log: log.unwrap_or(shared_log),
        tasks,
        waker,
        inboxes,
        health: Arc::new(watch::Sender::new(Health::of(1))),
        reports: Arc::from([Mutex::default()]),
    });
    (worker.expect("descriptors are left"), runtime)
}

/// One decision while the tenure holds, and its record.
fn decided(worker: &mut Worker, verdict: Verdict) {
    assert!(worker.may_answer(), "the machine is too slow for this test");
    let now = worker.time();
    worker.batch.slot().1.extend_from_slice(b"a record");
    worker.note(verdict, 0, Ipv4Addr::LOCALHOST, &now);
}

#[test]
fn an_answer_whose_tenure_ended_during_the_work_stays() {
    let (mut worker, ..) = bench(true);
    decided(&mut worker, Verdict::WriteThenReply);
    worker.settle();
    assert_eq!(worker.counters.withheld, 1);
}

#[test]
fn an_answer_whose_tenure_ended_while_it_was_parked_stays() {
    let (mut worker, end, _runtime) = bench(false);
    decided(&mut worker, Verdict::CommitThenReply);
    worker.settle();
    assert_eq!((worker.counters.withheld, worker.parked.len()), (0, 1));
    wait_for(end);
    worker.release();
    assert_eq!((worker.counters.withheld, worker.parked.len()), (1, 0));
}

#[test]
fn what_is_read_later_is_decided_later_within_a_group_too() {
    let (mut worker, end, _runtime) = bench(false);
    let first = worker.time_of_reading();
    wait_for(end);
    let second = worker.time_of_reading();
    assert!(second.boot >= end, "its client may have asked just now");
    assert!(
        worker.time().boot <= first.boot,
        "the group is as old as its first packet"
    );
}

/// A row that was refused counts as dealt with, so the next decision would take it for written.
#[test]
fn what_was_refused_is_heeded_before_the_next_decision() {
    let (mut worker, _runtime) = worker_of(NoRows { lost: true }, now().boot.plus_millis(LEFT), None);
    let address = Ipv4Addr::new(10, 0, 0, 1);
    let takeover = Takeover {
        slot: Slot::of_address(address),
        epoch: Epoch::default(),
        suspect_until: None,
        given_back: None,
    };
    let rows = Vec::new();
    worker.adopt_slots(&[Gained { takeover, rows }], None);
    let at = worker.clock();
    worker.batch.records.extend(freed(address.into(), 1));
    let position = worker.record(&at).expect("the log takes it");
    let patience = at.boot.plus_millis(30_000);
    while worker.log.durable() < position {
        assert!(now().boot < patience, "the row is neither written nor refused");
        std::thread::yield_now();
    }
    assert!(worker.engine.held().contains(takeover.slot), "nobody has looked");
    worker.state_of_log(&at);
    assert!(!worker.engine.held().contains(takeover.slot));
}
