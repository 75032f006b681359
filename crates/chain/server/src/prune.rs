//! Lets go of what is older than the store's window, beside the making of blocks.

use crate::node::Node;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Blocks between two looks: each costs a sync of the disk when there is something to let go of.
const EVERY: u64 = 16;
/// Rows that go at once. A block waits for them.
const ROWS: u64 = 2_000;

/// Prunes until `stop` says so: what was left from last time first.
pub(crate) async fn run(node: Arc<Node>, mut stop: watch::Receiver<bool>) {
    let mut heads = node.heads.subscribe();
    loop {
        while !*stop.borrow() && step(&node).await {}
        let due = node.head().header.number + EVERY;
        while node.head().header.number < due {
            tokio::select! {
                _ = stop.changed() => return,
                head = heads.recv() => if let Err(RecvError::Closed) = head { return },
            }
        }
    }
}

/// Whether there is more to let go of.
async fn step(node: &Arc<Node>) -> bool {
    let node = Arc::clone(node);
    let pruned = tokio::task::spawn_blocking(move || node.source.0.store().prune(ROWS)).await;
    // What keeps the disk from being written keeps blocks from being made, and that is told; the next look tries again.
    matches!(pruned, Ok(Ok(step)) if step.more)
}
