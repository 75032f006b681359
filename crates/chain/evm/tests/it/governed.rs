//! Chains whose validators vote: two that execute the same blocks, and the contract's answers.

use crate::signed::{CHAIN_ID, Signer, chain, development, next, signers};
use alloy_consensus::{Transaction as _, TxEip1559};
use alloy_primitives::keccak256;
use purlin_chain_core::{
    constitution::{ADDRESS, Constitution, Vote, code, genesis_storage},
    quorum::{Change, ValidatorSet},
};
use purlin_chain_evm::{Chain, Imported, StateRead, execute::tx_env};
use purlin_chain_proto::{
    Address, Bytes, ChainSpec, ConsensusSpec, Genesis, GenesisAccount, Receipt, Recovered, TxKind, U256,
};
use revm::{Context, ExecuteEvm, MainBuilder, MainContext, context::result::ExecutionResult};
use std::time::Duration;

pub(crate) const PERIOD: Duration = Duration::from_millis(250);

/// The genesis of a chain in which the first of these decide, with these powers, and where `held` has the contract.
pub(crate) fn genesis(all: &[Signer], powers: &[u64], held: bool) -> Genesis {
    let mut genesis = development(all).genesis().clone();
    let validators: Vec<(Address, u64)> = all
        .iter()
        .zip(powers)
        .map(|(signer, power)| (signer.address, *power))
        .collect();
    let consensus = ConsensusSpec {
        validators: validators.clone(),
        period: PERIOD,
        gas_limit: genesis.gas_limit,
    };
    consensus.write(&mut genesis.config);
    if held {
        let first = Constitution {
            from: 0,
            validators: ValidatorSet::new(validators).expect("a set"),
            period: PERIOD,
            gas_limit: genesis.gas_limit,
        };
        genesis.alloc.insert(ADDRESS, account(&first));
    }
    genesis
}

/// The contract's account where this is version 0.
pub(crate) fn account(first: &Constitution) -> GenesisAccount {
    GenesisAccount {
        nonce: Some(1),
        code: Some(code()),
        storage: Some(genesis_storage(first)),
        ..GenesisAccount::default()
    }
}

pub(crate) fn certificate() -> Bytes {
    vec![1; 70].into()
}

/// A transaction to the contract.
fn send(signer: &Signer, nonce: u64, input: Bytes) -> Recovered {
    signer.sign(TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 4_900_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(ADDRESS),
        input,
        ..TxEip1559::default()
    })
}

#[derive(Debug)]
pub(crate) struct Governed {
    pub(crate) all: Vec<Signer>,
    pub(crate) one: Chain,
    two: Chain,
}

impl Governed {
    /// As many accounts as `accounts`, the first of them validators with these powers.
    pub(crate) fn new(accounts: u64, powers: &[u64]) -> Self {
        let all = signers(accounts);
        let spec = ChainSpec::from_genesis(genesis(&all, powers, true)).expect("a chain with validators");
        let (one, two) = (chain(spec.clone()), chain(spec));
        Self { all, one, two }
    }

    /// The same with this chain for one of the two.
    pub(crate) fn with(self, one: Chain) -> Self {
        Self { one, ..self }
    }

    pub(crate) fn address(&self, n: usize) -> Address {
        self.all[n].address
    }

    pub(crate) fn head(&self) -> u64 {
        self.one.head().header.number
    }

    /// The set in force at a height.
    pub(crate) fn set(&self, height: u64) -> ValidatorSet {
        self.at(height).validators.clone()
    }

    pub(crate) fn at(&self, height: u64) -> Constitution {
        let at = self.one.constitution(height).expect("fixed");
        Constitution::clone(&at)
    }

    pub(crate) fn add(&self, n: usize, power: u64) -> Vote {
        let validator = self.address(n);
        Vote::Set(Change::Add { validator, power })
    }

    pub(crate) fn remove(&self, n: usize) -> Vote {
        let validator = self.address(n);
        Vote::Set(Change::Remove { validator })
    }

    pub(crate) fn weigh(&self, n: usize, power: u64) -> Vote {
        let validator = self.address(n);
        Vote::Set(Change::Weight { validator, power })
    }

    /// One block with these votes, on both chains; which of them counted.
    pub(crate) fn block(&self, votes: &[(usize, Vote)]) -> Vec<bool> {
        let receipts = self.receipts(votes);
        receipts.iter().map(alloy_consensus::TxReceipt::status).collect()
    }

    pub(crate) fn receipts(&self, votes: &[(usize, Vote)]) -> Vec<Receipt> {
        let mut transactions: Vec<Recovered> = Vec::new();
        for (who, vote) in votes {
            let signer = &self.all[*who];
            let state = self.one.store().latest().expect("state");
            let account = state.account(signer.address).expect("state").expect("funded");
            let mine = |before: &&Recovered| before.signer() == signer.address;
            let nonce = account.nonce + transactions.iter().filter(mine).count() as u64;
            transactions.push(send(signer, nonce, vote.call_data()));
        }
        let (prepared, refused) = self
            .one
            .prepare(next(&self.one), transactions.into_iter())
            .expect("a block");
        assert!(refused.is_empty(), "{refused:?}");
        let block = prepared.block().clone();
        assert_eq!(block.body.transactions.len(), votes.len());
        assert!(
            block
                .body
                .transactions
                .iter()
                .all(|one| one.to() == Some(ADDRESS))
        );
        let receipts = prepared.receipts().to_vec();
        self.one.commit(prepared, Some(certificate())).expect("decided");
        let imported = self.two.import_decided(block, certificate(), |_| None);
        assert!(matches!(imported.expect("a good block"), Imported::New(_)));
        assert_eq!(self.one.constitutions(), self.two.constitutions());
        receipts
    }

    /// Blocks without a vote until this height is the head.
    pub(crate) fn go_on(&self, height: u64) {
        while self.head() < height {
            self.block(&[]);
        }
    }

    /// What a call comes to in the next block: what it returns, or the words of its refusal.
    pub(crate) fn ask(&self, who: usize, input: Bytes) -> Result<Bytes, String> {
        let head = self.head();
        let mut view = self.one.view(head).expect("a view");
        view.block_env.number += U256::ONE;
        let signer = &self.all[who];
        let state = self.one.store().latest().expect("state");
        let nonce = state
            .account(signer.address)
            .expect("state")
            .expect("funded")
            .nonce;
        let transaction = send(signer, nonce, input);
        let mut evm = Context::mainnet()
            .with_db(view.db)
            .with_block(view.block_env)
            .with_cfg(view.cfg_env)
            .build_mainnet();
        let result = evm.transact_one(tx_env(&transaction, signer.address));
        match result.expect("valid") {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(words(&output)),
            ExecutionResult::Halt { reason, .. } => panic!("{reason:?}"),
        }
    }

    /// Power and quorum of a call's votes, and whose they are.
    pub(crate) fn votes(&self, vote: &Vote) -> (u64, u64, Vec<Address>) {
        let data = vote.call_data();
        let mut input = keccak256("votes(bytes)")[..4].to_vec();
        for word in [32, data.len()] {
            input.extend(U256::from(word).to_be_bytes::<32>());
        }
        input.extend_from_slice(&data);
        input.resize(input.len().next_multiple_of(32) + 4, 0);
        let output = self.ask(0, input.into()).expect("an answer");
        let words = numbers(&output);
        let who = words[4..].iter().map(|word| Address::from_word((*word).into()));
        (words[0].to(), words[1].to(), who.collect())
    }
}

/// The words of 32 octets.
pub(crate) fn numbers(output: &[u8]) -> Vec<U256> {
    output.chunks(32).map(U256::from_be_slice).collect()
}

/// What `Error(string)` says.
fn words(output: &[u8]) -> String {
    assert!(output.starts_with(&keccak256("Error(string)")[..4]), "{output:?}");
    let length: usize = U256::from_be_slice(&output[36..68]).to();
    String::from_utf8(output[68..68 + length].to_vec()).expect("text")
}
