//! One thing wrong in a block: it is refused by name, and nothing changes.

use crate::{
    chain_file::{blocks, spec},
    signed::settings,
};
use alloy_consensus::Transaction as _;
use alloy_primitives::Signature;
use purlin_chain_evm::{Chain, Imported};
use purlin_chain_proto::{B64, B256, Block, Bloom, Fork, Header, Transaction, U256, roots};

/// A chain up to the block before `block`.
fn before(block: &Block) -> Chain {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    for block in blocks()
        .into_iter()
        .take_while(|earlier| earlier.header.number < block.header.number)
    {
        chain.import(block).expect("a good block");
    }
    chain
}

/// The first block from `fork` on with several transactions of one sender (an order that can be wrong).
fn block_of(fork: Fork) -> Block {
    let spec = spec();
    blocks()
        .into_iter()
        .find(|block| {
            let several = block.body.transactions.len() > 1;
            several && spec.fork_at(block.header.number, block.header.timestamp) >= fork
        })
        .expect("there is one")
}

fn refused(chain: &Chain, good: &Block, field: &str, damage: &dyn Fn(&mut Block)) {
    let mut block = good.clone();
    damage(&mut block);
    let (head, root) = (
        chain.head(),
        chain
            .store()
            .proof(chain.head().header.number, Default::default(), &[]),
    );
    let error = chain.import(block).expect_err(field);
    assert_eq!(error.field(), Some(field), "{error}");
    assert_eq!(chain.head(), head, "{field}");
    let after = chain.store().proof(head.header.number, Default::default(), &[]);
    assert_eq!(root.expect("a proof"), after.expect("a proof"), "{field}");
}

fn with_transactions(block: &mut Block, change: impl FnOnce(&mut Vec<Transaction>)) {
    change(&mut block.body.transactions);
    block.header.transactions_root = roots::transactions(&block.body.transactions);
}

/// The same transaction under another signature.
fn signed_otherwise(transaction: &Transaction, signature: Signature) -> Transaction {
    let Transaction::Legacy(signed) = transaction else {
        let Transaction::Eip1559(signed) = transaction else {
            panic!("neither type 0 nor type 2: {transaction:?}");
        };
        return alloy_consensus::Signed::new_unhashed(signed.tx().clone(), signature).into();
    };
    alloy_consensus::Signed::new_unhashed(signed.tx().clone(), signature).into()
}

fn every_damage(fork: Fork) {
    let good = block_of(fork);
    let chain = before(&good);
    let check = |field: &str, damage: &dyn Fn(&mut Block)| refused(&chain, &good, field, damage);
    let header = |change: fn(&mut Header)| move |block: &mut Block| change(&mut block.header);
    check("stateRoot", &header(|h| h.state_root = B256::repeat_byte(1)));
    check(
        "receiptsRoot",
        &header(|h| h.receipts_root = B256::repeat_byte(1)),
    );
    check(
        "transactionsRoot",
        &header(|h| h.transactions_root = B256::repeat_byte(1)),
    );
    check("sha3Uncles", &header(|h| h.ommers_hash = B256::repeat_byte(1)));
    check("gasUsed", &header(|h| h.gas_used -= 1));
    check("gasUsed", &header(|h| h.gas_used = h.gas_limit + 1));
    check("logsBloom", &header(|h| h.logs_bloom = Bloom::repeat_byte(1)));
    check("gasLimit", &header(|h| h.gas_limit *= 2));
    check("difficulty", &header(|h| h.difficulty += U256::ONE));
    check("timestamp", &header(|h| h.timestamp = 0));
    check("parentHash", &header(|h| h.parent_hash = B256::repeat_byte(1)));
    check("number", &header(|h| h.number += 1));
    check("extraData", &header(|h| h.extra_data = vec![0; 33].into()));
    check(
        "baseFeePerGas",
        &header(|h| h.base_fee_per_gas = h.base_fee_per_gas.map_or(Some(1), |fee| Some(fee + 1))),
    );
    check("transactions", &|block| {
        with_transactions(block, |all| all.reverse());
    });
    check("transactions", &|block| {
        with_transactions(block, |all| all.push(all[0].clone()));
    });
    check("gasUsed", &|block| {
        with_transactions(block, |all| drop(all.pop()));
    });
    check("signature", &|block| {
        with_transactions(block, |all| {
            all[0] = signed_otherwise(&all[0], Signature::new(U256::ZERO, U256::ONE, false));
        });
    });
    check("transactions", &|block| {
        let other =
            |tx: &Transaction| Signature::new(tx.signature().r(), tx.signature().s(), !tx.signature().v());
        with_transactions(block, |all| all[0] = signed_otherwise(&all[0], other(&all[0])));
    });
    if fork >= Fork::Paris {
        check("nonce", &header(|h| h.nonce = B64::with_last_byte(1)));
        check("stateRoot", &header(|h| h.mix_hash = B256::repeat_byte(9)));
    }
    assert!(
        matches!(chain.import(good.clone()), Ok(Imported::New(_))),
        "the good block still follows"
    );
}

#[test]
fn a_damaged_block_of_the_first_age_is_refused_by_its_field() {
    every_damage(Fork::Homestead);
}

#[test]
fn a_damaged_block_with_base_fees_is_refused_by_its_field() {
    every_damage(Fork::London);
}

#[test]
fn damaged_blobs_withdrawals_and_requests_are_refused_by_their_fields() {
    let good = blocks().pop().expect("54 blocks");
    assert!(good.body.transactions.iter().all(|tx| tx.gas_limit() > 0));
    let chain = before(&good);
    let check = |field: &str, damage: fn(&mut Block)| refused(&chain, &good, field, &damage);
    check("requestsHash", |b| {
        b.header.requests_hash = Some(B256::repeat_byte(1));
    });
    check("requestsHash", |b| b.header.requests_hash = None);
    check("excessBlobGas", |b| b.header.excess_blob_gas = Some(1));
    check("blobGasUsed", |b| {
        b.header.blob_gas_used = b.header.blob_gas_used.map(|gas| gas + 131_072);
    });
    check("parentBeaconBlockRoot", |b| {
        b.header.parent_beacon_block_root = None;
    });
    check("stateRoot", |b| {
        b.header.parent_beacon_block_root = Some(B256::repeat_byte(1));
    });
    check("stateRoot", |b| {
        b.header.beneficiary = purlin_chain_proto::Address::repeat_byte(1);
    });
    check("withdrawalsRoot", |b| {
        b.header.withdrawals_root = Some(B256::repeat_byte(1));
    });
    check("withdrawalsRoot", |b| b.body.withdrawals = None);
    assert!(matches!(chain.import(good.clone()), Ok(Imported::New(_))));
}
