//! Values of the fabric as JSON.

use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use serde_json::{Value, json};

/// The status that people know: what the node says of itself, unless it is silent.
pub(crate) fn status(member: &Member) -> &'static str {
    match (member.state, member.suspicion) {
        (NodeState::Removed, _) => "removed",
        (_, Suspicion::Lapsed) => "gone",
        (NodeState::Joining, _) => "joining",
        (NodeState::Draining, _) => "draining",
        (NodeState::Active, Suspicion::Late) => "late",
        (NodeState::Active, Suspicion::None) => "active",
    }
}

/// The statuses of nodes, in the order of a node's life.
pub(crate) const STATUSES: [&str; 6] = ["joining", "active", "late", "draining", "gone", "removed"];

pub(crate) fn member(member: &Member) -> Value {
    let facts = &member.facts;
    json!({
        "id": member.id.as_str(),
        "status": status(member),
        "leader": member.leader,
        "slots": member.slots,
        "hostname": facts.hostname,
        "address": facts.address,
        "port": facts.port,
        "zone": facts.zone,
        "weight": facts.weight,
        "version": facts.version,
        "incarnation": format!("{:016x}", member.incarnation.0),
        "last_heartbeat_seconds_ago": member.silent.as_secs_f64(),
    })
}
