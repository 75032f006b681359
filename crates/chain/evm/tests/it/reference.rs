//! The same blocks through plain revm over its own in-memory database: what the chain must agree with.

use crate::memory::MemoryState;
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
};
use purlin_chain_evm::{
    Account, NewHead,
    execute::{block_env, cfg_env, tx_env},
};
use purlin_chain_proto::{B256, Bytes, ChainSpec, Fork, U256};
use revm::{
    Context, ExecuteCommitEvm, MainBuilder, MainContext, SystemCallCommitEvm,
    database::{AccountState, CacheDB, EmptyDB},
    state::{AccountInfo, Bytecode},
};

#[derive(Debug)]
pub(crate) struct Reference {
    spec: ChainSpec,
    db: CacheDB<EmptyDB>,
}

impl Reference {
    pub(crate) fn new(spec: ChainSpec) -> Self {
        let mut db = CacheDB::new(EmptyDB::new());
        for (address, given) in &spec.genesis().alloc {
            let code = Bytecode::new_raw(given.code.clone().unwrap_or_default());
            let nonce = given.nonce.unwrap_or(0);
            db.insert_account_info(
                *address,
                AccountInfo::new(given.balance, nonce, code.hash_slow(), code),
            );
            for (slot, value) in given.storage_slots() {
                db.insert_account_storage(*address, slot.into(), value)
                    .expect("in memory");
            }
        }
        Self { spec, db }
    }

    /// Executes the block's transactions anew and returns the root of all state after it.
    pub(crate) fn root_after(&mut self, head: &NewHead) -> B256 {
        let header = &head.block.header;
        let fork = self.spec.fork_at(header.number, header.timestamp);
        self.db
            .cache
            .block_hashes
            .insert(U256::from(header.number - 1), header.parent_hash);
        let mut evm = Context::mainnet()
            .with_db(&mut self.db)
            .with_block(block_env(&self.spec, header))
            .with_cfg(cfg_env(&self.spec, header))
            .build_mainnet();
        let mut system = Vec::new();
        if fork >= Fork::Cancun {
            system.push((
                BEACON_ROOTS_ADDRESS,
                header.parent_beacon_block_root.expect("cancun").0.into(),
            ));
        }
        if fork >= Fork::Prague {
            system.push((HISTORY_STORAGE_ADDRESS, header.parent_hash.0.into()));
        }
        for (contract, data) in system {
            evm.system_call_commit(contract, data).expect("a system call");
        }
        for (transaction, sender) in head.block.body.transactions.iter().zip(&head.senders) {
            evm.transact_commit(tx_env(transaction, *sender))
                .expect("valid in the block");
        }
        if fork >= Fork::Prague {
            for contract in [
                WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            ] {
                evm.system_call_commit(contract, Bytes::new())
                    .expect("a system call");
            }
        }
        self.state().root()
    }

    /// Everything in the database; EIP-161 leaves no empty accounts.
    fn state(&self) -> MemoryState {
        let mut state = MemoryState::default();
        for (address, account) in &self.db.cache.accounts {
            let AccountInfo {
                nonce,
                balance,
                code_hash,
                ..
            } = account.info;
            if account.account_state == AccountState::NotExisting || account.info.is_empty() {
                continue;
            }
            state.accounts.insert(
                *address,
                Account {
                    nonce,
                    balance,
                    code_hash,
                },
            );
            state.storage.insert(
                *address,
                account
                    .storage
                    .iter()
                    .map(|(slot, value)| (*slot, *value))
                    .collect(),
            );
        }
        state
    }
}
