//! Bundles of a chain whose validators change: 4 comes at height 9, and 0 goes at height 20.

use super::*;
use purlin_chain_core::constitution::ADDRESS;

type Slots = BTreeMap<B256, U256>;

/// The chain of [`trust`], with a constitution that votes can change.
fn governed() -> Trust {
    Trust {
        governed: true,
        ..trust(0)
    }
}

/// A version as Solidity lays it out.
fn version(slots: &mut Slots, number: u64, from: u64, members: &[u32]) {
    let place = |slot: U256| U256::from_be_bytes(keccak256(B256::from(slot)).0);
    let head = place(U256::ZERO) + U256::from(2 * number);
    let header = U256::from(from) | U256::from(1_000) << 64 | U256::from(30_000_000) << 128;
    slots.insert(head.into(), header);
    slots.insert((head + U256::ONE).into(), U256::from(members.len()));
    let mut members: Vec<_> = members.iter().map(|index| key(*index).address()).collect();
    members.sort();
    for (index, who) in members.into_iter().enumerate() {
        let value = U256::from_be_bytes(who.into_word().0) | U256::ONE << 160;
        slots.insert((place(head + U256::ONE) + U256::from(index)).into(), value);
    }
}

/// What the contract holds when there are so many versions.
fn contract(count: u64) -> Slots {
    let mut slots = Slots::from([(B256::ZERO, U256::from(count))]);
    let versions: [(u64, &[u32]); 3] = [(0, &[0, 1, 2, 3]), (9, &[0, 1, 2, 3, 4]), (20, &[1, 2, 3, 4])];
    for (number, (from, members)) in (0..count).zip(versions) {
        version(&mut slots, number, from, members);
    }
    slots
}

fn header_at(number: u64, state_root: B256) -> Bytes {
    let header = Header {
        number,
        state_root,
        ..Header::default()
    };
    alloy_rlp::encode(header).into()
}

fn signed(height: u64, header: &Bytes, signers: &[u32]) -> Bytes {
    let (genesis, hash) = (trust(0).genesis, keccak256(header));
    let digest = Network(genesis).vote(VoteKind::Precommit, height, 0, Some(hash));
    let certificate = Certificate {
        height,
        round: 0,
        hash,
        commits: signers.iter().map(|index| commit(&key(*index), digest)).collect(),
    };
    certificate.encode()
}

/// The proof of the newest version, at a block with this state.
fn step_of(slots: &Slots, number: u64, signers: &[u32]) -> Step {
    let leaves = slots
        .iter()
        .map(|(slot, value)| (keccak256(slot), alloy_rlp::encode(value)));
    let leaves: BTreeMap<_, _> = leaves.collect();
    let account = TrieAccount {
        nonce: 1,
        storage_root: trie(&leaves, B256::ZERO).0,
        ..TrieAccount::default()
    };
    let mut state = state();
    state.insert(keccak256(ADDRESS), alloy_rlp::encode(account));
    let (root, nodes) = trie(&state, keccak256(ADDRESS));
    let header = header_at(number, root);
    let slots = slots.iter().map(|(slot, value)| SlotProof {
        key: *slot,
        value: *value,
        proof: trie(&leaves, keccak256(slot)).1,
    });
    Step {
        certificate: signed(number, &header, signers),
        header,
        account: AccountProof {
            address: ADDRESS,
            nonce: U64::from(1),
            balance: U256::ZERO,
            code_hash: account.code_hash,
            storage_hash: account.storage_root,
            account_proof: nodes,
            storage_proof: slots.collect(),
        },
    }
}

/// Version 1 was decided in block 7, and version 2 in block 18.
fn steps() -> Vec<Step> {
    vec![
        step_of(&contract(2), 7, &[0, 1, 2]),
        step_of(&contract(3), 18, &[0, 1, 2, 4]),
    ]
}

/// Account 5 at a block that these signed.
fn bundle(number: u64, signers: &[u32], steps: Vec<Step>) -> Bundle {
    let mut bundle = honest();
    bundle.header = header_at(number, trie(&state(), B256::ZERO).0);
    bundle.certificate = signed(number, &bundle.header, signers);
    bundle.steps = steps;
    bundle
}

fn power(bundle: &Bundle) -> Result<(u64, u64), String> {
    let proven = bundle.verify(&governed()).map_err(|fault| fault.to_string())?;
    Ok((proven.power, proven.total))
}

#[test]
fn every_height_is_held_against_its_own_validators() {
    let text = serde_json::to_string(&bundle(20, &[1, 2, 4], steps())).unwrap();
    assert_eq!(power(&serde_json::from_str(&text).unwrap()), Ok((3, 4)));
    for (number, signers, expected) in [
        (8, &[0, 1, 2][..], (3, 4)),
        (9, &[1, 2, 3, 4], (4, 5)),
        (19, &[0, 1, 2, 3, 4], (5, 5)),
        (20, &[1, 2, 3, 4], (4, 4)),
        (9_000, &[1, 3, 4], (3, 4)),
    ] {
        assert_eq!(power(&bundle(number, signers, steps())), Ok(expected), "{number}");
    }
    for (number, signers, words) in [
        (8, &[1, 2, 3, 4][..], "is no validator"),
        (9, &[0, 1, 2], "power 3 signed, and 4 of 5 must"),
        (20, &[0, 1, 2, 3], "is no validator"),
    ] {
        let said = power(&bundle(number, signers, steps())).unwrap_err();
        assert!(said.contains(words), "{number}: {said}");
    }
}

#[test]
fn without_its_steps_a_later_block_is_not_proven() {
    let said = power(&bundle(20, &[1, 2, 4], Vec::new())).unwrap_err();
    assert!(said.contains("is no validator"), "{said}");
    let said = power(&bundle(20, &[1, 2, 4], steps()[1..].to_vec())).unwrap_err();
    assert!(
        said.contains("version 1 of the constitution is not proven"),
        "{said}"
    );
}

#[test]
fn a_step_that_proves_nothing_is_refused() {
    let refused = |words: &str, forge: fn(&mut Step)| {
        let mut steps = steps();
        forge(&mut steps[0]);
        let said = power(&bundle(9, &[1, 2, 3, 4], steps)).unwrap_err();
        assert!(
            said.contains("version 1") && said.contains(words),
            "{words}: {said}"
        );
    };
    refused("power 2 signed", |step| *step = step_of(&contract(2), 7, &[0, 1]));
    // Who is to come does not let itself in.
    refused("is no validator", |step| {
        *step = step_of(&contract(2), 7, &[0, 1, 2, 4]);
    });
    refused("decided before it", |step| {
        *step = step_of(&contract(2), 9, &[0, 1, 2]);
    });
    refused("does not have it", |step| {
        *step = step_of(&contract(1), 7, &[0, 1, 2]);
    });
    refused("does not hold", |step| {
        step.account.storage_proof[0].value += U256::ONE;
    });
    refused("is not proven", |step| drop(step.account.storage_proof.remove(0)));
    refused("another account", |step| step.account.address = holder(5));
    refused("its certificate is of block", |step| {
        step.header = header_at(7, B256::ZERO);
    });
    let mut ungoverned = governed();
    ungoverned.governed = false;
    let fault = bundle(9, &[1, 2, 3, 4], steps()).verify(&ungoverned).unwrap_err();
    assert!(fault.to_string().contains("no constitution"), "{fault}");
}

#[test]
fn a_decision_proves_its_own_header_alone_by_those_who_decided_then() {
    let block = bundle(25, &[1, 2, 4], steps());
    let header = Header::decode(&mut &block.header[..]).unwrap();
    let decision = Decision {
        certificate: block.certificate,
        steps: block.steps,
    };
    let proof = serde_json::to_vec(&decision.steps).unwrap();
    let read = Decision::read(decision.certificate.clone(), &proof).unwrap();
    let signed = read.verify(&governed(), &header).unwrap();
    let signers = [1, 2, 4].map(|index| key(index).address());
    assert_eq!((signed.power, signed.total), (3, 4));
    assert_eq!(signed.signers, signers);
    assert_eq!(read.claimed(&header).unwrap(), signers);
    let other = Header {
        state_root: B256::ZERO,
        ..header.clone()
    };
    let refused = |decision: &Decision, header: &Header| decision.verify(&governed(), header).unwrap_err();
    let fault = refused(&decision, &other);
    assert!(matches!(fault, LightFault::OtherBlock { .. }), "{fault}");
    // Without the steps, validator 4 is a stranger.
    let short = Decision::read(decision.certificate.clone(), &[]).unwrap();
    let fault = refused(&short, &header);
    assert!(matches!(fault, LightFault::Certificate(_)), "{fault}");
    let fault = Decision::read(decision.certificate, b"{}").unwrap_err();
    assert!(
        matches!(fault, LightFault::Unreadable { what: "proof", .. }),
        "{fault}"
    );
}
