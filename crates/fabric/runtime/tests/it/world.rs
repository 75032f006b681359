//! A clock under the test's hand.

use purlin_fabric::port::Hints;
use purlin_fabric_runtime::local::{LocalHints, ReadClock};
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

/// What the nodes of one cluster share, in tokio's time, which tests pause and step.
pub(crate) struct World {
    clock: ReadClock,
    pub(crate) hints: Arc<LocalHints>,
}

impl World {
    pub(crate) fn new() -> Self {
        let start = tokio::time::Instant::now();
        let clock: ReadClock = Arc::new(move || {
            let nanos = u64::try_from(start.elapsed().as_nanos()).expect("a short time");
            Now {
                boot: BootTime(nanos),
                wall: WallTime(1_700_000_000_000 + nanos / 1_000_000),
            }
        });
        let hints = Arc::new(LocalHints::new(Arc::clone(&clock)));
        Self { clock, hints }
    }

    pub(crate) fn clock(&self) -> ReadClock {
        Arc::clone(&self.clock)
    }

    pub(crate) fn hints(&self) -> Arc<dyn Hints> {
        Arc::clone(&self.hints) as Arc<dyn Hints>
    }
}
