//! The network as a graph, drawn once for each state of the rows.

use crate::platform::Platform;
use purlin_api::Problem;
use purlin_ovn_core::model::State;
use purlin_ovn_core::topology::{Detail, Graph, graph};
use std::sync::{Arc, Mutex, PoisonError};

/// The graphs of the last state that somebody looked at.
#[derive(Debug, Default)]
pub(crate) struct Graphs(Mutex<Option<Drawn>>);

#[derive(Debug)]
struct Drawn {
    generation: u64,
    networks: Option<Arc<Graph>>,
    ports: Option<Arc<Graph>>,
}

/// A graph, and which state it shows.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) graph: Arc<Graph>,
    /// A transaction of a cluster, or a number that this process counts for itself.
    pub(crate) version: String,
}

impl Platform {
    /// The graph of the rows as they are.
    ///
    /// # Errors
    /// 503 while nothing was read yet.
    pub(crate) async fn graph(&self, detail: Detail) -> Result<Shown, Problem> {
        let (schema, snapshot) = self.north().read().await?;
        // A server that keeps no history gives no names to its transactions.
        let mut version = match snapshot.txn.filter(|txn| !txn.is_zero()) {
            Some(txn) => txn.to_string(),
            None => format!("{}-{}", self.born(), snapshot.generation),
        };
        if let Some(within) = self.north().within() {
            version = format!("{version}-{}", within.confine.tenant);
        }
        let known = self.graphs().known(snapshot.generation, detail);
        let graph = match known {
            Some(graph) => graph,
            None => {
                let state = State::new(&schema, &snapshot.database);
                let drawn = Arc::new(graph(&state, detail, usize::MAX));
                self.graphs()
                    .keep(snapshot.generation, detail, Arc::clone(&drawn));
                drawn
            }
        };
        Ok(Shown { graph, version })
    }
}

impl Graphs {
    fn known(&self, generation: u64, detail: Detail) -> Option<Arc<Graph>> {
        let drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = drawn.as_ref().filter(|drawn| drawn.generation == generation)?;
        match detail {
            Detail::Networks => drawn.networks.clone(),
            Detail::Ports => drawn.ports.clone(),
        }
    }

    fn keep(&self, generation: u64, detail: Detail, graph: Arc<Graph>) {
        let mut drawn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of two who draw at the same time, the later state stays.
        if drawn.as_ref().is_none_or(|drawn| drawn.generation < generation) {
            *drawn = Some(Drawn {
                generation,
                networks: None,
                ports: None,
            });
        }
        if let Some(drawn) = drawn.as_mut().filter(|drawn| drawn.generation == generation) {
            match detail {
                Detail::Networks => drawn.networks = Some(graph),
                Detail::Ports => drawn.ports = Some(graph),
            }
        }
    }
}
