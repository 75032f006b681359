//! Letting go of what is older than the window at once, and giving the room back to the disk: for a file that no node has open.

use std::path::Path;

use super::Store;
use super::backend::Source;
use super::create::length;
use super::error::StoreError;
use super::values::{Shrunk, StateSettings};

/// Rows of one transaction of pruning.
const ROWS: u64 = 100_000;

impl Store {
    /// Prunes the chain at `path` to the window of `settings` and makes the file as small as it can be. Pruning alone frees
    /// pages inside the file for what comes; this moves those behind them forward and cuts the end off.
    ///
    /// `progress` hears how many blocks were pruned, and of how many. It may be stopped, or crash, at any moment: the file is
    /// then as it was after the last step, and the next run goes on from there.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while a node has the file open; as [`Store::open`] and [`Store::prune`].
    pub fn shrink(
        path: &Path,
        settings: StateSettings,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Shrunk, StoreError> {
        let store = Self::open(path, settings)?;
        let (before, first) = (length(path)?, store.oldest());
        let to_prune = store.prunable() - first;
        let mut blocks = 0;
        loop {
            let step = store.prune(ROWS)?;
            blocks += step.blocks;
            progress(blocks, to_prune);
            if !step.more {
                break;
            }
        }
        let oldest = store.oldest();
        drop(store);
        Source::file(path, settings.bytes()).open()?.compact()?;
        Ok(Shrunk {
            before,
            after: length(path)?,
            blocks,
            oldest,
        })
    }
}
