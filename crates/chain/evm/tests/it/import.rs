//! The public chain through the store.

use crate::{
    chain_file::{BLOCKS, blocks, file, spec},
    signed::settings,
};
use alloy_consensus::TxReceipt;
use purlin_chain_evm::{Chain, ImportError, Imported};
use purlin_chain_proto::{ChainSpec, codec, roots};
use std::sync::{Arc, Mutex};

fn import_all(chain: &Chain) {
    for block in blocks() {
        let number = block.header.number;
        match chain.import(block) {
            Ok(Imported::New(head)) => assert_eq!(head.block.header.number, number),
            other => panic!("block {number}: {other:?}"),
        }
    }
}

#[test]
fn s3_19_the_public_chain_imports_across_every_fork() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.redb");
    let chain = Chain::create(Some(&path), spec(), settings()).expect("a chain");
    import_all(&chain);
    let head = chain.head();
    assert_eq!(head.header.number, BLOCKS as u64);
    assert!(include_str!("../data/headfcu.json").contains(&head.hash.to_string()));
    let exported: Vec<u8> = (1..=head.header.number)
        .flat_map(|number| codec::encode(&chain.store().block(number).unwrap().expect("kept").block))
        .collect();
    assert_eq!(exported, file(), "exported blocks are the imported ones");
    for number in 1..=head.header.number {
        let receipts = chain.store().receipts(number).unwrap().expect("kept");
        let header = chain.store().header(number).unwrap().expect("kept").header;
        assert_eq!(roots::receipts(&receipts), header.receipts_root);
        let post_state = receipts
            .iter()
            .any(|receipt| receipt.status_or_post_state().is_post_state());
        assert_eq!(
            post_state,
            number < 9 && !receipts.is_empty(),
            "roots in receipts end with byzantium"
        );
    }
    drop(chain);
    let again = Chain::open(&path, spec(), settings()).expect("the same chain");
    assert_eq!(again.head(), head);
}

#[test]
fn a_known_block_is_fine_and_changes_nothing() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    import_all(&chain);
    let head = chain.head();
    let known = chain.import(blocks().remove(20)).expect("known");
    assert!(matches!(known, Imported::Known { number: 21, .. }), "{known:?}");
    assert_eq!(chain.head(), head);
}

#[test]
fn a_block_that_leaves_a_gap_is_refused() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    let error = chain.import(blocks().remove(1)).expect_err("block 2 on block 0");
    assert!(
        matches!(
            error,
            ImportError::NotOnHead {
                number: 2,
                head: 0,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn watchers_see_every_head_in_order() {
    let chain = Chain::create(None, spec(), settings()).expect("a chain");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    chain.on_head(move |head| {
        log.lock()
            .unwrap()
            .push((head.block.header.number, head.receipts.len()));
    });
    import_all(&chain);
    let seen = seen.lock().unwrap();
    let wanted: Vec<_> = blocks()
        .iter()
        .map(|block| (block.header.number, block.body.transactions.len()))
        .collect();
    assert_eq!(*seen, wanted);
}

#[test]
fn a_file_with_another_genesis_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.redb");
    drop(Chain::create(Some(&path), spec(), settings()).expect("a chain"));
    let other = ChainSpec::development(7, &[], 0);
    assert!(Chain::create(Some(&path), other.clone(), settings()).is_err());
    let error = Chain::open(&path, other, settings())
        .expect_err("another genesis")
        .to_string();
    assert!(error.contains("name the file's own document"), "{error}");
}
