//! `eth_call`.

use super::place::Place;
use super::{Method, Query, answer, overrides, request};
use crate::exec::{Scene, output};
use crate::fault::{Answer, Fault};
use alloy_rpc_types_eth::state::StateOverride;
use alloy_rpc_types_eth::{BlockOverrides, TransactionRequest};
use revm::context::TxEnv;

pub(super) const METHODS: &[Method] = &[Method::execute("eth_call", 4, call)];

/// A place with the overrides of these arguments on it.
pub(super) fn scene(
    query: &Query<'_>,
    place: &Place,
    state: Option<&StateOverride>,
    block: Option<&BlockOverrides>,
) -> Result<Scene, Fault> {
    let mut scene = query.scene_at(place)?;
    if let Some(changes) = block {
        overrides::block(&mut scene, changes)?;
    }
    if let Some(changes) = state {
        overrides::state(&mut scene, changes)?;
    }
    scene.relax();
    Ok(scene)
}

/// The scene and the transaction of `(request, block, state overrides, block overrides)`.
pub(super) fn arguments(query: &Query<'_>) -> Result<(Scene, TxEnv), Fault> {
    let asked: TransactionRequest = query.args.need(0)?;
    let place = query.place(1)?;
    let state: Option<StateOverride> = query.args.maybe(2)?;
    let block: Option<BlockOverrides> = query.args.maybe(3)?;
    let mut scene = scene(query, &place, state.as_ref(), block.as_ref())?;
    let transaction = transaction(query, asked, &mut scene)?;
    Ok((scene, transaction))
}

/// A request as a transaction on this chain, with the gas that calls may use.
pub(super) fn transaction(
    query: &Query<'_>,
    asked: TransactionRequest,
    scene: &mut Scene,
) -> Result<TxEnv, Fault> {
    let chain_id = query.node.source.spec().chain_id();
    let transaction = request::transaction(asked, scene, chain_id, query.node.settings.rpc.gas_cap)?;
    scene.free_of_charge(&transaction);
    Ok(transaction)
}

fn call(query: &Query<'_>) -> Answer {
    let (mut scene, transaction) = arguments(query)?;
    answer(&output(scene.run(transaction)?.result)?)
}
