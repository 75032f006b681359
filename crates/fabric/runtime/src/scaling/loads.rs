//! Who is there, and how busy each of them says it is.

use super::pulse::Pulse;
use super::rows::Rows;
use crate::handle::Snapshot;
use purlin_fabric::port::{Candidate, Hints, NodeState};
use purlin_fabric::scaling::NodeLoad;
use purlin_fabric::{Member, Suspicion};
use purlin_types::{Incarnation, NodeId, WallTime};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A load that is older says nothing about now.
const AGE_MAX_MS: u64 = 60_000;
/// Heartbeats are waited for no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a load was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Measured here.
    Own,
    Heartbeat,
    /// A record of the cluster.
    Record,
    /// Nothing was heard.
    Nothing,
}

impl Source {
    /// The word that interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Heartbeat => "heartbeat",
            Self::Record => "record",
            Self::Nothing => "nothing",
        }
    }
}

/// A node as the autoscaler sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInput {
    pub id: NodeId,
    pub incarnation: Incarnation,
    pub state: NodeState,
    /// Active, and heard of.
    pub ready: bool,
    pub slots: u16,
    pub pulse: Option<Pulse>,
    pub source: Source,
}

impl NodeInput {
    /// Goes, or is about to.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        matches!(self.state, NodeState::Draining | NodeState::Removed)
    }

    /// As the decision takes it.
    #[must_use]
    pub fn load(&self) -> NodeLoad {
        let of = |pick: fn(&Pulse) -> Option<f64>| self.pulse.as_ref().and_then(pick);
        NodeLoad {
            ready: self.ready,
            cpu: of(|pulse| pulse.cpu),
            memory: of(|pulse| pulse.memory),
            requests: of(|pulse| pulse.requests),
            queue: None,
        }
    }
}

/// Where loads are looked for.
pub(super) struct Desk<'a> {
    pub(super) me: &'a Candidate,
    pub(super) hints: &'a Arc<dyn Hints>,
    pub(super) rows: Option<&'a Rows>,
    pub(super) now: WallTime,
}

/// What was found.
pub(super) struct Gathered {
    /// In order of the ids.
    pub(super) inputs: Vec<NodeInput>,
    /// Whether heartbeats could be read.
    pub(super) heard: bool,
    /// Nodes with a record that are members no more.
    pub(super) strangers: Vec<String>,
}

impl Desk<'_> {
    /// All living members with what is known of them. Records are read only for those that no heartbeat tells of.
    pub(super) async fn gather(&self, snapshot: &Snapshot, own: &Pulse) -> Gathered {
        let beats = tokio::time::timeout(PATIENCE, self.hints.beats()).await;
        let heard = matches!(beats, Ok(Ok(_)));
        let mut said: HashMap<(String, u64), Pulse> = HashMap::new();
        for beat in beats.ok().and_then(Result::ok).unwrap_or_default() {
            if let Some(pulse) = Pulse::from_body(&beat.body).filter(|pulse| self.is_fresh(pulse)) {
                said.insert((beat.node, beat.incarnation), pulse);
            }
        }
        let living = snapshot.members.iter().filter(|member| is_living(member));
        let mut inputs: Vec<NodeInput> = living.map(|member| self.input(member, own, &said)).collect();
        let mut strangers = Vec::new();
        let missing = inputs.iter().any(|input| input.pulse.is_none());
        if let (true, Some(rows)) = (missing, self.rows) {
            // Without them it is as if nobody had written any.
            for (node, pulse) in rows.loads().await.unwrap_or_default() {
                let known = |member: &Member| member.id.as_str() == node;
                if !snapshot.members.iter().any(known) {
                    strangers.push(node);
                } else if let Some(input) = inputs.iter_mut().find(|input| input.id.as_str() == node)
                    && input.pulse.is_none()
                    && self.is_fresh(&pulse)
                {
                    (input.pulse, input.source) = (Some(pulse), Source::Record);
                }
            }
        }
        Gathered {
            inputs,
            heard,
            strangers,
        }
    }

    fn input(&self, member: &Member, own: &Pulse, said: &HashMap<(String, u64), Pulse>) -> NodeInput {
        let is_me = (&member.id, member.incarnation) == (&self.me.id, self.me.incarnation);
        let key = (member.id.as_str().to_owned(), member.incarnation.0);
        let (pulse, source) = match said.get(&key) {
            _ if is_me => (Some(own.clone()), Source::Own),
            Some(pulse) => (Some(pulse.clone()), Source::Heartbeat),
            None => (None, Source::Nothing),
        };
        NodeInput {
            id: member.id.clone(),
            incarnation: member.incarnation,
            state: member.state,
            ready: member.state == NodeState::Active,
            slots: member.slots,
            pulse,
            source,
        }
    }

    /// Clocks of nodes that may own are within seconds of each other.
    fn is_fresh(&self, pulse: &Pulse) -> bool {
        self.now.0.abs_diff(pulse.at.0) <= AGE_MAX_MS
    }
}

fn is_living(member: &Member) -> bool {
    member.state != NodeState::Removed && member.suspicion != Suspicion::Lapsed
}
