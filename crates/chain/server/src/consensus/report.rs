//! How the node stands among the others, in the shapes that RPC, the API and health checks show.

use super::Shared;
use purlin_chain_bft::{Standing, Step};
use purlin_chain_peers::{Direction, PeerInfo, Refused};
use purlin_telemetry::health::{Bears, Check};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Heights behind the best that a peer told from which on a node is not ready: it would answer with old state.
const BEHIND_MAX: u64 = 5;
/// A decision may take so many periods, and this long besides, before somebody is told.
const LATE_PERIODS: u32 = 3;
const LATE: Duration = Duration::from_secs(10);

/// Who decides, who of them this node sees, and whether those are enough.
pub(crate) fn validators(shared: &Shared) -> Value {
    let (standing, peers) = (shared.standing(), shared.peers());
    let set = &shared.constitution.validators;
    let mut up: BTreeSet<_> = peers.iter().map(|peer| peer.id).collect();
    if shared.is_validator() && shared.trouble().is_none() {
        up.insert(shared.me);
    }
    let members: Vec<Value> = set
        .members()
        .map(|(address, power)| {
            let own = address == shared.me;
            let head = if own { Some(standing.head) } else { standing.peers.get(&address).copied() };
            json!({ "address": address, "power": power, "up": up.contains(&address), "head": head, "this": own })
        })
        .collect();
    json!({
        "height": standing.height,
        "validators": members,
        "total": set.total(),
        "quorum": set.quorum(),
        "faulty": set.faulty(),
        "standing": set.standing(&up).to_string(),
    })
}

/// Where the engine is.
pub(crate) fn consensus(shared: &Shared) -> Value {
    let standing = shared.standing();
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let last = standing.last.map(|lap| {
        json!({
            "height": lap.height,
            "round": lap.round,
            "propose_ms": millis(lap.propose),
            "prevote_ms": millis(lap.prevote),
            "precommit_ms": millis(lap.precommit),
            "whole_ms": millis(lap.whole),
        })
    });
    let lies = standing.equivocations.iter();
    let lies: Vec<Value> = lies
        .map(|lie| json!({ "validator": lie.validator, "height": lie.height, "round": lie.round }))
        .collect();
    json!({
        "role": shared.role.as_str(),
        "address": shared.me,
        "height": standing.height,
        "round": standing.round,
        "step": step(standing.step),
        "proposer": standing.proposer,
        "head": standing.head,
        "behind": standing.behind,
        "since_decision_ms": standing.decided_at.map(|at| millis(at.elapsed())),
        "rounds": standing.rounds_total,
        "decided": standing.decided_total,
        "synced": standing.synced_total,
        "equivocations": lies,
        "bad_messages": standing.bad_messages_total,
        "last_bad_message": standing.fault,
        "last": last,
        "trouble": shared.trouble(),
    })
}

/// The connections.
pub(crate) fn peers(shared: &Shared) -> Vec<Value> {
    let standing = shared.standing();
    let shown = |peer: &PeerInfo| {
        json!({
            "id": peer.id,
            "address": peer.address.to_string(),
            "direction": direction(peer.direction),
            "software": peer.name,
            "validator": shared.is_validators(&peer.id),
            "head": standing.peers.get(&peer.id),
            "connected_seconds": peer.since.elapsed().as_secs(),
            "round_trip_us": peer.round_trip.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            "octets_in": peer.octets_in,
            "octets_out": peer.octets_out,
            "messages_in": peer.messages_in,
            "messages_out": peer.messages_out,
        })
    };
    shared.peers().iter().map(shown).collect()
}

/// The last meetings that came to nothing.
pub(crate) fn refusals(shared: &Shared) -> Vec<Value> {
    let shown = |refused: &Refused| {
        json!({
            "address": refused.address,
            "id": refused.id,
            "direction": direction(refused.direction),
            "why": refused.why,
        })
    };
    shared.refusals().iter().map(shown).collect()
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

fn step(step: Step) -> &'static str {
    match step {
        Step::Following => "following",
        Step::Waiting => "waiting",
        Step::Propose => "propose",
        Step::Prevote => "prevote",
        Step::Precommit => "precommit",
        Step::Commit => "commit",
    }
}

/// Consensus as a health check.
pub(crate) fn check(shared: &Shared) -> Check {
    const NAME: &str = "chain.consensus";
    if let Some(trouble) = shared.trouble() {
        let fix = "see to what the message names; the engine begins again from its log every few seconds";
        return Check::fail(NAME, Bears::Ready, trouble, fix);
    }
    let standing = shared.standing();
    if let Some(behind) = standing.behind.filter(|behind| *behind > BEHIND_MAX) {
        let says = format!("{behind} blocks behind the best peer, and catching up");
        return Check::fail(
            NAME,
            Bears::Ready,
            says,
            "wait; `purlin chain status` shows how it goes",
        );
    }
    let late = shared.constitution.period * LATE_PERIODS + LATE;
    let silence = standing
        .decided_at
        .map_or_else(|| shared.node.now(), |at| at.elapsed());
    if silence > late {
        return Check::warn(
            NAME,
            Bears::Advice,
            stands_still(shared, &standing, silence),
            STILL_FIX,
        );
    }
    Check::pass(NAME, Bears::Advice, moves(&standing))
}

const STILL_FIX: &str = "purlin chain validators says who is missing; bring up as many as a quorum needs";

fn stands_still(shared: &Shared, standing: &Standing, silence: Duration) -> String {
    let told = validators(shared);
    format!(
        "height {} is undecided for {} s, in round {}: {}",
        standing.height,
        silence.as_secs(),
        standing.round,
        told["standing"].as_str().unwrap_or_default()
    )
}

fn moves(standing: &Standing) -> String {
    let peers = standing.peers.len();
    match standing.last {
        Some(lap) => format!(
            "block {} was decided in round {} within {} ms; {peers} peers",
            lap.height,
            lap.round,
            lap.whole.as_millis()
        ),
        None => format!("the head is block {}; {peers} peers", standing.head),
    }
}
