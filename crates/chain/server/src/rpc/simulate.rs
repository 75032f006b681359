//! `eth_simulateV1`: blocks that might follow, one on the other, with everything that a real one has.
//!
//! ```text
//! blockStateCalls ─► order.rs: numbers, times, gaps filled ─► block.rs: overrides, calls, requests ─► root, hash ─► next
//! ```
//!
//! Source: execution-apis, `eth_simulateV1`; where it leaves something open, go-ethereum, internal/ethapi/simulate.go.

mod block;
mod changes;
mod envelope;
mod faults;
mod order;

use super::{Method, Query, answer};
use crate::exec::Scene;
use crate::fault::{Answer, Fault};
use crate::source::{block_env, cfg_env};
use alloy_rpc_types_eth::simulate::SimulatePayload;
use block::Simulated;
use purlin_chain_proto::{B256, Header, U256};

pub(super) const METHODS: &[Method] = &[Method::execute("eth_simulateV1", 2, simulate)];

/// What all blocks of one simulation share.
pub(super) struct Simulation<'q> {
    query: &'q Query<'q>,
    scene: Scene,
    /// The block that the first one follows.
    base: u64,
    /// Gas that the calls may still use together.
    gas_left: u64,
    /// The rules for real transactions hold.
    validation: bool,
    trace_transfers: bool,
    whole_transactions: bool,
}

fn simulate(query: &Query<'_>) -> Answer {
    let payload: SimulatePayload = query.args.need(0)?;
    let number = query.block_at(1)?;
    if payload.block_state_calls.is_empty() {
        return Err(Fault::params("empty input"));
    }
    let base = query
        .node
        .source
        .header(number)?
        .ok_or_else(Fault::header_not_found)?;
    let blocks = order::ordered(payload.block_state_calls, &base.header)?;
    let mut simulation = Simulation {
        query,
        scene: query.node.source.scene(number, query.until)?,
        base: number,
        gas_left: query.node.settings.rpc.gas_cap,
        validation: payload.validation,
        trace_transfers: payload.trace_transfers,
        whole_transactions: payload.return_full_transactions,
    };
    let (mut parent, mut parent_hash) = (base.header.clone(), base.hash);
    let mut simulated: Vec<Simulated> = Vec::with_capacity(blocks.len());
    for block in blocks {
        query.in_time()?;
        let (header, done) = simulation.block(block, &parent, parent_hash)?;
        parent_hash = done.hash;
        parent = header;
        simulated.push(done);
    }
    answer(&simulated)
}

impl Simulation<'_> {
    /// Sets the stage for a block with this header.
    fn enter(&mut self, header: &Header) {
        let spec = self.query.node.source.spec();
        let scene = &mut self.scene;
        scene.block = block_env(spec, header);
        scene.cfg = cfg_env(spec, header);
        scene.moved = crate::exec::Moved::default();
        scene.relax();
        scene.cfg.disable_nonce_check = !self.validation;
        scene.cfg.tx_chain_id_check = true;
        // The header's limit is kept by `block.rs`, which knows what the calls before have used.
        scene.cfg.disable_block_gas_limit = true;
    }

    /// Lets later blocks ask for this one's hash.
    fn remember(&mut self, number: u64, hash: B256) {
        self.scene.db.cache.block_hashes.insert(U256::from(number), hash);
    }

    /// The root of the state as it is now.
    fn root(&self) -> Result<B256, Fault> {
        let changes = changes::of(&self.scene.db);
        self.query.node.source.root_at(self.base, &changes)
    }
}
