//! Two nodes over one store of leases, in one process: real packets, claims in memory.

use crate::client::Relay;
use crate::journal::Journals;
use crate::server::settings;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_server::{ForwardKey, Handle, Running, ServerConfig, ShareConfig, Sharing, Switches, start};
use purlin_fabric::port::{Candidate, ClaimKey, ClaimStore, NodeFacts};
use purlin_fabric::{Coordinator, Timing};
use purlin_fabric_runtime::local::LocalClaims;
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure};
use purlin_store::{FenceFault, FencedRow, FencedRows, Later, StoredRow};
use purlin_types::{Epoch, Incarnation, NodeId, SLOTS, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Rows behind the fence of the claims, in memory.
#[derive(Debug)]
struct Rows {
    claims: Arc<LocalClaims>,
    stored: Mutex<BTreeMap<(String, u64), StoredRow>>,
}

impl FencedRows for Rows {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<(), FenceFault>> {
        Box::pin(async move {
            let view = self
                .claims
                .view()
                .await
                .map_err(|fault| FenceFault::Unknown(fault.into()))?;
            let held_now: BTreeMap<&ClaimKey, Epoch> = view
                .claims
                .iter()
                .filter(|claim| claim.owner.is_some())
                .map(|claim| (&claim.key, claim.version.epoch))
                .collect();
            let lost = |(slot, epoch): &(Slot, Epoch)| {
                (held_now.get(&ClaimKey::Slot(*slot)) != Some(epoch)).then_some(*slot)
            };
            let lost: Vec<Slot> = held.iter().filter_map(lost).collect();
            if !lost.is_empty() {
                return Err(FenceFault::Lost(lost));
            }
            let mut stored = self.stored.lock().expect("a map");
            for row in rows {
                let epoch = held
                    .iter()
                    .find(|(slot, _)| *slot == row.slot)
                    .expect("its slot is named")
                    .1;
                stored.insert(
                    (table.to_owned(), row.key),
                    StoredRow {
                        row: row.clone(),
                        epoch,
                    },
                );
            }
            Ok(())
        })
    }

    fn load<'a>(
        &'a self,
        table: &'a str,
        slots: &'a [Slot],
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        let wanted = move |key: &(String, u64), row: &StoredRow| {
            key.0 == table && after.is_none_or(|after| key.1 > after) && slots.contains(&row.row.slot)
        };
        let stored = self.stored.lock().expect("a map");
        let rows = stored
            .iter()
            .filter(|(key, row)| wanted(key, row))
            .map(|(_, row)| row.clone());
        let rows: Vec<StoredRow> = rows.take(limit).collect();
        Box::pin(async move { Ok(rows) })
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

struct World {
    claims: Arc<LocalClaims>,
    rows: Arc<Rows>,
}

struct Node {
    handle: Handle,
    running: Running,
    fabric: Fabric,
    task: JoinHandle<()>,
    address: SocketAddrV4,
}

impl World {
    fn new() -> Self {
        let claims = Arc::new(LocalClaims::new(Arc::new(purlin_netio::now), 1));
        let rows = Arc::new(Rows {
            claims: Arc::clone(&claims),
            stored: Mutex::default(),
        });
        Self { claims, rows }
    }

    async fn node(&self, name: &str, life: u64) -> Node {
        let peers = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let peer_port = peers.local_addr().expect("it is bound").port();
        let (fabric, tenure) = (Arc::new(OnceLock::<Fabric>::new()), SharedTenure::default());
        let (lost, mut lost_slots) = mpsc::unbounded_channel();
        let share = ShareConfig {
            rows: Arc::clone(&self.rows) as Arc<dyn FencedRows>,
            tenure: tenure.clone(),
            lost,
            homes: homes(Arc::clone(&fabric)),
            peers: Arc::new(peers),
            key: ForwardKey::new(b"a secret of this test").expect("long enough"),
            runtime: tokio::runtime::Handle::current(),
        };
        let (handle, running) = start(ServerConfig {
            settings: own_settings(),
            switches: Switches::default(),
            journals: Arc::new(Journals::default()),
            receive_buffer: 1 << 20,
            pin_threads: false,
            recovery: None,
            share: Some(share.clone()),
        })
        .expect("the service starts");
        let me = Candidate {
            id: NodeId::parse(name).expect("an id"),
            incarnation: Incarnation(life),
        };
        let facts = NodeFacts {
            address: "127.0.0.1".to_owned(),
            peer_port,
            weight: 100,
            ..NodeFacts::default()
        };
        let coordinator = Coordinator::new(timing(), me.clone(), facts);
        let setup = Setup {
            me,
            timing: timing(),
            claims: Arc::clone(&self.claims) as Arc<dyn ClaimStore>,
            tenants: vec![Sharing::start(&handle, &share)],
            tenure,
            clock: Arc::new(purlin_netio::now),
        };
        let (started, task) = Fabric::start(setup, coordinator);
        fabric.set(started.clone()).expect("set once");
        let told = started.clone();
        tokio::spawn(async move {
            while let Some(slots) = lost_slots.recv().await {
                told.fence_lost(slots).await;
            }
        });
        let address = handle.status().await.listen[0];
        Node {
            handle,
            running,
            fabric: started,
            task,
            address,
        }
    }
}

/// Takeover within some 7 s, renewals with patience: other tests run beside this one.
fn timing() -> Timing {
    Timing {
        renew: Duration::from_secs(1),
        ttl: Duration::from_secs(6),
        guard: Duration::from_millis(500),
        ..Timing::default()
    }
}

fn own_settings() -> Settings {
    Settings {
        server_id: Some(Ipv4Addr::new(10, 1, 0, 254)),
        ..settings(1, 1)
    }
}

fn homes(fabric: Arc<OnceLock<Fabric>>) -> purlin_dhcp_server::Homes {
    Arc::new(move |slot| {
        let fabric = fabric.get()?;
        let holdings = Arc::clone(&fabric.holdings().borrow());
        let home = holdings.home(slot)?;
        let snapshot = fabric.snapshot();
        let facts = &snapshot.members.iter().find(|member| member.id == *home)?.facts;
        Some(SocketAddrV4::new(facts.address.parse().ok()?, facts.peer_port))
    })
}

impl Node {
    /// Waits until the packet thread decides about so many slots.
    async fn decides(&self, what: impl Fn(usize) -> bool) {
        let began = Instant::now();
        loop {
            let held = self.handle.held().await;
            if what(held) {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "decides about {held} slots"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn bound(&self) -> u64 {
        self.handle.usage().await.iter().map(|usage| usage.bound).sum()
    }

    /// As a machine that loses its power.
    async fn die(self) {
        self.task.abort();
        self.running.stop(Duration::ZERO).await;
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test)
}

#[test]
fn any_node_answers_and_none_gives_an_address_twice() {
    run(async {
        let world = World::new();
        let (a, b) = (world.node("a", 1).await, world.node("b", 2).await);
        let share = |held: usize| (1800..2300).contains(&held);
        tokio::join!(a.decides(share), b.decides(share));
        let (by_a, by_b) = (
            Relay::new(a.address, [10, 1, 0, 1]),
            Relay::new(b.address, [10, 1, 0, 1]),
        );
        let first: Vec<_> = (0..200)
            .map(|client| {
                if client % 2 == 0 {
                    by_a.lease_in_time(client)
                } else {
                    by_b.lease_in_time(client)
                }
            })
            .collect();
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 200);
        // The same clients through the other node: whoever holds their address answers.
        let again: Vec<_> = (0..200)
            .map(|client| {
                if client % 2 == 0 {
                    by_b.lease_in_time(client)
                } else {
                    by_a.lease_in_time(client)
                }
            })
            .collect();
        assert_eq!(first, again);
        let (by_one, by_other) = (a.bound().await, b.bound().await);
        assert_eq!(by_one + by_other, 200);
        assert!(by_one > 50 && by_other > 50, "{by_one} and {by_other}");
    });
}

#[test]
fn a_dead_nodes_clients_keep_their_addresses_at_the_other() {
    run(async {
        let world = World::new();
        let (a, b) = (world.node("a", 1).await, world.node("b", 2).await);
        let share = |held: usize| (1800..2300).contains(&held);
        tokio::join!(a.decides(share), b.decides(share));
        let relay = Relay::new(a.address, [10, 1, 0, 1]);
        let leases: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        b.die().await;
        a.decides(|held| held == usize::from(SLOTS)).await;
        let again: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(leases, again);
        assert_eq!(a.bound().await, 100);
    });
}

#[test]
fn a_node_that_leaves_hands_its_leases_over() {
    run(async {
        let world = World::new();
        let a = world.node("a", 1).await;
        a.decides(|held| held == usize::from(SLOTS)).await;
        let relay = Relay::new(a.address, [10, 1, 0, 1]);
        let leases: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        let b = world.node("b", 2).await;
        b.decides(|held| held > 100).await;
        a.fabric.leave().await;
        b.decides(|held| held == usize::from(SLOTS)).await;
        assert_eq!(a.handle.held().await, 0);
        let relay = Relay::new(b.address, [10, 1, 0, 1]);
        let again: Vec<_> = (0..100).map(|client| relay.lease_in_time(client)).collect();
        assert_eq!(leases, again);
    });
}
