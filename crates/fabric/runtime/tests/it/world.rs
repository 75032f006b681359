//! A clock under the test's hand.

use purlin_fabric_runtime::local::ReadClock;
use purlin_types::{BootTime, Now, WallTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Milliseconds that have passed, on both clocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn pass(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("a short time");
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn reader(&self) -> ReadClock {
        let millis = Arc::clone(&self.0);
        Arc::new(move || {
            let millis = millis.load(Ordering::Relaxed);
            Now {
                boot: BootTime(0).plus_millis(millis),
                wall: WallTime(1_700_000_000_000 + millis),
            }
        })
    }
}
