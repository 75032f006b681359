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
    /// Something has changed that was not looked at yet.
    pending: bool,
    /// When to look again at the earliest.
    next: Instant,
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
            pending: false,
            next: Instant::now(),
        }
    }

    /// Whether the northbound is followed now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.snapshots.borrow().is_live()
    }

    /// All of them, once the northbound is followed, and again whenever they have changed. `None` when the platform is
    /// gone. A call that is given up loses nothing.
    pub async fn next(&mut self) -> Option<Vec<Held>> {
        loop {
            if !self.pending {
                self.snapshots.changed().await.ok()?;
                self.pending = true;
            }
            tokio::time::sleep_until(self.next.into()).await;
            let read = match self.is_live() {
                true => self.platform.north().read_live().await.ok(),
                false => None,
            };
            self.pending = false;
            let Some((schema, rows)) = read else {
                // Its return is a change, too.
                continue;
            };
            let began = Instant::now();
            let now = held(&State::new(&schema, &rows.database));
            self.next = began + TOGETHER.max(began.elapsed() * SHARE);
            if self.last.as_ref() != Some(&now) {
                self.last = Some(now.clone());
                return Some(now);
            }
        }
    }
}
