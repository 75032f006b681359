//! Asks the server for everything that the verification looks at, afresh: what was seen during the load counts nothing.

use super::accounts;
use super::facts::{BlockFacts, Facts, ReceiptFacts};
use super::mix::Kind;
use super::plan::{Contracts, Plan};
use super::sign::Requests;
use crate::rpc::{Rpc, RpcError};
use alloy_primitives::{Address, U64};
use serde_json::json;

/// Receipts, and blocks, between two words about how far it is.
const STRETCH: usize = 500;

/// Receipts that are asked for singly even where blocks have told them.
const SAMPLE: usize = 200;

/// What is asked about.
#[derive(Debug)]
pub(crate) struct Questions<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) requests: &'a Requests,
    pub(crate) senders: &'a [Address],
    pub(crate) contracts: Contracts,
    /// The first block that may hold a transaction of ours.
    pub(crate) first_block: u64,
}

/// Facts about all of it; `told` is called with how many receipts there are so far, of how many.
///
/// After a run that was cut short, blocks with transactions of ours may still come: then all is asked again, so that the
/// facts are those of one moment. The caller bounds it.
pub(crate) async fn collect(
    rpc: &mut Rpc,
    questions: &Questions<'_>,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Facts, RpcError> {
    loop {
        let facts = collect_once(rpc, questions, told).await?;
        let next = questions.first_block + facts.blocks.len() as u64;
        let later = blocks(rpc, next).await?;
        let mut hashes = later.iter().flat_map(|block| &block.transactions);
        if !hashes.any(|hash| questions.requests.number(hash).is_some()) {
            return Ok(facts);
        }
    }
}

async fn collect_once(
    rpc: &mut Rpc,
    questions: &Questions<'_>,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Facts, RpcError> {
    let blocks = blocks(rpc, questions.first_block).await?;
    let mut facts = Facts {
        receipts: vec![None; questions.plan.transactions as usize],
        blocks,
        ..Facts::default()
    };
    by_block(rpc, questions.requests, &mut facts, told).await?;
    let all: Vec<u32> = (0..questions.plan.transactions).collect();
    // What no block's receipts had, and some that they had: both ways have to say the same.
    let sample = (all.len() / SAMPLE).max(1);
    let missing = |number: &u32| facts.receipts[*number as usize].is_none();
    let singly = all.iter().copied().enumerate();
    let singly: Vec<u32> = singly
        .filter(|(at, number)| at % sample == 0 || missing(number))
        .map(|(_, number)| number)
        .collect();
    for some in singly.chunks(STRETCH) {
        let found = receipts(rpc, questions.requests, some).await?;
        for (number, receipt) in some.iter().zip(found) {
            facts.receipts[*number as usize] = receipt;
        }
        let done = facts.receipts.iter().flatten().count();
        told(done as u64, all.len() as u64);
    }
    facts.nonces = accounts::nonces(rpc, questions.senders, "latest").await?;
    facts.balances = accounts::balances(rpc, questions.senders).await?;
    if questions.plan.mix.has(Kind::Erc20) {
        facts.tokens = accounts::tokens(rpc, questions.contracts.token, questions.senders).await?;
    }
    if questions.plan.mix.has(Kind::Storage) {
        let writes = |number: &u32| questions.plan.get(*number).kind == Kind::Storage;
        let written: Vec<u32> = all.into_iter().filter(writes).collect();
        let values = accounts::slots(rpc, questions.contracts.store, &written).await?;
        facts.slots = written.into_iter().zip(values).collect();
    }
    Ok(facts)
}

/// The receipts of whole blocks: servers that look a receipt up by executing or copying its block answer no sooner for
/// one than for all. A server that does not know the question is asked singly.
async fn by_block(
    rpc: &mut Rpc,
    requests: &Requests,
    facts: &mut Facts,
    told: &mut dyn FnMut(u64, u64),
) -> Result<(), RpcError> {
    let mut done = 0;
    for block in &facts.blocks {
        let mut hashes = block.transactions.iter();
        if !hashes.any(|hash| requests.number(hash).is_some()) {
            continue;
        }
        let found: Vec<ReceiptFacts> = match rpc.call("eth_getBlockReceipts", &json!([block.number])).await {
            Ok(found) => found,
            Err(RpcError::Transport(cause)) => return Err(RpcError::Transport(cause)),
            Err(_) => return Ok(()),
        };
        for receipt in found {
            if let Some(number) = requests.number(&receipt.transaction_hash) {
                facts.receipts[number as usize] = Some(receipt);
                done += 1;
            }
        }
        told(done, facts.receipts.len() as u64);
    }
    Ok(())
}

async fn receipts(
    rpc: &mut Rpc,
    requests: &Requests,
    numbers: &[u32],
) -> Result<Vec<Option<ReceiptFacts>>, RpcError> {
    let ask = |number: &u32| json!([requests.hash(*number)]);
    accounts::each(rpc, "eth_getTransactionReceipt", numbers, ask).await
}

async fn blocks(rpc: &mut Rpc, first: u64) -> Result<Vec<BlockFacts>, RpcError> {
    let head: U64 = rpc.call("eth_blockNumber", &json!([])).await?;
    let mut blocks = Vec::new();
    // One at a time: a block of ten thousand hashes is large enough.
    for number in first..=head.to() {
        let block: Option<BlockFacts> = rpc
            .call("eth_getBlockByNumber", &json!([U64::from(number), false]))
            .await?;
        blocks.extend(block);
    }
    Ok(blocks)
}
