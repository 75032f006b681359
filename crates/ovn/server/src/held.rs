//! The addresses of the ports that Purlin answers, told to whoever gives addresses to machines.

use crate::platform::Platform;
use purlin_ovn_core::model::State;
use purlin_ovn_core::serving::{Held, held};
use purlin_ovsdb::client::Snapshot;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Changes that come so close together are looked at together.
const TOGETHER: Duration = Duration::from_millis(20);
/// One part in so many of the time is spent on looking, however many ports there are.
const SHARE: u32 = 20;

/// Follows those addresses. While the database is away nothing is told: what was told last holds.
#[derive(Debug)]
pub struct HeldAddresses {
    platform: Platform,
    snapshots: watch::Receiver<Snapshot>,
    last: Option<Vec<Held>>,
    /// When to look again at the earliest.
    rest: Duration,
}

impl HeldAddresses {
    #[must_use]
    pub fn of(platform: &Platform) -> Self {
        let mut snapshots = platform.north().rows.watch();
        snapshots.mark_changed();
        Self {
            platform: platform.clone(),
            snapshots,
            last: None,
            rest: Duration::ZERO,
        }
    }

    /// All of them, once the northbound is followed, and again whenever they have changed. `None` when the platform is
    /// gone. A call that is given up loses nothing.
    pub async fn next(&mut self) -> Option<Vec<Held>> {
        loop {
            tokio::time::sleep(self.rest).await;
            self.snapshots.changed().await.ok()?;
            if !self.snapshots.borrow_and_update().is_live() {
                continue;
            }
            let Ok((schema, rows)) = self.platform.north().read_live().await else {
                continue;
            };
            let began = Instant::now();
            let now = held(&State::new(&schema, &rows.database));
            self.rest = TOGETHER.max(began.elapsed() * SHARE);
            if self.last.as_ref() != Some(&now) {
                self.last = Some(now.clone());
                return Some(now);
            }
        }
    }
}
