//! A cluster's store in memory, a clock under the test's hand, and nodes that listen on loopback.

use axum::Router;
use purlin_fabric_mesh::{Admission, Clock, Mesh, Notice, Refusal, Serving, Setup};
use purlin_store::contract::MemoryRecords;
use purlin_types::{Incarnation, NodeId, WallTime};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub(crate) const SECRET: &[u8] = b"a secret of sixteen octets";
const START: u64 = 1_800_000_000_000;
const DAY: u64 = 86_400_000;

/// One cluster: what its nodes share.
pub(crate) struct Cluster {
    pub(crate) records: Arc<MemoryRecords>,
    time: Arc<AtomicU64>,
    folder: TempDir,
}

/// A node that listens.
pub(crate) struct Node {
    pub(crate) mesh: Mesh,
    pub(crate) serving: Serving,
    notices: Arc<Mutex<Vec<Notice>>>,
}

pub(crate) fn id(text: &str) -> NodeId {
    NodeId::parse(text).unwrap()
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self {
            records: Arc::default(),
            time: Arc::new(AtomicU64::new(START)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::new(move || WallTime(time.load(Ordering::SeqCst)))
    }

    pub(crate) fn days_pass(&self, days: u64) {
        self.time.fetch_add(days * DAY, Ordering::SeqCst);
    }

    pub(crate) fn seconds_pass(&self, seconds: u64) {
        self.time.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn setup(&self, name: &str, secret: &[u8]) -> (Setup, Arc<Mutex<Vec<Notice>>>) {
        let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let log = Arc::clone(&notices);
        let setup = Setup {
            id: id(name),
            incarnation: Incarnation(7),
            version: "1.2.3",
            records: Arc::clone(&self.records) as _,
            secret: secret.to_vec(),
            folder: self.folder.path().join(name),
            clock: self.clock(),
            told: Arc::new(move |notice: &Notice| log.lock().unwrap().push(notice.clone())),
        };
        (setup, notices)
    }

    pub(crate) async fn open(&self, name: &str) -> Mesh {
        Mesh::open(self.setup(name, SECRET).0).await.unwrap()
    }

    pub(crate) async fn node(&self, name: &str) -> Node {
        self.node_with(name, Router::new()).await
    }

    pub(crate) async fn node_with(&self, name: &str, routes: Router) -> Node {
        let (setup, notices) = self.setup(name, SECRET);
        let mesh = Mesh::open(setup).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let serving = mesh.serve(listener, routes, Arc::new(Porter)).unwrap();
        Node {
            mesh,
            serving,
            notices,
        }
    }
}

impl Node {
    pub(crate) fn at(&self) -> SocketAddr {
        self.serving.address()
    }

    /// Why it sent callers away.
    pub(crate) fn refused(&self) -> String {
        let notices = self.notices.lock().unwrap();
        let why = notices.iter().filter_map(|notice| match notice {
            Notice::Refused { why, .. } => Some(why.clone()),
            _ => None,
        });
        why.collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn told(&self, wanted: &Notice) -> bool {
        self.notices.lock().unwrap().contains(wanted)
    }
}

/// `n9` is alive; everybody gets a configuration with its own id in it.
#[derive(Debug)]
struct Porter;

impl Admission for Porter {
    fn taken(&self, id: &NodeId) -> Option<Refusal> {
        let taken = || {
            Refusal::new(
                axum::http::StatusCode::CONFLICT,
                "n9 is a member",
                "choose another --node-id",
            )
        };
        (id.as_str() == "n9").then(taken)
    }

    fn configuration(&self, id: &NodeId, address: IpAddr) -> Value {
        json!({ "node": { "id": id.as_str() }, "at": address })
    }
}
