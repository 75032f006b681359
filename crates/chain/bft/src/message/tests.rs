use super::*;
use alloy_primitives::Address;
use proptest::prelude::*;
use purlin_chain_core::consensus::signed::VoteKind;
use purlin_chain_core::consensus::{Certificate, Commit};

fn vote(hash: Option<B256>) -> Vote {
    Vote {
        kind: VoteKind::Precommit,
        height: 7,
        round: 0,
        validator: Address::repeat_byte(1),
        signature: Signature::repeat_byte(2),
        hash,
    }
}

fn proposal(polka: Option<u32>) -> Proposal {
    Proposal {
        height: u64::MAX,
        round: u32::MAX,
        hash: B256::ZERO,
        proposer: Address::ZERO,
        signature: Signature::ZERO,
        polka,
    }
}

/// One of every kind, and of every way to be.
fn all() -> Vec<Message> {
    let (validator, signature) = (Address::repeat_byte(1), Signature::repeat_byte(3));
    let round_vote = |hash| RoundVote {
        kind: VoteKind::Prevote,
        validator,
        signature,
        hash,
    };
    let decided = Decided {
        block: Block::default(),
        certificate: Certificate {
            height: 0,
            round: 3,
            hash: B256::ZERO,
            commits: vec![Commit {
                validator,
                signature: Bytes::from(vec![1, 2]),
            }],
        },
    };
    vec![
        Message::Vote(vote(None)),
        Message::Vote(vote(Some(B256::ZERO))),
        Message::Proposal(proposal(None)),
        Message::Proposal(proposal(Some(0))),
        Message::Proposal(proposal(Some(u32::MAX))),
        Message::Block(Box::new(Offered {
            height: 1,
            round: 0,
            block: Block::default(),
        })),
        Message::Polka(Polka {
            height: 1,
            round: 0,
            hash: B256::ZERO,
            signatures: vec![Signed { validator, signature }; 3],
        }),
        Message::Round(RoundProof {
            height: 1,
            round: 2,
            why: Why::Skip,
            votes: vec![round_vote(None), round_vote(Some(B256::ZERO))],
        }),
        Message::Round(RoundProof {
            height: 1,
            round: 2,
            why: Why::Precommits,
            votes: Vec::new(),
        }),
        Message::Status(Status {
            height: 0,
            hash: B256::ZERO,
        }),
        Message::Ask(Ask { from: 1, count: 64 }),
        Message::Decided(Vec::new()),
        Message::Decided(vec![decided.clone(), decided]),
    ]
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for message in all() {
        let octets = message.encode();
        assert!((1..=0x0f).contains(&octets[0]));
        assert_eq!(Message::decode(&octets), Ok(message));
    }
}

#[test]
fn less_or_more_than_a_message_is_none() {
    for message in all() {
        let octets = message.encode();
        for cut in 0..octets.len() {
            assert!(
                Message::decode(&octets[..cut]).is_err(),
                "{message:?} cut at {cut}"
            );
        }
        let more = [&octets[..], &[0]].concat();
        assert!(Message::decode(&more).is_err(), "{message:?}");
    }
    let long = vec![1; MESSAGE_MAX + 1];
    assert_eq!(Message::decode(&long), Err(MessageFault::Long(MESSAGE_MAX + 1)));
    assert_eq!(Message::decode(&[0x10]), Err(MessageFault::Kind(0x10)));
}

proptest! {
    #[test]
    fn no_octets_break_the_reader(kind in 0_u8..10, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let octets = [&[kind][..], &body].concat();
        if let Ok(message) = Message::decode(&octets) {
            prop_assert_eq!(&message.encode()[..], &octets[..], "one form per message");
        }
    }

    #[test]
    fn no_changed_octet_breaks_the_reader(which in 0_usize..13, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut octets = all()[which].encode().to_vec();
        let at = at.index(octets.len());
        octets[at] = to;
        let _ = Message::decode(&octets);
    }
}
