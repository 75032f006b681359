use super::*;
use alloy_consensus::crypto::secp256k1::sign_message;
use alloy_primitives::{U256, b256, keccak256};
use std::collections::BTreeSet;

const KEY: B256 = B256::repeat_byte(0x46);
const SIGNER: &str = "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";

fn network(n: u8) -> Network {
    Network(B256::repeat_byte(n))
}

fn signature(digest: B256) -> [u8; SIGNATURE_LEN] {
    let mut octets = sign_message(KEY, digest).unwrap().as_bytes();
    octets[64] -= 27;
    octets
}

#[test]
fn the_octets_under_a_digest_are_those_of_the_picture() {
    let mut octets = b"purlin/vote/1".to_vec();
    octets.extend([7; 32]);
    octets.push(3);
    octets.extend(5_u64.to_be_bytes());
    octets.extend(2_u32.to_be_bytes());
    octets.push(1);
    octets.extend([9; 32]);
    let hash = B256::repeat_byte(9);
    assert_eq!(
        network(7).vote(VoteKind::Precommit, 5, 2, Some(hash)),
        keccak256(&octets)
    );
    octets[13 + 32] = 1;
    octets.extend((-1_i64).to_be_bytes());
    assert_eq!(network(7).proposal(5, 2, hash, None), keccak256(&octets));
}

#[test]
fn whatever_differs_gives_another_digest() {
    let (hash, other) = (Some(B256::ZERO), Some(B256::repeat_byte(1)));
    let (net, kind) = (network(1), VoteKind::Prevote);
    let digests = [
        net.vote(kind, 1, 0, hash),
        net.vote(kind, 1, 0, None),
        net.vote(kind, 1, 0, other),
        net.vote(kind, 1, 1, hash),
        net.vote(kind, 2, 0, hash),
        net.vote(VoteKind::Precommit, 1, 0, hash),
        network(2).vote(kind, 1, 0, hash),
        net.proposal(1, 0, B256::ZERO, None),
        net.proposal(1, 0, B256::ZERO, Some(0)),
    ];
    assert_eq!(digests.into_iter().collect::<BTreeSet<_>>().len(), digests.len());
}

#[test]
fn the_signer_is_recovered_from_one_form_only() {
    let digest = network(1).vote(VoteKind::Precommit, 1, 0, Some(B256::ZERO));
    let right = signature(digest);
    assert_eq!(recover(digest, &right), Some(SIGNER.parse().unwrap()));
    assert_ne!(
        recover(B256::repeat_byte(3), &right),
        Some(SIGNER.parse().unwrap())
    );
    assert_eq!(recover(digest, &right[..64]), None);
    let mut long = right.to_vec();
    long.push(0);
    assert_eq!(recover(digest, &long), None);

    let mut parity = right;
    parity[64] += 27;
    assert_eq!(recover(digest, &parity), None, "27 and 28 are another form");

    // The same point mirrored: valid for ECDSA, and made without the key.
    let order = b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    let s = U256::from_be_slice(&right[32..64]);
    let mut mirrored = right;
    mirrored[32..64].copy_from_slice(&(U256::from_be_bytes(order.0) - s).to_be_bytes::<32>());
    mirrored[64] ^= 1;
    assert_eq!(recover(digest, &mirrored), None, "s in the upper half");
}
