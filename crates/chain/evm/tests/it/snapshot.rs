//! States that are carried to another file: the chain there goes on as the one it came from.

use crate::{
    chain_file::{blocks, spec},
    governed::{Governed, certificate},
    random::{Action, chains, shanghai, with_factory},
    signed::{Signer, chain, development, next, settings, signers},
};
use alloy_primitives::bytes;
use proptest::prelude::*;
use purlin_chain_core::constitution::ADDRESS;
use purlin_chain_evm::{
    Chain, ImportError, Imported, Mode, NewHead, State, StateRead, StateSettings, StoreError,
    snapshot::{Manifest, SnapshotError, restore, write},
};
use purlin_chain_proto::{Address, B256, Bytes, ChainSpec, GenesisAccount, TxKind, U256};
use revm::Database;
use std::sync::Arc;
use tempfile::TempDir;

/// `sstore(calldata[0..32], blockhash(calldata[0..32]))`
const ASKER_CODE: Bytes = bytes!("6000358040905500");
const ASKER: Address = Address::repeat_byte(0xa5);

fn streamed(state: &State) -> (Manifest, Vec<u8>) {
    let mut stream = Vec::new();
    let proof = Bytes::from_static(b"proof");
    let manifest = write(state, proof, &mut stream, &mut |_, _| {}).expect("a stream");
    (manifest, stream)
}

/// The chain that comes of a state, in a file that lives as long as the folder.
fn carried(state: &State, spec: &ChainSpec, mode: Mode) -> (TempDir, Chain) {
    let (written, stream) = streamed(state);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("chain.redb");
    let settings = StateSettings { mode, ..settings() };
    let (mut input, mut accept) = (stream.as_slice(), |_: &Manifest| Ok(()));
    let read = restore(&path, spec, settings, &mut input, &mut accept, &mut |_, _| {});
    assert_eq!(read.expect("a chain"), written);
    assert_eq!(written.proof.as_ref(), b"proof");
    let chain = Chain::open(&path, spec.clone(), settings).expect("a whole file");
    assert_eq!(chain.head(), *state.head());
    assert_eq!(chain.store().oldest(), state.number());
    (folder, chain)
}

fn carry(chain: &Chain) -> (TempDir, Chain) {
    carried(
        &chain.store().latest().expect("state"),
        chain.spec(),
        Mode::Archive,
    )
}

fn import(chain: &Chain, head: &NewHead) {
    let imported = chain.import(head.block.clone()).expect("a good block");
    assert!(matches!(imported, Imported::New(_)));
    assert_eq!(chain.head().hash, head.hash);
}

fn produce(chain: &Chain, all: &[Signer], nonces: &mut [u64], actions: &[(u8, Action)]) -> Arc<NewHead> {
    let transactions = actions.iter().map(|(signer, action)| {
        let signer = usize::from(*signer) % all.len();
        nonces[signer] += 1;
        action.sign(&all[signer], nonces[signer] - 1)
    });
    let produced = chain.produce(next(chain), transactions).expect("a block");
    assert!(produced.refused.is_empty(), "{:?}", produced.refused);
    produced.head
}

/// The head itself is whole in both, and so is each proof.
fn same(one: &Chain, other: &Chain, accounts: &[Address]) {
    let number = one.head().header.number;
    assert_eq!(one.head(), other.head());
    let (a, b) = (one.store(), other.store());
    assert_eq!(a.block(number).unwrap(), b.block(number).unwrap());
    assert_eq!(a.receipts(number).unwrap(), b.receipts(number).unwrap());
    for transaction in &a.block(number).unwrap().expect("kept").block.body.transactions {
        let hash = *transaction.tx_hash();
        assert_eq!(a.transaction(hash).unwrap(), b.transaction(hash).unwrap());
    }
    let slots: Vec<B256> = (0..4_u8).map(|slot| B256::from(U256::from(slot))).collect();
    for address in accounts {
        let proof = a.proof(number, *address, &slots).unwrap();
        assert_eq!(proof, b.proof(number, *address, &slots).unwrap());
    }
}

fn goes_on(spec: &ChainSpec, all: &[Signer], blocks: &[Vec<(u8, Action)>], at: usize) {
    let maker = chain(with_factory(spec));
    let mut nonces = vec![0; all.len()];
    let (before, after) = blocks.split_at(at.min(blocks.len()));
    for actions in before {
        produce(&maker, all, &mut nonces, actions);
    }
    let (_folder, other) = carry(&maker);
    let mut touched: Vec<Address> = all.iter().map(|signer| signer.address).collect();
    for actions in after {
        let head = produce(&maker, all, &mut nonces, actions);
        import(&other, &head);
        touched.extend(&head.changed);
    }
    same(&maker, &other, &touched);
    for number in maker.head().header.number - after.len() as u64..=maker.head().header.number {
        let (ours, theirs) = (maker.view(number).unwrap(), other.view(number).unwrap());
        assert_eq!(ours.header, theirs.header);
        for address in &touched {
            let account = |chain: &Chain| chain.store().state_at(number).unwrap().account(*address).unwrap();
            assert_eq!(account(&maker), account(&other));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_made_from_a_stream_goes_on_as_the_one_it_came_from(blocks in chains(), at in 0_usize..5) {
        let all = signers(3);
        goes_on(&development(&all), &all, &blocks, at);
        goes_on(&shanghai(&all), &all, &blocks, at);
    }
}

#[test]
fn the_public_chain_can_be_carried_under_any_fork() {
    let blocks = blocks();
    // Blocks with ommers are held against bodies of blocks before them, which do not come along.
    let last = blocks.iter().rposition(|block| !block.body.ommers.is_empty());
    let last = last.expect("it was mined at first") + 1;
    for height in [0, 4, 12, last, 50] {
        let maker = Chain::create(None, spec(), settings()).expect("a chain");
        for block in &blocks[..height] {
            maker.import(block.clone()).expect("a good block");
        }
        let (_folder, other) = carry(&maker);
        same(&maker, &other, &[]);
        let refused = blocks[height..]
            .iter()
            .find_map(|block| other.import(block.clone()).err());
        match refused {
            None => assert!(include_str!("../data/headfcu.json").contains(&other.head().hash.to_string())),
            Some(ImportError::Store(StoreError::Pruned { .. })) if (1..last).contains(&height) => {}
            Some(other) => panic!("from {height}: {other}"),
        }
    }
}

/// Calls of the asker, one for each number.
fn asks(signer: &Signer, nonce: &mut u64, numbers: &[u64]) -> Vec<purlin_chain_proto::Recovered> {
    let ask = |number: &u64| {
        *nonce += 1;
        let input = B256::from(U256::from(*number));
        signer.call(*nonce - 1, TxKind::Call(ASKER), 0, input.into())
    };
    numbers.iter().map(ask).collect()
}

#[test]
fn block_hashes_and_the_window_reach_over_the_border() {
    const BORDER: u64 = 300;
    let all = signers(1);
    let mut genesis = development(&all).genesis().clone();
    let asker = GenesisAccount {
        code: Some(ASKER_CODE),
        ..GenesisAccount::default()
    };
    genesis.alloc.insert(ASKER, asker);
    let maker = chain(ChainSpec::from_genesis(genesis).expect("as above"));
    for _ in 0..BORDER {
        maker.produce(next(&maker), std::iter::empty()).expect("a block");
    }
    let state = maker.store().latest().expect("state");
    let (_folder, other) = carried(&state, maker.spec(), Mode::Full { blocks: 8 });

    let hash = |number| maker.store().header(number).unwrap().expect("kept").hash;
    for number in BORDER - 256..BORDER {
        let mut view = other.view(BORDER).expect("the head's state");
        assert_eq!(view.db.block_hash(number).unwrap(), hash(number));
        assert_eq!(other.store().number_of(hash(number)).unwrap(), Some(number));
    }
    let pruned = |error| matches!(error, StoreError::Pruned { oldest, .. } if oldest >= BORDER);
    assert!(pruned(other.store().header(BORDER - 257).unwrap_err()));
    assert!(pruned(other.store().header(1).unwrap_err()));
    assert!(pruned(other.store().block(BORDER - 1).unwrap_err()));
    assert!(pruned(other.store().receipts(BORDER - 1).unwrap_err()));
    assert!(pruned(other.store().state_at(BORDER - 1).unwrap_err()));
    assert!(other.store().header(BORDER + 1).unwrap().is_none());
    assert_eq!(other.store().block(0).unwrap(), maker.store().block(0).unwrap());

    let mut nonce = 0;
    for number in BORDER + 1..=BORDER + 12 {
        let asked = [number - 257, number - 256, number - 100, BORDER, number - 1, 1];
        let transactions = asks(&all[0], &mut nonce, &asked);
        let produced = maker
            .produce(next(&maker), transactions.into_iter())
            .expect("a block");
        assert!(produced.refused.is_empty(), "{:?}", produced.refused);
        import(&other, &produced.head);
        let state = other.store().latest().unwrap();
        let slot = |number: u64| B256::from(state.storage(ASKER, U256::from(number)).unwrap());
        assert_eq!(
            (slot(number - 256), slot(BORDER)),
            (hash(number - 256), hash(BORDER))
        );
        while other.store().prune(3).unwrap().more {}
        assert_eq!(other.store().oldest(), BORDER.max(number - 7));
    }
    same(&maker, &other, &[ASKER, all[0].address]);
    let number = other.store().oldest();
    let proof = |chain: &Chain| {
        chain
            .store()
            .proof(number, ASKER, &[B256::from(U256::from(BORDER))])
            .unwrap()
    };
    assert_eq!(proof(&maker), proof(&other));
    assert!(
        pruned(other.store().block(BORDER).unwrap_err()),
        "the border itself is pruned as any block"
    );

    let (_folder, third) = carried(&other.store().latest().unwrap(), maker.spec(), Mode::Archive);
    same(&maker, &third, &[ASKER]);
}

#[test]
fn blocks_and_pruning_that_come_meanwhile_do_not_disturb_the_writer() {
    let all = signers(1);
    let settings = StateSettings {
        mode: Mode::Full { blocks: 1 },
        ..settings()
    };
    let maker = Chain::create(None, development(&all), settings).expect("a chain");
    let send = |nonce: u64| {
        let to = Address::repeat_byte(nonce as u8 + 1);
        let transfer = all[0].transfer(nonce, to, 5);
        maker
            .produce(next(&maker), std::iter::once(transfer))
            .expect("a block")
            .head
    };
    send(0);
    let state = maker.store().latest().expect("state");
    let later: Vec<_> = (1..6).map(send).collect();
    while maker.store().prune(1).unwrap().more {}
    assert_eq!(maker.store().oldest(), 6);
    let (_folder, other) = carried(&state, maker.spec(), Mode::Archive);
    assert_eq!(other.head().header.number, 1);
    later.iter().for_each(|head| import(&other, head));
    same(&maker, &other, &[all[0].address]);

    let older = other.store().state_at(3).expect("kept");
    let refused = write(&older, Bytes::new(), &mut Vec::new(), &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(refused, SnapshotError::NotHead { number: 3, head: 6 }),
        "{refused}"
    );
}

#[test]
fn validators_and_what_they_voted_for_come_with_the_state() {
    let governed = Governed::new(5, &[1; 4]);
    let add = governed.add(4, 1);
    let votes = [(0, add), (1, add), (2, add)];
    assert_eq!(governed.block(&votes), [true; 3]);
    governed.go_on(5);
    let (_folder, other) = carry(&governed.one);
    let versions = governed.one.constitutions().expect("validators decide");
    assert_eq!(versions.len(), 2);
    assert_eq!(other.constitutions(), Some(versions));
    for height in 0..=7 {
        assert_eq!(other.constitution(height), governed.one.constitution(height));
    }
    assert_eq!(other.certificate(5).unwrap(), Some(certificate()));
    same(&governed.one, &other, &[ADDRESS]);

    let governed = governed.with(other);
    let remove = governed.remove(0);
    let votes = [1, 2, 3, 4].map(|who| (who, remove));
    assert_eq!(governed.block(&votes), [true; 4]);
    governed.go_on(10);
    assert_eq!(governed.one.constitutions().expect("as before").len(), 3);
}
