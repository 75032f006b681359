//! Follows the chain block by block, and back where a server has lost some.

use super::facts::BlockFacts;
use super::ledger::SeenBlock;
use super::running::Shared;
use crate::rpc::{Rpc, RpcError};
use alloy_primitives::{B256, U64};
use serde_json::json;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Pause after no answer.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the last block is looked at again while no new one comes.
const LOOK_BACK_EVERY: Duration = Duration::from_secs(2);

/// The block before the first that may hold transactions of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// Asks for the next block again and again, or when `heads` says that there is one, until the load is over.
pub(crate) async fn run(shared: Rc<Shared>, mut rpc: Rpc, base: Base, poll: Duration, heads: Arc<Notify>) {
    let mut looked_back = Instant::now();
    while !shared.is_over() {
        let (next, tip) = shared.tip(base);
        match block(&mut rpc, next).await {
            Ok(Some(block)) if block.parent_hash == tip => {
                answers_again(&shared);
                let (block, seen_ns) = (block, shared.now_ns());
                shared.ledger.borrow_mut().block(seen(&shared, &block, seen_ns));
                shared.changed.notify_waiters();
                looked_back = Instant::now();
            }
            Ok(Some(_)) => {
                shared.ledger.borrow_mut().take_back();
                // Where nothing is left to take back, the chain is another one.
                sleep(poll).await;
            }
            Ok(None) => {
                let again = answers_again(&shared);
                if again || looked_back.elapsed() >= LOOK_BACK_EVERY {
                    looked_back = Instant::now();
                    look_back(&shared, &mut rpc, base).await;
                }
                let _ = timeout(poll, heads.notified()).await;
            }
            Err(cause) => {
                shared.fails(&cause);
                sleep(PAUSE).await;
            }
        }
    }
}

/// A server that was away may have forgotten what it had accepted: returns whether it was away.
fn answers_again(shared: &Shared) -> bool {
    let away = shared.broken.replace(false);
    if away {
        shared.ledger.borrow_mut().send_held_again();
        shared.changed.notify_waiters();
    }
    away
}

/// Takes back blocks that the server does not have any more.
async fn look_back(shared: &Shared, rpc: &mut Rpc, base: Base) {
    loop {
        let (next, tip) = shared.tip(base);
        if next == base.number + 1 {
            return;
        }
        match block(rpc, next - 1).await {
            Ok(Some(block)) if block.hash == tip => return,
            Ok(_) => shared.ledger.borrow_mut().take_back(),
            Err(cause) => return shared.fails(&cause),
        }
    }
}

async fn block(rpc: &mut Rpc, number: u64) -> Result<Option<BlockFacts>, RpcError> {
    rpc.call("eth_getBlockByNumber", &json!([U64::from(number), false]))
        .await
}

fn seen(shared: &Shared, block: &BlockFacts, seen_ns: u64) -> SeenBlock {
    let ours = block
        .transactions
        .iter()
        .filter_map(|hash| shared.requests.number(hash));
    SeenBlock {
        hash: block.hash,
        seen_ns,
        gas_used: block.gas_used.to(),
        gas_limit: block.gas_limit.to(),
        ours: ours.collect(),
    }
}
