//! States, proofs and pruning of random chains.

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use proptest::prelude::*;

use super::world::{ADDRESSES, ARCHIVE, Rig, SLOTS, address, changes, full, sets, storage_root, transaction};
use crate::store::StoreError;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_state_of_a_chain_is_the_models(blocks in proptest::collection::vec(changes(), 1..12)) {
        let mut rig = Rig::in_memory(ARCHIVE);
        for changes in &blocks {
            rig.commit(changes);
        }
        rig.check_all();
    }

    #[test]
    fn proofs_of_every_block_hold_against_its_header(blocks in proptest::collection::vec(changes(), 1..8)) {
        let mut rig = Rig::in_memory(ARCHIVE);
        for changes in &blocks {
            rig.commit(changes);
        }
        for number in 0..rig.worlds.len() {
            check_proofs(&rig, number);
        }
    }

    #[test]
    fn a_block_that_might_have_followed_has_its_root(blocks in proptest::collection::vec(changes(), 1..8)) {
        let mut rig = Rig::in_memory(ARCHIVE);
        for changes in &blocks {
            rig.commit(changes);
        }
        for (number, changes) in blocks.iter().enumerate() {
            let root = rig.store.root_at(number as u64, changes).unwrap();
            prop_assert_eq!(root, rig.worlds[number + 1].root());
        }
    }

    #[test]
    fn pruning_takes_what_is_outside_the_window_and_nothing_else(
        blocks in proptest::collection::vec(changes(), 1..14),
        window in 1_u64..6,
        step in 1_u64..12,
    ) {
        let mut rig = Rig::in_memory(full(window));
        for changes in &blocks {
            rig.commit(changes);
            let before = rig.store.oldest();
            let pruned = rig.store.prune(step).unwrap();
            let wanted = (rig.store.head().header.number + 1).saturating_sub(window);
            prop_assert_eq!(pruned.oldest, rig.store.oldest());
            prop_assert_eq!(pruned.oldest - before, pruned.blocks);
            prop_assert!(pruned.oldest <= wanted && pruned.more == (pruned.oldest < wanted));
            rig.check_all();
        }
        while rig.store.prune(step).unwrap().more {}
        check_pruned(&rig, window);
    }
}

fn check_proofs(rig: &Rig, number: usize) {
    let world = &rig.worlds[number];
    let slots: Vec<B256> = (0..=SLOTS).map(|slot| B256::from(U256::from(slot))).collect();
    for address in (0..=ADDRESSES).map(address) {
        let proof = rig.store.proof(number as u64, address, &slots).unwrap();
        let account = world.accounts.get(&address).copied();
        let stored = world.storage.get(&address);
        assert_eq!(proof.account, account);
        assert_eq!(proof.storage_root, stored.map_or(EMPTY_ROOT_HASH, storage_root));
        let leaf = account.map(|account| {
            alloy_rlp::encode(TrieAccount::new(
                account.nonce,
                account.balance,
                proof.storage_root,
                account.code_hash,
            ))
        });
        let key = Nibbles::unpack(keccak256(address));
        verify_proof(world.root(), key, leaf, &proof.proof).unwrap();
        for slot in &proof.storage {
            let wanted = stored.and_then(|slots| slots.get(&slot.slot.into())).copied();
            assert_eq!(slot.value, wanted.unwrap_or_default());
            let leaf = wanted.map(alloy_rlp::encode);
            let key = Nibbles::unpack(keccak256(slot.slot));
            verify_proof(proof.storage_root, key, leaf, &slot.proof).unwrap();
        }
    }
}

/// Nothing is left of what nobody can ask.
fn check_pruned(rig: &Rig, window: u64) {
    let (store, head) = (&rig.store, rig.store.head().header.number);
    let oldest = (head + 1).saturating_sub(window);
    let figures = store.figures().unwrap();
    let rows = |name| {
        figures
            .tables
            .iter()
            .find(|table| table.name == name)
            .unwrap()
            .rows
    };
    assert_eq!((figures.oldest, rows("headers")), (oldest, head + 1));
    let genesis = u64::from(oldest > 0);
    assert_eq!(rows("bodies"), head - oldest + 1 + genesis);
    assert_eq!(rows("block_changes"), head - oldest);
    for number in 0..oldest {
        let pruned = |error: StoreError| {
            let fits = matches!(error, StoreError::Pruned { wanted, oldest: kept } if wanted == number && kept == oldest);
            assert!(fits, "{error}");
        };
        pruned(store.state_at(number).unwrap_err());
        pruned(store.proof(number, address(0), &[]).unwrap_err());
        assert!(store.header(number).unwrap().is_some());
        if number > 0 {
            pruned(store.block(number).unwrap_err());
            pruned(store.receipts(number).unwrap_err());
            let gone = transaction(number * 1_000);
            assert_eq!(store.transaction(*gone.tx_hash()).unwrap(), None);
        }
    }
    for number in oldest..=head {
        check_proofs(rig, number as usize);
    }
}

#[test]
fn s3_34_s3_35_an_archive_keeps_everything_and_the_future_is_not_known() {
    let mut rig = Rig::in_memory(ARCHIVE);
    (0..5).for_each(|nonce| rig.commit(&sets(2, nonce)));
    let pruned = rig.store.prune(u64::MAX).unwrap();
    assert_eq!((pruned.oldest, pruned.blocks, pruned.more), (0, 0, false));
    rig.check_all();
    let error = rig.store.state_at(6).unwrap_err();
    assert!(
        matches!(error, StoreError::Ahead { wanted: 6, head: 5 }),
        "{error}"
    );
    let error = rig.store.proof(6, address(0), &[]).unwrap_err();
    assert!(matches!(error, StoreError::Ahead { .. }), "{error}");
}

#[test]
fn memory_for_tries_is_bounded_and_roots_stay_right() {
    let mut settings = ARCHIVE;
    settings.cache_bytes = 4 << 20;
    let mut rig = Rig::in_memory(settings);
    let many = |salt: u64| {
        let mut changes = crate::state::Changes::default();
        for number in 0..6_000_u64 {
            let who = alloy_primitives::Address::left_padding_from(&(number + salt * 3_000).to_be_bytes());
            changes.accounts.insert(who, Some(super::world::account(salt, 1)));
        }
        changes
    };
    for salt in 1..5 {
        rig.commit(&many(salt));
        assert!(rig.store.figures().unwrap().trie_bytes <= 4 << 20);
    }
}
