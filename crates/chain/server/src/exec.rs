//! Code run for an answer: at a block, with changes laid over its state, under an inspector, never past the deadline.

mod deadline;
mod moved;

pub(crate) use moved::Moved;

use crate::fault::Fault;
use crate::source::SceneDb;
use deadline::Deadline;
use purlin_chain_proto::{Address, Bytes};
use revm::context::result::{
    EVMError, ExecutionResult, HaltReason, InvalidTransaction, OutOfGasError, ResultAndState,
};
use revm::context::{BlockEnv, CfgEnv, Context, Evm, TxEnv};
use revm::handler::instructions::EthInstructions;
use revm::{
    DatabaseCommit as _, InspectEvm as _, Inspector, MainBuilder as _, MainContext as _, SystemCallEvm as _,
};
use std::time::Instant;

/// A block's surroundings and the state before what is run.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub block: BlockEnv,
    pub cfg: CfgEnv,
    pub db: SceneDb,
    /// Precompiled contracts that an override moved or covered.
    pub moved: Moved,
    pub until: Instant,
}

/// What revm runs over here.
pub(crate) type SceneContext<'a> = Context<BlockEnv, TxEnv, CfgEnv, &'a mut SceneDb>;

impl Scene {
    /// Rules for what nobody signed: neither nonce, nor who may send, nor the block's room are checked.
    pub(crate) fn relax(&mut self) {
        self.cfg.disable_nonce_check = true;
        self.cfg.disable_eip3607 = true;
        self.cfg.disable_block_gas_limit = true;
        self.cfg.tx_gas_limit_cap = Some(u64::MAX);
        self.cfg.tx_chain_id_check = false;
    }

    /// A call that names no price pays none, and sees a base fee of zero, as in geth.
    pub(crate) fn free_of_charge(&mut self, transaction: &TxEnv) {
        if transaction.gas_price == 0 {
            self.block.basefee = 0;
        }
        if transaction.max_fee_per_blob_gas == 0
            && let Some(blobs) = &mut self.block.blob_excess_gas_and_price
        {
            blobs.blob_gasprice = 0;
        }
    }

    /// Runs a transaction under an inspector. Its changes come back, they are not applied.
    pub(crate) fn inspect<'a, I>(
        &'a mut self,
        transaction: TxEnv,
        inspector: &'a mut I,
    ) -> Result<ResultAndState<HaltReason>, Refused>
    where
        I: Inspector<SceneContext<'a>>,
    {
        let spec = self.cfg.spec;
        let mut deadline = Deadline::new(self.until);
        let context = Context::mainnet()
            .with_db(&mut self.db)
            .with_block(self.block.clone())
            .with_cfg(self.cfg.clone());
        let instructions = EthInstructions::new_mainnet_with_spec(spec);
        let precompiles = self.moved.precompiles(spec);
        let mut evm = Evm::new_with_inspector(context, (inspector, &mut deadline), instructions, precompiles);
        let result = evm.inspect_tx(transaction);
        drop(evm);
        if deadline.passed() {
            return Err(Refused::Fault(Fault::timeout()));
        }
        result.map_err(|error| match error {
            EVMError::Transaction(why) => Refused::Invalid(why),
            EVMError::Database(error) => Refused::Fault(Fault::internal(error)),
            other => Refused::Fault(Fault::internal(other)),
        })
    }

    /// A call by the system address, with gas of its own (EIP-4788 and others); its changes are applied.
    pub(crate) fn system_call(&mut self, contract: Address, data: Bytes) -> Result<ExecutionResult, Fault> {
        let context = Context::mainnet()
            .with_db(&mut self.db)
            .with_block(self.block.clone())
            .with_cfg(self.cfg.clone());
        let done = context
            .build_mainnet()
            .system_call(contract, data)
            .map_err(Fault::internal)?;
        self.db.commit(done.state);
        Ok(done.result)
    }

    /// Runs a transaction.
    pub(crate) fn run(&mut self, transaction: TxEnv) -> Result<ResultAndState<HaltReason>, Refused> {
        self.inspect(transaction, &mut revm::inspector::NoOpInspector)
    }
}

/// Why something was not run to its end.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The rules do not let it begin.
    Invalid(InvalidTransaction),
    Fault(Fault),
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Fault(fault) => fault,
            Refused::Invalid(why) => Self::server(invalid_words(&why)),
        }
    }
}

/// Why a transaction cannot begin, in geth's words where tools match on them.
pub(crate) fn invalid_words(why: &InvalidTransaction) -> String {
    match why {
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: have {balance} want {fee}")
        }
        InvalidTransaction::NonceOverflowInTransaction => "nonce has max value".to_owned(),
        InvalidTransaction::GasPriceLessThanBasefee => "max fee per gas less than block base fee".to_owned(),
        InvalidTransaction::PriorityFeeGreaterThanMaxFee => {
            "max priority fee per gas higher than max fee per gas".to_owned()
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit {
            initial_gas,
            gas_limit,
        } => {
            format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}")
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
        }
        InvalidTransaction::NonceTooLow { tx, state } => {
            format!("nonce too low: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::NonceTooHigh { tx, state } => {
            format!("nonce too high: next nonce {state}, tx nonce {tx}")
        }
        other => other.to_string(),
    }
}

/// What a halt is called, as geth says it.
pub(crate) fn halt_words(reason: &HaltReason) -> String {
    match reason {
        HaltReason::OutOfGas(OutOfGasError::Basic | OutOfGasError::MemoryLimit | OutOfGasError::Memory) => {
            "out of gas".to_owned()
        }
        HaltReason::OutOfGas(_) => "out of gas".to_owned(),
        HaltReason::OpcodeNotFound => "invalid opcode".to_owned(),
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID".to_owned(),
        HaltReason::InvalidJump => "invalid jump destination".to_owned(),
        HaltReason::StackUnderflow => "stack underflow".to_owned(),
        HaltReason::StackOverflow => "stack limit reached 1024 (1023)".to_owned(),
        HaltReason::CreateCollision => "contract address collision".to_owned(),
        HaltReason::CreateContractSizeLimit => "max code size exceeded".to_owned(),
        HaltReason::CreateInitCodeSizeLimit => "max initcode size exceeded".to_owned(),
        HaltReason::CallTooDeep => "max call depth exceeded".to_owned(),
        HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
            "write protection".to_owned()
        }
        HaltReason::OutOfFunds => "insufficient balance for transfer".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a call gives back, or the error that geth tells for it.
pub(crate) fn output(result: ExecutionResult) -> Result<Bytes, Fault> {
    match result {
        ExecutionResult::Success { output, .. } => Ok(output.into_data()),
        ExecutionResult::Revert { output, .. } => Err(Fault::reverted(&output)),
        ExecutionResult::Halt { reason, .. } => Err(Fault::server(halt_words(&reason))),
    }
}
