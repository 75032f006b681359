//! `debug_trace*`: transactions run again under an inspector. Tracers: struct logs (none named), `callTracer`,
//! `prestateTracer`, `4byteTracer`, `flatCallTracer`, `muxTracer`, `noopTracer`. No scripts.

use super::blocks::Found;
use super::call::{scene, transaction};
use super::transactions::find;
use super::{Method, Query, answer};
use crate::exec::Scene;
use crate::fault::{Answer, Fault};
use crate::source::{Stored, tx_env};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
use purlin_chain_proto::B256;
use revm::DatabaseCommit as _;
use revm::context::TxEnv;
use revm_inspectors::tracing::{DebugInspector, TransactionContext};

pub(super) const METHODS: &[Method] = &[
    Method::execute("debug_traceTransaction", 2, one),
    Method::execute("debug_traceBlockByNumber", 2, |query| {
        block(query, super::blocks::named(query)?)
    }),
    Method::execute("debug_traceBlockByHash", 2, |query| {
        block(query, super::blocks::hashed(query)?)
    }),
    Method::execute("debug_traceCall", 3, call),
];

fn inspector(options: GethDebugTracingOptions) -> Result<DebugInspector, Fault> {
    DebugInspector::new(options).map_err(|e| Fault::server(e.to_string()))
}

fn one(query: &Query<'_>) -> Answer {
    let hash = query.args.hash(0)?;
    let mut inspector = inspector(query.args.maybe(1)?.unwrap_or_default())?;
    let (stored, index) = find(query, hash)?.ok_or_else(|| Fault::server("transaction not found"))?;
    let mut scene = query.node.source.replay(&stored, index, query.until)?;
    answer(&traced(&mut scene, &mut inspector, &stored, index)?)
}

fn block(query: &Query<'_>, found: Option<Found>) -> Answer {
    let mut inspector = inspector(query.args.maybe(1)?.unwrap_or_default())?;
    let stored = match found {
        None => return Err(Fault::server("block not found")),
        Some(Found { pending: true, .. }) => {
            return Err(Fault::server(
                "the pending block is not traced: it is not there yet",
            ));
        }
        Some(Found { stored, .. }) => stored,
    };
    let mut scene = query.node.source.replay(&stored, 0, query.until)?;
    let mut results = Vec::with_capacity(stored.senders.len());
    for (index, transaction) in stored.block.body.transactions.iter().enumerate() {
        query.in_time()?;
        let result = traced(&mut scene, &mut inspector, &stored, index)?;
        results.push(TraceResult::new_success(result, Some(*transaction.tx_hash())));
        inspector.fuse().map_err(Fault::internal)?;
    }
    answer(&results)
}

/// Traces one transaction of a block; the scene stands after it then.
fn traced(
    scene: &mut Scene,
    inspector: &mut DebugInspector,
    stored: &Stored,
    index: usize,
) -> Result<GethTrace, Fault> {
    let transaction = &stored.block.body.transactions[index];
    let context = TransactionContext::default()
        .with_block_hash(stored.hash)
        .with_tx_index(index)
        .with_tx_hash(*transaction.tx_hash());
    run(
        scene,
        inspector,
        &tx_env(transaction, stored.senders[index]),
        Some(context),
    )
}

fn run(
    scene: &mut Scene,
    inspector: &mut DebugInspector,
    transaction: &TxEnv,
    context: Option<TransactionContext>,
) -> Result<GethTrace, Fault> {
    let result = scene.inspect(transaction.clone(), inspector)?;
    let trace = inspector
        .get_result(context, transaction, &scene.block, &result, &mut scene.db)
        .map_err(Fault::internal)?;
    scene.db.commit(result.state);
    Ok(without_zeros(trace))
}

/// Geth leaves out a refund of zero, and memory and returned octets that are empty.
fn without_zeros(mut trace: GethTrace) -> GethTrace {
    if let GethTrace::Default(frame) = &mut trace {
        for step in &mut frame.struct_logs {
            step.refund_counter = step.refund_counter.filter(|refund| *refund != 0);
            step.memory = step.memory.take().filter(|memory| !memory.is_empty());
            step.return_data = step.return_data.take().filter(|octets| !octets.is_empty());
        }
    }
    trace
}

fn call(query: &Query<'_>) -> Answer {
    let asked: TransactionRequest = query.args.need(0)?;
    let place = query.place(1)?;
    let options: GethDebugTracingCallOptions = query.args.maybe(2)?.unwrap_or_default();
    let mut inspector = inspector(options.tracing_options)?;
    let state = options.state_overrides.as_ref();
    let mut scene = match options.tx_index {
        None => scene(query, &place, state, options.block_overrides.as_ref())?,
        Some(_) => return Err(Fault::params("txIndex is not supported: name a block")),
    };
    let transaction = transaction(query, asked, &mut scene)?;
    let context = TransactionContext::default().with_tx_hash(B256::ZERO);
    answer(&run(&mut scene, &mut inspector, &transaction, Some(context))?)
}
