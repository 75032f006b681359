//! The running service, as its owner holds it.

use crate::consensus::{self, ConsensusSettings};
use crate::error::StartError;
use crate::node::Node;
use jsonrpsee::server::ServerHandle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Owns the tasks. Dropping it stops nothing in an orderly way; [`Running::stop`] does.
#[derive(Debug)]
pub struct Running {
    node: Arc<Node>,
    stop: watch::Sender<bool>,
    rpc: ServerHandle,
    tasks: Vec<JoinHandle<()>>,
    journal: Option<std::thread::JoinHandle<()>>,
    consensus: Option<consensus::Running>,
}

impl Running {
    pub(crate) fn new(
        node: Arc<Node>,
        stop: watch::Sender<bool>,
        rpc: ServerHandle,
        tasks: Vec<JoinHandle<()>>,
        journal: Option<std::thread::JoinHandle<()>>,
    ) -> Self {
        Self {
            node,
            stop,
            rpc,
            tasks,
            journal,
            consensus: None,
        }
    }

    /// Makes the node one of several: it decides blocks with the others, or follows them. Its own production must be off.
    ///
    /// # Errors
    /// A chain without validators, a listener that is taken, a log that cannot be opened.
    pub async fn join(&mut self, settings: ConsensusSettings) -> Result<(), StartError> {
        self.consensus = Some(consensus::start(Arc::clone(&self.node), settings).await?);
        Ok(())
    }

    /// Takes no more connections, lets open requests and a block that was begun finish within `grace`, and writes the
    /// pool's journal.
    pub async fn stop(self, grace: Duration) {
        // Both fail only when everything has ended already.
        let _ = self.stop.send(true);
        let _ = self.rpc.stop();
        if let Some(consensus) = self.consensus {
            consensus.stop().await;
        }
        let ended = async {
            for task in self.tasks {
                // A task that panicked has ended too.
                let _ = task.await;
            }
            self.rpc.stopped().await;
        };
        let _ = tokio::time::timeout(grace, ended).await;
        let (node, journal) = (self.node, self.journal);
        let written = tokio::task::spawn_blocking(move || {
            node.close_journal();
            if let Some(thread) = journal {
                let _ = thread.join();
            }
        });
        let _ = written.await;
    }
}
