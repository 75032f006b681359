//! What the transactions of a block do to a state, by revm.
//!
//! ```text
//!   StateRead ──> Layer (what the block has read and changed so far) ──> Changes
//!                   ▲ each transaction's changes, or none of them
//!   system calls ─> transactions ─> withdrawals, rewards, requests
//! ```
//!
//! It knows no store: where the state comes from is a trait, where the changes go is the caller's affair. It checks no
//! header; gas, roots and requests come back as values.

mod constantinople;
mod database;
mod environment;
mod layer;
mod refusal;
mod requests;
mod rewards;

pub use database::{StateDatabase, with_changes};
pub use environment::{block_env, cfg_env, spec_id, tx_env};
pub use refusal::ExecutionRefusal;

use crate::state::{Changes, StateRead};
use crate::store::{StateError, StoreError};
use alloy_consensus::{Eip658Value, Receipt as ReceiptBody, ReceiptWithBloom, Transaction as _};
use alloy_eips::{eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS};
use layer::Layer;
use purlin_chain_proto::{
    Address, B256, Bytes, ChainSpec, Fork, Header, Receipt, Recovered, Requests, Transaction, roots,
};
use purlin_chain_proto::{Body, Withdrawal};
use revm::{
    Context, ExecuteEvm, Journal, MainBuilder, MainnetEvm, SystemCallEvm,
    context::{
        BlockEnv, CfgEnv, ContextTr, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    state::EvmState,
};

/// Why a block could not be executed to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    #[error("transaction {index}: {refusal}")]
    Refused { index: usize, refusal: ExecutionRefusal },
    /// Without these the block is invalid, whatever its header says (EIP-7002, EIP-7251).
    #[error(
        "the system contract {contract} {what}; from prague on each block calls it, so the genesis must hold it"
    )]
    SystemCall { contract: Address, what: &'static str },
    #[error("transaction {index}: a log of the deposit contract is not laid out as EIP-6110 says")]
    Deposit { index: usize },
    #[error("the interpreter gave up: {0}")]
    Interpreter(String),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Store(#[from] Box<StoreError>),
}

/// What a block did.
#[derive(Debug)]
pub struct Outcome {
    pub changes: Changes,
    pub receipts: Vec<Receipt>,
    pub gas_used: u64,
    /// Empty before Prague (EIP-7685).
    pub requests: Requests,
}

/// The root of the state after these changes.
pub type RootOf<'a> = &'a dyn Fn(&Changes) -> Result<B256, StoreError>;

type Evm<'a> = MainnetEvm<Context<BlockEnv, TxEnv, CfgEnv, Layer<'a>, Journal<Layer<'a>>, ()>>;

/// A block under execution. A transaction that is refused leaves no trace.
pub struct Executor<'a> {
    spec: &'a ChainSpec,
    fork: Fork,
    evm: Evm<'a>,
    receipts: Vec<Receipt>,
    gas_used: u64,
    root_of: Option<RootOf<'a>>,
}

impl std::fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let transactions = self.receipts.len();
        f.debug_struct("Executor")
            .field("fork", &self.fork)
            .field("transactions", &transactions)
            .field("gas_used", &self.gas_used)
            .finish_non_exhaustive()
    }
}

impl<'a> Executor<'a> {
    /// Begins a block over its parent's state: the system calls before the first transaction (EIP-4788, EIP-2935).
    ///
    /// Of `header`, number, timestamp, beneficiary, limits, fees, difficulty or randomness, parent and beacon root must be
    /// set. Receipts before Byzantium carry a state root; `root_of` tells it. Without it they carry the status.
    ///
    /// # Errors
    ///
    /// State that cannot be read.
    pub fn begin(
        spec: &'a ChainSpec,
        header: &Header,
        state: &'a dyn StateRead,
        root_of: Option<RootOf<'a>>,
    ) -> Result<Self, ExecuteError> {
        let fork = spec.fork_at(header.number, header.timestamp);
        let cfg = cfg_env(spec, header);
        let layer = Layer::new(state);
        let context: Context<BlockEnv, TxEnv, CfgEnv, Layer<'a>, Journal<Layer<'a>>, ()> =
            Context::new(layer, spec_id(fork));
        let mut evm = context
            .with_block(block_env(spec, header))
            .with_cfg(cfg)
            .build_mainnet();
        constantinople::adapt(fork, &mut evm);
        let root_of = root_of.filter(|_| fork < Fork::Byzantium);
        let mut executor = Self {
            spec,
            fork,
            evm,
            receipts: Vec::new(),
            gas_used: 0,
            root_of,
        };
        executor.open(header)?;
        Ok(executor)
    }

    fn open(&mut self, header: &Header) -> Result<(), ExecuteError> {
        if header.number == 0 {
            return Ok(());
        }
        if let Some(root) = header
            .parent_beacon_block_root
            .filter(|_| self.fork >= Fork::Cancun)
        {
            self.system_call(BEACON_ROOTS_ADDRESS, root.0.into())?;
        }
        if self.fork >= Fork::Prague {
            self.system_call(HISTORY_STORAGE_ADDRESS, header.parent_hash.0.into())?;
        }
        Ok(())
    }

    /// Gas that later transactions may still have.
    pub fn gas_left(&self) -> u64 {
        self.evm.ctx.block.gas_limit - self.gas_used
    }

    /// Gas used so far.
    pub fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Executes the next transaction, all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::Refused`] when it may not stand here; the block can go on with another one.
    pub fn transact(&mut self, transaction: &Transaction, sender: Address) -> Result<&Receipt, ExecuteError> {
        let index = self.receipts.len();
        let refused = |refusal| ExecuteError::Refused { index, refusal };
        let (wanted, left) = (transaction.gas_limit(), self.gas_left());
        if wanted > left {
            return Err(refused(ExecutionRefusal::BlockGas { wanted, left }));
        }
        let result = match self.evm.transact_one(tx_env(transaction, sender)) {
            Ok(result) => result,
            Err(error) => {
                drop(self.evm.finalize());
                return Err(self.failed(error, |invalid| refused(ExecutionRefusal::new(invalid, sender))));
            }
        };
        let state = self.evm.finalize();
        self.commit(state);
        self.gas_used += result.tx_gas_used();
        let receipt = self.receipt(transaction, result)?;
        self.receipts.push(receipt);
        Ok(self.receipts.last().expect("pushed above"))
    }

    fn receipt(&self, transaction: &Transaction, result: ExecutionResult) -> Result<Receipt, ExecuteError> {
        let status = match self.root_of {
            Some(root_of) => Eip658Value::PostState(root_of(&self.layer().changes()).map_err(Box::new)?),
            None => Eip658Value::Eip658(result.is_success()),
        };
        let logs = result.into_logs();
        let logs_bloom = roots::logs_bloom(&logs);
        let receipt = ReceiptBody {
            status,
            cumulative_gas_used: self.gas_used,
            logs,
        };
        Ok(Receipt::from_typed(
            transaction.tx_type(),
            ReceiptWithBloom { receipt, logs_bloom },
        ))
    }

    /// Ends the block: withdrawals (EIP-4895), rewards before the merge, requests from Prague on.
    ///
    /// # Errors
    ///
    /// A system contract that is missing or fails, a deposit that cannot be read, state that cannot be read.
    pub fn finish(mut self, header: &Header, body: &Body) -> Result<Outcome, ExecuteError> {
        let requests = if self.fork >= Fork::Prague {
            self.requests()?
        } else {
            Requests::default()
        };
        for withdrawal in body.withdrawals.iter().flat_map(|withdrawals| withdrawals.iter()) {
            self.withdraw(withdrawal)?;
        }
        for (address, amount) in rewards::of(self.fork, header, &body.ommers) {
            self.layer_mut().increase(address, amount)?;
        }
        let changes = self.layer().changes();
        Ok(Outcome {
            changes,
            receipts: self.receipts,
            gas_used: self.gas_used,
            requests,
        })
    }

    /// What the block has changed so far.
    pub fn changes(&self) -> Changes {
        self.layer().changes()
    }

    /// The amount is in gwei; an amount of zero changes nothing.
    fn withdraw(&mut self, withdrawal: &Withdrawal) -> Result<(), StateError> {
        self.layer_mut()
            .increase(withdrawal.address, withdrawal.amount_wei())
    }

    /// A call by the system address: no fee, no nonce, gas of its own.
    fn system_call(&mut self, contract: Address, data: Bytes) -> Result<ExecutionResult, ExecuteError> {
        let result = self.evm.system_call_one(contract, data);
        let state = self.evm.finalize();
        match result {
            Ok(result) => {
                self.commit(state);
                Ok(result)
            }
            Err(error) => Err(self.failed(error, |_| ExecuteError::SystemCall {
                contract,
                what: "refuses the call",
            })),
        }
    }

    fn failed<T>(
        &self,
        error: EVMError<StateError, T>,
        refused: impl FnOnce(T) -> ExecuteError,
    ) -> ExecuteError {
        match error {
            EVMError::Transaction(invalid) => refused(invalid),
            EVMError::Database(error) => error.into(),
            EVMError::Header(fault) => ExecuteError::Interpreter(fault.to_string()),
            EVMError::Custom(text) => ExecuteError::Interpreter(text),
            EVMError::CustomAny(error) => ExecuteError::Interpreter(error.to_string()),
        }
    }

    fn commit(&mut self, state: EvmState) {
        self.layer_mut().commit(state);
    }

    fn layer(&self) -> &Layer<'a> {
        self.evm.ctx.db()
    }

    fn layer_mut(&mut self) -> &mut Layer<'a> {
        self.evm.ctx.db_mut()
    }
}

/// Executes a whole block over its parent's state.
///
/// # Errors
///
/// As [`Executor::transact`] and [`Executor::finish`].
pub fn execute<'a>(
    spec: &'a ChainSpec,
    header: &Header,
    body: &Body,
    senders: &[Address],
    state: &'a dyn StateRead,
    root_of: Option<RootOf<'a>>,
) -> Result<Outcome, ExecuteError> {
    let mut executor = Executor::begin(spec, header, state, root_of)?;
    for (transaction, sender) in body.transactions.iter().zip(senders) {
        executor.transact(transaction, *sender)?;
    }
    executor.finish(header, body)
}

/// A transaction and its sender, as [`Executor::transact`] takes them.
pub fn parts(recovered: &Recovered) -> (&Transaction, Address) {
    (recovered.inner(), recovered.signer())
}
