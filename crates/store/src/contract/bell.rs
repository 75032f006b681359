//! Waiting for a journal's wake-up in tests.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::Wake;

/// Longer than any honest engine needs on a loaded machine; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Rings when a journal wakes its owner.
#[derive(Debug, Clone, Default)]
pub struct Bell(Arc<(Mutex<u64>, Condvar)>);

impl Bell {
    /// A silent bell.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What to give to a journal.
    #[must_use]
    pub fn wake(&self) -> Wake {
        let bell = self.clone();
        Arc::new(move || {
            *bell.0.0.lock().expect("a counter") += 1;
            bell.0.1.notify_all();
        })
    }

    /// Returns once `reached` says so; asks again at every wake-up only, because an engine must wake.
    ///
    /// # Panics
    /// When no wake-up comes.
    pub fn await_that(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let mut rings = self.0.0.lock().expect("a counter");
        while !reached() {
            let before = *rings;
            let waited = self
                .0
                .1
                .wait_timeout_while(rings, PATIENCE, |rings| *rings == before);
            let (woken, timeout) = waited.expect("a counter");
            assert!(!timeout.timed_out(), "no wake-up: {what}");
            rings = woken;
        }
    }
}
