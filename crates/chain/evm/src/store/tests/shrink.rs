//! A file that no node has open becomes small.

use super::rows::rows;
use super::world::{ARCHIVE, Rig, alloc, changes, full, genesis, sets};
use crate::store::{Store, StoreError};
use alloy_primitives::{Address, U256};
use proptest::prelude::*;

#[test]
fn a_file_that_is_shrunk_has_its_window_and_no_more_room_than_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut rig = Rig::over(Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap());
    for number in 0..24_u64 {
        let mut block = sets(2, number);
        for who in 0..60_u64 {
            let address = Address::left_padding_from(&(who + 1_000).to_be_bytes());
            let account = super::world::account(number + 1, who);
            block.accounts.insert(address, Some(account));
            let slots = [(U256::from(number), U256::from(who + 1))].into();
            block.storage.insert(address, slots);
        }
        rig.commit(&block);
    }
    let refused = Store::shrink(&path, full(5), &mut |_, _| {}).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    let (head, wanted, worlds) = (rig.store.head(), rows(&rig.store), rig.worlds);
    drop(rig.store);

    let mut told = Vec::new();
    let shrunk = Store::shrink(&path, full(5), &mut |blocks, of| told.push((blocks, of))).unwrap();
    assert_eq!((shrunk.blocks, shrunk.oldest), (20, 20));
    assert_eq!(told.last(), Some(&(20, 20)));
    assert_eq!(shrunk.after, std::fs::metadata(&path).unwrap().len());
    assert!(shrunk.after < shrunk.before, "{shrunk:?}");

    let store = Store::open(&path, full(5)).unwrap();
    assert_eq!((store.head(), store.oldest()), (head, 20));
    assert!(rows(&store) == wanted);
    let mut rig = Rig { store, worlds };
    rig.check_all();
    rig.commit(&sets(3, 1));
    rig.check_all();
    drop(rig);
    let again = Store::shrink(&path, ARCHIVE, &mut |_, _| {}).unwrap();
    assert_eq!(
        (again.blocks, again.oldest),
        (0, 20),
        "an archive lets go of nothing"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]

    #[test]
    fn shrinking_changes_no_state_that_is_kept(
        blocks in proptest::collection::vec(changes(), 1..10),
        window in 1_u64..5,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.redb");
        let mut rig = Rig::over(Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap());
        for changes in &blocks {
            rig.commit(changes);
        }
        let Rig { store, worlds } = rig;
        drop(store);
        let shrunk = Store::shrink(&path, full(window), &mut |_, _| {}).unwrap();
        let rig = Rig { store: Store::open(&path, full(window)).unwrap(), worlds };
        prop_assert_eq!(rig.store.oldest(), (blocks.len() as u64 + 1).saturating_sub(window));
        prop_assert_eq!(rig.store.oldest(), shrunk.oldest);
        rig.check_all();
    }
}
