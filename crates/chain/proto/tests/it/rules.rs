//! One good child, and one header for each rule that breaks it.

use crate::forks;
use alloy_consensus::{SignableTransaction, TxEip4844};
use alloy_primitives::Signature;
use purlin_chain_proto::{
    B64, B256, Block, Body, ChainSpec, Header, Transaction, U256, Withdrawal, Withdrawals, roots,
    rules::{self, HeaderFault},
};

const NOW: u64 = 2_000;

/// A parent and its child under Osaka.
fn pair(spec: &ChainSpec) -> (Header, B256, Header) {
    let parent = Header {
        number: 50,
        timestamp: 1_100,
        gas_limit: 30_000_000,
        gas_used: 20_000_000,
        base_fee_per_gas: Some(1_000),
        excess_blob_gas: Some(131_072),
        blob_gas_used: Some(0),
        ..Header::default()
    };
    let hash = parent.hash_slow();
    let child = Header {
        parent_hash: hash,
        number: 51,
        timestamp: 1_110,
        gas_limit: 30_000_000,
        base_fee_per_gas: spec.next_base_fee(&parent, 1_110),
        excess_blob_gas: spec.next_excess_blob_gas(&parent, 1_110),
        blob_gas_used: Some(0),
        withdrawals_root: Some(roots::EMPTY),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(B256::ZERO),
        ..Header::default()
    };
    (parent, hash, child)
}

#[test]
fn a_header_that_breaks_one_rule_is_refused_by_its_field() {
    let spec = forks::spec();
    let (parent, hash, good) = pair(&spec);
    assert_eq!(
        rules::check_header(&spec, &parent, hash, &good, None, NOW),
        Ok(())
    );
    let check = |field: &str, damage: &dyn Fn(&mut Header)| {
        let mut header = good.clone();
        damage(&mut header);
        let fault = rules::check_header(&spec, &parent, hash, &header, None, NOW).expect_err(field);
        assert_eq!(fault.field(), field, "{fault}");
    };
    check("parentHash", &|h| h.parent_hash = B256::ZERO);
    check("number", &|h| h.number += 1);
    check("timestamp", &|h| h.timestamp = 1_100);
    check("timestamp", &|h| h.timestamp = NOW + 16);
    check("extraData", &|h| h.extra_data = vec![0; 33].into());
    check("gasLimit", &|h| h.gas_limit += 30_000_000 / 1024);
    check("gasLimit", &|h| h.gas_limit -= 30_000_000 / 1024);
    check("gasLimit", &|h| h.gas_limit = 4_999);
    check("gasUsed", &|h| h.gas_used = h.gas_limit + 1);
    check("baseFeePerGas", &|h| h.base_fee_per_gas = Some(1_000));
    check("baseFeePerGas", &|h| h.base_fee_per_gas = None);
    check("difficulty", &|h| h.difficulty = U256::ONE);
    check("nonce", &|h| h.nonce = B64::with_last_byte(1));
    check("sha3Uncles", &|h| h.ommers_hash = B256::ZERO);
    check("excessBlobGas", &|h| h.excess_blob_gas = Some(1));
    check("blobGasUsed", &|h| h.blob_gas_used = None);
    check("blobGasUsed", &|h| h.blob_gas_used = Some(10 * 131_072));
    check("withdrawalsRoot", &|h| h.withdrawals_root = None);
    check("parentBeaconBlockRoot", &|h| h.parent_beacon_block_root = None);
    check("requestsHash", &|h| h.requests_hash = None);
    check("blockAccessListHash", &|h| {
        h.block_access_list_hash = Some(B256::ZERO);
    });
}

#[test]
fn a_gas_limit_moves_by_less_than_a_thousandth_of_its_parents() {
    let spec = forks::spec();
    let (parent, hash, mut header) = pair(&spec);
    for wished in [0, 29_990_000, 30_000_000, u64::MAX] {
        header.gas_limit = rules::gas_limit_towards(parent.gas_limit, wished);
        assert_eq!(
            rules::check_header(&spec, &parent, hash, &header, None, NOW),
            Ok(()),
            "{wished}"
        );
    }
    assert_eq!(rules::gas_limit_towards(30_000_000, 29_990_000), 29_990_000);
    assert_eq!(rules::gas_limit_towards(5_000, 0), 5_000);
}

fn body() -> Body {
    let blobs = TxEip4844 {
        blob_versioned_hashes: vec![B256::ZERO; 2],
        ..TxEip4844::default()
    };
    let transactions = vec![Transaction::from(blobs.into_signed(Signature::test_signature()))];
    let withdrawals = Some(Withdrawals::new(vec![Withdrawal {
        index: 1,
        ..Withdrawal::default()
    }]));
    Body {
        transactions,
        withdrawals,
        ..Body::default()
    }
}

#[test]
fn a_body_that_its_header_does_not_name_is_refused_by_the_field() {
    let spec = forks::spec();
    let (_, _, header) = pair(&spec);
    let body = body();
    let header = Header {
        transactions_root: roots::transactions(&body.transactions),
        withdrawals_root: body.withdrawals.as_ref().map(|all| roots::withdrawals(all)),
        blob_gas_used: Some(2 * 131_072),
        ..header
    };
    let good = Block { header, body };
    assert_eq!(rules::check_body(&spec, &good), Ok(()));
    let check = |field: &str, damage: &dyn Fn(&mut Block)| {
        let mut block = good.clone();
        damage(&mut block);
        let fault = rules::check_body(&spec, &block).expect_err(field);
        assert_eq!(fault.field(), field, "{fault}");
    };
    check("transactionsRoot", &|b| b.body.transactions.clear());
    check("withdrawalsRoot", &|b| {
        b.body.withdrawals = Some(Withdrawals::default());
    });
    check("withdrawalsRoot", &|b| b.body.withdrawals = None);
    check("blobGasUsed", &|b| b.header.blob_gas_used = Some(131_072));
    check("sha3Uncles", &|b| b.body.ommers.push(Header::default()));
    check("sha3Uncles", &|b| b.header.ommers_hash = B256::ZERO);
    check("size", &|b| {
        let large = Transaction::from(
            alloy_consensus::TxLegacy {
                input: vec![1; rules::BLOCK_OCTETS_MAX].into(),
                ..Default::default()
            }
            .into_signed(Signature::test_signature()),
        );
        b.body.transactions.push(large);
    });
}

#[test]
fn ommers_are_siblings_of_ancestors_named_once() {
    let spec = forks::spec();
    let child = |parent: &Header, extra: u8| Header {
        parent_hash: parent.hash_slow(),
        number: parent.number + 1,
        timestamp: parent.timestamp + 10,
        gas_limit: parent.gas_limit,
        difficulty: rules::next_difficulty(spec.fork_at(parent.number + 1, 0), parent, parent.timestamp + 10),
        extra_data: vec![extra].into(),
        ..Header::default()
    };
    let genesis = spec.genesis_header(roots::EMPTY);
    let (one, sibling) = (child(&genesis, 0), child(&genesis, 1));
    let (two, three) = (child(&one, 0), child(&child(&one, 0), 0));
    let check = |ommers: Vec<Header>, named: &[Header]| {
        let block = Block {
            header: three.clone(),
            body: Body {
                ommers,
                ..Body::default()
            },
        };
        let ancestors = [
            (two.hash_slow(), &two, named),
            (one.hash_slow(), &one, &[][..]),
            (genesis.hash_slow(), &genesis, &[][..]),
        ];
        rules::check_ommers(&spec, &block, &ancestors, NOW).map_err(|fault| match fault {
            HeaderFault::Ommer { index, why } => format!("{index}: {why}"),
            other => other.to_string(),
        })
    };
    assert_eq!(check(vec![sibling.clone()], &[]), Ok(()));
    assert_eq!(
        check(vec![sibling.clone(); 2], &[]),
        Err("1: it was named before".to_owned())
    );
    assert_eq!(
        check(vec![sibling.clone()], std::slice::from_ref(&sibling)),
        Err("0: it was named before".to_owned())
    );
    assert_eq!(
        check(vec![one.clone()], &[]),
        Err("0: it is an ancestor of the block".to_owned())
    );
    assert!(
        check(vec![child(&two, 9)], &[])
            .expect_err("a sibling of the block")
            .contains("its parent is the block's own")
    );
    let heavy = Header {
        difficulty: U256::from(1),
        ..sibling
    };
    assert!(
        check(vec![heavy], &[])
            .expect_err("a wrong difficulty")
            .contains("difficulty is 1")
    );
}
