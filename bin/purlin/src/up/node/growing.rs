//! From one node to several within one process: the packet threads run on, and everything else is built around them anew.

use super::super::boot::Boot;
use super::super::health::Stage;
use super::{Kept, Node};
use crate::cluster::{Handover, Waits};
use crate::exit::Failure;
use std::time::{Duration, Instant};

#[cfg(feature = "dhcp")]
use crate::{cluster::Possessions, log, services::RunningOn};

/// How long requests under way may take.
#[cfg(feature = "dhcp")]
const QUIET: Duration = Duration::from_millis(300);
/// How long giving everything back may take when the node cannot be built again.
const FAREWELL: Duration = Duration::from_secs(5);

impl Node {
    /// Goes on as a node of a cluster, or alone as before when the leases could not all be moved. DHCP is answered all the
    /// while but for a moment; the API and boot files are away for as long as they take to start.
    ///
    /// # Errors
    /// When the node could not be built again; nothing that was promised is lost.
    pub(in super::super) async fn grow(
        self,
        handover: Handover,
        boot: &Boot,
        started: Instant,
    ) -> Result<(Self, Boot), Failure> {
        let (kept, boot) = self.give_up_all_but_packets(handover, boot).await;
        let cluster = kept.cluster.clone();
        match Self::build_around(kept, &boot, started, &Waits::default()).await {
            Ok(node) => Ok((node, boot)),
            Err(failure) => {
                if let Some(cluster) = cluster {
                    cluster.leave(FAREWELL).await;
                }
                Err(failure)
            }
        }
    }

    #[cfg(feature = "dhcp")]
    async fn give_up_all_but_packets(self, handover: Handover, boot: &Boot) -> (Kept, Boot) {
        self.life.enter(Stage::Draining);
        // Nobody may change anything from here on but clients.
        self.streams.end(QUIET).await;
        self.api.stop(QUIET).await;
        self.fronts.stop(QUIET).await;
        let running = RunningOn::of(&self.services);
        for service in &self.services {
            service.stop(QUIET).await;
        }
        let of = Possessions {
            revisions: &self.revisions,
            ledger: &self.ledger,
            data_dir: &self.data_dir,
        };
        let store = Some(self.store);
        match handover.finish(&of).await {
            Ok(grown) => {
                let kept = Kept {
                    store,
                    cluster: Some(grown.cluster),
                    running: running.shared(grown.sharing),
                };
                (kept, boot.with(&grown.overlay))
            }
            Err(failure) => {
                log::error(&failure.to_string());
                let kept = Kept {
                    store,
                    cluster: None,
                    running,
                };
                (kept, boot.clone())
            }
        }
    }

    #[cfg(not(feature = "dhcp"))]
    async fn give_up_all_but_packets(self, handover: Handover, _: &Boot) -> (Kept, Boot) {
        self.life.enter(Stage::Draining);
        match handover {}
    }
}
