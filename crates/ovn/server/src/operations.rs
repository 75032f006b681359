//! Operations: how the databases' clusters are, how far ovn-northd and the hypervisors have come, what is wrong.
//!
//! ```text
//!   _Server of every member ─┐
//!   control sockets (RAFT)  ─┼─► look ─► Look ─► alarms ─► health checks, events, metrics
//!   NB_Global, Chassis...   ─┘             └──► GET /api/v1/ovn/operations
//! ```
//!
//! A look is taken every two seconds, and anew for whoever asks. How long something has been behind is counted here:
//! OVN writes down when a chassis has caught up, and nothing when it has not.

pub(crate) mod acts;
mod alarms;
mod chassis;
mod control;
pub(crate) mod metrics;
mod northd;
mod progress;
mod raft;
mod sync;

pub(crate) use alarms::{Alarm, Severity};
pub(crate) use chassis::Chassis;
pub(crate) use northd::Northd;
pub(crate) use raft::DatabaseLook;
pub(crate) use sync::sync;

use crate::platform::Platform;
use progress::Memory;
use purlin_telemetry::health::{Bears, Check};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);
/// News that wait for who tells them.
const NEWS: usize = 256;

/// What operations are told.
#[derive(Debug, Clone)]
pub struct Operating {
    /// Control sockets of ovsdb-server and ovn-northd on this machine, or folders that hold some.
    pub controls: Vec<PathBuf>,
    /// The files of databases that this node has started, by database.
    pub files: Vec<(String, PathBuf)>,
    /// How long ovn-northd, or a hypervisor, may be behind before somebody is told.
    pub northd_lag_max: Duration,
    pub chassis_stale_after: Duration,
}

impl Default for Operating {
    fn default() -> Self {
        Self {
            controls: Vec::new(),
            files: Vec::new(),
            northd_lag_max: Duration::from_secs(30),
            chassis_stale_after: Duration::from_secs(60),
        }
    }
}

/// Everything at one moment.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Look {
    pub(crate) databases: Vec<DatabaseLook>,
    pub(crate) northd: Northd,
    pub(crate) chassis: Vec<Chassis>,
    pub(crate) alarms: Vec<Alarm>,
}

/// An alarm that came or went.
#[derive(Debug, Clone)]
pub struct News {
    pub raised: bool,
    pub text: String,
}

/// What a platform keeps for its operations.
#[derive(Debug)]
pub(crate) struct Operations {
    operating: RwLock<Operating>,
    latest: watch::Sender<Arc<Look>>,
    memory: Mutex<Memory>,
    news: broadcast::Sender<News>,
    writes: metrics::Writes,
}

impl Default for Operations {
    fn default() -> Self {
        Self {
            operating: RwLock::default(),
            latest: watch::Sender::new(Arc::default()),
            memory: Mutex::default(),
            news: broadcast::Sender::new(NEWS),
            writes: metrics::Writes::default(),
        }
    }
}

impl Operations {
    pub(crate) fn operating(&self) -> Operating {
        self.operating.read().expect("nobody panics with it").clone()
    }

    pub(crate) fn writes(&self) -> &metrics::Writes {
        &self.writes
    }

    /// The latest look; empty before the first.
    pub(crate) fn latest(&self) -> Arc<Look> {
        self.latest.borrow().clone()
    }
}

impl Platform {
    /// Begins to look after the databases, as long as the platform lives.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn operate(&self, operating: Operating) {
        *self
            .operations()
            .operating
            .write()
            .expect("nobody panics with it") = operating;
        let platform = self.weak();
        tokio::spawn(async move {
            while let Some(platform) = platform.upgrade() {
                look(&platform).await;
                drop(platform);
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Alarms as they come and go, from now on.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.operations().news.subscribe()
    }

    /// What operations found, as checks for people: none of it keeps a node from its work.
    #[must_use]
    pub fn operation_checks(&self) -> Vec<Check> {
        let look = self.operations().latest();
        let check = |(name, kinds, fine): (&'static str, &[&str], &str)| {
            let mut mine = look.alarms.iter().filter(|alarm| kinds.contains(&alarm.kind));
            let Some(first) = mine.next() else {
                return Check::pass(name, Bears::Advice, fine);
            };
            let more = match mine.count() {
                0 => String::new(),
                more => format!("; {more} more like it"),
            };
            let says = format!("{}{more}", first.text);
            match first.severity {
                Severity::Critical => Check::fail(name, Bears::Advice, says, first.fix),
                Severity::Warning => Check::warn(name, Bears::Advice, says, first.fix),
            }
        };
        alarms::GROUPS.iter().copied().map(check).collect()
    }
}

/// Takes a look, remembers it, and tells what is new.
pub(crate) async fn look(platform: &Platform) -> Arc<Look> {
    let operations = platform.operations();
    let operating = operations.operating();
    let controls = control::look(&operating.controls).await;
    let databases = raft::look(platform, &controls, &operating.files);
    let lock = northd::lock(platform, &controls).await;
    let mut memory = operations.memory.lock().expect("nobody panics with it");
    let now = Instant::now();
    let northd = northd::look(platform, &controls, lock, &mut memory, now);
    let chassis = chassis::look(platform, &mut memory, now);
    let mut look = Look {
        databases,
        northd,
        chassis,
        alarms: Vec::new(),
    };
    look.alarms = alarms::of(&look, &operating);
    for news in memory.news(&look.alarms) {
        // Nobody may be listening.
        let _ = operations.news.send(news);
    }
    drop(memory);
    let look = Arc::new(look);
    operations.latest.send_replace(look.clone());
    look
}
