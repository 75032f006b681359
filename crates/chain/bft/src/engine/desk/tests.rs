use super::*;
use crate::context::{SignedProposal, SignedVote};
use purlin_chain_core::quorum::ValidatorSet;

const ME: Address = Address::repeat_byte(1);
const OTHER: Address = Address::repeat_byte(2);

/// Signs whatever it is given: what must not be signed must not reach it.
struct Pen;

impl Signer for Pen {
    fn address(&self) -> Address {
        ME
    }

    fn sign(&self, _: B256) -> [u8; 65] {
        [3; 65]
    }
}

/// A desk at height 7, with what the log holds of it.
fn desk(records: &[Record]) -> Desk {
    let mut desk = Desk::new(Network(B256::ZERO), Box::new(Pen), Timeouts::default());
    let settings = HeightSettings {
        height: 7,
        validators: ValidatorSet::new([(ME, 1), (OTHER, 1)]).expect("a set"),
        period: Duration::from_secs(1),
    };
    desk.begin(Duration::ZERO, &settings, records, true);
    desk
}

fn vote(validator: Address, kind: VoteKind, round: u32, hash: Option<u8>) -> Vote {
    Vote {
        kind,
        height: 7,
        round,
        validator,
        signature: Signature::ZERO,
        hash: hash.map(B256::repeat_byte),
    }
}

fn proposal(round: u32, hash: u8, polka: Option<u32>) -> Proposal {
    Proposal {
        height: 7,
        round,
        hash: B256::repeat_byte(hash),
        proposer: ME,
        signature: Signature::ZERO,
        polka,
    }
}

fn votes(desk: &mut Desk, vote: Vote) -> Result<(), String> {
    let signed = desk.sign_vote(SignedVote::from(&vote).message);
    signed.map(drop).map_err(|fatal| fatal.to_string())
}

fn proposes(desk: &mut Desk, proposal: Proposal) -> Result<(), String> {
    let signed = desk.sign_proposal(SignedProposal::from(&proposal).message);
    signed.map(drop).map_err(|fatal| fatal.to_string())
}

#[test]
fn s3_nothing_else_is_signed_for_the_same_height_round_and_kind() {
    use VoteKind::{Precommit, Prevote};
    let check = |first: Vote, second: Vote, may: bool| {
        let mut desk = desk(&[]);
        assert_eq!(votes(&mut desk, first), Ok(()));
        let told = votes(&mut desk, second);
        assert_eq!(told.is_ok(), may, "{first:?}, then {second:?}: {told:?}");
        assert_eq!(desk.fatal.is_some(), !may, "the engine stops");
    };
    let first = vote(ME, Prevote, 0, Some(1));
    check(first, first, true);
    check(first, vote(ME, Prevote, 0, Some(2)), false);
    check(first, vote(ME, Prevote, 0, None), false);
    check(first, vote(ME, Prevote, 1, Some(2)), true);
    check(first, vote(ME, Precommit, 0, Some(2)), true);
    let mut desk = desk(&[]);
    assert_eq!(proposes(&mut desk, proposal(0, 1, None)), Ok(()));
    assert_eq!(proposes(&mut desk, proposal(1, 2, None)), Ok(()));
    let told = proposes(&mut desk, proposal(0, 2, None)).expect_err("another block");
    assert_eq!(
        told,
        "a second, different Proposal for height 7, round 0 was to be signed"
    );
}

#[test]
fn s3_what_the_log_holds_was_signed_too() {
    use VoteKind::Prevote;
    let mine = Record::Vote(vote(ME, Prevote, 2, Some(1)));
    let others = Record::Vote(vote(OTHER, Prevote, 3, Some(1)));
    let records = [mine, others];
    assert_eq!(votes(&mut desk(&records), vote(ME, Prevote, 2, Some(1))), Ok(()));
    let told = votes(&mut desk(&records), vote(ME, Prevote, 2, None));
    assert_eq!(
        told,
        Err("a second, different Prevote for height 7, round 2 was to be signed".to_owned())
    );
    assert_eq!(votes(&mut desk(&records), vote(ME, Prevote, 3, None)), Ok(()));
}

#[test]
fn s3_who_does_not_vote_at_a_height_signs_nothing() {
    let mut desk = desk(&[]);
    desk.votes = false;
    assert!(votes(&mut desk, vote(ME, VoteKind::Prevote, 0, None)).is_err());
    assert!(desk.fatal.is_some());
}
