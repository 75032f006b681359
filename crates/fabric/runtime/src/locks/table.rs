//! The locks of this node by name: one task at a time asks for or has each of them.

use super::guard::Held;
use purlin_fabric::lock::{LockName, LockView};
use purlin_types::BootTime;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(super) struct Table(Mutex<BTreeMap<LockName, Place>>);

/// What this node knows of one name.
#[derive(Debug, Default)]
struct Place {
    /// Somebody asks for it or has it.
    reserved: bool,
    held: Option<Weak<Held>>,
    waiters: usize,
    freed: Arc<Notify>,
}

/// The right of one task to ask for a lock and to have it; ends when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    table: Arc<Table>,
    name: LockName,
}

/// A task that wants a lock; ends when dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    table: Arc<Table>,
    name: LockName,
    freed: Arc<Notify>,
}

impl Table {
    fn places(&self) -> MutexGuard<'_, BTreeMap<LockName, Place>> {
        // Each change is one step, so that a poisoned table is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn reserve(self: &Arc<Self>, name: &LockName) -> Option<Reservation> {
        let mut places = self.places();
        let place = places.entry(name.clone()).or_default();
        if place.reserved {
            return None;
        }
        place.reserved = true;
        Some(Reservation {
            table: Arc::clone(self),
            name: name.clone(),
        })
    }

    pub(super) fn wait(self: &Arc<Self>, name: &LockName) -> Waiting {
        let mut places = self.places();
        let place = places.entry(name.clone()).or_default();
        place.waiters += 1;
        Waiting {
            table: Arc::clone(self),
            name: name.clone(),
            freed: Arc::clone(&place.freed),
        }
    }

    pub(super) fn views(&self, now: BootTime) -> Vec<LockView> {
        let places = self.places();
        let held = places
            .values()
            .filter_map(|place| Some((place.held.as_ref()?.upgrade()?, place.waiters)));
        held.map(|(held, waiters)| held.view(now, waiters)).collect()
    }

    /// Names for which tasks of this node wait, and how many. A holder has waited once and waits no more.
    pub(super) fn waiting(&self) -> Vec<(String, usize)> {
        let places = self.places();
        let waited_for = places.iter().filter(|(_, place)| place.waiters > 0);
        waited_for
            .map(|(name, place)| (name.to_string(), place.waiters))
            .collect()
    }

    pub(super) fn count(&self) -> usize {
        self.places()
            .values()
            .filter(|place| place.held.is_some())
            .count()
    }

    /// Forgets a name that nobody cares about.
    fn tidy(places: &mut BTreeMap<LockName, Place>, name: &LockName) {
        if places
            .get(name)
            .is_some_and(|place| !place.reserved && place.waiters == 0)
        {
            places.remove(name);
        }
    }
}

impl Reservation {
    /// The lock was granted.
    pub(super) fn hold(&self, held: &Arc<Held>) {
        if let Some(place) = self.table.places().get_mut(&self.name) {
            place.held = Some(Arc::downgrade(held));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut places = self.table.places();
        if let Some(place) = places.get_mut(&self.name) {
            place.reserved = false;
            if place.held.take().is_some() {
                place.freed.notify_one();
            }
        }
        Table::tidy(&mut places, &self.name);
    }
}

impl Waiting {
    /// Ends when a holder on this node has given the lock back.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut places = self.table.places();
        if let Some(place) = places.get_mut(&self.name) {
            place.waiters -= 1;
        }
        Table::tidy(&mut places, &self.name);
    }
}
