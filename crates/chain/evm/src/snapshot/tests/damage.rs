//! Whatever is not the stream that was written is refused, and whatever is taken is the state that the header says: also from
//! somebody who makes the checks fit.

use super::{chain, frames, rows, spec, stream, taken};
use crate::chain::{Attributes, Chain};
use crate::snapshot::frame::{FrameWriter, Kind};
use crate::snapshot::{SnapshotError, read_manifest};
use purlin_chain_proto::{Address, Bytes, ChainSpec, ConsensusSpec};
use std::time::Duration;

/// Some 90 accounts in 16 sections.
fn small() -> (ChainSpec, Chain, Vec<u8>) {
    let spec = spec(11, 90);
    let chain = chain(&spec);
    let (manifest, octets) = stream(&chain, 1);
    assert_eq!(manifest.subtrees.len(), 16);
    (spec, chain, octets)
}

fn framed(frames: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = FrameWriter::begin(&mut octets).unwrap();
    for (kind, payload) in frames {
        writer.put(*kind, payload).unwrap();
    }
    octets
}

#[test]
fn a_flipped_bit_is_refused_wherever_it_is() {
    let (spec, chain, octets) = small();
    let head = chain.head().hash;
    for at in (0..octets.len()).filter(|at| *at < 22 || at % 61 == 0 || at + 10 > octets.len()) {
        let mut rotten = octets.clone();
        rotten[at] ^= 1 << (at % 8);
        let refused = taken(&spec, head, &rotten).map(drop).unwrap_err();
        match (&refused, at) {
            (SnapshotError::NoSnapshot, 0..12) | (SnapshotError::Format { .. }, 12..16) => {}
            (SnapshotError::Damaged { octet, .. }, 16..) => assert!(*octet <= at as u64, "{at}: {refused}"),
            _ => panic!("octet {at}: {refused}"),
        }
    }
}

#[test]
fn a_stream_that_is_cut_or_too_long_is_refused() {
    let (spec, chain, octets) = small();
    let head = chain.head().hash;
    for end in (0..octets.len()).filter(|end| *end < 22 || end % 97 == 0 || end + 10 > octets.len()) {
        let refused = taken(&spec, head, &octets[..end]).map(drop).unwrap_err();
        match &refused {
            SnapshotError::NoSnapshot => assert!(end < 16),
            SnapshotError::Damaged { what, .. } => assert!(what.contains("ends here"), "{end}: {refused}"),
            _ => panic!("cut at {end}: {refused}"),
        }
    }
    let refused = taken(&spec, head, &[octets.as_slice(), b"x"].concat());
    assert!(
        refused
            .map(drop)
            .unwrap_err()
            .to_string()
            .contains("more octets follow")
    );
}

#[test]
fn somebody_who_makes_the_checks_fit_changes_no_state() {
    let (spec, chain, octets) = small();
    let head = chain.head().hash;
    let whole = frames(&octets);
    assert!(framed(&whole) == octets);
    for (at, (kind, payload)) in whole.iter().enumerate() {
        let step = (payload.len() / 3).max(1);
        for octet in (0..payload.len())
            .step_by(step)
            .chain([payload.len().saturating_sub(1)])
        {
            let mut forged = whole.clone();
            let Some(place) = forged[at].1.get_mut(octet) else {
                continue;
            };
            *place ^= 1 << ((octet + at) % 8);
            let refused = taken(&spec, head, &framed(&forged)).map(drop);
            assert!(
                refused.is_err(),
                "octet {octet} of frame {at} ({}) was taken",
                kind.name()
            );
        }
    }
}

#[test]
fn frames_that_are_left_out_doubled_or_exchanged_change_no_state() {
    let (spec, chain, octets) = small();
    let (head, wanted) = (chain.head().hash, rows(chain.store()));
    let whole = frames(&octets);
    let mut other_order = 0;
    let mut check = |forged: &[(Kind, Vec<u8>)], what: &str| {
        if let Ok(found) = taken(&spec, head, &framed(forged)) {
            assert!(found == wanted && what == "exchanged", "{what}");
            other_order += 1;
        }
    };
    for at in (0..whole.len()).filter(|at| *at < 8 || at % 3 == 0 || at + 4 > whole.len()) {
        let mut forged = whole.clone();
        forged.remove(at);
        check(&forged, "left out");
        let mut forged = whole.clone();
        forged.insert(at, whole[at].clone());
        check(&forged, "doubled");
        if at > 0 && whole[at - 1] != whole[at] {
            let mut forged = whole.clone();
            forged.swap(at - 1, at);
            check(&forged, "exchanged");
        }
    }
    // Two codes of one section may come in any order.
    assert!(other_order < whole.len() / 2);
}

#[test]
fn a_section_of_another_state_is_refused_with_its_number() {
    let (spec, chain, octets) = small();
    let other = stream(&super::chain(&super::spec(12, 90)), 1).1;
    let (mut forged, other) = (frames(&octets), frames(&other));
    let end = |frames: &[(Kind, Vec<u8>)], section: usize| {
        let mut ends = frames
            .iter()
            .enumerate()
            .filter(|(_, frame)| frame.0 == Kind::Section);
        ends.nth(section).expect("16 sections").0
    };
    forged.splice(
        end(&forged, 4) + 1..=end(&forged, 5),
        other[end(&other, 4) + 1..=end(&other, 5)].iter().cloned(),
    );
    let refused = taken(&spec, chain.head().hash, &framed(&forged))
        .map(drop)
        .unwrap_err();
    assert!(
        refused.to_string().contains("section 5 gives the hash"),
        "{refused}"
    );
}

#[test]
fn a_length_alone_is_refused() {
    let (_, _, octets) = small();
    for (length, says) in [
        (u32::MAX, "at most"),
        ((128 << 20) + 1, "at most"),
        (128 << 20, "ends here"),
    ] {
        let mut claim = octets[..17].to_vec();
        claim.extend(length.to_be_bytes());
        let refused = read_manifest(&mut claim.as_slice()).unwrap_err();
        assert!(refused.to_string().contains(says), "{refused}");
    }
}

#[test]
fn a_head_has_a_certificate_where_validators_decide_and_nowhere_else() {
    let plain = ChainSpec::development(1, &[], 1_700_000_000);
    let mut genesis = plain.genesis().clone();
    let consensus = ConsensusSpec {
        validators: [(Address::repeat_byte(1), 1)].into(),
        period: Duration::from_secs(1),
        gas_limit: genesis.gas_limit,
    };
    consensus.write(&mut genesis.config);
    let validators = ChainSpec::from_genesis(genesis).unwrap();
    let certificate = Some(Bytes::from_static(b"signatures"));
    for (spec, right, wrong, said) in [
        (&plain, None, certificate.clone(), "names no validators"),
        (&validators, certificate, None, "no certificate of the head"),
    ] {
        let chain = chain(spec);
        let head = chain.head();
        let attributes = Attributes {
            timestamp: head.header.timestamp + 1,
            gas_limit: head.header.gas_limit,
            ..Attributes::default()
        };
        let (prepared, _) = chain.prepare(attributes, std::iter::empty()).unwrap();
        chain.commit(prepared, right.clone()).unwrap();
        let (mut manifest, octets) = stream(&chain, 1_000);
        assert_eq!(manifest.certificate, right);
        let head = chain.head().hash;
        assert!(taken(spec, head, &octets).unwrap() == rows(chain.store()));
        manifest.certificate = wrong;
        let mut forged = frames(&octets);
        forged[0].1 = manifest.encode();
        let refused = taken(spec, head, &framed(&forged)).map(drop).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}
