//! Blocks in, blocks out; what is refused; what readers see.

use super::world::{ARCHIVE, Rig, address, alloc, full, genesis, removes, seal, sets, stores};
use crate::state::{Changes, StateRead};
use crate::store::{Store, StoreError};
use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

#[test]
fn a_block_comes_back_with_its_senders_receipts_and_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut rig = Rig::over(Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap());
    rig.commit(&sets(2, 5));
    let sealed = seal(&rig.store, &sets(3, 1), 3);
    let (block, receipts, senders) = (
        sealed.block.clone(),
        sealed.receipts.clone(),
        sealed.senders.clone(),
    );
    rig.store.commit(sealed).unwrap();
    let check = |store: &Store| {
        let stored = store.block(2).unwrap().unwrap();
        assert_eq!((&stored.block, &stored.senders), (&block, &senders));
        assert_eq!(*store.receipts(2).unwrap().unwrap(), receipts);
        assert_eq!(store.number_of(stored.hash).unwrap(), Some(2));
        assert_eq!(
            store.header_by_hash(stored.hash).unwrap().unwrap().header,
            block.header
        );
        for (index, transaction) in block.body.transactions.iter().enumerate() {
            assert_eq!(
                store.transaction(*transaction.tx_hash()).unwrap(),
                Some((2, index))
            );
        }
        assert_eq!(store.transaction(B256::ZERO).unwrap(), None);
        assert!(store.block(3).unwrap().is_none() && store.receipts(3).unwrap().is_none());
        assert_eq!(store.block(0).unwrap().unwrap().hash, genesis().hash_slow());
        assert_eq!(store.head().hash, stored.hash);
        let state = store.state_at(1).unwrap();
        assert_eq!(state.block_hash(1).unwrap(), Some(block.header.parent_hash));
        assert_eq!(state.block_hash(2).unwrap(), None);
        assert_eq!(
            store.latest().unwrap().block_hash(2).unwrap(),
            Some(store.head().hash)
        );
    };
    check(&rig.store);
    drop(rig);
    check(&Store::open(&path, ARCHIVE).unwrap());
}

#[test]
fn a_block_that_does_not_follow_the_head_is_refused() {
    let mut rig = Rig::in_memory(ARCHIVE);
    let late = seal(&rig.store, &sets(2, 5), 0);
    rig.commit(&sets(2, 6));
    let refused = rig.store.commit(late).unwrap_err();
    assert!(
        matches!(
            refused,
            StoreError::NotOnHead {
                number: 1,
                head: 1,
                ..
            }
        ),
        "{refused}"
    );

    let stale = rig.store.root_after(&sets(4, 4)).unwrap().1;
    rig.commit(&sets(3, 1));
    let mut other = seal(&rig.store, &sets(4, 4), 0);
    other.trie = stale;
    let refused = rig.store.commit(other).unwrap_err();
    assert!(
        matches!(refused, StoreError::OtherBase { base: 1, head: 2 }),
        "{refused}"
    );
    assert_eq!(rig.store.head().header.number, 2);
    rig.check_all();
}

#[test]
fn a_block_whose_parts_disagree_is_refused() {
    let rig = Rig::in_memory(ARCHIVE);
    let mut wrong_root = seal(&rig.store, &sets(2, 5), 1);
    wrong_root.block.header.state_root = B256::repeat_byte(1);
    wrong_root.hash = wrong_root.block.header.hash_slow();
    let refused = rig.store.commit(wrong_root).unwrap_err();
    assert!(matches!(refused, StoreError::WrongRoot { .. }), "{refused}");
    let (mut few_senders, mut few_receipts, mut other_hash) = (
        seal(&rig.store, &sets(2, 5), 1),
        seal(&rig.store, &sets(2, 5), 1),
        seal(&rig.store, &sets(2, 5), 1),
    );
    few_senders.senders.clear();
    few_receipts.receipts.clear();
    other_hash.hash = B256::ZERO;
    for sealed in [few_senders, few_receipts, other_hash] {
        let refused = rig.store.commit(sealed).unwrap_err();
        assert!(matches!(refused, StoreError::NotWhole { .. }), "{refused}");
    }
    assert_eq!(rig.store.head().header.number, 0);
}

#[test]
fn a_chain_is_made_once_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let refused = Store::open(&path, ARCHIVE).unwrap_err();
    assert!(matches!(refused, StoreError::NoChain { .. }), "{refused}");
    std::fs::write(folder.path().join("chain.redb.new"), b"left by a crash").unwrap();
    let mut rig = Rig::over(Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap());
    rig.commit(&sets(2, 5));
    let refused = Store::open(&path, ARCHIVE).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    drop(rig);
    let again = Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap();
    assert_eq!(again.head().header.number, 1);
    drop(again);
    let mut other = genesis();
    other.timestamp = 1;
    let refused = Store::create(&path, ARCHIVE, &other, alloc()).unwrap_err();
    assert!(matches!(refused, StoreError::OtherChain { .. }), "{refused}");
    other.state_root = B256::ZERO;
    let refused = Store::in_memory(ARCHIVE, &other, alloc()).unwrap_err();
    assert!(
        matches!(refused, StoreError::WrongRoot { number: 0, .. }),
        "{refused}"
    );
}

#[test]
fn a_reader_goes_on_seeing_its_own_state() {
    let mut rig = Rig::in_memory(full(1));
    let mut held = vec![rig.store.latest().unwrap()];
    for nonce in 0..20 {
        let mut changes = sets(2, nonce);
        changes.then(stores(1, nonce % 4, nonce));
        if nonce % 5 == 4 {
            changes.then(removes(2));
        }
        rig.commit(&changes);
        rig.store.prune(u64::MAX).unwrap();
        held.push(rig.store.latest().unwrap());
        for (state, world) in held.iter().zip(&rig.worlds) {
            world.check(state);
        }
    }
}

#[test]
fn readers_beside_the_writer_never_see_a_mixture() {
    let mut rig = Rig::in_memory(ARCHIVE);
    let both = |nonce| {
        let mut changes = sets(2, nonce);
        changes.then(sets(3, nonce));
        changes.then(stores(1, 1, nonce));
        changes
    };
    rig.commit(&both(1));
    let store = rig.store.clone();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let state = store.latest().unwrap();
                        let nonce = |who| state.account(address(who)).unwrap().unwrap().nonce;
                        let (first, second) = (nonce(2), nonce(3));
                        let stored = state.storage(address(1), U256::from(1)).unwrap();
                        assert_eq!((first, U256::from(first)), (second, stored));
                        assert_eq!(first, state.number());
                        if first == 60 {
                            return;
                        }
                    }
                })
            })
            .collect();
        for nonce in 2..=60 {
            rig.commit(&both(nonce));
        }
        running.into_iter().for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn code_is_found_by_its_hash_and_stays() {
    let mut rig = Rig::in_memory(ARCHIVE);
    let code = Bytes::from_static(b"\x60\x01");
    let hash = keccak256(&code);
    rig.commit(&Changes {
        codes: [(hash, code.clone())].into(),
        ..sets(2, 1)
    });
    rig.commit(&removes(2));
    let state = rig.store.latest().unwrap();
    assert_eq!(state.code(hash).unwrap(), code);
    assert_eq!(state.code(KECCAK256_EMPTY).unwrap(), Bytes::new());
    assert!(state.code(B256::ZERO).is_err());
}

#[test]
fn figures_count_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut rig = Rig::over(Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap());
    rig.commit(&sets(2, 5));
    let figures = rig.store.figures().unwrap();
    assert_eq!(
        (figures.accounts, figures.slots, figures.head, figures.oldest),
        (3, 1, 1, 0)
    );
    assert!(figures.file_bytes > 0 && figures.trie_bytes > 0);
    let rows = |name| {
        figures
            .tables
            .iter()
            .find(|table| table.name == name)
            .unwrap()
            .rows
    };
    assert_eq!(
        (rows("headers"), rows("transactions"), rows("account_changes")),
        (2, 2, 1)
    );
    let sizes = rig.store.table_sizes().unwrap();
    assert_eq!(sizes.len(), figures.tables.len());
    assert!(
        sizes
            .iter()
            .any(|table| table.name == "bodies" && table.stored_bytes > 100)
    );
}
