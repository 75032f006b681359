//! Blocks that might have come: a draft is what the block itself was, and leaves nothing behind.

use crate::{
    chain_file::{blocks, spec},
    signed::{chain, development, next, settings, signers},
};
use purlin_chain_evm::{Attributes, Chain, ProduceError, StateRead, StoreError, Stored};
use purlin_chain_proto::{Address, Fork, Recovered, Transaction, U256};

const TO: Address = Address::repeat_byte(0x77);

/// What whoever made a block had decided about it.
fn attributes(stored: &Stored) -> Attributes {
    let (header, body) = (&stored.block.header, &stored.block.body);
    Attributes {
        timestamp: header.timestamp,
        beneficiary: header.beneficiary,
        prev_randao: header.mix_hash,
        gas_limit: header.gas_limit,
        extra_data: header.extra_data.clone(),
        withdrawals: body.withdrawals.clone().unwrap_or_default().into_inner(),
        parent_beacon_root: header.parent_beacon_block_root.unwrap_or_default(),
    }
}

fn transactions(stored: &Stored) -> Vec<Recovered> {
    let transactions = stored.block.body.transactions.iter();
    let signed = transactions.zip(&stored.senders);
    signed
        .map(|(transaction, sender)| Recovered::new_unchecked(transaction.clone(), *sender))
        .collect()
}

/// Every block of the public chain since the merge, from the state that its parent had long ago.
#[test]
fn a_block_drafted_again_is_the_same_block() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    for block in blocks() {
        chain.import(block).expect("a good block");
    }
    let head = chain.head();
    let (mut again, mut whole) = (0, 0);
    for number in 1..=head.header.number {
        let stored = chain.store().block(number).unwrap().expect("kept");
        let header = &stored.block.header;
        let drafted = chain.draft(number - 1, attributes(&stored), transactions(&stored).into_iter());
        if chain.spec().fork_at(number, header.timestamp) < Fork::Paris {
            assert!(
                matches!(drafted, Err(ProduceError::BeforeMerge { .. })),
                "{number}"
            );
            continue;
        }
        let draft = drafted.expect("a block");
        again += 1;
        if stored.block.body.transactions.iter().any(Transaction::is_eip4844) {
            // Those are only imported.
            assert!(!draft.refused.is_empty(), "{number}");
            continue;
        }
        whole += 1;
        assert_eq!(*draft.stored, *stored, "{number}");
        assert_eq!(draft.receipts, *chain.store().receipts(number).unwrap().unwrap());
        for sender in &stored.senders {
            let after = chain.store().state_at(number).unwrap().account(*sender).unwrap();
            assert_eq!(draft.state.account(*sender).unwrap(), after, "{number}");
        }
    }
    assert!(again >= 15 && whole >= 10, "{again} {whole}");
    assert_eq!(chain.head().hash, head.hash);
}

#[test]
fn a_draft_is_made_while_a_block_is_and_changes_nothing() {
    let all = signers(2);
    let chain = chain(development(&all));
    let transfer = |nonce| all[0].transfer(nonce, TO, 5);
    // Whoever makes a block and has not committed it yet is in nobody's way.
    let (prepared, _) = chain
        .prepare(next(&chain), std::iter::once(transfer(0)))
        .expect("a block");
    let draft = chain
        .draft(0, next(&chain), std::iter::once(transfer(0)))
        .expect("a draft");
    assert_eq!(draft.stored.hash, prepared.hash());
    let held = |state: &dyn StateRead| state.account(TO).unwrap().map(|account| account.balance);
    assert_eq!(held(&*draft.state), Some(U256::from(5)));
    assert_eq!(held(&chain.store().latest().unwrap()), None);
    let ahead = chain.draft(1, next(&chain), std::iter::empty());
    assert!(
        matches!(
            ahead,
            Err(ProduceError::Store(StoreError::Ahead { wanted: 1, head: 0 }))
        ),
        "{ahead:?}"
    );
    chain.commit(prepared, None).expect("nothing has come between");
    // On a block that is not the head any more.
    let early = chain
        .draft(0, next(&chain), std::iter::once(transfer(1)))
        .expect("a draft");
    assert_eq!(early.refused.len(), 1, "nonce 1 is too high on block 0");
}
