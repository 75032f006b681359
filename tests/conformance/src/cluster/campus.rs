//! A whole campus on one machine: every node, database, Redis and the clients on hosts of their own, on one switch.
//!
//! ```text
//!   n1 .1  n2 .2  n3 .3      purlin up
//!   pg1 .11  pg2 .12         PostgreSQL: primary and standby
//!   r1 .21  r2 .22  r3 .23   Redis and Sentinels
//!   clients .100, 10.78.0.100, 10.79.0.100   thousands of clients behind relays
//! ```

mod database;
mod hints;
mod wire;

pub use database::{Databases, Standby};
pub use hints::Hints;
pub use wire::{Host, Wire};

use super::SLOTS;
use super::crowd::{Crowd, Population};
use super::member::{Member, Seat};
use super::server::open_to_all;
use crate::need;
use crate::space::Space;
use crate::wait::within;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PROGRAMS: [&str; 13] = [
    "ip",
    "iptables",
    "setpriv",
    "initdb",
    "postgres",
    "psql",
    "pg_basebackup",
    "pg_rewind",
    "redis-server",
    "redis-sentinel",
    "redis-cli",
    "curl",
    "mount",
];
/// Short leases in a pool that is too small for those who want one; long leases with room.
const SUBNETS: &str = "[[dhcp.subnets]]\nname = \"brief\"\nnetwork = \"10.78.0.0/16\"\ngateway = \"10.78.0.1\"\n\
    pools = [\"10.78.16.0-10.78.17.255\"]\nlease_time = \"20s\"\n\n\
    [[dhcp.subnets]]\nname = \"long\"\nnetwork = \"10.79.0.0/16\"\ngateway = \"10.79.0.1\"\n\
    pools = [\"10.79.16.0-10.79.47.255\"]\nlease_time = \"20m\"\n";
/// A client lead time that a test outlives, and offers that do not keep a small pool from those who would take them.
const DHCP: &str = "mclt = \"20s\"\noffer_hold = \"3s\"\naffinity = \"0s\"\n";
/// The same lead time.
pub(super) const LEAD_TIME: Duration = Duration::from_secs(20);
/// The relay of each subnet.
const RELAYS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 78, 0, 100), Ipv4Addr::new(10, 79, 0, 100)];

/// What a campus has.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub nodes: usize,
    pub standby: Standby,
    /// Redis on three hosts with Sentinels; else nodes have no hints in common.
    pub redis: bool,
    /// `cluster.takeover`.
    pub takeover: &'static str,
    /// The first node, and no other, is on a segment with clients of its own.
    pub segment: bool,
}

impl Default for Plan {
    /// Three nodes that take over fast, a synchronous standby, Redis.
    fn default() -> Self {
        Self {
            nodes: 3,
            standby: Standby::Synchronous,
            redis: true,
            takeover: "fast",
            segment: false,
        }
    }
}

/// Everything that runs.
#[derive(Debug)]
pub struct Campus {
    // Dropped in this order: nodes leave while the database still answers.
    pub nodes: Vec<Member>,
    pub hints: Option<Hints>,
    pub databases: Databases,
    pub wire: Wire,
    /// Where the clients on the first node's segment are, behind their `c0`.
    pub segment: Option<Space>,
    clients: Arc<Host>,
    takeover: &'static str,
    folder: TempDir,
    // Last of all: the next campus begins when this one is gone.
    _alone: MutexGuard<'static, ()>,
}

/// One campus at a time in a process: their times are the real ones, and two would only take them from each other.
static ALONE: Mutex<()> = Mutex::new(());

impl Campus {
    /// A campus whose nodes hold all slots together. `None` when this machine cannot run the test.
    #[must_use]
    pub fn new(plan: &Plan) -> Option<Self> {
        if !need::met(&PROGRAMS) {
            return None;
        }
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::Builder::new().prefix("purlin-campus-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        open_to_all(folder.path());
        let mut wire = Wire::new(folder.path());
        let servers = [("pg1", 11), ("pg2", 12)].map(|(name, last)| wire.plug_in(name, last));
        let databases = Databases::start(servers, folder.path(), plan.standby);
        let redis = [("r1", 21), ("r2", 22), ("r3", 23)];
        let hints = plan.redis.then(|| {
            let hosts = redis.map(|(name, last)| wire.plug_in(name, last));
            Hints::start(&hosts, folder.path())
        });
        let clients = wire.plug_in("clients", 100);
        for relay in RELAYS {
            clients.space.ip(&format!("addr add {relay}/16 dev eth0"));
        }
        let mut campus = Self {
            nodes: Vec::new(),
            hints,
            databases,
            wire,
            segment: plan.segment.then(|| Space::make("lan", folder.path().to_owned())),
            clients,
            takeover: plan.takeover,
            folder,
            _alone: alone,
        };
        for _ in 0..plan.nodes {
            campus.add_node();
        }
        campus.until_whole();
        Some(campus)
    }

    /// One more node, on a host of its own, called after its number.
    pub fn add_node(&mut self) {
        let number = u8::try_from(self.nodes.len() + 1).expect("a few nodes");
        let id = format!("n{number}");
        let host = self.wire.plug_in(&id, number);
        // Ways to the relays, which are in the clients' own networks.
        for relay in RELAYS {
            host.space
                .ip(&format!("route add {relay}/32 via {}", self.clients.address));
        }
        let mut dhcp_settings = DHCP.to_owned();
        if let (1, Some(segment)) = (number, &self.segment) {
            host.space.join("s0", segment, "c0");
            host.space.ip("addr add 10.79.0.2/16 dev s0");
            dhcp_settings += "interfaces = [\"s0\"]\n";
        }
        let data = self.path(&id);
        let seat = Seat {
            id: &id,
            data: &data,
            address: host.address,
            api: 8080,
            metrics: 9090,
            peers: 8067,
            dhcp: 67,
            store: self.databases.url(),
            redis: self.hints.as_ref().map(Hints::url),
            takeover: self.takeover,
            coordination: "",
            dhcp_settings: &dhcp_settings,
            subnets: SUBNETS,
        };
        self.nodes.push(Member::sit(&seat, Some(Arc::clone(&host))));
    }

    /// Lets clients loose: so many with short leases, so many with long ones.
    #[must_use]
    pub fn crowd(&self, brief: u16, long: u16, rate: u32, seed: u64) -> Crowd {
        let population = Population {
            relays: RELAYS.into_iter().zip([brief, long]).collect(),
            rate,
            seed,
        };
        Crowd::start(&self.clients, self.addresses(), population)
    }

    /// Where the nodes are.
    #[must_use]
    pub fn addresses(&self) -> Vec<Ipv4Addr> {
        self.nodes
            .iter()
            .map(|node| self.wire.host(&node.id).address)
            .collect()
    }

    /// Waits until the nodes that run hold all slots, by their own account and each other's; how long that took.
    ///
    /// # Panics
    /// When they do not; with what they said.
    pub fn until_whole(&mut self) -> Duration {
        let begin = Instant::now();
        let wanted = self.running().len();
        let whole = within(Duration::from_secs(90), || {
            let alive = self.running();
            let done = alive.len() < wanted || alive.iter().all(|node| sees_all_held(node, wanted));
            done.then_some(alive.len())
        });
        let said = || {
            let of = |node: &Member| {
                let last = tail(&node.process.said());
                format!("{}: {:?}\n{last}\n", node.id, node.members())
            };
            self.nodes.iter().map(of).collect::<String>()
        };
        assert_eq!(whole, Some(wanted), "not all slots were held\n{}", said());
        begin.elapsed()
    }

    /// Waits until every node holds a good part of the slots. [`Campus::until_whole`] is content with one that holds them all
    /// while the others have only just joined.
    ///
    /// # Panics
    /// When they do not.
    pub fn until_shared(&self) {
        let share = SLOTS / (2 * self.nodes.len() as u64);
        for node in &self.nodes {
            node.until("every node held its share", || {
                let all = node.members().unwrap_or_default();
                let held = all.iter().filter_map(|row| row["slots"].as_u64());
                held.filter(|slots| *slots >= share).count() == self.nodes.len()
            });
        }
    }

    fn running(&mut self) -> Vec<&Member> {
        let nodes = self.nodes.iter_mut();
        let running = nodes.filter_map(|node| node.process.is_running().then_some(&*node));
        running.collect()
    }

    /// A file in this campus's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets the folder with all logs outlive this campus: somebody wants to know why.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// The folder with all logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Campus {
    /// What was said stays where somebody wants to know why.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("logs are in {}", self.folder.path().display());
        }
    }
}

/// Whether a node is ready and sees `count` active nodes that hold the slots, but for those that are on their way.
fn sees_all_held(node: &Member, count: usize) -> bool {
    let Some(all) = node.members() else { return false };
    let active: Vec<&Value> = all.iter().filter(|row| row["status"] == "active").collect();
    let held: u64 = active.iter().filter_map(|row| row["slots"].as_u64()).sum();
    active.len() == count && held * 20 >= SLOTS * 19 && node.readiness().is_some_and(|(ready, _)| ready)
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
