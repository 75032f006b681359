//! `eth_sendRawTransaction`.

use super::args::Args;
use super::transactions::receipt;
use super::{Method, Query, answer, run};
use crate::fault::{Answer, Fault};
use crate::node::Node;
use alloy_eips::Decodable2718 as _;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use purlin_chain_proto::{B256, Transaction};
use purlin_chain_signatures::recover;
use std::sync::Arc;
use std::time::Duration;

/// It recovers one key and looks at one account: less than the way to another thread and back costs.
pub(super) const METHODS: &[Method] = &[Method::memory("eth_sendRawTransaction", 1, send)];

pub(super) const SYNC: &str = "eth_sendRawTransactionSync";
/// How long [`SYNC`] waits when nothing is said.
const WAIT: Duration = Duration::from_secs(2);
/// And at most.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn send(query: &Query<'_>) -> Answer {
    let octets = query.args.octets(0)?;
    let transaction = decode(&octets)?;
    let signed = recover(transaction).ok_or_else(unsigned)?;
    answer(&query.node.insert(signed.transaction, Some(signed.key))?)
}

/// The fault of a transaction without a signer.
pub(crate) fn unsigned() -> Fault {
    Fault::server("invalid sender: invalid transaction v, r, s values")
}

/// A transaction, whose signature nobody has looked at.
///
/// # Errors
/// -32000 in geth's words.
pub(crate) fn decode(octets: &[u8]) -> Result<Transaction, Fault> {
    let mut rest = octets;
    let decoded = Transaction::decode_2718(&mut rest);
    match decoded {
        Ok(transaction) if rest.is_empty() => Ok(transaction),
        _ if octets.is_empty() => Err(Fault::server("typed transaction too short")),
        // With its blobs beside it, it has another form; this chain carries none in any form.
        _ if octets[0] == 3 => Err(Fault::server(
            "transaction type not supported: this chain carries no blobs",
        )),
        Err(_) if octets[0] <= 0x7f && octets[0] > 4 => Err(Fault::server("transaction type not supported")),
        Err(error) => Err(Fault::server(format!("rlp: {error}"))),
        Ok(_) => Err(Fault::server("rlp: input contains more than one value")),
    }
}

/// `eth_sendRawTransactionSync` (EIP-7966): the receipt, or code 4 when it does not come in time.
pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_async_method(SYNC, |params, node, _| async move {
        send_and_wait(params, Arc::clone(&node)).await
    })?;
    Ok(())
}

async fn send_and_wait(params: Params<'static>, node: Arc<Node>) -> Answer {
    let asked: Option<u64> = Args::read(&params, 2)?.maybe(1)?;
    let wait = asked.map_or(WAIT, Duration::from_millis).min(WAIT_MAX);
    let until = tokio::time::Instant::now() + wait;
    // Listening begins before the transaction is sent: its block cannot be missed.
    let mut heads = node.heads.subscribe();
    let hash = run(Method::read(SYNC, 2, send), &params, Arc::clone(&node)).await?;
    let hash: B256 = serde_json::from_str(hash.get()).map_err(Fault::internal)?;
    while let Ok(Ok(head)) = tokio::time::timeout_at(until, heads.recv()).await {
        if head
            .block
            .body
            .transactions
            .iter()
            .any(|one| *one.tx_hash() == hash)
        {
            let params = Params::new(Some(&format!("[\"{hash}\"]"))).into_owned();
            return run(Method::read(SYNC, 1, receipt), &params, node).await;
        }
    }
    let words = "the transaction was added to the transaction pool but was not processed in time";
    Err(Fault::new(4, format!("{words}: {hash}")))
}
