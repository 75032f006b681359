//! Snapshots of a running chain.

use crate::network::until;
use crate::served::{Key, Served, state};
use purlin_chain_evm::snapshot::{read_manifest, restore};
use purlin_chain_evm::{Chain, StateRead as _};
use purlin_chain_proto::{Address, U256};
use purlin_chain_server::{Pieces, SnapshotRefused};

const TO: Address = Address::repeat_byte(0xee);

async fn octets(mut pieces: Pieces) -> Vec<u8> {
    let mut octets = Vec::new();
    while let Some(piece) = pieces.next().await {
        octets.extend_from_slice(&piece.expect("written"));
    }
    octets
}

#[test]
fn a_snapshot_is_of_the_head_and_its_chain_goes_on_elsewhere() {
    let served = Served::development();
    let paid = served.send(&Key::new(1).pay(0, TO, 7));
    served.receipt(&paid);
    let head = served.handle.head();
    let octets = served.wait(async { octets(served.handle.snapshot().await.expect("free")).await });
    let manifest = read_manifest(&mut &octets[..]).expect("a snapshot");
    assert_eq!((manifest.head().1, manifest.proof.len()), (head.hash, 0));
    let dir = tempfile::tempdir().expect("a directory");
    let (path, spec) = (
        dir.path().join("chain.redb"),
        served.handle.chain().spec().clone(),
    );
    let mut accept = |_: &_| Ok(());
    restore(
        &path,
        &spec,
        state(),
        &mut &octets[..],
        &mut accept,
        &mut |_, _| (),
    )
    .expect("restored");
    let chain = Chain::open(&path, spec, state()).expect("opened");
    assert_eq!(chain.head().hash, head.hash);
    let account = chain
        .store()
        .latest()
        .expect("healthy")
        .account(TO)
        .expect("read");
    assert_eq!(account.expect("paid").balance, U256::from(7));
    // The block after it is taken like any other.
    let paid = served.send(&Key::new(1).pay(1, TO, 1));
    served.receipt(&paid);
    let next = served.handle.chain().store().block(head.header.number + 1);
    let next = next.expect("read").expect("there");
    chain.import(next.block.clone()).expect("imported");
    assert_eq!(chain.head().hash, next.hash);
}

#[test]
fn one_snapshot_goes_out_at_a_time() {
    let served = Served::development();
    let first = served.wait(served.handle.snapshot()).expect("free");
    let second = served.wait(served.handle.snapshot());
    assert!(matches!(second, Err(SnapshotRefused::Busy)), "{second:?}");
    drop(first);
    until("the turn is free again", || {
        served.wait(served.handle.snapshot()).is_ok()
    });
}
