//! Messages in, decisions out; time is stepped.

use super::packet::tests::message;
use super::*;
use crate::{Check, Clock, Counters, FrontBackend, PoolSettings};
use purlin_fabric::balance::Algorithm;
use purlin_fabric::health::HealthSettings;
use purlin_types::{Now, WallTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const REQUEST: u8 = 3;
const OFFER: u8 = 2;
const PATIENCE: Duration = Duration::from_secs(3);

struct World {
    time: Arc<AtomicU64>,
    pool: Arc<Pool>,
    counters: Counters,
    table: Table,
}

impl World {
    fn new(algorithm: Algorithm, key: DhcpKey) -> Self {
        let time = Arc::new(AtomicU64::new(1));
        let reader = Arc::clone(&time);
        let clock: Clock = Arc::new(move || Now {
            boot: BootTime(0).plus_millis(reader.load(Ordering::Relaxed)),
            wall: WallTime(0),
        });
        let backend = |n: u8| FrontBackend {
            name: format!("n{n}"),
            address: SocketAddr::from(([192, 0, 2, n], 67)),
            check: SocketAddr::from(([192, 0, 2, n], 80)),
            weight: 100,
        };
        let settings = PoolSettings {
            algorithm,
            health: HealthSettings::default(),
            check: Check::Tcp,
            backends: (1..=3).map(backend).collect(),
            seed: 1,
        };
        Self {
            time,
            pool: Pool::new(&settings, clock),
            counters: Counters::default(),
            table: Table::new(key, Duration::from_secs(60), Some(PATIENCE), 100),
        }
    }

    fn pass(&self, time: Duration) {
        self.time.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    fn turn<T>(&mut self, act: impl FnOnce(&mut Table, &Turn<'_>) -> T) -> T {
        let turn = Turn {
            pool: &self.pool,
            counters: &self.counters,
            now: self.pool.now(),
        };
        act(&mut self.table, &turn)
    }

    fn ask(&mut self, octets: &[u8]) -> Option<SocketAddr> {
        self.turn(|table, turn| table.ask(turn, seen(), octets))
    }

    fn answer(&mut self, kind: u8, xid: u32, client: u8) -> Option<Seen> {
        let mut octets = message(kind, xid, client);
        octets[0] = 2;
        self.turn(|table, turn| table.answer(turn, &octets))
    }

    fn sweep(&mut self) {
        self.turn(Table::sweep);
    }

    fn open(&self) -> u32 {
        self.pool.status().iter().map(|backend| backend.outstanding).sum()
    }
}

fn seen() -> Seen {
    Seen {
        from: "10.0.0.5:67".parse().expect("an address"),
        local: None,
        interface: 0,
    }
}

#[test]
fn a_conversation_is_open_work_until_its_last_word() {
    let mut world = World::new(Algorithm::LeastConnections, DhcpKey::Client);
    let to = world.ask(&message(DISCOVER, 7, 1));
    assert_eq!((to.is_some(), world.open()), (true, 1));
    assert_eq!(world.answer(OFFER, 7, 1), Some(seen()));
    assert_eq!(world.ask(&message(REQUEST, 7, 1)), to);
    assert_eq!(world.open(), 1);
    assert_eq!(world.answer(ACK, 7, 1), Some(seen()));
    assert_eq!(world.open(), 0);
    // A repetition that crossed the answer is answered too.
    assert_eq!(world.ask(&message(REQUEST, 7, 1)), to);
    assert_eq!(world.answer(ACK, 7, 1), Some(seen()));
    assert_eq!(world.open(), 0);
}

#[test]
fn unseen_answers_end_work_by_the_clients_silence() {
    let mut world = World::new(Algorithm::LeastConnections, DhcpKey::Client);
    let to = world.ask(&message(DISCOVER, 7, 1));
    world.ask(&message(REQUEST, 7, 1));
    world.ask(&message(DISCOVER, 8, 2));
    assert_eq!(world.open(), 2);
    world.pass(SETTLED[0]);
    world.sweep();
    assert_eq!(world.open(), 1);
    world.pass(SETTLED[1]);
    world.sweep();
    assert_eq!(world.open(), 0);
    // Its backend is still its own.
    assert_eq!(world.ask(&message(REQUEST, 9, 1)), to);
    world.pass(Duration::from_secs(60));
    world.sweep();
    assert!(world.table.clients.is_empty() && world.table.transactions.is_empty());
}

#[test]
fn who_asks_again_after_long_gets_another_server() {
    let mut world = World::new(Algorithm::ConsistentHashing, DhcpKey::Client);
    let first = world.ask(&message(DISCOVER, 7, 1));
    world.pass(PATIENCE / 2);
    assert_eq!(world.ask(&message(DISCOVER, 7, 1)), first);
    world.pass(PATIENCE / 2);
    let second = world.ask(&message(DISCOVER, 7, 1));
    assert_ne!(first, second);
    assert_eq!((world.open(), world.counters.retried.get()), (1, 1));
    // The next step of the conversation is no repetition.
    world.pass(PATIENCE);
    assert_eq!(world.ask(&message(REQUEST, 7, 1)), second);
    assert_eq!(world.open(), 1);
}

#[test]
fn a_message_that_nobody_answers_is_no_open_work() {
    let mut world = World::new(Algorithm::LeastConnections, DhcpKey::Client);
    for kind in [packet::RELEASE, packet::DECLINE] {
        assert!(world.ask(&message(kind, u32::from(kind), 1)).is_some());
        assert_eq!(world.open(), 0);
    }
}

#[test]
fn a_drained_server_keeps_its_clients_and_gets_no_new_ones() {
    let mut world = World::new(Algorithm::RoundRobin, DhcpKey::Client);
    let first = world.ask(&message(DISCOVER, 7, 1)).expect("somebody takes it");
    let name = format!(
        "n{}",
        first.ip().to_string().rsplit('.').next().unwrap_or_default()
    );
    assert!(world.pool.drain(&name, true));
    assert_eq!(world.ask(&message(REQUEST, 7, 1)), Some(first));
    for client in 2..20 {
        let to = world.ask(&message(DISCOVER, 7, client));
        assert!(to.is_some() && to != Some(first));
    }
}

#[test]
fn the_clients_of_one_relay_are_spread_or_kept_together() {
    for (key, expected) in [
        (DhcpKey::Client, 3),
        (DhcpKey::Chaddr, 3),
        (DhcpKey::Giaddr, 1),
        (DhcpKey::ClientIp, 1),
    ] {
        let mut world = World::new(Algorithm::ConsistentHashing, key);
        let mut used: Vec<_> = (0..40)
            .filter_map(|c| world.ask(&message(DISCOVER, 7, c)))
            .collect();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), expected, "{key:?}");
    }
}

#[test]
fn a_flood_of_strangers_is_served_and_not_remembered() {
    let mut world = World::new(Algorithm::RoundRobin, DhcpKey::Client);
    for xid in 0..250 {
        assert!(world.ask(&message(DISCOVER, xid, xid as u8)).is_some());
    }
    assert_eq!(world.table.transactions.len(), 100);
    assert_eq!((world.open(), world.counters.full.get()), (100, 150));
}

#[test]
fn a_client_on_our_own_segment_needs_a_relay() {
    let mut world = World::new(Algorithm::RoundRobin, DhcpKey::Client);
    let mut octets = message(DISCOVER, 7, 1);
    octets[24..28].fill(0);
    assert_eq!(world.ask(&octets), None);
    assert_eq!(world.counters.unanswerable.get(), 1);
}
