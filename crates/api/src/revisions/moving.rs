//! Revisions on their way from one node's store into a cluster's.

use super::Revisions;
use super::own::{Own, digest};
use super::stored::Shelf;
use crate::ledger::Ledger;
use crate::problem::Problem;

/// Revisions per commit.
const BATCH: usize = 50;

impl Revisions {
    /// Writes the revisions above `after` into the store of a cluster, each with what nodes share of its configuration;
    /// the newest of them. What this node's file said when it was read last counts as read there, so that it makes no
    /// revision. It can be done again.
    ///
    /// # Errors
    /// When a store does not answer, or a row is damaged.
    pub async fn copy_to(&self, to: &Ledger, paths: Own, node: &str, after: u64) -> Result<u64, Problem> {
        let _writing = self.0.writer.lock().await;
        let (from, to) = (&self.0.shelf, Shelf::new(to.clone()));
        let newest = self.current().number;
        let mut below = after + 1;
        while below <= newest {
            let end = (below + BATCH as u64).min(newest + 1);
            let mut metas = from.below(end, BATCH).await?;
            metas.retain(|meta| meta.number >= below);
            metas.reverse();
            let mut rows = Vec::with_capacity(metas.len());
            for meta in metas {
                let config = from
                    .config(meta.number)
                    .await?
                    .map(|config| paths.shared(&config));
                let said = config.as_ref().map(digest);
                rows.push((meta, config, said));
            }
            to.copy(&rows).await?;
            below = end;
        }
        if let Some(file) = from.file().await? {
            to.set_file_of(node, &digest(&paths.shared(&file))).await?;
        }
        Ok(newest)
    }
}
