//! A share of the addresses instead of all of them: the service as one node of a cluster.
//!
//! ```text
//!   Fabric ──held(holdings)──► Sharing ──► loader: rows of gained slots ──► packet thread: Engine::adopt
//!          ──give_up(slots)──►         ──► packet thread: Engine::resign, then the log is flushed
//!          ◄── lost ────────── packet thread: a write was refused by its fence
//!   packet for a slot held elsewhere ──► forward.rs ──► the node that holds it
//!   row in the way of a client's next ──► vacate.rs ──► the node that holds its slot: Engine::vacate
//! ```

mod forward;
mod homes;
mod join;
mod loader;
mod own;
mod vacate;

pub use forward::{ForwardKey, ForwardKeyError};
pub use join::Prepared;

pub(crate) use forward::{Carrier, GIADDR, Opened, Packet, Said, relayed};
pub(crate) use loader::{Continued, Gained};
pub(crate) use own::{Ended, Own};
pub(crate) use vacate::Wish;

use crate::error::StartError;
use crate::handle::Handle;
use crate::start::entropy;
use crate::worker::{Links, Log};
use homes::Book;
use loader::Loader;
use purlin_dhcp_core::rows::rows_of;
use purlin_dhcp_core::{Engine, Plan, SteadyClock};
use purlin_fabric::Holdings;
use purlin_fabric::port::Later;
use purlin_fabric_runtime::{LoggedRow, RowLog, RowReader, SharedTenure, Tenant, Terms};
use purlin_netio::{RecvBatch, UdpPort, Waker};
use purlin_store::{FencedRow, FencedRows};
use purlin_types::{NodeId, Slot};
use std::fmt;
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Finds the node that holds a slot: where it takes forwarded packets.
pub type Homes = Arc<dyn Fn(Slot) -> Option<SocketAddrV4> + Send + Sync>;

/// What makes a service one of many.
#[derive(Clone)]
pub struct ShareConfig {
    /// Where leases are kept, under claims.
    pub rows: Arc<dyn FencedRows>,
    /// Until when this node may decide.
    pub tenure: SharedTenure,
    /// Told of slots that a write has shown to be somebody else's.
    pub lost: mpsc::UnboundedSender<Vec<Slot>>,
    pub homes: Homes,
    /// Where other nodes send the packets that are this node's to decide about.
    pub peers: Arc<UdpPort>,
    pub key: ForwardKey,
    /// Runs what waits for the store.
    pub runtime: tokio::runtime::Handle,
    /// This node, and how long it waits at its start for all leases when nobody else holds any: a client whose lease is
    /// not read yet looks like a stranger, and would be given another address. Packets wait in the sockets meanwhile.
    pub patient: Option<(NodeId, Duration)>,
}

impl fmt::Debug for ShareConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShareConfig")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// The service as a tenant of the fabric.
#[derive(Debug)]
pub struct Sharing {
    holdings: watch::Sender<Arc<Holdings>>,
    handle: Handle,
}

impl Sharing {
    /// Begins to follow the holdings that the fabric tells.
    #[must_use]
    pub fn start(handle: &Handle, config: &ShareConfig) -> Arc<Self> {
        let holdings = watch::Sender::new(Arc::new(Holdings::default()));
        let rows = Arc::clone(&config.rows);
        let loader = Loader::new(handle.clone(), rows, holdings.subscribe(), config.patient.clone());
        Self::follow(handle, config, holdings, loader)
    }

    fn follow(
        handle: &Handle,
        config: &ShareConfig,
        holdings: watch::Sender<Arc<Holdings>>,
        loader: Loader,
    ) -> Arc<Self> {
        config.runtime.spawn(loader.run());
        Arc::new(Self {
            holdings,
            handle: handle.clone(),
        })
    }
}

impl Tenant for Sharing {
    /// Packets about slots that are gone may be decided for a moment longer. That is safe: their claims end with the
    /// tenure, by being given up (which is waited for), or by the fence that refuses their records.
    fn held(&self, holdings: &Arc<Holdings>) {
        self.holdings.send_replace(Arc::clone(holdings));
    }

    /// The terms end here, whatever the loader is about to bring: rows of a slot that was given up may still be on their
    /// way to the packet thread, and must not be taken up after this.
    fn give_up<'a>(&'a self, slots: &'a [Slot]) -> Later<'a, Vec<Slot>> {
        let holdings = Arc::clone(&self.holdings.borrow());
        let term = |&slot: &Slot| (slot, holdings.epoch(slot).or_else(|| holdings.leaving(slot)));
        let terms: Vec<_> = slots.iter().map(term).collect();
        Box::pin(async move { self.handle.give_up(terms).await })
    }
}

/// What a packet thread of a share has beside its engine.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) log: Log,
    pub(crate) own: Own,
}

/// An engine that holds nothing yet, and its place.
pub(crate) fn open(
    config: &ShareConfig,
    plan: &Arc<Plan>,
    waker: &Arc<Waker>,
) -> Result<(Engine, Log, Option<Own>), StartError> {
    let mut engine = Engine::new(Arc::clone(plan), 0, 1, entropy()?);
    engine.share();
    let Place { log, own } = place(config, plan, waker);
    Ok((engine, log, Some(own)))
}

/// A log in the shared store, and what the packet thread has beside it.
fn place(config: &ShareConfig, plan: &Arc<Plan>, waker: &Arc<Waker>) -> Place {
    let (plan, terms, waker) = (SharedPlan::new(plan), Terms::default(), Arc::clone(waker));
    let (log, log_handle) = RowLog::open(
        &config.runtime,
        Arc::clone(&config.rows),
        plan.reader(),
        terms.clone(),
        Arc::new(move || waker.wake()),
    );
    let log = Log::new(Box::new(log), None, []).with_copies(log_handle.clone());
    let own = Own {
        waiting: config.patient.is_some(),
        tenure: config.tenure.clone(),
        terms,
        clock: SteadyClock::default(),
        ended: Ended::default(),
        log: log_handle,
        lost: config.lost.clone(),
        homes: Book::new(Arc::clone(&config.homes)),
        carrier: Carrier::new(Arc::clone(&config.peers), config.key.clone()),
        ear: Some(RecvBatch::new()),
        room: Vec::new(),
        wishes: Vec::new(),
        links: Links::default(),
        plan,
    };
    Place { log, own }
}

/// The plan by which the log reads frames: that of the packet thread.
#[derive(Debug, Clone)]
pub(crate) struct SharedPlan(Arc<Mutex<Arc<Plan>>>);

impl SharedPlan {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        Self(Arc::new(Mutex::new(Arc::clone(plan))))
    }

    fn set(&self, plan: &Arc<Plan>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(plan);
    }

    /// Turns the core's frames into rows of the store.
    pub(crate) fn reader(&self) -> RowReader {
        let plan = self.clone();
        Arc::new(move |frame, out| {
            let plan = Arc::clone(&plan.0.lock().unwrap_or_else(PoisonError::into_inner));
            out.extend(rows_of(&plan, frame).map(|row| LoggedRow {
                table: row.table,
                row: FencedRow {
                    key: row.key,
                    slot: row.slot,
                    version: row.version,
                    unique: row.unique,
                    body: row.body.into_owned(),
                },
            }));
        })
    }
}
