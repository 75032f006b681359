//! Bundles of a small state, made right and then forged in every part.

use super::*;
use crate::Key;
use alloy_primitives::Signature;
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, KECCAK_EMPTY, Nibbles, TrieAccount};
use purlin_chain_core::consensus::Commit;
use purlin_chain_core::consensus::signed::{Network, VoteKind};
use purlin_chain_proto::ConsensusSpec;
use std::collections::BTreeMap;
use std::time::Duration;

mod steps;

const HEIGHT: u64 = 7;

fn key(index: u32) -> Key {
    Key::derived(6, index)
}

/// A chain of four validators; `first` is the first one's index, for chains of others.
fn trust(first: u32) -> Trust {
    let mut genesis = ChainSpec::development(7, &[], 1).genesis().clone();
    let validators = (first..first + 4).map(|index| (key(index).address(), 1));
    ConsensusSpec {
        validators: validators.collect(),
        period: Duration::from_secs(1),
        gas_limit: 30_000_000,
    }
    .write(&mut genesis.config);
    Trust::of(&ChainSpec::from_genesis(genesis).unwrap()).unwrap()
}

/// The root of a trie and the proof of one key, which may not be in it.
fn trie(leaves: &BTreeMap<B256, Vec<u8>>, asked: B256) -> (B256, Vec<Bytes>) {
    let retainer = ProofRetainer::new(vec![Nibbles::unpack(asked)]);
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes = builder.take_proof_nodes().into_nodes_sorted();
    (root, nodes.into_iter().map(|(_, node)| node).collect())
}

fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// Twenty slots; slot n holds 100 + n.
fn storage() -> BTreeMap<B256, Vec<u8>> {
    let leaf = |n| (keccak256(slot(n)), alloy_rlp::encode(U256::from(100 + n)));
    (0..20).map(leaf).collect()
}

fn slot_proof(number: u64, value: u64) -> SlotProof {
    SlotProof {
        key: slot(number),
        value: U256::from(value),
        proof: trie(&storage(), keccak256(slot(number))).1,
    }
}

fn account(nonce: u64) -> TrieAccount {
    TrieAccount {
        nonce,
        balance: U256::from(1_000 + nonce),
        storage_root: trie(&storage(), B256::ZERO).0,
        code_hash: KECCAK_EMPTY,
    }
}

fn holder(nonce: u64) -> Address {
    Address::with_last_byte(nonce as u8)
}

fn state() -> BTreeMap<B256, Vec<u8>> {
    let leaf = |n| (keccak256(holder(n)), alloy_rlp::encode(account(n)));
    (1..=40).map(leaf).collect()
}

fn commit(key: &Key, digest: B256) -> Commit {
    let signature: Signature = key.sign(digest);
    Commit {
        validator: key.address(),
        signature: Bytes::copy_from_slice(&signature.as_rsy()),
    }
}

fn certificate(genesis: B256, hash: B256, signers: &[u32], kind: VoteKind) -> Certificate {
    let digest = Network(genesis).vote(kind, HEIGHT, 1, Some(hash));
    Certificate {
        height: HEIGHT,
        round: 1,
        hash,
        commits: signers.iter().map(|index| commit(&key(*index), digest)).collect(),
    }
}

fn header(state_root: B256) -> Bytes {
    let header = Header {
        number: HEIGHT,
        timestamp: 1_700_000_000,
        state_root,
        ..Header::default()
    };
    alloy_rlp::encode(header).into()
}

/// Account 5 with a slot that is set and one that is not, signed by three of four.
fn honest() -> Bundle {
    let (root, nodes) = trie(&state(), keccak256(holder(5)));
    let (header, genesis, there) = (header(root), trust(0).genesis, account(5));
    let certificate = certificate(genesis, keccak256(&header), &[0, 1, 2], VoteKind::Precommit);
    Bundle {
        format: FORMAT.to_owned(),
        genesis,
        header,
        certificate: certificate.encode(),
        account: AccountProof {
            address: holder(5),
            nonce: U64::from(there.nonce),
            balance: there.balance,
            code_hash: there.code_hash,
            storage_hash: there.storage_root,
            account_proof: nodes,
            storage_proof: vec![slot_proof(3, 103), slot_proof(77, 0)],
        },
        steps: Vec::new(),
    }
}

fn absent() -> Bundle {
    let mut bundle = honest();
    bundle.account = AccountProof {
        address: holder(99),
        nonce: U64::ZERO,
        balance: U256::ZERO,
        code_hash: KECCAK_EMPTY,
        storage_hash: roots::EMPTY,
        account_proof: trie(&state(), keccak256(holder(99))).1,
        storage_proof: vec![SlotProof {
            key: slot(3),
            value: U256::ZERO,
            proof: Vec::new(),
        }],
    };
    bundle
}

/// The forged bundle is refused, in words that hold these.
fn refused(words: &str, forge: impl Fn(&mut Bundle)) {
    refused_of(honest(), words, forge);
}

fn refused_of(mut bundle: Bundle, words: &str, forge: impl Fn(&mut Bundle)) {
    assert!(bundle.verify(&trust(0)).is_ok(), "{words}: it was right before");
    forge(&mut bundle);
    match bundle.verify(&trust(0)) {
        Err(fault) => assert!(fault.to_string().contains(words), "{words}: {fault}"),
        Ok(proven) => panic!("{words}: {proven:?}"),
    }
}

#[test]
fn an_honest_bundle_proves_account_and_slots() {
    let text = serde_json::to_string(&honest()).unwrap();
    let proven = serde_json::from_str::<Bundle>(&text)
        .unwrap()
        .verify(&trust(0))
        .unwrap();
    assert_eq!(
        (proven.block, proven.round, proven.timestamp),
        (HEIGHT, 1, 1_700_000_000)
    );
    assert_eq!((proven.power, proven.total, proven.signers.len()), (3, 4, 3));
    assert_eq!(
        (proven.exists, proven.nonce, proven.balance),
        (true, 5, U256::from(1_005))
    );
    assert_eq!(proven.slots, [(slot(3), U256::from(103)), (slot(77), U256::ZERO)]);
}

#[test]
fn that_there_is_no_account_is_proven_too() {
    let proven = absent().verify(&trust(0)).unwrap();
    assert_eq!((proven.exists, proven.balance), (false, U256::ZERO));
}

#[test]
fn the_genesis_of_other_validators_is_another_chain() {
    assert_ne!(trust(0).genesis, trust(1).genesis);
    let fault = honest().verify(&trust(1)).unwrap_err();
    assert!(matches!(fault, LightFault::OtherChain { .. }), "{fault}");
    // Nor does it help to say so: the signatures are for the chain that they were made for.
    let mut forged = honest();
    forged.genesis = trust(1).genesis;
    let fault = forged.verify(&trust(1)).unwrap_err();
    assert!(matches!(fault, LightFault::Certificate(_)), "{fault}");
}

#[test]
fn a_chain_without_validators_proves_nothing() {
    let alone = ChainSpec::development(7, &[], 1);
    assert_eq!(Trust::of(&alone), Err(LightFault::NoValidators));
}

#[test]
fn a_header_that_nobody_signed_is_refused() {
    refused("its certificate is of block", |bundle| {
        bundle.header = header(B256::repeat_byte(1));
    });
    refused("its header is not readable", |bundle| {
        bundle.header = Bytes::from(vec![0xc0]);
    });
    refused("its header is not readable", |bundle| {
        bundle.header = [&bundle.header[..], &[0]].concat().into();
    });
}

#[test]
fn a_certificate_that_proves_nothing_is_refused() {
    let forged = |signers: &'static [u32], kind| {
        move |bundle: &mut Bundle| {
            let hash = keccak256(&bundle.header);
            bundle.certificate = certificate(bundle.genesis, hash, signers, kind).encode();
        }
    };
    let precommit = VoteKind::Precommit;
    refused("power 2 signed, and 3 of 4 must", forged(&[0, 1], precommit));
    refused("power 0 signed", forged(&[], precommit));
    refused("signed twice", forged(&[0, 1, 1], precommit));
    refused("is no validator", forged(&[0, 1, 9], precommit));
    refused("is wrong", forged(&[0, 1, 2], VoteKind::Prevote));
    refused("its certificate is not readable", |bundle| {
        bundle.certificate = Bytes::new();
    });
    // Signatures of another chain, of another height, and of another round.
    refused("is wrong", |bundle| {
        let hash = keccak256(&bundle.header);
        bundle.certificate = certificate(B256::ZERO, hash, &[0, 1, 2], precommit).encode();
    });
    for field in 0..2 {
        let words = ["its certificate is of height 8", "is wrong"][field];
        refused(words, |bundle| {
            let mut other = Certificate::decode(&bundle.certificate).unwrap();
            other.height += u64::from(field == 0);
            other.round += u32::from(field == 1);
            bundle.certificate = other.encode();
        });
    }
    // One who did not sign is named in place of one who did.
    refused("is wrong", |bundle| {
        let mut other = Certificate::decode(&bundle.certificate).unwrap();
        other.commits[0].validator = key(3).address();
        bundle.certificate = other.encode();
    });
}

#[test]
fn an_account_that_is_not_so_is_refused() {
    let words = "is not what it says";
    refused(words, |bundle| bundle.account.balance += U256::from(1));
    refused(words, |bundle| bundle.account.nonce = U64::from(6));
    refused(words, |bundle| bundle.account.code_hash = B256::repeat_byte(1));
    refused(words, |bundle| bundle.account.storage_hash = B256::repeat_byte(1));
    refused(words, |bundle| bundle.account.address = holder(6));
    refused(words, |bundle| drop(bundle.account.account_proof.pop()));
    refused(words, |bundle| drop(bundle.account.account_proof.remove(0)));
    refused(words, |bundle| bundle.account.account_proof.clear());
    refused(words, |bundle| {
        let last = bundle.account.account_proof.last_mut().unwrap();
        let mut octets = last.to_vec();
        octets[40] ^= 1;
        *last = octets.into();
    });
}

#[test]
fn an_account_that_is_there_cannot_be_denied() {
    let words = "is not what it says";
    refused(words, |bundle| {
        bundle.account.nonce = U64::ZERO;
        bundle.account.balance = U256::ZERO;
    });
    // Nor with a proof that ends early, nor with that of an account which is not there.
    refused(words, |bundle| {
        bundle.account.nonce = U64::ZERO;
        bundle.account.balance = U256::ZERO;
        bundle.account.account_proof.truncate(1);
    });
    refused_of(absent(), words, |bundle| bundle.account.address = holder(5));
    // And one that is not there has nothing.
    refused_of(absent(), words, |bundle| bundle.account.balance = U256::from(1));
}

#[test]
fn a_slot_that_is_not_so_is_refused() {
    let words = "does not hold";
    refused(words, |bundle| {
        bundle.account.storage_proof[0].value = U256::from(104);
    });
    refused(words, |bundle| bundle.account.storage_proof[0].value = U256::ZERO);
    refused(words, |bundle| {
        bundle.account.storage_proof[1].value = U256::from(1);
    });
    refused(words, |bundle| bundle.account.storage_proof[0].key = slot(4));
    refused(words, |bundle| drop(bundle.account.storage_proof[0].proof.pop()));
    // The storage of an account that is not there is empty, whatever root the bundle names.
    refused_of(absent(), words, |bundle| {
        bundle.account.storage_hash = account(5).storage_root;
        bundle.account.storage_proof[0] = slot_proof(3, 103);
    });
}

#[test]
fn another_format_is_not_guessed_at() {
    refused("purlin-proof/2", |bundle| {
        bundle.format = "purlin-proof/2".to_owned();
    });
}
