//! What comes out is what went in.

use super::{SETTINGS, chain, frames, rows, slots, spec, stream, taken};
use crate::snapshot::frame::Kind;
use crate::snapshot::{SnapshotError, read_manifest, restore, write};
use crate::store::Store;
use alloy_primitives::{Address, B256, Bytes};
use proptest::prelude::*;
use purlin_chain_proto::{ChainSpec, GenesisAccount};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_chain_made_from_a_stream_has_the_same_rows_however_it_was_cut(
        seed in any::<u64>(),
        accounts in prop_oneof![0_u64..20, 20_u64..160],
        least in 1_u64..12,
    ) {
        let spec = spec(seed, accounts);
        let chain = chain(&spec);
        let (manifest, octets) = stream(&chain, least);
        prop_assert_eq!((manifest.accounts, manifest.headers.len()), (accounts, 1));
        prop_assert_eq!(manifest.subtrees.len() > 1, full(&chain, accounts, least));
        prop_assert_eq!(read_manifest(&mut octets.as_slice()).unwrap(), manifest);
        prop_assert!(taken(&spec, chain.head().hash, &octets).unwrap() == rows(chain.store()));
    }

    #[test]
    fn no_octets_make_a_frame_that_panics(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        use crate::snapshot::record::{self, AccountRecord, Slot, Totals};
        prop_assert!(crate::snapshot::Manifest::decode(&octets).is_err());
        let accounts = record::decode::<Vec<AccountRecord>>(&octets);
        accounts.into_iter().flatten().for_each(|account| drop(account.account()));
        let _ = record::decode::<Vec<Slot>>(&octets);
        let _ = record::decode::<Totals>(&octets);
        let _ = read_manifest(&mut [b"purlin-state\0\0\0\x01", octets.as_slice()].concat().as_slice());
    }
}

/// Whether each of the 16 nibbles begins the hashed address of an account, and there are enough.
fn full(chain: &crate::Chain, accounts: u64, least: u64) -> bool {
    let state = chain.store().latest().unwrap();
    let all = state.whole().unwrap().addresses(|_| true).unwrap();
    let mut nibbles: Vec<u8> = all.iter().map(|(hash, _)| hash[0] >> 4).collect();
    nibbles.dedup();
    nibbles.len() == 16 && accounts / 16 >= least
}

#[test]
fn thousands_of_accounts_make_sections_two_nibbles_deep() {
    let spec = spec(7, 3_000);
    let chain = chain(&spec);
    let (manifest, octets) = stream(&chain, 1);
    assert_eq!(manifest.subtrees.len(), 256);
    let sections = frames(&octets)
        .into_iter()
        .filter(|frame| frame.0 == Kind::Section);
    assert_eq!(sections.count(), 256);
    assert!(taken(&spec, chain.head().hash, &octets).unwrap() == rows(chain.store()));
    // As much as a node writes: too few for more than one section.
    let mut octets = Vec::new();
    let mut told = (0, 0);
    let state = chain.store().latest().unwrap();
    let manifest = write(&state, Bytes::new(), &mut octets, &mut |done, all| {
        told = (done, all);
    })
    .unwrap();
    assert_eq!(manifest.subtrees, [chain.head().header.state_root]);
    assert_eq!(
        told,
        (
            manifest.accounts + manifest.slots,
            manifest.accounts + manifest.slots
        )
    );
    assert!(taken(&spec, chain.head().hash, &octets).unwrap() == rows(chain.store()));
}

#[test]
fn storage_of_many_frames_comes_back_frame_by_frame() {
    let mut genesis = spec(3, 40).genesis().clone();
    for (number, count) in [(1, 3_500), (2, 1_026), (3, 1_025), (4, 1_024)] {
        let account = GenesisAccount {
            storage: Some(slots(B256::repeat_byte(number), count)),
            ..GenesisAccount::default()
        };
        genesis.alloc.insert(Address::repeat_byte(number), account);
    }
    let spec = ChainSpec::from_genesis(genesis).unwrap();
    let chain = chain(&spec);
    let (_, octets) = stream(&chain, 1);
    let more = frames(&octets).into_iter().filter(|frame| frame.0 == Kind::Slots);
    // One slot of each is zero and not there: 3499, 1025, 1024 and 1023, of which the first 1024 come with the account.
    assert_eq!(more.count(), 3 + 1);
    assert!(taken(&spec, chain.head().hash, &octets).unwrap() == rows(chain.store()));
}

#[test]
fn a_code_comes_once_in_a_section() {
    let spec = spec(1, 400);
    let chain = chain(&spec);
    let codes = |least| {
        let all = frames(&stream(&chain, least).1).into_iter();
        all.filter(|frame| frame.0 == Kind::Code).count()
    };
    assert_eq!(codes(1_000), 4);
    assert!((20..=4 * 16).contains(&codes(1)), "{}", codes(1));
}

#[test]
fn what_is_at_the_path_stays_and_what_is_refused_leaves_nothing() {
    let spec = spec(1, 10);
    let chain = chain(&spec);
    let (manifest, octets) = stream(&chain, 1_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let mut asked = 0;
    let mut restored = |spec: &ChainSpec, says: Result<(), String>| {
        let mut accept = |asked_of: &crate::snapshot::Manifest| {
            asked += 1;
            assert_eq!(*asked_of, manifest);
            assert!(super::empty(folder.path()), "asked before anything is written");
            says.clone()
        };
        restore(
            &path,
            spec,
            SETTINGS,
            &mut octets.as_slice(),
            &mut accept,
            &mut |_, _| {},
        )
    };
    let refused = restored(&super::spec(2, 10), Ok(())).unwrap_err();
    assert!(matches!(refused, SnapshotError::OtherGenesis { .. }), "{refused}");
    let refused = restored(&spec, Err("nobody decided it".into())).unwrap_err();
    assert!(refused.to_string().contains("nobody decided it"), "{refused}");
    let (mut cut, mut accept) = (&octets[..octets.len() - 40], |_: &crate::snapshot::Manifest| {
        Ok(())
    });
    let refused = restore(&path, &spec, SETTINGS, &mut cut, &mut accept, &mut |_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("ends here"), "{refused}");
    assert!(super::empty(folder.path()));
    restored(&spec, Ok(())).unwrap();
    let refused = restored(&spec, Ok(())).unwrap_err();
    assert!(matches!(refused, SnapshotError::Exists { .. }), "{refused}");
    assert_eq!(asked, 2);
    assert!(rows(&Store::open(&path, SETTINGS).unwrap()) == rows(chain.store()));
}

#[test]
fn a_crash_in_the_middle_leaves_only_what_the_next_try_removes() {
    let spec = spec(5, 200);
    let chain = chain(&spec);
    let (_, octets) = stream(&chain, 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let again = |stop: u64| {
        let mut progress = |done: u64, _: u64| assert!(done < stop, "the process ends here");
        let made = || {
            let mut octets = octets.as_slice();
            restore(
                &path,
                &spec,
                SETTINGS,
                &mut octets,
                &mut |_| Ok(()),
                &mut progress,
            )
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(made)).map_err(drop)
    };
    again(60).unwrap_err();
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    let left: Vec<_> = left.into_iter().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["chain.redb.new"]);
    again(u64::MAX).unwrap().unwrap();
    assert!(rows(&Store::open(&path, SETTINGS).unwrap()) == rows(chain.store()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn two_cannot_make_the_same_file_at_once() {
    let spec = spec(5, 60);
    let chain = chain(&spec);
    let (_, octets) = stream(&chain, 1_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let made = |progress: &mut dyn FnMut(u64, u64)| {
        let mut octets = octets.as_slice();
        restore(&path, &spec, SETTINGS, &mut octets, &mut |_| Ok(()), progress)
    };
    let mut others = 0;
    let mut meanwhile = |_: u64, _: u64| {
        let refused = made(&mut |_, _| {}).unwrap_err();
        assert!(
            refused.to_string().contains("in use by another process"),
            "{refused}"
        );
        others += 1;
    };
    made(&mut meanwhile).unwrap();
    assert!(others > 0);
    assert!(rows(&Store::open(&path, SETTINGS).unwrap()) == rows(chain.store()));
}
