//! Values of the fabric as JSON.

use crate::routes::Books;
use purlin_fabric::drain::{Report, Step};
use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_runtime::scaling::Pulse;
use purlin_types::NodeId;
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

/// The steps of a drain, in their order.
pub(crate) const STEPS: [&str; 5] = ["slots", "sessions", "finishing", "done", "timed_out"];

/// What a node said of itself last.
pub(crate) fn pulse(books: &Books, node: &NodeId) -> Option<Pulse> {
    let view = books.scaler.view();
    let said = view.inputs.iter().find(|input| input.id == *node)?;
    said.pulse.clone()
}

/// A member with what it says of itself, and how far it is when it drains.
pub(crate) fn member_of(books: &Books, member: &Member) -> Value {
    let pulse = pulse(books, &member.id);
    let facts = &member.facts;
    let mut shown = json!({
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
        "leases": pulse.as_ref().and_then(|pulse| pulse.leases),
        "sessions": pulse.as_ref().and_then(|pulse| pulse.sessions),
    });
    if let Some(report) = books.drains.report(&member.id) {
        shown["drain"] = drain(&report);
    }
    shown
}

fn drain(report: &Report) -> Value {
    let step = match report.step {
        Step::Slots => STEPS[0],
        Step::Sessions => STEPS[1],
        Step::Finishing => STEPS[2],
        Step::Done => STEPS[3],
        Step::TimedOut => STEPS[4],
    };
    json!({
        "step": step,
        "slots": report.left.slots,
        "slots_at_first": report.at_first.slots,
        "sessions": report.left.sessions,
        "sessions_at_first": report.at_first.sessions,
        "rate": report.rate,
        "eta_seconds": report.eta.map(|eta| eta.as_secs_f64()),
        "running_seconds": report.running_for.as_secs_f64(),
        "still_seconds": report.still_for.as_secs_f64(),
    })
}
