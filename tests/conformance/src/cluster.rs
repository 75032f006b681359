//! Several nodes that share one database, as processes on this machine's loopback.
//!
//! ```text
//!   PostgreSQL ◄── n1, n2, n3: purlin up ──► Redis
//!                   ▲ packets of `purlin bench dhcp`, as a relay at 10.0.0.5 sends them
//! ```
//!
//! Every program hangs from this process: it ends with the [`Cluster`], and by the kernel's hand when a test run is
//! killed.

mod campus;
mod changes;
mod chaos;
mod crowd;
mod dice;
mod joined;
mod load;
mod member;
mod platform;
mod server;
mod socket;
mod watcher;

pub use campus::{Campus, Databases, Hints, Host, Plan, Standby, Wire};
pub use changes::Changes;
pub use chaos::{Claims, Cost, Fault, Orders, Outcome, Part, Slowness, Struck, Trial, Wound};
pub use crowd::{Crowd, Memory, Moment, Note, Overlap, Population, Stay, overlaps};
pub use dice::Dice;
pub use joined::Tried;
pub use load::Report;
pub use member::Member;
pub use socket::Socket;
pub use watcher::Watcher;

use crate::need;
use crate::process::Process;
use crate::wait::until;
use serde_json::Value;
use server::Database;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;

/// The relay that the load is sent through: in the nodes' subnet, at any port of loopback.
pub const RELAY: &str = "10.0.0.5@127.0.0.1:0";

/// All slots of a cluster.
const SLOTS: u64 = 4096;
/// What these tests run.
const PROGRAMS: [&str; 6] = ["setpriv", "initdb", "postgres", "psql", "redis-server", "curl"];

/// What a test adds to every node's configuration.
#[derive(Debug, Clone, Copy, Default)]
struct Extra {
    /// Takes over after the 15 s that are usual, not after 2.5.
    patient: bool,
    /// Lines of `[dhcp]` and of `[coordination]`, and whole sections.
    dhcp: &'static str,
    coordination: &'static str,
    more: &'static str,
}

impl Extra {
    const PLATFORM: Self = Self {
        patient: false,
        dhcp: "enabled = false\n",
        coordination: "",
        more: "",
    };
}

/// A database, a Redis and nodes; ended when dropped.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: nodes leave while the database still answers.
    pub nodes: Vec<Member>,
    pub database: Database,
    /// Its hints, and where they are kept; `None` when nodes have none in common.
    pub redis: Option<Process>,
    redis_port: Option<u16>,
    extra: Extra,
    folder: TempDir,
}

impl Cluster {
    /// This many nodes, all of which take part. `None` when this machine cannot run the test.
    #[must_use]
    pub fn new(nodes: usize) -> Option<Self> {
        let cluster = Self::make(nodes, true, Extra::default())?;
        cluster.until_all_share();
        Some(cluster)
    }

    /// The same with more sections in the configuration of each.
    #[must_use]
    pub fn with_more(nodes: usize, more: &'static str) -> Option<Self> {
        let extra = Extra {
            more,
            ..Extra::default()
        };
        let cluster = Self::make(nodes, true, extra)?;
        cluster.until_all_share();
        Some(cluster)
    }

    /// Nodes whose tenure lasts as long as is usual.
    #[must_use]
    pub fn patient(nodes: usize) -> Option<Self> {
        let extra = Extra {
            patient: true,
            ..Extra::default()
        };
        let cluster = Self::make(nodes, true, extra)?;
        cluster.until_all_share();
        Some(cluster)
    }

    /// Nodes that serve no addresses, with more sections in the configuration: those of the guide for `ovncp`.
    #[must_use]
    pub fn of_platform(nodes: usize, more: &'static str) -> Option<Self> {
        Self::platform(
            nodes,
            Extra {
                more,
                ..Extra::PLATFORM
            },
        )
    }

    /// One node that serves addresses, and the files of `root`; the port of those.
    #[must_use]
    pub fn with_files(root: &Path) -> Option<(Self, u16)> {
        let port = free_port();
        let more = format!(
            "[tftp]\nlisten = [\"127.0.0.1:{port}\"]\nroot = \"{}\"\n",
            root.display()
        );
        // Once in a test run.
        let more: &'static str = Box::leak(more.into_boxed_str());
        let cluster = Self::make(
            1,
            true,
            Extra {
                more,
                ..Extra::default()
            },
        )?;
        cluster.until_all_share();
        Some((cluster, port))
    }

    /// As [`Self::of_platform`], whose nodes keep cached values for themselves.
    #[must_use]
    pub fn caching_in_memory(nodes: usize) -> Option<Self> {
        let coordination = "cache = \"memory\"\n";
        Self::platform(
            nodes,
            Extra {
                coordination,
                ..Extra::PLATFORM
            },
        )
    }

    fn platform(nodes: usize, extra: Extra) -> Option<Self> {
        let cluster = Self::make(nodes, true, extra)?;
        for node in &cluster.nodes {
            node.until("all nodes were ready and known", || {
                let active = |row: &Value| row["status"] == "active";
                let known = node
                    .members()
                    .is_some_and(|all| all.iter().filter(|row| active(row)).count() == nodes);
                known && node.readiness().is_some_and(|(ready, _)| ready)
            });
        }
        Some(cluster)
    }

    /// The same, with a database only.
    #[must_use]
    pub fn without_redis(nodes: usize) -> Option<Self> {
        let cluster = Self::make(nodes, false, Extra::default())?;
        cluster.until_all_share();
        Some(cluster)
    }

    /// A node `n1` that is alone, beside an empty database that it does not use.
    #[must_use]
    pub fn alone() -> Option<Self> {
        Self::alone_with("")
    }

    /// The same with more lines at the end of its configuration.
    #[must_use]
    pub fn alone_with(more: &str) -> Option<Self> {
        let mut cluster = Self::empty(false)?;
        let node = Member::start_alone("n1", &cluster.path("n1"), more);
        node.until("it was ready", || {
            node.readiness().is_some_and(|(ready, _)| ready)
        });
        cluster.nodes.push(node);
        Some(cluster)
    }

    fn make(nodes: usize, with_redis: bool, extra: Extra) -> Option<Self> {
        let mut cluster = Self::empty(with_redis)?;
        cluster.extra = extra;
        for number in 1..=nodes {
            let node = cluster.member(&format!("n{number}"), &format!("n{number}"));
            cluster.nodes.push(node);
        }
        Some(cluster)
    }

    fn until_all_share(&self) {
        let names: Vec<&str> = self.nodes.iter().map(|node| node.id.as_str()).collect();
        self.until_shared_by(&names);
    }

    fn empty(with_redis: bool) -> Option<Self> {
        if !need::met_plainly(&PROGRAMS) {
            return None;
        }
        let folder = tempfile::Builder::new().prefix("purlin-cluster-").tempdir();
        let folder = folder.expect("a temporary folder can be made");
        let database = Database::start(folder.path());
        let redis_port = with_redis.then(free_port);
        let redis = redis_port.map(|port| redis(port, folder.path()));
        Some(Self {
            nodes: Vec::new(),
            database,
            redis,
            redis_port,
            extra: Extra::default(),
            folder,
        })
    }

    /// A database, and nobody who uses it.
    #[must_use]
    pub fn without_nodes() -> Option<Self> {
        Self::empty(false)
    }

    /// A node whose `store.url` has these words at its end. Not waited for.
    #[must_use]
    pub fn member_by(&self, id: &str, name: &str, words: &str) -> Member {
        Member::start_by(id, &self.path(name), &format!("{}{words}", self.url()))
    }

    /// A node called `id` with the database at `store`. Not waited for.
    #[must_use]
    pub fn member_at(&self, id: &str, store: &str) -> Member {
        Member::start_by(id, &self.path(id), store)
    }

    /// Where the database is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgresql://purlin@127.0.0.1:{}/purlin", self.database.port())
    }

    /// One more process whose node is called `id`, with files of its own under `name`. Not waited for.
    #[must_use]
    pub fn member(&self, id: &str, name: &str) -> Member {
        Member::start(
            id,
            &self.path(name),
            self.database.port(),
            self.redis_port,
            self.extra,
        )
    }

    /// Ends Redis with all that it knew.
    pub fn lose_redis(&mut self) {
        self.redis = None;
    }

    /// Starts it again, empty.
    ///
    /// # Panics
    /// When there was none.
    pub fn bring_redis_back(&mut self) {
        let port = self.redis_port.expect("this cluster has one");
        self.redis = Some(redis(port, self.folder.path()));
    }

    /// Waits until these nodes are active and nobody else holds anything, as each of them sees it. A few slots may be on
    /// their way: who started later than another gets its share over minutes.
    pub fn until_shared_by(&self, names: &[&str]) {
        for node in self.nodes.iter().filter(|node| names.contains(&node.id.as_str())) {
            node.until(&format!("{names:?} held the slots"), || {
                let Some(all) = node.members() else { return false };
                let slots = |row: &Value| row["slots"].as_u64().unwrap_or_default();
                let named = |row: &&Value| row["id"].as_str().is_some_and(|id| names.contains(&id));
                let (ours, others): (Vec<&Value>, Vec<&Value>) = all.iter().partition(named);
                let active = ours.iter().all(|row| row["status"] == "active");
                let held: u64 = ours.iter().copied().map(slots).sum();
                let left: u64 = others.iter().copied().map(slots).sum();
                ours.len() == names.len() && active && left == 0 && held * 50 >= SLOTS * 49
            });
        }
    }

    /// A file in this test's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A Redis with nothing in it, which keeps nothing.
fn redis(port: u16, folder: &Path) -> Process {
    let mut command = bound_to_us("redis-server", "KILL");
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
        .current_dir(folder);
    let process = Process::start(command, folder.join("redis.log"));
    until("Redis answered", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    process
}

/// A command that gets `signal` when the thread that started it is gone, however that came.
fn bound_to_us(name: &str, signal: &str) -> Command {
    let mut command = Command::new(program("setpriv"));
    command.args(["--pdeathsig", signal, "--"]).arg(program(name));
    command
}

fn program(name: &str) -> PathBuf {
    let found = if name == "purlin" {
        need::purlin()
    } else {
        need::program(name)
    };
    found.expect("asked for before")
}

/// A port that is free for UDP and TCP, and below those that systems give to clients: nobody gets it by chance while
/// its server is stopped.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).expect("below 8000");
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        let free =
            TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("0.0.0.0", port)).is_ok();
        if free {
            return port;
        }
    }
}
