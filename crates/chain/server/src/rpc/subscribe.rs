//! `eth_subscribe` on WebSockets: `newHeads`, `logs`, `newPendingTransactions`, `syncing`.
//!
//! A subscriber that does not keep up is cut off: its buffer is bounded, and a stream with a hole would be a lie.

use super::logs::{matching, parse};
use crate::fault::Fault;
use crate::log_filter::LogFilter;
use crate::node::Node;
use crate::shape::{HeaderShape, TransactionShape};
use crate::source::NewHead;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::server::{PendingSubscriptionSink, SubscriptionSink};
use jsonrpsee::types::ErrorObjectOwned;
use purlin_chain_proto::B256;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::broadcast;

/// What is followed.
enum Wants {
    Heads,
    Logs(Box<LogFilter>),
    Arrivals { whole: bool },
    Syncing,
}

pub(super) fn register(module: &mut RpcModule<Arc<Node>>) -> Result<(), RegisterMethodError> {
    module.register_subscription(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, node, _| async move {
            let wants = params
                .parse()
                .map_err(|_| Fault::params("non-array args"))
                .and_then(wants);
            match wants {
                Ok(wants) => follow(wants, pending, Arc::clone(&node)).await,
                Err(fault) => pending.reject(ErrorObjectOwned::from(fault)).await,
            }
        },
    )?;
    Ok(())
}

fn wants(params: Vec<Value>) -> Result<Wants, Fault> {
    let mut params = params.into_iter();
    let kind = params
        .next()
        .ok_or_else(|| Fault::params("missing value for required argument 0"))?;
    let with = params.next().unwrap_or_default();
    match kind.as_str() {
        Some("newHeads") => Ok(Wants::Heads),
        Some("logs") => Ok(Wants::Logs(Box::new(parse(with, 1)?))),
        Some("newPendingTransactions") => Ok(Wants::Arrivals {
            whole: with.as_bool().unwrap_or(false),
        }),
        Some("syncing") => Ok(Wants::Syncing),
        _ => Err(Fault::new(
            -32_601,
            format!("no {kind} subscription in eth namespace"),
        )),
    }
}

async fn follow(wants: Wants, pending: PendingSubscriptionSink, node: Arc<Node>) {
    // Listening begins before the subscription is accepted: nothing that comes after the answer is missed.
    let (heads, arrivals) = (node.heads.subscribe(), node.arrivals.listen());
    let Ok(sink) = pending.accept().await else {
        return;
    };
    match wants {
        Wants::Heads => each(sink, heads, head).await,
        Wants::Logs(filter) => each(sink, heads, |head| logs(&filter, head)).await,
        Wants::Arrivals { whole: false } => each(sink, arrivals, |hash| vec![*hash]).await,
        Wants::Arrivals { whole: true } => each(sink, arrivals, |hash| waiting(&node, *hash)).await,
        Wants::Syncing => {
            // A block is final when it is the head: this node is never behind itself.
            if tell(&sink, &false).await {
                sink.closed().await;
            }
        }
    }
}

fn head(head: &Arc<NewHead>) -> Vec<HeaderShape> {
    vec![HeaderShape::new(&head.block.header, Some(head.hash))]
}

fn logs(filter: &LogFilter, head: &Arc<NewHead>) -> Vec<crate::shape::LogShape> {
    let mut found = Vec::new();
    if filter.matches_bloom(head.block.header.logs_bloom) {
        matching(filter, &head.block, head.hash, &head.receipts, &mut found);
    }
    found
}

fn waiting(node: &Node, hash: B256) -> Vec<TransactionShape> {
    let shape = node.waiting(hash).map(|pooled| {
        let transaction = pooled.transaction();
        TransactionShape::new(transaction.inner(), transaction.signer(), None)
    });
    shape.into_iter().collect()
}

/// Tells what each value becomes, until the client leaves or falls behind.
async fn each<T, S>(sink: SubscriptionSink, mut values: broadcast::Receiver<T>, shape: impl Fn(&T) -> Vec<S>)
where
    T: Clone,
    S: Serialize,
{
    loop {
        let value = tokio::select! {
            value = values.recv() => value,
            () = sink.closed() => return,
        };
        // Lagged or over: the sink is dropped, which ends the subscription.
        let Ok(value) = value else { return };
        for shape in shape(&value) {
            if !tell(&sink, &shape).await {
                return;
            }
        }
    }
}

async fn tell(sink: &SubscriptionSink, value: &impl Serialize) -> bool {
    let Ok(message) = serde_json::value::to_raw_value(value) else {
        return false;
    };
    sink.send(message).await.is_ok()
}
