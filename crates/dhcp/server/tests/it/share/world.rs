//! Whole nodes, and the claims that they share.

use super::rows::Rows;
use crate::journal::Journals;
use crate::server::settings;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::view::{DecisionQuery, Told};
use purlin_dhcp_proto::MessageType;
use purlin_dhcp_server::{ForwardKey, Handle, Running, ServerConfig, ShareConfig, Sharing, Switches, start};
use purlin_fabric::port::{Candidate, ClaimStore, NodeFacts};
use purlin_fabric::{Coordinator, Timing};
use purlin_fabric_runtime::local::LocalClaims;
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure};
use purlin_netio::{UdpOptions, UdpPort};
use purlin_store::FencedRows;
use purlin_types::{Incarnation, NodeId};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

pub(super) struct World {
    claims: Arc<LocalClaims>,
    pub(super) rows: Arc<Rows>,
    settings: Settings,
    pub(super) timing: Timing,
}

pub(super) struct Node {
    pub(super) handle: Handle,
    running: Running,
    pub(super) fabric: Fabric,
    task: JoinHandle<()>,
    pub(super) address: SocketAddrV4,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(settings(1, 1))
    }

    /// With these settings at every node.
    pub(super) fn with(settings: Settings) -> Self {
        let claims = Arc::new(LocalClaims::new(Arc::new(purlin_netio::now), 1));
        let rows = Rows::over(&claims);
        let server_id = Some(Ipv4Addr::new(10, 1, 0, 254));
        let settings = Settings {
            server_id,
            ..settings
        };
        Self {
            claims,
            rows,
            settings,
            timing: timing(),
        }
    }

    /// The copy of the store takes its place, as far as it had come: what was written since
    /// [`Rows::lag`] is lost, and so are claims of that time.
    pub(super) fn fail_over(&self) {
        self.claims.fail_over(true);
        self.rows.fail_over();
    }

    /// From now on the store has a copy that is as far as the store is now, and gets no further.
    pub(super) fn lag(&self) {
        self.claims.replicate();
        self.rows.lag();
    }

    /// The copy is gone for good.
    pub(super) fn without_copy(&self) {
        self.rows.without_copy();
    }

    pub(super) async fn node(&self, name: &str, life: u64) -> Node {
        self.node_that_waits(name, life, None).await
    }

    /// One that reads no packets before all leases are there, or so much time has passed.
    pub(super) async fn node_that_waits(&self, name: &str, life: u64, patience: Option<Duration>) -> Node {
        let id = NodeId::parse(name).expect("an id");
        let peers = UdpPort::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0), &UdpOptions::default());
        let peers = peers.expect("a free port");
        let peer_port = peers.local_address().port();
        let (fabric, tenure) = (Arc::new(OnceLock::<Fabric>::new()), SharedTenure::default());
        let (lost, mut lost_slots) = mpsc::unbounded_channel();
        let share = ShareConfig {
            patient: patience.map(|patience| (id.clone(), patience)),
            rows: Arc::clone(&self.rows) as Arc<dyn FencedRows>,
            tenure: tenure.clone(),
            lost,
            homes: homes(Arc::clone(&fabric)),
            peers: Arc::new(peers),
            key: ForwardKey::new(b"a secret of this test").expect("long enough"),
            runtime: tokio::runtime::Handle::current(),
        };
        let (handle, running) = start(ServerConfig {
            pins: [].into(),
            settings: self.settings.clone(),
            switches: Switches::default(),
            journals: Arc::new(Journals::default()),
            receive_buffer: 1 << 20,
            pin_threads: false,
            recovery: None,
            share: Some(share.clone()),
        })
        .expect("the service starts");
        let me = Candidate {
            id,
            incarnation: Incarnation(life),
        };
        let facts = NodeFacts {
            address: "127.0.0.1".to_owned(),
            peer_port,
            weight: 100,
            ..NodeFacts::default()
        };
        let coordinator = Coordinator::new(self.timing, me.clone(), facts);
        let setup = Setup {
            me,
            timing: self.timing,
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

fn homes(fabric: Arc<OnceLock<Fabric>>) -> purlin_dhcp_server::Homes {
    Arc::new(move |slot| fabric.get()?.home(slot))
}

impl Node {
    /// Waits until the packet thread decides about so many slots.
    pub(super) async fn decides(&self, what: impl Fn(usize) -> bool) {
        until("the slots were held", async || what(self.handle.held().await)).await;
    }

    /// Waits until nothing that it holds is in doubt.
    pub(super) async fn is_beyond_doubt(&self) {
        until("all quarantines had ended", async || {
            let holdings = Arc::clone(&self.fabric.holdings().borrow());
            let mut slots = holdings.slots().iter();
            slots.all(|slot| holdings.suspect_until(slot).is_none())
        })
        .await;
    }

    pub(super) async fn bound(&self) -> u64 {
        self.handle.usage().await.iter().map(|usage| usage.bound).sum()
    }

    /// Waits until something has been decided for this reason so many times.
    pub(super) async fn has_decided(&self, slug: &str, times: usize) {
        let what = format!("{slug} was the reason {times} times");
        until(&what, async || self.told(|told| told.slug == slug).await >= times).await;
    }

    /// Waits until so many messages of a kind have been decided about.
    pub(super) async fn has_heard(&self, kind: MessageType, times: usize) {
        let what = format!("{kind:?} was heard {times} times");
        let event = format!("DHCP{}", format!("{kind:?}").to_uppercase());
        until(&what, async || {
            self.told(|told| told.event == event).await >= times
        })
        .await;
    }

    async fn told(&self, which: impl Fn(&Told) -> bool) -> usize {
        let query = DecisionQuery {
            limit: 100,
            ..DecisionQuery::default()
        };
        let told = self.handle.decisions(query).await;
        told.iter().filter(|told| which(told)).count()
    }

    /// As a machine that loses its power.
    pub(super) async fn die(self) {
        self.task.abort();
        self.running.stop(Duration::ZERO).await;
    }
}

pub(super) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test)
}

pub(super) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(60), "in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
