//! What past blocks paid, remembered: a block's fees never change.

use crate::fault::Fault;
use crate::source::{Source, receipt_facts};
use purlin_chain_core::fees::{BLOCKS_MAX, BlobFees, BlockFees, Oracle, OracleSettings};
use purlin_chain_proto::B256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The fees of the last blocks, and the suggestion made of them.
#[derive(Debug)]
pub(crate) struct Fees {
    blocks: Mutex<BTreeMap<u64, Arc<BlockFees>>>,
    suggestion: Mutex<Suggestion>,
}

#[derive(Debug)]
struct Suggestion {
    oracle: Oracle,
    /// The head it was made at.
    at: Option<B256>,
}

impl Fees {
    pub(crate) fn new() -> Self {
        Self {
            blocks: Mutex::default(),
            suggestion: Mutex::new(Suggestion {
                oracle: Oracle::new(OracleSettings::default()),
                at: None,
            }),
        }
    }

    /// The fees of a block.
    pub(crate) fn block(&self, source: &Source, number: u64) -> Result<Arc<BlockFees>, Fault> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = blocks.get(&number) {
            return Ok(Arc::clone(known));
        }
        drop(blocks);
        let fees = Arc::new(read(source, number)?);
        blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.insert(number, Arc::clone(&fees));
        while blocks.len() as u64 > BLOCKS_MAX {
            blocks.pop_first();
        }
        Ok(fees)
    }

    /// The tip that a transaction should offer.
    pub(crate) fn tip(&self, source: &Source) -> Result<u128, Fault> {
        let head = source.head();
        let mut suggestion = self.suggestion.lock().unwrap_or_else(PoisonError::into_inner);
        if suggestion.at == Some(head.hash) {
            return Ok(suggestion.oracle.last());
        }
        let most = 2 * OracleSettings::default().blocks as u64;
        let newest = head.header.number;
        let mut blocks = Vec::new();
        for number in (newest.saturating_sub(most - 1)..=newest).rev() {
            blocks.push(self.block(source, number)?);
        }
        suggestion.at = Some(head.hash);
        Ok(suggestion.oracle.suggest(blocks.iter().map(AsRef::as_ref)))
    }
}

fn read(source: &Source, number: u64) -> Result<BlockFees, Fault> {
    let stored = source.block(number)?.ok_or_else(Fault::header_not_found)?;
    let receipts = source.receipts(number)?;
    let header = &stored.block.header;
    let params = source.spec().blob_params_at(header.timestamp);
    let mut before = 0;
    let used: Vec<u64> = receipts
        .iter()
        .map(|receipt| {
            let after = receipt_facts(receipt).cumulative_gas_used;
            after - std::mem::replace(&mut before, after)
        })
        .collect();
    let transactions = stored
        .block
        .body
        .transactions
        .iter()
        .zip(&stored.senders)
        .zip(used);
    let transactions = transactions.map(|((transaction, sender), used)| (transaction, *sender, used));
    Ok(BlockFees::of(
        header,
        BlobFees::of(header, params.as_ref()),
        transactions,
    ))
}
