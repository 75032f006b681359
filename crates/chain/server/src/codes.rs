//! The chain's reason codes: 4000 to 4999.

use purlin_chain_core::agreement::{Failure, Way};
use purlin_telemetry::{Reason, ReasonCode};

purlin_telemetry::reason_codes! {
    NO_PROPOSAL = 4101, "chain_no_proposal", "a round failed: no proposal came in time",
        "In each round one validator proposes a block, in turn. The others wait for it as long as chain.propose_timeout says \
         (longer in later rounds), then the next round begins with the next proposer. A block comes that much later.",
        "See `purlin chain doctor`: the proposer is down, cut off, or too slow to make a block.";
    NO_BLOCK = 4102, "chain_no_block", "a round failed: the proposal came, and its block did not",
        "A proposal is a signed hash, and the block goes beside it. The hash was here in time, and the block was not: it is big, or \
         the line from the proposer is slow.",
        "Vote for a lower gas limit (`purlin chain vote gas-limit`), or see to the network between the validators.";
    REFUSED = 4103, "chain_proposal_refused", "a round failed: the proposal was refused",
        "Every validator executes a proposed block before it votes, and compares each field of its header. This one is not valid here; \
         the sentence says what is wrong with it. Honest validators with the same program never meet that.",
        "Compare the program versions and the clocks of this node and the proposer; when they are the same, report it.";
    NO_POLKA = 4104, "chain_no_polka", "a round failed: less than a quorum prevoted for the block in time",
        "The block is here and valid, and less than two thirds of the power said so in time: the others got it late, are down, or find it \
         invalid.",
        "See `purlin chain doctor` here and on other validators: who is missing, who is late.";
    NO_COMMIT = 4105, "chain_no_commit", "a round failed: less than a quorum committed to the block in time",
        "More than two thirds of the power found the block valid, and less committed to it in time, because their votes or those \
         of others were lost or late. The same block is proposed again.",
        "See `purlin chain doctor`: lateness of validators and round trips to them.";
    LEFT_BEHIND = 4106, "chain_round_left_behind", "a round failed: the others had left it already",
        "More than a third of the power is in a later round, so that this node goes there, too, without having waited for the proposal. \
         It has started just now, was cut off, or is slower than the others.",
        "When it repeats itself, see to this node: its load, its disk, its network.";
    VALIDATOR_MISSING = 4111, "chain_validator_missing", "no vote of a validator came for some heights",
        "Ten heights more passed without any vote of this validator than with one. Blocks go on as long as a quorum is up; its turns to \
         propose cost a round each.",
        "See whether it runs, and whether others see it (`purlin chain validators`); bring it up, or vote it out (`purlin chain vote remove`).";
    VALIDATOR_LATE = 4112, "chain_validator_late", "the votes of a validator come long after those of the others",
        "Its votes came later than half of the others' by more than a quarter of the block period (a tenth of a second at least, a \
         second at most), ten heights more often than not. Where its vote is needed for a quorum, blocks wait for it.",
        "`purlin chain doctor` says by how much, and how long the way to it is; see the load and the disk of its machine.";
    VALIDATOR_BACK = 4113, "chain_validator_back", "a validator votes in time again",
        "Who was missing or late votes like the others again.",
        "";
    DOUBLE_SIGNING = 4114, "chain_double_signing", "a validator signed two different things for the same round",
        "Votes that contradict each other could decide two blocks of one height, if more than a third of the power gave them. The \
         certificate keeps that from happening as long as fewer do.",
        "Its key runs at two nodes, or it was started from an old copy of its directory: stop one of them. Who does it on purpose is voted out.";
    PEER_UP = 4121, "chain_peer_up", "a node of the chain is connected",
        "Both sides have proven who they are and that they have the same first block.",
        "";
    PEER_GONE = 4122, "chain_peer_gone", "a node of the chain is connected no more",
        "The connection ended, for the reason that the sentence gives. A node that is named in chain.peers is dialled again.",
        "Where it was not meant to go: see whether it runs, and the network between the two.";
    PEER_REFUSED = 4123, "chain_peer_refused", "a meeting with a node came to nothing",
        "Somebody came who may not, or whom this node dials was not reached or is not who it should be; the sentence says which.",
        "Let guests in with chain.guests, correct chain.peers, or ignore strangers: they cost nothing.";
    STALLED = 4131, "chain_stalled", "no block is decided",
        "Nothing was decided for three periods and ten seconds. Less than a quorum is up, or some who are up do not vote, or those who \
         vote do not agree; the sentence names whom it can.",
        "`purlin chain doctor` says who is missing or silent and how much power is needed; bring up as many as a quorum needs, and see \
         on those that are connected and silent what `purlin doctor` says there.";
    GOES_ON = 4132, "chain_goes_on", "blocks are decided again",
        "The silence is over: a quorum agrees again.",
        "";
    STORAGE_SHORT = 4141, "chain_storage_short", "the chain takes 90 % of the room that it may take",
        "chain.storage_max bounds what the chain's directory takes of the disk. When it is reached this node takes no more \
         transactions, and makes, votes for and follows no more blocks.",
        "Raise chain.storage_max, which counts at once; or keep less (chain.pruning_mode, chain.block_retention) and run \
         `purlin chain prune` while the node is stopped.";
    STORAGE_FULL = 4142, "chain_storage_full", "the chain has reached the room that it may take, and grows no more",
        "As on a full disk, nothing more is written: a node alone makes no blocks, a validator does not vote, a follower stays at its \
         block. What is there stays readable. A quorum of others goes on without this node.",
        "Raise chain.storage_max: it goes on within seconds, without a restart. Or stop the node and run `purlin chain prune`.";
    STORAGE_ROOM = 4143, "chain_storage_room", "the chain has room again",
        "It takes less than before of what it may take, or may take more: what had stopped goes on by itself.",
        "";
}

/// The code of a failed round.
pub(crate) const fn of_failure(why: &Failure) -> ReasonCode {
    match why {
        Failure::NoProposal => NO_PROPOSAL,
        Failure::NoBlock => NO_BLOCK,
        Failure::Refused(_) => REFUSED,
        Failure::NoPolka => NO_POLKA,
        Failure::NoCommit => NO_COMMIT,
        Failure::LeftBehind => LEFT_BEHIND,
    }
}

pub(crate) const fn of_way(way: Way) -> ReasonCode {
    match way {
        Way::Missing => VALIDATOR_MISSING,
        Way::Late => VALIDATOR_LATE,
        Way::Back => VALIDATOR_BACK,
    }
}

/// What a code says of itself.
pub(crate) fn reason(code: ReasonCode) -> Option<&'static Reason> {
    REASONS.iter().find(|reason| reason.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_in_their_range_and_explain_themselves() {
        assert!(REASONS.windows(2).all(|pair| pair[0].code < pair[1].code));
        for reason in REASONS {
            assert!((4000..5000).contains(&reason.code.0), "{}", reason.code);
            assert!(reason.slug.starts_with("chain_"), "{}", reason.slug);
            assert!(reason.explain.len() > 40, "{}", reason.code);
        }
    }
}
