//! One simulated block: overrides, system calls, the calls, requests, roots.

use super::order::Ordered;
use super::{Simulation, envelope, faults};
use crate::exec::{Refused, halt_words};
use crate::fault::Fault;
use crate::rpc::{overrides, request};
use crate::shape::{BlockShape, LogPlace, LogShape, Transactions};
use alloy_consensus::{Eip658Value, Receipt as ReceiptBody, ReceiptWithBloom};
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::U64;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_eth::simulate::SimBlock;
use purlin_chain_proto::{
    Address, B256, Body, Bytes, Fork, Header, Log, Receipt, Requests, Transaction, Withdrawals, roots,
};
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, InvalidTransaction};
use revm::{Database as _, DatabaseCommit as _};
use revm_inspectors::transfer::{TRANSFER_LOG_EMITTER, TransferInspector};
use serde::Serialize;
use serde_json::{Value, json};

/// A simulated block as the answer shows it.
#[derive(Serialize)]
pub(super) struct Simulated {
    #[serde(flatten)]
    block: BlockShape,
    calls: Vec<Value>,
    #[serde(skip)]
    pub hash: B256,
}

/// What the calls of a block have come to so far.
#[derive(Default)]
struct Done {
    transactions: Vec<Transaction>,
    senders: Vec<Address>,
    receipts: Vec<Receipt>,
    results: Vec<ExecutionResult>,
    gas_used: u64,
    blob_gas_used: u64,
}

impl Simulation<'_> {
    pub(super) fn block(
        &mut self,
        block: Ordered,
        parent: &Header,
        parent_hash: B256,
    ) -> Result<(Header, Simulated), Fault> {
        let mut header = self.header(&block, parent, parent_hash);
        let fork = self
            .query
            .node
            .source
            .spec()
            .fork_at(header.number, header.timestamp);
        self.enter(&header);
        let SimBlock {
            block_overrides,
            state_overrides,
            calls,
        } = block.asked;
        if let Some(changes) = &block_overrides {
            overrides::block(&mut self.scene, changes)?;
        }
        if let Some(changes) = &state_overrides {
            overrides::state(&mut self.scene, changes)?;
        }
        self.open(&header, fork)?;
        let mut done = Done::default();
        for call in calls {
            self.query.in_time()?;
            self.call(call, &header, &mut done)?;
        }
        header.gas_used = done.gas_used;
        header.blob_gas_used = (fork >= Fork::Cancun).then_some(done.blob_gas_used);
        if fork >= Fork::Prague {
            header.requests_hash = Some(roots::requests(&self.requests()?));
        }
        header.transactions_root = roots::transactions(&done.transactions);
        header.receipts_root = roots::receipts(&done.receipts);
        header.logs_bloom = roots::bloom(&done.receipts);
        header.state_root = self.root()?;
        let hash = header.hash_slow();
        self.remember(header.number, hash);
        let simulated = self.shown(&header, hash, fork, done);
        Ok((header, simulated))
    }

    /// What is known before the first call. Limits and beneficiary stay as they were until an override changes them.
    fn header(&self, block: &Ordered, parent: &Header, parent_hash: B256) -> Header {
        let spec = self.query.node.source.spec();
        let (number, timestamp) = (block.number, block.timestamp);
        let fork = spec.fork_at(number, timestamp);
        let overrides = block.asked.block_overrides.clone().unwrap_or_default();
        let demanded = spec
            .next_base_fee(parent, timestamp)
            .map(|fee| if self.validation { fee } else { 0 });
        let named = overrides.base_fee.map(|fee| fee.saturating_to::<u64>());
        let shanghai = fork >= Fork::Shanghai;
        Header {
            parent_hash,
            number,
            timestamp,
            beneficiary: overrides.coinbase.unwrap_or(parent.beneficiary),
            difficulty: overrides.difficulty.unwrap_or(parent.difficulty),
            gas_limit: overrides.gas_limit.unwrap_or(parent.gas_limit),
            mix_hash: overrides.random.unwrap_or_default(),
            base_fee_per_gas: demanded.map(|fee| named.unwrap_or(fee)),
            withdrawals_root: shanghai.then_some(roots::EMPTY),
            excess_blob_gas: spec.next_excess_blob_gas(parent, timestamp),
            parent_beacon_block_root: (fork >= Fork::Cancun)
                .then(|| overrides.beacon_root.unwrap_or_default()),
            ..Header::default()
        }
    }

    /// The system calls before the first transaction (EIP-4788, EIP-2935).
    fn open(&mut self, header: &Header, fork: Fork) -> Result<(), Fault> {
        if let Some(root) = header.parent_beacon_block_root {
            self.scene
                .system_call(eip4788::BEACON_ROOTS_ADDRESS, root.0.into())?;
        }
        if fork >= Fork::Prague {
            self.scene
                .system_call(eip2935::HISTORY_STORAGE_ADDRESS, header.parent_hash.0.into())?;
        }
        Ok(())
    }

    /// What the system contracts have queued (EIP-7002, EIP-7251).
    fn requests(&mut self) -> Result<Requests, Fault> {
        let mut requests = Requests::default();
        for (kind, contract) in [
            (
                eip7002::WITHDRAWAL_REQUEST_TYPE,
                eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            ),
            (
                eip7251::CONSOLIDATION_REQUEST_TYPE,
                eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            ),
        ] {
            let queued = self.scene.system_call(contract, Bytes::new())?;
            requests.push_request_with_type(kind, queued.into_output().unwrap_or_default());
        }
        Ok(requests)
    }

    fn call(&mut self, mut asked: TransactionRequest, header: &Header, done: &mut Done) -> Result<(), Fault> {
        let left = header.gas_limit.saturating_sub(done.gas_used);
        let wanted = *asked.gas.get_or_insert(left);
        if wanted > left {
            return Err(faults::no_room(left, wanted));
        }
        if header.base_fee_per_gas.is_some() && asked.gas_price.is_none() {
            asked.max_fee_per_gas.get_or_insert(0);
            asked.max_priority_fee_per_gas.get_or_insert(0);
        }
        let chain_id = self.query.node.source.spec().chain_id();
        let env = request::transaction(asked, &mut self.scene, chain_id, self.gas_left)?;
        let (sender, gas) = (env.caller, env.gas_limit);
        let result = self
            .execute(&env, header)
            .map_err(|refused| faults::refused(refused, sender, gas))?;
        let used = result.tx_gas_used();
        self.gas_left = self.gas_left.saturating_sub(used);
        done.gas_used += used;
        done.blob_gas_used += env.blob_hashes.len() as u64 * DATA_GAS_PER_BLOB;
        let transaction = envelope::transaction(&env);
        let logs: Vec<Log> = logs(&result)
            .iter()
            .filter(|log| log.address != TRANSFER_LOG_EMITTER)
            .cloned()
            .collect();
        let logs_bloom = roots::logs_bloom(&logs);
        let receipt = ReceiptBody {
            status: Eip658Value::Eip658(result.is_success()),
            cumulative_gas_used: done.gas_used,
            logs,
        };
        done.receipts.push(Receipt::from_typed(
            transaction.tx_type(),
            ReceiptWithBloom { receipt, logs_bloom },
        ));
        done.transactions.push(transaction);
        done.senders.push(sender);
        done.results.push(result);
        Ok(())
    }

    fn execute(&mut self, env: &TxEnv, header: &Header) -> Result<ExecutionResult, Refused> {
        // Geth looks at the nonce before it looks at fees.
        if self.validation && env.nonce == u64::MAX {
            return Err(Refused::Invalid(InvalidTransaction::NonceOverflowInTransaction));
        }
        let base_fee = u128::from(header.base_fee_per_gas.unwrap_or(0));
        // Without validation, who names no price pays none, whatever the base fee is; a price that is named must do.
        let free = !self.validation && env.gas_price == 0;
        if !free && env.gas_price < base_fee {
            return Err(Refused::Invalid(InvalidTransaction::GasPriceLessThanBasefee));
        }
        self.scene.cfg.disable_base_fee = free;
        let mut transfers = TransferInspector::new(false).with_logs(self.trace_transfers);
        let last = env.nonce == u64::MAX && env.kind.is_call();
        if last {
            self.set_nonce(env.caller, u64::MAX - 1)?;
        }
        let as_before = TxEnv {
            nonce: env.nonce - u64::from(last),
            ..env.clone()
        };
        let executed = self.scene.inspect(as_before, &mut transfers)?;
        self.scene.db.commit(executed.state);
        if last {
            self.set_nonce(env.caller, 0)?;
        }
        Ok(executed.result)
    }

    /// Without validation geth counts past the last nonce, to 0; revm refuses the last one. So such a call runs under the one
    /// before it.
    fn set_nonce(&mut self, caller: Address, nonce: u64) -> Result<(), Refused> {
        let failed = |error| Refused::Fault(Fault::internal(error));
        let mut account = self.scene.db.basic(caller).map_err(failed)?.unwrap_or_default();
        account.nonce = nonce;
        self.scene.db.insert_account_info(caller, account);
        Ok(())
    }

    fn shown(&self, header: &Header, hash: B256, fork: Fork, done: Done) -> Simulated {
        let mut log_index = 0;
        let mut calls = Vec::with_capacity(done.results.len());
        for (index, (result, transaction)) in done.results.iter().zip(&done.transactions).enumerate() {
            let mut shapes = Vec::new();
            for log in logs(result) {
                let place = LogPlace {
                    block_hash: hash,
                    block_number: header.number,
                    block_timestamp: header.timestamp,
                    transaction_hash: *transaction.tx_hash(),
                    transaction_index: index as u64,
                    log_index,
                };
                shapes.push(LogShape::new(log, place));
                log_index += 1;
            }
            calls.push(call_shape(result, &shapes));
        }
        let withdrawals = (fork >= Fork::Shanghai).then(Withdrawals::default);
        let body = Body {
            transactions: done.transactions,
            withdrawals,
            ..Body::default()
        };
        let wanted = if self.whole_transactions {
            Transactions::Whole
        } else {
            Transactions::Hashes
        };
        let block = header.clone().into_block(body);
        Simulated {
            block: BlockShape::new(&block, Some(hash), &done.senders, wanted),
            calls,
            hash,
        }
    }
}

/// Logs of what was not undone.
fn logs(result: &ExecutionResult) -> &[Log] {
    match result {
        ExecutionResult::Success { logs, .. } => logs,
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => &[],
    }
}

fn call_shape(result: &ExecutionResult, logs: &[LogShape]) -> Value {
    let gas = result.gas();
    let mut shape = json!({
        "returnData": "0x",
        "logs": logs,
        "gasUsed": U64::from(gas.tx_gas_used()),
        "maxUsedGas": U64::from(gas.total_gas_spent().max(gas.floor_gas())),
        "status": U64::from(u8::from(result.is_success())),
    });
    match result {
        ExecutionResult::Success { output, .. } => shape["returnData"] = json!(output.data()),
        ExecutionResult::Revert { output, .. } => {
            let fault = Fault::reverted(output);
            shape["error"] = json!({ "code": fault.code(), "message": fault.message(), "data": output });
        }
        ExecutionResult::Halt { reason, .. } => {
            shape["error"] = json!({ "code": -32_015, "message": halt_words(reason) });
        }
    }
    shape
}
