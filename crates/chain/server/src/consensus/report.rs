//! How the node stands among the others, in the shapes that RPC, the API and health checks show.

use super::{Role, Shared, differences};
use alloy_primitives::Address;
use purlin_chain_bft::{Standing, Step};
use purlin_chain_core::agreement::Stall;
use purlin_chain_core::constitution::Constitution;
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

/// Who decides about the block of a height (without one: the next), who of them this node sees now, whether those are enough,
/// and what is on its way.
pub(crate) fn validators(shared: &Shared, height: Option<u64>) -> Value {
    let (standing, peers) = (shared.standing(), shared.peers());
    let height = height.unwrap_or(standing.height);
    let version = shared.rules.at(height);
    let set = &version.validators;
    let up = up(shared, &peers);
    let head = |address: &Address| {
        let own = *address == shared.me;
        if own {
            Some(standing.head)
        } else {
            standing.peers.get(address).copied()
        }
    };
    let members: Vec<Value> = set
        .members()
        .map(|(address, power)| {
            let (up, this) = (up.contains(&address), address == shared.me);
            json!({ "address": address, "power": power, "up": up, "head": head(&address), "this": this })
        })
        .collect();
    let seen = up
        .iter()
        .map(|address| json!({ "address": address, "head": head(address) }));
    json!({
        "height": height,
        "version": shared.rules.version(height),
        "from": version.from,
        "period_ms": millis(version.period),
        "gas_limit": version.gas_limit,
        "validators": members,
        "total": set.total(),
        "quorum": set.quorum(),
        "faulty": set.faulty(),
        "standing": set.standing(&up).to_string(),
        "seen": seen.collect::<Vec<_>>(),
        "next": shared.rules.coming().map(|coming| next(shared, &coming)),
    })
}

/// Who runs, as far as this node sees; itself too, while its engine does.
pub(crate) fn up(shared: &Shared, peers: &[PeerInfo]) -> BTreeSet<Address> {
    let mut up: BTreeSet<_> = peers.iter().map(|peer| peer.id).collect();
    if shared.role == Role::Validator && shared.trouble().is_none() {
        up.insert(shared.me);
    }
    up
}

/// A version that is decided and does not count yet.
fn next(shared: &Shared, coming: &Constitution) -> Value {
    let members = coming.validators.members();
    let members: Vec<Value> = members
        .map(|(address, power)| json!({ "address": address, "power": power }))
        .collect();
    json!({
        "version": shared.rules.version(coming.from),
        "from": coming.from,
        "period_ms": millis(coming.period),
        "gas_limit": coming.gas_limit,
        "validators": members,
        "says": differences(&shared.rules.now(), coming),
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Where the engine is.
pub(crate) fn consensus(shared: &Shared) -> Value {
    let standing = shared.standing();
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
        "votes": shared.is_validator() && standing.votes_from.is_none(),
        "votes_from": standing.votes_from,
        "note": shared.note(),
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
    if is_stalled(shared) {
        return Check::warn(NAME, Bears::Advice, stands_still(shared), STILL_FIX);
    }
    if let Some(from) = standing.votes_from.filter(|_| shared.is_validator()) {
        let says = format!(
            "this node's key has signed up to height {}, which is later than what is here: it follows, and votes from height {from} on",
            from - 1
        );
        return Check::warn(NAME, Bears::Advice, says, REST_FIX);
    }
    let says = [Some(moves(&standing)), shared.note()];
    let says: Vec<String> = says.into_iter().flatten().collect();
    Check::pass(NAME, Bears::Advice, says.join("; "))
}

const STILL_FIX: &str = "purlin chain doctor says who is missing; bring up as many as a quorum needs";

const REST_FIX: &str =
    "wait until the others have decided that height; docs: operating/chain.md, a key that has signed before";

/// Since the last decision here, or since the start.
pub(crate) fn silence(shared: &Shared, standing: &Standing) -> Duration {
    let decided = standing.decided_at;
    decided.map_or_else(|| shared.node.now(), |at| at.elapsed())
}

/// The silence after which somebody is told.
pub(crate) fn silence_max(shared: &Shared) -> Duration {
    shared.rules.now().period * LATE_PERIODS + LATE
}

/// Whether nothing is decided, and not because this node is behind.
pub(crate) fn is_stalled(shared: &Shared) -> bool {
    let standing = shared.standing();
    standing.behind.is_none() && silence(shared, &standing) > silence_max(shared)
}

/// In words, how long nothing is decided, who is missing and who does not vote.
pub(crate) fn stands_still(shared: &Shared) -> String {
    let standing = shared.standing();
    let silence = silence(shared, &standing);
    let stall = Stall {
        set: &shared.rules.now().validators,
        up: &up(shared, &shared.peers()),
        voices: &standing.voices,
        round: standing.round,
    };
    format!(
        "height {} is undecided for {} s, in round {}: {stall}",
        standing.height,
        silence.as_secs(),
        standing.round
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
