//! A service that runs alone becomes one of many without a break: the same threads, sockets and leases, under claims.
//!
//! ```text
//!   prepare_share ─► lay_down ─► rows ─► the caller writes what is new of them, and that it is so for good ─► join
//!                       └── packets wait in their sockets ──── take_up, if that failed ──────────────────────┘
//! ```

use super::loader::{Gained, Loader};
use super::{Place, ShareConfig, Sharing, place};
use crate::error::{ControlError, StartError};
use crate::export::SharedRow;
use crate::handle::Handle;
use crate::worker::Worker;
use purlin_dhcp_core::Takeover;
use purlin_fabric::Holdings;
use purlin_types::Slot;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What can be made before packets have to wait.
#[derive(Debug)]
pub struct Prepared {
    place: Place,
    config: ShareConfig,
}

impl Handle {
    /// Opens what a share needs. Nothing changes yet; dropped, it closes again.
    ///
    /// # Errors
    /// [`StartError::System`] when the socket for other nodes cannot be watched.
    pub async fn prepare_share(&self, config: &ShareConfig) -> Result<Prepared, StartError> {
        let place = place(config, &self.plan(), self.first_waker());
        let ear = Arc::clone(&config.peers);
        let heard = self
            .ask_thread(0, move |worker: &mut Worker| worker.hear_at(&ear))
            .await;
        let stopped = || std::io::Error::other(ControlError::Stopped);
        let heard = heard.flatten().unwrap_or_else(|| Err(stopped()));
        heard.map_err(|source| StartError::System {
            what: "listening for other nodes",
            source,
        })?;
        Ok(Prepared {
            place,
            config: config.clone(),
        })
    }

    /// Has no thread read or decide anything more; packets wait in their sockets. When this returns, everything that was
    /// promised is durable in the journals.
    ///
    /// # Errors
    /// When a journal takes nothing, or a thread has ended; [`Self::take_up`] has the others read on.
    pub async fn lay_down(&self) -> Result<(), ControlError> {
        let all = self.ask_all(Worker::lay_down).await;
        if all.len() < self.threads() {
            return Err(ControlError::Stopped);
        }
        for durable in all {
            durable.await.map_err(|_| ControlError::NotRecorded)?;
        }
        Ok(())
    }

    /// Undoes [`Self::lay_down`].
    pub async fn take_up(&self) {
        self.ask_all(Worker::take_up).await;
    }

    /// After [`Self::lay_down`]: goes on under the claims of `holdings`. `rows` are all that the threads knew
    /// ([`Self::rows`]), and are in the shared store under these claims. The first thread decides about everything.
    pub async fn join(
        &self,
        prepared: Prepared,
        rows: Vec<SharedRow>,
        holdings: &Arc<Holdings>,
    ) -> Arc<Sharing> {
        let Prepared { mut place, config } = prepared;
        // All that is to be known of the clients is here.
        place.own.waiting = false;
        let gained = gained(rows, holdings);
        let given = gained.iter().map(|one| (one.takeover.slot, one.takeover.epoch));
        let given = given.collect();
        let distance = holdings.wall_less_boot();
        self.unite().await;
        // A thread that has ended ends the service, and whoever watches it knows.
        let _ = self
            .ask_thread(0, move |worker: &mut Worker| {
                worker.join(place, &gained, distance);
            })
            .await;
        let told = watch::Sender::new(Arc::clone(holdings));
        let loader = Loader::new(self.clone(), Arc::clone(&config.rows), told.subscribe(), None);
        Sharing::follow(self, &config, told, loader.with(given))
    }

    /// From here on all packets go to the first thread; the others end up with none.
    async fn unite(&self) {
        self.steer_to_first().await;
        for number in 1..self.threads() {
            let _ = self.ask_thread(number, Worker::retire).await;
        }
    }
}

/// Rows by slot, as if this node had given its slots back and taken them again: nothing is in doubt.
fn gained(rows: Vec<SharedRow>, holdings: &Holdings) -> Vec<Gained> {
    let of = |slot: Slot| {
        let epoch = holdings.epoch(slot)?;
        let takeover = Takeover {
            slot,
            epoch,
            suspect_until: None,
            given_back: Some(epoch),
        };
        let rows = Vec::new();
        Some((slot, Gained { takeover, rows }))
    };
    let mut gained: BTreeMap<Slot, Gained> = holdings.slots().iter().filter_map(of).collect();
    for SharedRow { row, .. } in rows {
        if let Some(gained) = gained.get_mut(&row.slot) {
            gained.rows.push((gained.takeover.epoch, row.body));
        }
    }
    gained.into_values().collect()
}
