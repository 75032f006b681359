//! Random transfers, creations, writes and self-destructs: two chains and plain revm agree on every root.

use crate::{
    reference::Reference,
    signed::{
        CHAIN_ID, FACTORY_CODE, START, STILLBORN, Signer, chain, development, funded, keeper_init, next,
        signers, words,
    },
};
use proptest::prelude::*;
use purlin_chain_evm::Imported;
use purlin_chain_proto::{Address, Bytes, ChainSpec, GenesisAccount, Recovered, TxKind, U256};
use serde_json::json;

const SIGNERS: u64 = 3;
const FACTORY: Address = Address::repeat_byte(0xfa);
/// Kinds of keepers, by the salt in their code: each has one address under the factory.
const KINDS: u8 = 3;

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Transfer {
        to: u8,
        value: u64,
    },
    /// A contract at an address that only comes once.
    Create {
        kind: u8,
    },
    /// A contract at an address where one may have been before.
    Create2 {
        kind: u8,
        value: u64,
    },
    Write {
        kind: u8,
        slot: u8,
        value: u8,
    },
    Destroy {
        kind: u8,
    },
    Stillborn {
        value: u64,
    },
}

fn action() -> impl Strategy<Value = Action> {
    let kind = || 0..KINDS;
    prop_oneof![
        (any::<u8>(), 0..1_000u64).prop_map(|(to, value)| Action::Transfer { to, value }),
        kind().prop_map(|kind| Action::Create { kind }),
        (kind(), 0..3u64).prop_map(|(kind, value)| Action::Create2 { kind, value }),
        (kind(), 0..4u8, 0..3u8).prop_map(|(kind, slot, value)| Action::Write { kind, slot, value }),
        kind().prop_map(|kind| Action::Destroy { kind }),
        (0..3u64).prop_map(|value| Action::Stillborn { value }),
    ]
}

fn keeper(kind: u8) -> Address {
    FACTORY.create2_from_code([0; 32], keeper_init(kind))
}

impl Action {
    pub(crate) fn sign(&self, signer: &Signer, nonce: u64) -> Recovered {
        match *self {
            Self::Transfer { to, value } => {
                signer.transfer(nonce, Address::repeat_byte(to % 8 + 0x20), value.into())
            }
            Self::Create { kind } => signer.call(nonce, TxKind::Create, 0, keeper_init(kind)),
            Self::Create2 { kind, value } => {
                signer.call(nonce, TxKind::Call(FACTORY), value.into(), keeper_init(kind))
            }
            Self::Write { kind, slot, value } => {
                signer.call(nonce, TxKind::Call(keeper(kind)), 0, words(slot, value))
            }
            Self::Destroy { kind } => {
                signer.call(nonce, TxKind::Call(keeper(kind)), 0, Bytes::from(vec![0; 66]))
            }
            Self::Stillborn { value } => signer.call(nonce, TxKind::Create, value.into(), STILLBORN),
        }
    }
}

pub(crate) fn with_factory(spec: &ChainSpec) -> ChainSpec {
    let mut genesis = spec.genesis().clone();
    genesis.alloc.insert(
        FACTORY,
        GenesisAccount {
            code: Some(FACTORY_CODE),
            ..GenesisAccount::default()
        },
    );
    ChainSpec::from_genesis(genesis).expect("the forks are as they were")
}

/// Under Shanghai a contract that destroys itself is gone with its storage, and may come again (before EIP-6780).
pub(crate) fn shanghai(signers: &[Signer]) -> ChainSpec {
    let blocks = [
        "homestead",
        "eip150",
        "eip155",
        "eip158",
        "byzantium",
        "constantinople",
        "istanbul",
        "berlin",
        "london",
    ];
    let mut config = json!({"chainId": CHAIN_ID, "terminalTotalDifficulty": 0, "shanghaiTime": 0});
    for fork in blocks {
        config[format!("{fork}Block")] = json!(0);
    }
    let document = json!({"config": config, "gasLimit": 500_000_000, "timestamp": START, "alloc": {}});
    let mut genesis = ChainSpec::from_json(&document.to_string())
        .expect("a document")
        .genesis()
        .clone();
    let account = |balance: U256| GenesisAccount {
        balance,
        ..GenesisAccount::default()
    };
    genesis.alloc = funded(signers)
        .into_iter()
        .map(|(address, balance)| (address, account(balance)))
        .collect();
    ChainSpec::from_genesis(genesis).expect("as above")
}

fn agree(spec: &ChainSpec, all: &[Signer], blocks: &[Vec<(u8, Action)>]) -> Result<(), TestCaseError> {
    let spec = with_factory(spec);
    let (maker, taker) = (chain(spec.clone()), chain(spec.clone()));
    let mut reference = Reference::new(spec);
    let mut nonces = vec![0; all.len()];
    for actions in blocks {
        let transactions = actions.iter().map(|(signer, action)| {
            let signer = usize::from(*signer) % all.len();
            nonces[signer] += 1;
            action.sign(&all[signer], nonces[signer] - 1)
        });
        let produced = maker.produce(next(&maker), transactions).expect("a block");
        prop_assert!(produced.refused.is_empty(), "{:?}", produced.refused);
        let imported = taker.import(produced.head.block.clone()).expect("a good block");
        prop_assert!(matches!(imported, Imported::New(_)));
        prop_assert_eq!(
            reference.root_after(&produced.head),
            produced.head.block.header.state_root
        );
    }
    prop_assert_eq!(maker.head(), taker.head());
    Ok(())
}

pub(crate) fn chains() -> impl Strategy<Value = Vec<Vec<(u8, Action)>>> {
    prop::collection::vec(prop::collection::vec((any::<u8>(), action()), 0..12), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn blocks_made_here_are_what_plain_revm_says_under_osaka(blocks in chains()) {
        let all = signers(SIGNERS);
        agree(&development(&all), &all, &blocks)?;
    }

    #[test]
    fn blocks_made_here_are_what_plain_revm_says_while_contracts_die_and_return(blocks in chains()) {
        let all = signers(SIGNERS);
        agree(&shanghai(&all), &all, &blocks)?;
    }
}
