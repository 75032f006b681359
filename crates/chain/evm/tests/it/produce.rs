//! Blocks made here: what is refused, what is not applied, what another chain says to them.

use crate::signed::{CHAIN_ID, ETHER, Signer, chain, development, keeper_init, next, signers};
use alloy_consensus::TxEip1559;
use purlin_chain_evm::{Attributes, Chain, Imported, ProduceError, Produced, StateRead};
use purlin_chain_proto::{Address, B256, Bytes, Recovered, TxKind, U256, Withdrawal, roots};

fn balance(chain: &Chain, address: Address) -> U256 {
    let account = chain.store().latest().unwrap().account(address).unwrap();
    account.map_or(U256::ZERO, |account| account.balance)
}

fn produce(chain: &Chain, transactions: Vec<Recovered>) -> Produced {
    chain
        .produce(next(chain), transactions.into_iter())
        .expect("a block")
}

#[test]
fn refused_transactions_come_back_with_the_reason_and_leave_no_trace() {
    let all = signers(3);
    let (rich, poor, to) = (all[0], Signer::new(99), Address::repeat_byte(0xaa));
    let huge = rich.sign(TxEip1559 {
        gas_limit: 30_000_000,
        ..transfer_of(&rich, 1, to)
    });
    let cheap = rich.sign(TxEip1559 {
        max_fee_per_gas: 1,
        max_priority_fee_per_gas: 0,
        ..transfer_of(&rich, 1, to)
    });
    let foreign = rich.sign(TxEip1559 {
        chain_id: 5,
        ..transfer_of(&rich, 1, to)
    });
    let small = rich.sign(TxEip1559 {
        gas_limit: 20_000,
        ..transfer_of(&rich, 1, to)
    });
    let bad = [
        (rich.transfer(0, to, 1), "nonce too low: address"),
        (rich.transfer(7, to, 1), "nonce too high: address"),
        (
            poor.transfer(0, to, 1),
            "insufficient funds for gas * price + value: address",
        ),
        (
            huge,
            "transaction gas limit too high: cap: 16777216, tx: 30000000",
        ),
        (cheap, "max fee per gas less than block base fee"),
        (foreign, "invalid chain id for signer"),
        (small, "intrinsic gas too low: have 20000, want 21000"),
    ];
    let (mixed, plain) = (chain(development(&all)), chain(development(&all)));
    let mut offered = vec![rich.transfer(0, to, 5)];
    offered.extend(bad.iter().map(|(transaction, _)| transaction.clone()));
    offered.push(rich.transfer(1, to, 6));
    let produced = produce(&mixed, offered);
    assert_eq!(produced.head.block.body.transactions.len(), 2);
    assert_eq!(produced.refused.len(), bad.len());
    for ((hash, refusal), (transaction, wanted)) in produced.refused.iter().zip(&bad) {
        assert_eq!(hash, transaction.tx_hash());
        assert!(
            refusal.to_string().contains(wanted),
            "{refusal}\n does not say: {wanted}"
        );
    }
    let good = produce(&plain, vec![rich.transfer(0, to, 5), rich.transfer(1, to, 6)]);
    assert_eq!(
        produced.head.hash, good.head.hash,
        "as if the others had never been there"
    );
    assert_eq!(balance(&mixed, to), U256::from(11));
}

fn transfer_of(_: &Signer, nonce: u64, to: Address) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        to: TxKind::Call(to),
        ..TxEip1559::default()
    }
}

#[test]
fn a_full_block_stops_asking() {
    let all = signers(1);
    let chain = chain(development(&all));
    let wanted = 600_000_000 / 21_000;
    let mut asked = 0;
    let transactions = (0..wanted).map(|nonce| {
        asked += 1;
        all[0].sign(transfer_of(&all[0], nonce, Address::repeat_byte(1)))
    });
    let produced = chain.produce(next(&chain), transactions).expect("a block");
    let taken = produced.head.block.body.transactions.len() as u64;
    assert_eq!(taken, produced.head.block.header.gas_limit / 21_000);
    assert_eq!((asked, produced.refused.len()), (taken, 0));
}

#[test]
fn a_transaction_that_does_not_fit_lets_smaller_ones_pass() {
    let all = signers(2);
    let chain = chain(development(&all));
    let gas_limit = 16_000_000;
    let large = |nonce| {
        // INVALID uses up all gas.
        let input: Bytes = vec![0xfe].into();
        all[0].sign(TxEip1559 {
            gas_limit,
            to: TxKind::Create,
            input,
            ..transfer_of(&all[0], nonce, Address::ZERO)
        })
    };
    let mut offered: Vec<_> = (0..32).map(large).collect();
    offered.push(all[1].transfer(0, Address::repeat_byte(2), 1));
    let produced = produce(&chain, offered);
    let (_, refusal) = &produced.refused[0];
    assert!(
        refusal
            .to_string()
            .starts_with("gas limit reached: the transaction may use 16000000"),
        "{refusal}"
    );
    assert!(refusal.may_pass_later());
    assert_eq!(balance(&chain, Address::repeat_byte(2)), U256::ONE);
}

#[test]
fn another_chain_takes_what_was_made_here() {
    let all = signers(4);
    let (maker, taker) = (chain(development(&all)), chain(development(&all)));
    for round in 0..5u64 {
        let transfers = all
            .iter()
            .map(|signer| signer.transfer(2 * round, all[0].address, ETHER));
        let creations = all
            .iter()
            .map(|signer| signer.call(2 * round + 1, TxKind::Create, 0, keeper_init(1)));
        let produced = produce(&maker, transfers.chain(creations).collect());
        assert!(produced.refused.is_empty(), "{:?}", produced.refused);
        let imported = taker.import(produced.head.block.clone()).expect("a good block");
        let Imported::New(head) = imported else {
            panic!("known already")
        };
        assert_eq!(
            (head.hash, &head.receipts, &head.senders),
            (
                produced.head.hash,
                &produced.head.receipts,
                &produced.head.senders
            )
        );
    }
    assert_eq!(maker.head(), taker.head());
}

#[test]
fn withdrawals_are_paid_in_gwei() {
    let chain = chain(development(&signers(1)));
    let address = Address::repeat_byte(0x77);
    let withdrawals = vec![Withdrawal {
        address,
        amount: 3,
        ..Withdrawal::default()
    }];
    let produced = chain
        .produce(
            Attributes {
                withdrawals,
                ..next(&chain)
            },
            std::iter::empty(),
        )
        .expect("a block");
    assert_eq!(balance(&chain, address), U256::from(3_000_000_000u64));
    assert_ne!(produced.head.block.header.withdrawals_root, Some(roots::EMPTY));
}

#[test]
fn attributes_that_no_block_can_have_are_refused() {
    let chain = chain(development(&signers(1)));
    let produce = |attributes| {
        chain
            .produce(attributes, std::iter::empty())
            .expect_err("refused")
    };
    let late = produce(Attributes {
        timestamp: chain.head().header.timestamp,
        ..next(&chain)
    });
    assert!(matches!(late, ProduceError::Timestamp { .. }), "{late}");
    let long = produce(Attributes {
        extra_data: vec![0; 33].into(),
        ..next(&chain)
    });
    assert!(matches!(long, ProduceError::ExtraData { got: 33 }), "{long}");
    assert_eq!(chain.head().header.number, 0);
}

#[test]
fn the_gas_limit_walks_towards_the_wish() {
    let chain = chain(development(&signers(1)));
    let wish = |gas_limit| Attributes {
        gas_limit,
        ..next(&chain)
    };
    let first = chain.head().header.gas_limit;
    for _ in 0..3 {
        chain
            .produce(wish(8_000_000), std::iter::empty())
            .expect("a block");
    }
    let later = chain.head().header.gas_limit;
    assert!(later < first && later > first - 3 * (first / 1024), "{later}");
}

#[test]
fn a_sender_that_is_known_is_not_recovered_again() {
    let all = signers(3);
    let (maker, taker) = (chain(development(&all)), chain(development(&all)));
    let offered: Vec<_> = all
        .iter()
        .map(|signer| signer.transfer(0, Address::repeat_byte(9), 1))
        .collect();
    let produced = produce(&maker, offered.clone());
    // Whoever answers decides, so a wrong answer shows that the signature was not read.
    let stranger = Address::repeat_byte(0xee);
    let error = taker
        .import_known(produced.head.block.clone(), |_| Some(stranger))
        .expect_err("no funds");
    assert!(error.to_string().contains("insufficient funds"), "{error}");
    let known = |hash: &B256| {
        offered
            .iter()
            .find(|tx| tx.tx_hash() == hash)
            .map(Recovered::signer)
    };
    let imported = taker
        .import_known(produced.head.block.clone(), |hash| known(hash))
        .expect("a good block");
    assert!(matches!(imported, Imported::New(head) if head.senders == produced.head.senders));
}
