//! What boot file servers of a cluster tell each other: the way to the others, and shared metadata.

use super::Cluster;
use super::engines::redis_at;
use super::redis::{Lines, METADATA};
use crate::exit::Failure;
use purlin_netio::now;
use purlin_tftp_core::settings::Shared;
use purlin_tftp_files::{FallbackMetadata, LocalMetadata, MetadataCache};
use purlin_tftp_server::cluster::{HintedMetadata, Neighbours};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Places in the tree of which this process remembers what they are, while what nodes share is away.
const PLACES: usize = 65_536;

/// What nodes share of what they know of files.
pub(crate) struct SharedMetadata {
    pub(crate) engine: Arc<dyn MetadataCache>,
    /// The lines to a Redis that is there for this alone.
    pub(crate) lines: Option<Lines>,
}

impl Cluster {
    /// The way to the other nodes; `None` where there is none: without Redis hints do not leave the process.
    pub(crate) fn neighbours(&self) -> Option<Neighbours> {
        (self.0.engines.coordination == "redis").then(|| Neighbours {
            node: self.name(),
            hints: Arc::clone(&self.0.engines.hints),
            runtime: Handle::current(),
        })
    }

    /// The engine for metadata that nodes share, where the configuration asks for one.
    ///
    /// # Errors
    /// When addresses cannot be those of a Redis.
    pub(crate) fn shared_metadata(&self, asked: &Shared) -> Result<Option<SharedMetadata>, Failure> {
        let mut lines = None;
        let hints = match asked {
            Shared::Local => return Ok(None),
            Shared::Cluster => Arc::clone(&self.0.engines.hints),
            Shared::Redis { nodes, cluster } => {
                let redis = redis_at(nodes, *cluster)?;
                let lines = lines.insert(Lines::of(&redis, &METADATA));
                tokio::spawn(lines.clone().tell());
                Arc::new(redis)
            }
        };
        let far = HintedMetadata::new(Neighbours {
            node: self.name(),
            hints,
            runtime: Handle::current(),
        });
        let clock: purlin_tftp_files::Clock = Arc::new(|| now().boot);
        let near = LocalMetadata::new(PLACES, Arc::clone(&clock));
        let engine = Arc::new(FallbackMetadata::new(Arc::new(far), near, clock));
        Ok(Some(SharedMetadata { engine, lines }))
    }

    /// This life of this node: one that was started anew hears what its former life said.
    fn name(&self) -> String {
        format!("{}/{:016x}", self.0.me.id, self.0.me.incarnation.0)
    }
}
