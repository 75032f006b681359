//! What became of a transaction, as a value and a sentence: the chain's part of `purlin why`.

use crate::fault::Fault;
use crate::node::Node;
use crate::source::receipt_facts;
use purlin_chain_proto::B256;

/// Where a transaction is, and why it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether this node has heard of it.
    pub known: bool,
    /// The number of its block.
    pub block: Option<u64>,
    /// One sentence: `nonce 7 waits for 6`.
    pub says: String,
}

pub(crate) fn transaction(node: &Node, hash: B256) -> Result<Told, Fault> {
    if let Some((number, index)) = node.source.transaction(hash)? {
        return Ok(Told {
            known: true,
            block: Some(number),
            says: mined(node, number, index)?,
        });
    }
    let why = node.why(hash);
    let known = why.is_some();
    let says = match why {
        Some(why) => why.to_string(),
        None => "this node has never heard of it, or has forgotten it".to_owned(),
    };
    Ok(Told {
        known,
        block: None,
        says,
    })
}

fn mined(node: &Node, number: u64, index: usize) -> Result<String, Fault> {
    let receipts = node.source.receipts(number)?;
    let place = format!("in block {number}, place {index}");
    Ok(
        match receipts.get(index).map(|receipt| receipt_facts(receipt).status) {
            Some(Some(false)) => {
                format!("{place}: its execution failed and changed nothing but the sender's nonce and fee")
            }
            Some(_) => format!("{place}: executed"),
            None => format!("{place}; its receipt is older than this node keeps"),
        },
    )
}
