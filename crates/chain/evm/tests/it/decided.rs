//! Blocks between proposal and decision: several of one parent, one of them committed with its certificate.

use crate::signed::{START, Signer, chain, development, next, settings, signers};
use purlin_chain_evm::{
    Chain, CommitError, ImportError, Imported, Prepared, ProduceError, StateRead, StoreError,
};
use purlin_chain_proto::{Address, B256, Block, Bytes, ChainSpec, ConsensusSpec, Recovered, U256};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const TO: Address = Address::repeat_byte(0x99);

/// A chain that these signers decide.
fn validators(all: &[Signer]) -> ChainSpec {
    let mut genesis = development(all).genesis().clone();
    let consensus = ConsensusSpec {
        validators: all.iter().map(|signer| (signer.address, 1)).collect(),
        period: Duration::from_millis(100),
        gas_limit: genesis.gas_limit,
    };
    consensus.write(&mut genesis.config);
    ChainSpec::from_genesis(genesis).expect("a chain with validators")
}

fn prepare(chain: &Chain, transactions: Vec<Recovered>) -> Prepared {
    let (prepared, refused) = chain
        .prepare(next(chain), transactions.into_iter())
        .expect("a block");
    assert!(refused.is_empty(), "{refused:?}");
    prepared
}

fn received(chain: &Chain) -> U256 {
    let account = chain.store().latest().unwrap().account(TO).unwrap();
    account.map_or(U256::ZERO, |account| account.balance)
}

fn certificate(round: u8) -> Bytes {
    vec![round; 70].into()
}

/// A block with one transfer of `value`, as another node gets it.
fn proposal(chain: &Chain, signer: &Signer, nonce: u64, value: u128) -> Block {
    prepare(chain, vec![signer.transfer(nonce, TO, value)])
        .block()
        .clone()
}

#[test]
fn a_prepared_block_can_be_held_anywhere_and_is_seen_by_nobody() {
    fn sends<T: Send + 'static>(_: &T) {}
    let all = signers(2);
    let chain = chain(validators(&all));
    let seen = Arc::new(Mutex::new(0));
    let count = seen.clone();
    chain.on_head(move |_| *count.lock().unwrap() += 1);
    let head = chain.head();
    let prepared = prepare(&chain, vec![all[0].transfer(0, TO, 5)]);
    sends(&prepared);
    assert_eq!((prepared.number(), prepared.parent()), (1, head.hash));
    assert_eq!(prepared.hash(), prepared.block().header.hash_slow());
    assert_eq!(prepared.receipts().len(), 1);
    assert_eq!((chain.head(), received(&chain)), (head.clone(), U256::ZERO));
    assert_eq!(chain.store().number_of(prepared.hash()).unwrap(), None);
    drop(prepared);
    assert_eq!((chain.head(), *seen.lock().unwrap()), (head, 0));
}

#[test]
fn of_several_rounds_one_is_decided_and_the_others_are_nothing() {
    let all = signers(2);
    let (one, two) = (chain(validators(&all)), chain(validators(&all)));
    let blocks: Vec<Block> = (1..=3).map(|value| proposal(&one, &all[0], 0, value)).collect();
    let known = |_: &B256| Some(all[0].address);
    let mut rounds: Vec<Prepared> = blocks
        .iter()
        .map(|block| two.check(block.clone(), known).expect("a good block"))
        .collect();
    let third = rounds.pop().expect("three rounds");
    let second = rounds.pop().expect("three rounds");
    let first = rounds.pop().expect("three rounds");
    let head = two.commit(second, Some(certificate(2))).expect("decided");
    assert_eq!(
        (head.hash, head.senders.as_slice()),
        (blocks[1].header.hash_slow(), &[all[0].address][..])
    );
    assert_eq!(received(&two), U256::from(2));
    for late in [first, third] {
        let error = two
            .commit(late, Some(certificate(1)))
            .expect_err("decided already");
        assert!(
            matches!(
                error,
                CommitError::NotOnHead {
                    number: 1,
                    head: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!(
        (received(&two), two.certificate(1).unwrap()),
        (U256::from(2), Some(certificate(2)))
    );
    // The next height stands on what was committed, not on what was only prepared.
    let imported = one
        .import_decided(blocks[1].clone(), certificate(2), |_| None)
        .expect("decided");
    assert!(matches!(imported, Imported::New(_)));
    let next = proposal(&one, &all[0], 1, 10);
    let prepared = two.check(next, |_| None).expect("a good block");
    two.commit(prepared, Some(certificate(7))).expect("decided");
    assert_eq!(received(&two), U256::from(12));
}

#[test]
fn blocks_of_one_second_follow_each_other() {
    let all = signers(1);
    let (one, two) = (chain(validators(&all)), chain(validators(&all)));
    for nonce in 0..5 {
        let mut attributes = next(&one);
        attributes.timestamp = START;
        // What whoever makes the block wishes counts for nothing here.
        attributes.gas_limit = 1_000_000;
        let transfers = [all[0].transfer(nonce, TO, 1)];
        let (prepared, _) = one.prepare(attributes, transfers.into_iter()).expect("a block");
        let block = prepared.block().clone();
        assert_eq!(block.header.gas_limit, one.head().header.gas_limit);
        one.commit(prepared, Some(certificate(0))).expect("decided");
        let prepared = two.check(block, |_| None).expect("a good block");
        two.commit(prepared, Some(certificate(1))).expect("decided");
    }
    assert_eq!((one.head(), received(&two)), (two.head(), U256::from(5)));
    let mut early = next(&one);
    early.timestamp = START - 1;
    let error = one
        .prepare(early, std::iter::empty())
        .expect_err("before its parent");
    assert!(
        matches!(error, ProduceError::Timestamp { earliest: START, .. }),
        "{error}"
    );
}

#[test]
fn nothing_becomes_the_head_without_its_certificate() {
    let all = signers(1);
    let (decided, free) = (chain(validators(&all)), chain(development(&all)));
    let block = proposal(&decided, &all[0], 0, 1);
    let prepared = decided.check(block.clone(), |_| None).expect("a good block");
    let error = decided.commit(prepared, None).expect_err("no certificate");
    assert!(
        matches!(error, CommitError::NoCertificate { number: 1 }),
        "{error}"
    );
    let error = decided.import(block.clone()).expect_err("no certificate");
    assert!(
        matches!(&error, ImportError::Commit(CommitError::NoCertificate { .. })),
        "{error}"
    );
    assert_eq!(error.field(), None);
    let error = decided
        .produce(next(&decided), std::iter::empty())
        .expect_err("no certificate");
    assert!(
        matches!(error, ProduceError::Commit(CommitError::NoCertificate { .. })),
        "{error}"
    );
    assert_eq!(decided.head().header.number, 0);
    let imported = decided
        .import_decided(block.clone(), certificate(1), |_| None)
        .expect("decided");
    assert!(matches!(imported, Imported::New(_)));
    let imported = decided
        .import_decided(block, certificate(2), |_| None)
        .expect("known");
    assert!(matches!(imported, Imported::Known { number: 1, .. }));
    assert_eq!(
        decided.certificate(1).unwrap(),
        Some(certificate(1)),
        "the first one stays"
    );

    let prepared = prepare(&free, Vec::new());
    let error = free
        .commit(prepared, Some(certificate(1)))
        .expect_err("nobody decides");
    assert!(
        matches!(error, CommitError::NoValidators { number: 1 }),
        "{error}"
    );
    let prepared = prepare(&free, Vec::new());
    free.commit(prepared, None).expect("a block");
    assert_eq!(free.certificate(1).unwrap(), None);
}

#[test]
fn certificates_are_there_after_a_restart_and_go_with_the_body() {
    let all = signers(1);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.redb");
    let chain = Chain::create(Some(&path), validators(&all), settings()).expect("a chain");
    for round in 1..=6 {
        let prepared = prepare(&chain, Vec::new());
        chain.commit(prepared, Some(certificate(round))).expect("decided");
    }
    drop(chain);
    let chain = Chain::open(&path, validators(&all), settings()).expect("the same chain");
    for round in 1..=6 {
        assert_eq!(
            chain.certificate(u64::from(round)).unwrap(),
            Some(certificate(round))
        );
    }
    assert_eq!(
        (chain.certificate(0).unwrap(), chain.certificate(7).unwrap()),
        (None, None)
    );
    drop(chain);
    let error = Chain::open(&path, development(&all), settings()).expect_err("another genesis");
    assert!(
        error.to_string().contains("name the file's own document"),
        "{error}"
    );
    let mut short = settings();
    short.mode = purlin_chain_evm::Mode::Full { blocks: 2 };
    let chain = Chain::open(&path, validators(&all), short).expect("the same chain");
    let rows = |chain: &Chain| {
        let figures = chain.store().figures().unwrap();
        figures
            .tables
            .iter()
            .find(|table| table.name == "certificates")
            .map(|table| table.rows)
    };
    assert_eq!(rows(&chain), Some(6));
    while chain.store().prune(1).expect("pruned").more {}
    assert_eq!(rows(&chain), Some(2));
    assert!(matches!(
        chain.certificate(4),
        Err(StoreError::Pruned { wanted: 4, oldest: 5 })
    ));
    assert_eq!(chain.certificate(5).unwrap(), Some(certificate(5)));
}

#[test]
fn a_wrong_header_costs_no_signature() {
    let all = signers(3);
    let (one, two) = (chain(validators(&all)), chain(validators(&all)));
    let mut block = proposal(&one, &all[0], 0, 1);
    let asked = Mutex::new(0);
    let count = |_: &B256| {
        *asked.lock().unwrap() += 1;
        None
    };
    two.check(block.clone(), count).expect("a good block");
    assert_eq!(*asked.lock().unwrap(), 1);
    block.header.gas_limit += 1;
    let error = two.check(block.clone(), count).expect_err("a wrong gas limit");
    assert_eq!(error.field(), Some("gasLimit"), "{error}");
    block.header.gas_limit -= 1;
    block.header.transactions_root = B256::ZERO;
    let error = two.check(block.clone(), count).expect_err("a wrong root");
    assert_eq!(error.field(), Some("transactionsRoot"), "{error}");
    block.header.parent_hash = B256::ZERO;
    let error = two
        .import_decided(block, certificate(1), count)
        .expect_err("a wrong parent");
    assert!(matches!(error, ImportError::NotOnHead { .. }), "{error}");
    assert_eq!(*asked.lock().unwrap(), 1, "no sender was asked for");
}
