//! Where a request looks: at a block, or at the one that would come next.

use super::Query;
use crate::exec::Scene;
use crate::fault::Fault;
use crate::source::{Draft, StateRead};
use alloy_eips::{BlockId, BlockNumberOrTag};
use std::sync::Arc;

/// A block that there is, or one that is made of what waits.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Block(u64),
    Pending(Arc<Draft>),
}

const PENDING: BlockId = BlockId::Number(BlockNumberOrTag::Pending);

impl Query<'_> {
    /// The place that an optional argument names; the head when it is left out, or when nothing can be pending here.
    pub(super) fn place(&self, index: usize) -> Result<Place, Fault> {
        match self.pending_at(index)? {
            Some(draft) => Ok(Place::Pending(draft)),
            None => self.block_at(index).map(Place::Block),
        }
    }

    /// The block that would come next, when that is what the argument names.
    pub(super) fn pending_at(&self, index: usize) -> Result<Option<Arc<Draft>>, Fault> {
        if self.block_id(index)? == Some(PENDING) {
            return self.node.pending(self.until);
        }
        Ok(None)
    }

    /// The state at the place that an optional argument names.
    pub(super) fn state_at(&self, index: usize) -> Result<Arc<dyn StateRead>, Fault> {
        Ok(match self.place(index)? {
            Place::Block(number) => Arc::new(self.node.source.state(number)?),
            Place::Pending(draft) => Arc::clone(&draft.state),
        })
    }

    /// The surroundings of a place, and the state after it: where calls run.
    pub(super) fn scene_at(&self, place: &Place) -> Result<Scene, Fault> {
        match place {
            Place::Block(number) => self.node.source.scene(*number, self.until),
            Place::Pending(draft) => Ok(self.node.source.scene_after(draft, self.until)),
        }
    }
}
