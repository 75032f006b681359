//! A service that decides about slots, as the fabric sees it.

use purlin_fabric::Holdings;
use purlin_fabric::port::Later;
use purlin_types::{BootTime, Slot};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Until when this node may decide about what it holds (rule R0), shared with packet threads: one atomic load.
///
/// A decision reads the tenure first and its holdings second; whoever publishes stores the holdings first. Holdings that
/// were taken away are then never seen under a tenure that came later.
#[derive(Debug, Clone, Default)]
pub struct SharedTenure(Arc<AtomicU64>);

impl SharedTenure {
    /// One that never ends: a node that shares with nobody.
    #[must_use]
    pub fn sole() -> Self {
        Self(Arc::new(AtomicU64::new(BootTime::MAX.0)))
    }

    /// One that ends then, and that nobody renews.
    #[must_use]
    pub fn until(end: BootTime) -> Self {
        Self(Arc::new(AtomicU64::new(end.0)))
    }

    #[must_use]
    pub fn valid_until(&self) -> BootTime {
        BootTime(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, until: BootTime) {
        self.0.store(until.0, Ordering::Release);
    }
}

/// A service under claims. Called from the fabric's task: what takes long belongs into the future.
pub trait Tenant: Send + Sync + fmt::Debug {
    /// The holdings have changed: slots that are new here may be adopted, slots that are gone must not be decided about
    /// any more when this returns.
    fn held(&self, holdings: &Arc<Holdings>);

    /// Stops deciding about these slots and makes all their records durable. The slots are released when the future ends;
    /// it may take as long as the store needs. Gives the slots of which the store has refused a record: what was promised
    /// about them is not all known to whoever takes them next, so they are not given back in order.
    fn give_up<'a>(&'a self, slots: &'a [Slot]) -> Later<'a, Vec<Slot>>;
}
