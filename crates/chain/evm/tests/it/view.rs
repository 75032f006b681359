//! The past, as calls and traces see it.

use crate::{
    chain_file::{blocks, spec},
    signed::{chain, development, keeper_init, next, settings, signers, words},
};
use alloy_consensus::Transaction as _;
use purlin_chain_evm::{Chain, StateRead, ViewError, execute::tx_env};
use purlin_chain_proto::{Fork, TxKind, U256};
use revm::{Context, Database, ExecuteEvm, MainBuilder, MainContext};

#[test]
fn before_a_transaction_its_sender_has_its_nonce() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    for block in blocks() {
        chain.import(block).expect("a good block");
    }
    let mut seen = 0;
    for number in 1..=chain.head().header.number {
        let stored = chain.store().block(number).unwrap().expect("kept");
        for (index, (transaction, sender)) in stored
            .block
            .body
            .transactions
            .iter()
            .zip(&stored.senders)
            .enumerate()
        {
            let mut view = chain.replay(number, index).expect("a view");
            let info = view.db.basic(*sender).unwrap().expect("a sender");
            assert_eq!(
                info.nonce,
                transaction.nonce(),
                "block {number}, transaction {index}"
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_transaction_runs_again_as_it_ran() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    for block in blocks() {
        chain.import(block).expect("a good block");
    }
    for number in 18..=chain.head().header.number {
        let stored = chain.store().block(number).unwrap().expect("kept");
        let receipts = chain.store().receipts(number).unwrap().expect("kept");
        let mut gas_before = 0;
        for (index, (transaction, sender)) in stored
            .block
            .body
            .transactions
            .iter()
            .zip(&stored.senders)
            .enumerate()
        {
            let view = chain.replay(number, index).expect("a view");
            let mut evm = Context::mainnet()
                .with_db(view.db)
                .with_block(view.block_env)
                .with_cfg(view.cfg_env)
                .build_mainnet();
            let result = evm.transact_one(tx_env(transaction, *sender)).expect("valid");
            let gas = receipts[index].cumulative_gas_used();
            assert_eq!(
                result.tx_gas_used(),
                gas - gas_before,
                "block {number}, transaction {index}"
            );
            gas_before = gas;
        }
    }
}

#[test]
fn a_view_shows_its_block_and_not_a_later_one() {
    let all = signers(1);
    let chain = chain(development(&all));
    let contract = all[0].address.create(0);
    let transactions = [
        vec![all[0].call(0, TxKind::Create, 0, keeper_init(0))],
        vec![
            all[0].call(1, TxKind::Call(contract), 0, words(3, 7)),
            all[0].call(2, TxKind::Call(contract), 0, words(3, 9)),
        ],
    ];
    for transactions in transactions {
        assert!(
            chain
                .produce(next(&chain), transactions.into_iter())
                .expect("a block")
                .refused
                .is_empty()
        );
    }
    let slot = |mut view: purlin_chain_evm::View| {
        view.db.basic(contract).unwrap();
        view.db.storage(contract, U256::from(3)).unwrap()
    };
    let values = [
        slot(chain.view(1).unwrap()),
        slot(chain.replay(2, 1).unwrap()),
        slot(chain.view(2).unwrap()),
    ];
    assert_eq!(values, [0, 7, 9].map(U256::from));
    assert_eq!(
        chain
            .store()
            .latest()
            .unwrap()
            .storage(contract, U256::from(3))
            .unwrap(),
        U256::from(9)
    );
    let view = chain.view(2).unwrap();
    assert_eq!(
        (view.fork, view.block_env.number, view.cfg_env.chain_id),
        (Fork::Osaka, U256::from(2), 1337)
    );
    assert!(matches!(
        chain.replay(2, 3),
        Err(ViewError::NoTransaction {
            number: 2,
            transactions: 2,
            asked: 3
        })
    ));
    assert!(chain.view(3).is_err() && chain.replay(3, 0).is_err());
}
