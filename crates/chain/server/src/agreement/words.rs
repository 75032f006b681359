//! What is told, in words.

use crate::codes;
use crate::story::Decision;
use purlin_chain_core::agreement::{FailedRound, Turn, Way};
use purlin_chain_peers::{Direction, PeerInfo, Refused};
use purlin_chain_proto::Address;

const ROUND: &str = "chain.round";
const VALIDATOR: &str = "chain.validator";
const PEER: &str = "chain.peer";
const REFUSED: &str = "chain.peer.refused";
const AGREEMENT: &str = "chain.agreement";

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn failed(failed: &FailedRound) -> Decision {
    let FailedRound {
        height,
        round,
        proposer,
        lasted,
        why,
    } = failed;
    let millis = lasted.as_millis();
    let text = format!(
        "round {round} of height {height} ended without a block after {millis} ms, in the turn of {proposer}: {why}"
    );
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Decision::new(codes::of_failure(why), ROUND, proposer.to_string(), text)
        .with("height", number(*height))
        .with("round", i64::from(*round))
        .with("reason", why.word())
        .with("lasted_ms", millis)
}

pub(super) fn turn(turn: &Turn) -> Decision {
    let Turn {
        validator,
        way,
        height,
    } = turn;
    let text = match way {
        Way::Missing => format!("validator {validator} is silent: up to height {height} no vote of it came"),
        Way::Late => format!("validator {validator} votes long after the others, up to height {height}"),
        Way::Back => format!("validator {validator} votes in time again, since before height {height}"),
    };
    Decision::new(codes::of_way(*way), VALIDATOR, validator.to_string(), text).with("height", number(*height))
}

pub(super) fn twice(validator: &Address, height: u64, round: u32) -> Decision {
    let text =
        format!("validator {validator} signed two different things for round {round} of height {height}");
    // Not to be lost among what else is told of it.
    Decision::new(
        codes::DOUBLE_SIGNING,
        "chain.validator.evidence",
        validator.to_string(),
        text,
    )
    .with("height", number(height))
    .with("round", i64::from(round))
}

pub(super) fn up(peer: &PeerInfo) -> Decision {
    let PeerInfo {
        id,
        address,
        direction,
        name,
        ..
    } = peer;
    let text = format!("{id} at {address} is connected ({direction}, {name})");
    Decision::new(codes::PEER_UP, PEER, id.to_string(), text).with("address", address.to_string())
}

pub(super) fn down(id: &Address, why: &str) -> Decision {
    let text = format!("{id} is connected no more: {why}");
    Decision::new(codes::PEER_GONE, PEER, id.to_string(), text).with("why", why)
}

pub(super) fn refused(refused: &Refused) -> Decision {
    let Refused {
        direction,
        address,
        id,
        why,
    } = refused;
    let who = id.map_or_else(|| address.clone(), |id| format!("{id} at {address}"));
    let text = match direction {
        Direction::Inbound => format!("{who} was not let in: {why}"),
        Direction::Outbound => format!("{who} was dialled in vain: {why}"),
    };
    // A stranger's port is another each time.
    let host = address
        .rsplit_once(':')
        .map_or(address.as_str(), |(host, _)| host);
    let subject = match (id, direction) {
        (Some(id), _) => id.to_string(),
        (None, Direction::Inbound) => host.to_owned(),
        (None, Direction::Outbound) => address.clone(),
    };
    Decision::new(codes::PEER_REFUSED, REFUSED, subject, text)
        .with("address", address.as_str())
        .with("why", why.as_str())
}

pub(super) fn stalled(says: &str) -> Decision {
    Decision::new(codes::STALLED, AGREEMENT, "", says)
}

pub(super) fn goes_on(head: u64) -> Decision {
    let text = format!("blocks are decided again: the head is {head}");
    Decision::new(codes::GOES_ON, AGREEMENT, "", text).with("height", number(head))
}
