//! The process or the machine stops at any write or sync: what opens again is a whole block, never a part of one.

use alloy_primitives::{Address, B256, U256};
use redb::ReadableTable;

use super::disk::Disk;
use super::world::{
    ARCHIVE, Rig, World, account, alloc, certificate, decided, full, genesis, removes, seal, sets, stores,
};
use crate::state::Changes;
use crate::store::create::begin;
use crate::store::{StateSettings, Store, StoreError, codec};

/// Blocks that write every table, with accounts enough for several pages.
fn block(number: u64) -> Changes {
    let mut changes = Changes::default();
    for who in 0..120_u64 {
        let address = Address::left_padding_from(&(who * 7 + number).to_be_bytes());
        changes.accounts.insert(address, Some(account(number, who)));
    }
    changes.then(sets(2, number));
    changes.then(stores(2, number % 3, number));
    if number == 2 {
        changes.then(removes(1));
    } else {
        changes.then(sets(1, number));
        changes.then(stores(1, number, 1));
    }
    changes
}

const BLOCKS: u64 = 3;

fn run(store: &Store) -> Result<(), StoreError> {
    for number in store.head().header.number + 1..=BLOCKS {
        store.commit(decided(store, &block(number), 3))?;
        store.prune(40)?;
    }
    Ok(())
}

fn fresh(settings: StateSettings) -> (Disk, Store) {
    let disk = Disk::default();
    let source = disk.source();
    begin(&source.open().unwrap(), &genesis(), alloc()).unwrap();
    (disk, Store::from_source(source, settings).unwrap())
}

/// The flat state as it lies in the file.
fn world(store: &Store) -> World {
    let snapshot = store.snapshot();
    let mut world = World::default();
    for row in snapshot.tables.accounts.iter().unwrap() {
        let (key, value) = row.unwrap();
        let account = codec::decode_account(value.value()).unwrap();
        world.accounts.insert(key.value().into(), account);
    }
    for row in snapshot.tables.storage.iter().unwrap() {
        let (key, value) = row.unwrap();
        let slots = world
            .storage
            .entry(Address::from_slice(&key.value()[..20]))
            .or_default();
        slots.insert(
            codec::slot_of(key.value()),
            codec::decode_word(value.value()).unwrap(),
        );
    }
    world
}

/// The rows of the table of certificates, whatever the store says about them.
fn certificates(store: &Store) -> Vec<u64> {
    let snapshot = store.snapshot();
    let table = snapshot.tables.certificates.as_ref();
    let rows = table.into_iter().flat_map(|table| table.iter().unwrap());
    rows.map(|row| row.unwrap().0.value()).collect()
}

/// Head, flat state, tries, history and certificates agree, and the chain goes on from here.
fn check(disk: &Disk, settings: StateSettings, at_least: u64) {
    let store = Store::from_source(disk.source(), settings).unwrap();
    let head = store.head();
    let number = head.header.number;
    assert!(
        number >= at_least,
        "block {at_least} was committed, the head is {number}"
    );
    assert_eq!(world(&store).root(), head.header.state_root);
    assert_eq!(
        store.root_after(&Changes::default()).unwrap().0,
        head.header.state_root
    );
    // Each block has its certificate, and no certificate is without its block.
    let oldest = store.oldest();
    assert!(certificates(&store).into_iter().eq(oldest.max(1)..=number));
    for number in oldest.max(1)..=number {
        assert_eq!(store.certificate(number).unwrap(), Some(certificate(number)));
    }
    for number in oldest..=number {
        let proof = store.proof(number, Address::repeat_byte(3), &[B256::from(U256::from(1))]);
        let block = store.block(number).unwrap().unwrap();
        assert!(proof.is_ok() && store.receipts(number).unwrap().unwrap().len() == block.senders.len());
    }
    run(&store).unwrap();
    assert_eq!(world(&store).root(), store.head().header.state_root);
    assert_eq!(store.head().header.number, BLOCKS);
}

/// Runs the blocks on a disk that dies after `steps`; says which head the caller was told of.
fn die(steps: u64, settings: StateSettings) -> (Disk, u64) {
    let (disk, store) = fresh(settings);
    disk.die_after(steps);
    let _ = run(&store);
    (disk, store.head().header.number)
}

fn steps(settings: StateSettings) -> u64 {
    let (disk, store) = fresh(settings);
    let before = disk.steps();
    run(&store).unwrap();
    disk.steps() - before
}

#[test]
fn a_killed_process_leaves_a_whole_block_at_every_step() {
    let settings = full(2);
    for at in (0..steps(settings)).step_by(3) {
        let (disk, told) = die(at, settings);
        check(&disk.kill(), settings, told);
    }
}

#[test]
fn a_power_cut_leaves_a_whole_block_at_every_step() {
    let settings = full(2);
    for at in 0..steps(settings) {
        let (disk, told) = die(at, settings);
        check(&disk.power_cut(at * 31 + 7), settings, told);
    }
}

#[test]
fn a_power_cut_while_recovering_from_one_does_no_harm() {
    let all = steps(ARCHIVE);
    for at in (0..all).step_by(11) {
        let (disk, told) = die(at, ARCHIVE);
        let mut disk = disk.power_cut(at);
        for more in 0..4 {
            disk.die_after(more);
            let _ = Store::from_source(disk.source(), ARCHIVE).map(|store| run(&store));
            disk = disk.power_cut(at + more * 17);
        }
        check(&disk, ARCHIVE, told);
    }
}

/// A node of before has written blocks; one that keeps certificates goes on with its file, and its machine fails.
#[test]
fn a_power_cut_while_the_first_certificate_is_written_leaves_a_file_of_before_or_after() {
    let old = || {
        let (disk, store) = fresh(ARCHIVE);
        store.commit(seal(&store, &block(1), 3)).unwrap();
        assert!(store.snapshot().tables.certificates.is_none());
        assert_eq!(store.certificate(1).unwrap(), None);
        (disk, store)
    };
    let commit = |store: &Store| store.commit(decided(store, &block(2), 3)).map(drop);
    let (disk, store) = old();
    let before = disk.steps();
    commit(&store).unwrap();
    let steps = disk.steps() - before;
    assert!(steps > 0);
    let mut seen = [0, 0];
    for at in 0..=steps {
        let (disk, store) = old();
        disk.die_after(at);
        let told = commit(&store).is_ok();
        let disk = disk.power_cut(at * 31 + 7);
        let store = Store::from_source(disk.source(), ARCHIVE).unwrap();
        let there = store.head().header.number == 2;
        assert!(there || !told);
        seen[usize::from(there)] += 1;
        assert_eq!(store.snapshot().tables.certificates.is_some(), there);
        assert_eq!(store.certificate(1).unwrap(), None);
        assert_eq!(store.certificate(2).unwrap(), there.then(|| certificate(2)));
        if !there {
            commit(&store).unwrap();
        }
        assert_eq!(store.certificate(2).unwrap(), Some(certificate(2)));
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}

#[test]
fn a_full_disk_refuses_the_block_and_everything_else_goes_on() {
    let (disk, store) = fresh(ARCHIVE);
    let mut rig = Rig::over(store);
    rig.commit(&block(1));
    disk.set_capacity(Some(disk.length()));
    let mut number = 2;
    // There is room inside the file for a while.
    let refused = loop {
        let sealed = decided(&rig.store, &block(number), 900);
        match rig.store.commit(sealed) {
            Ok(_) => {
                let mut world = rig.now().clone();
                world.apply(&block(number));
                rig.worlds.push(world);
                number += 1;
            }
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, StoreError::Full), "{refused}");
    for _ in 0..2 {
        assert_eq!(rig.store.head().header.number, number - 1);
        rig.check_all();
        rig.store.proof(1, Address::repeat_byte(3), &[]).unwrap();
        let refused = rig
            .store
            .commit(decided(&rig.store, &block(number), 900))
            .unwrap_err();
        assert_eq!(rig.store.certificate(number).unwrap(), None);
        assert!(matches!(refused, StoreError::Full), "{refused}");
    }
    disk.set_capacity(None);
    rig.commit(&block(number));
    rig.check_all();
}
