//! Files that are torn, empty, foreign or rotten are refused with a sentence, not served and not a panic.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::world::{ARCHIVE, Rig, alloc, certificate, decided, genesis, sets};
use crate::store::{Store, StoreError};

fn chain(path: &Path) {
    let mut rig = Rig::over(Store::create(path, ARCHIVE, &genesis(), alloc()).unwrap());
    (0..30).for_each(|nonce| rig.commit(&sets(2, nonce)));
}

#[test]
fn a_file_that_is_no_store_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    for octets in [&b"not a database at all"[..], &[0; 8192], &[255; 100_000]] {
        fs::write(&path, octets).unwrap();
        let error = Store::open(&path, ARCHIVE).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert!(
            error.to_string().contains("restore the file from a backup"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), octets);
    }
    fs::write(&path, b"").unwrap();
    let error = Store::open(&path, ARCHIVE).unwrap_err();
    assert!(matches!(error, StoreError::NoChain { .. }), "{error}");
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    chain(&path);
    let whole = fs::read(&path).unwrap();
    for length in [100, 512, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = Store::open(&path, ARCHIVE).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "{length}: {error}");
    }
}

#[test]
fn rot_at_the_opening_is_refused_and_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    chain(&path);
    let whole = fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut rotten = whole.clone();
        for octet in &mut rotten[at..(at + 64).min(whole.len())] {
            *octet ^= 0x55;
        }
        fs::write(&path, &rotten).unwrap();
        match Store::open(&path, ARCHIVE) {
            Ok(store) => {
                assert!(store.head().header.number <= 30);
                // The engine believes its map of free pages until it writes it, and then it may stumble.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(store)));
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, StoreError::Damaged(_)), "{at}: {error}");
            }
        }
    }
    assert!(refused > 0);
}

/// Rot inside the one row that the opening does not read: it is named when it is asked for, and never handed on.
#[test]
fn a_rotten_certificate_is_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.redb");
    let store = Store::create(&path, ARCHIVE, &genesis(), alloc()).unwrap();
    for nonce in 1..=3 {
        store.commit(decided(&store, &sets(2, nonce), 1)).unwrap();
    }
    drop(store);
    let whole = fs::read(&path).unwrap();
    // The engine copies pages, so that the row may lie in the file more than once.
    let needle = [3; 300];
    assert_eq!(certificate(3), needle[..]);
    let places: Vec<usize> = (0..whole.len() - needle.len())
        .filter(|at| whole[*at..].starts_with(&needle))
        .collect();
    assert!(!places.is_empty());
    for inside in [0, 150, 299] {
        let mut rotten = whole.clone();
        for at in &places {
            rotten[at + inside] ^= 1;
        }
        fs::write(&path, &rotten).unwrap();
        let store = Store::open(&path, ARCHIVE).unwrap();
        let error = store.certificate(3).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the certificate of a block cannot be read"),
            "{error}"
        );
        assert_eq!(store.certificate(1).unwrap(), Some(certificate(1)));
        assert_eq!(store.block(3).unwrap().unwrap().senders.len(), 1);
    }
}
