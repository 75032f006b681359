//! What all connections of a node share, and the order in which things are told.

use crate::hello::Hello;
use crate::line::Line;
use crate::pending::Pending;
use crate::table::{Candidate, Table};
use crate::throttle::Throttle;
use crate::tls::Tls;
use crate::unmet::{Unmet, Why};
use crate::wish::Wishes;
use crate::{Admission, Direction, Event, Events, Identity, Network, Refused, Settings};
use alloy_primitives::Address;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// A node that is going down says so.
pub(crate) const STOPS: &str = "the node stops";

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) network: Network,
    /// What this node says of itself.
    pub(crate) hello: Hello,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) admission: Arc<dyn Admission>,
    pub(crate) tls: Tls,
    pub(crate) pending: Pending,
    pub(crate) wishes: Wishes,
    pub(crate) tally: Tally,
    /// Told whenever a peer comes or goes, or the limit changes.
    pub(crate) changed: watch::Sender<()>,
    pub(crate) stopping: watch::Sender<bool>,
    /// Tasks that run.
    pub(crate) tasks: watch::Sender<usize>,
    pub(crate) runtime: Handle,
    pub(crate) events: Events,
    pub(crate) table: Mutex<Table>,
    /// Held while somebody comes or goes, so that it is told in the order in which it happens. Only tasks of
    /// connections take it: the callback may call anything of [`crate::Peers`].
    pub(crate) order: Mutex<()>,
    pub(crate) throttle: Mutex<Throttle>,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) met: AtomicU64,
    pub(crate) refused_inbound: AtomicU64,
    pub(crate) refused_outbound: AtomicU64,
    pub(crate) overrun: AtomicU64,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("id", &self.hello.id)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("no thread panics with it")
    }

    /// Runs a task that [`crate::Peers::stop`] waits for.
    pub(crate) fn spawn(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.send_modify(|running| *running += 1);
        let ends = Ends(Arc::clone(self));
        self.runtime.spawn(async move {
            let _ends = ends;
            task.await;
        });
    }

    pub(crate) async fn stopped(&self) {
        // The sender is part of this value: waiting cannot fail.
        let _ = self.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Whether somebody who has proven who he is may be a peer, as things stand.
    pub(crate) fn judge(&self, hello: &Hello, direction: Direction, exempt: bool) -> Result<(), Unmet> {
        let verdict = if *self.stopping.borrow() {
            Err(Why::Other(STOPS.to_owned()))
        } else {
            let exempt = exempt || self.exempt(hello.id);
            let candidate = Candidate {
                hello,
                direction,
                exempt,
            };
            self.table().judge(candidate)
        };
        verdict
            .and_then(|()| self.admission.admit(hello.id).map_err(Why::Other))
            .map_err(|why| Unmet::of(hello.id, why))
    }

    /// Precious, or wished for: the limit does not count.
    fn exempt(&self, id: Address) -> bool {
        self.admission.precious(id) || self.wishes.have(id)
    }

    /// Seats a peer and tells that it is up. What it replaces ends, and is told to be down before.
    pub(crate) fn seat(
        self: &Arc<Self>,
        hello: Hello,
        direction: Direction,
        address: SocketAddr,
        exempt: bool,
    ) -> Result<Seat, Unmet> {
        let _order = self.order.lock().expect("no thread panics with it");
        let precious = self.admission.precious(hello.id);
        let exempt = exempt || self.exempt(hello.id);
        let line = Arc::new(Line::new(hello, direction, address, precious, &self.settings));
        let replaced = {
            let mut table = self.table();
            let candidate = Candidate {
                hello: &line.hello,
                direction,
                exempt,
            };
            let verdict = match *self.stopping.borrow() {
                true => Err(Why::Other(STOPS.to_owned())),
                false => table.judge(candidate),
            };
            verdict.map_err(|why| Unmet::of(line.id(), why))?;
            table.seat(&line)
        };
        if let Some(old) = replaced {
            old.end("replaced by another connection of the same two nodes");
            self.down(&old, "replaced by another connection with the same node");
        }
        self.tally.met.fetch_add(1, Relaxed);
        (self.events)(Event::Up(line.info()));
        self.changed.send_replace(());
        let shared = Arc::clone(self);
        Ok(Seat { shared, line })
    }

    fn down(&self, line: &Line, why: &str) {
        line.shut();
        let why = why.to_owned();
        (self.events)(Event::Down { id: line.id(), why });
    }

    /// Counts a meeting that failed, and tells of it where it is `news`.
    pub(crate) fn refused(&self, direction: Direction, address: String, unmet: &Unmet, news: bool) {
        let count = match direction {
            Direction::Inbound => &self.tally.refused_inbound,
            Direction::Outbound => &self.tally.refused_outbound,
        };
        count.fetch_add(1, Relaxed);
        if news && (direction == Direction::Outbound || self.throttle()) {
            let (id, why) = (unmet.id, unmet.why.to_string());
            (self.events)(Event::Refused(Refused {
                direction,
                address,
                id,
                why,
            }));
        }
    }

    fn throttle(&self) -> bool {
        self.throttle.lock().expect("no thread panics with it").pass()
    }
}

/// Counts a task as ended, however it ends.
struct Ends(Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.tasks.send_modify(|running| *running -= 1);
    }
}

/// A peer's place among the others. Dropping it vacates the place, so that no task that ends early leaves a ghost.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) shared: Arc<Shared>,
    pub(crate) line: Arc<Line>,
}

impl Seat {
    /// Vacates the place and tells why; the first time only.
    pub(crate) fn leave(&self, why: &str) {
        let _order = self.shared.order.lock().expect("no thread panics with it");
        let left = self.shared.table().leave(&self.line);
        if left {
            self.shared.down(&self.line, why);
            self.shared.changed.send_replace(());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave("the connection was given up");
    }
}
