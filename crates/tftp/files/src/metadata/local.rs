//! The engine of one process.

use super::{Away, Forgotten, Metadata, MetadataCache, Place};
use crate::Clock;
use crate::memo::{Key, Memo};
use purlin_types::BootTime;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Bounded and in memory: for one node, and for libraries in one process that serve the same tree.
pub struct LocalMetadata {
    clock: Clock,
    places: Memo<(Metadata, BootTime)>,
    listeners: Mutex<Vec<Forgotten>>,
}

impl LocalMetadata {
    /// Remembers about `places` places at most.
    #[must_use]
    pub fn new(places: usize, clock: Clock) -> Self {
        Self {
            clock,
            places: Memo::new(places),
            listeners: Mutex::default(),
        }
    }
}

fn key(place: &Place) -> Key {
    Key {
        name: place.key("").into(),
        netascii: false,
        asker: None,
    }
}

/// Always there: no call fails.
impl MetadataCache for LocalMetadata {
    fn recall(&self, place: &Place) -> Result<Option<Metadata>, Away> {
        let now = (self.clock)();
        Ok(self.places.get(key(place).as_ref(), |(found, until)| {
            (now < *until).then_some(*found)
        }))
    }

    fn keep(&self, place: &Place, found: Metadata, ttl: Duration) -> Result<(), Away> {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        self.places
            .put(key(place), (found, (self.clock)().plus_millis(millis)));
        Ok(())
    }

    fn forget(&self, place: &Place) -> Result<(), Away> {
        self.places.remove(key(place).as_ref());
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for listener in listeners {
            listener(place);
        }
        Ok(())
    }

    fn listen(&self, listener: Forgotten) {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }
}

impl std::fmt::Debug for LocalMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LocalMetadata({} places)", self.places.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn it_keeps_the_contract() {
        let time = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&time);
        let engine = LocalMetadata::new(1_000, Arc::new(move || BootTime(clock.load(Ordering::Relaxed))));
        super::super::contract::check(&engine, &|passes| {
            let nanos = u64::try_from(passes.as_nanos()).expect("short");
            time.fetch_add(nanos, Ordering::Relaxed);
        });
    }
}
