//! Durable ownership: node leases and claims.
//!
//! One row per node is renewed every few seconds; one row per claim changes only when its owner does. A claim holds
//! while its owner's node lease does. Engines compare and set: whoever acts on an outdated view changes nothing.

use super::Later;
use purlin_types::{Epoch, Incarnation, NodeId, Slot, WallTime};
use std::fmt;

/// What can be claimed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKey {
    /// A share of the keyspace.
    Slot(Slot),
    /// The duty of planning, scaling, sweeping.
    Leader,
    /// A named fenced lock, such as `switch:update:6f1c...`; 1 to 200 octets.
    Lock(String),
}

/// The state of a claim as somebody saw it: the comparison of every compare-and-set. `step` rises with each change
/// within an epoch (released, settled) and never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version {
    pub epoch: Epoch,
    pub step: u32,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    pub key: ClaimKey,
    pub version: Version,
    /// Nobody: never claimed, or given back in order.
    pub owner: Option<(NodeId, Incarnation)>,
    /// Its last owner did not give it back: what that one may have promised without a record is in doubt until an
    /// owner has waited and settled it (rule R4). Durable, so that a second takeover does not forget.
    pub suspect: bool,
}

/// Where in its life a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// Enrolled, not yet given slots.
    Joining,
    Active,
    /// Giving its slots away; gets no new ones.
    Draining,
    /// Gone, or not allowed back in this incarnation.
    Removed,
}

/// What people and peers want to know of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct NodeFacts {
    pub hostname: String,
    /// Where peers and clients reach it: an IP address.
    pub address: String,
    /// Its API's port.
    pub port: u16,
    /// Where peers send forwarded packets (UDP), 0 for nowhere.
    pub peer_port: u16,
    /// Failure domain; standbys are chosen from other ones.
    pub zone: String,
    /// Relative share of the slots, 100 by default.
    pub weight: u16,
    /// Purlin's version.
    pub version: String,
}

/// A node as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRow {
    pub id: NodeId,
    pub incarnation: Incarnation,
    /// Rises with every renewal. Never wraps nor resets within an incarnation.
    pub seq: u64,
    pub state: NodeState,
    pub facts: NodeFacts,
}

/// How much a commit survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// This machine's disk.
    Local,
    /// A database without a synchronous standby.
    Single,
    /// A database whose commits wait for a standby.
    Synced,
}

/// What a look at the store tells about the store itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The history that the store is on; changes with every failover.
    pub timeline: u32,
    pub wall: WallTime,
    pub durability: Durability,
    /// Claims of timelines below this one were made on a history whose end may be missing here: what was claimed, given
    /// back and promised at that end is unknown to the store. 0 while no such history is known. For nodes that did not
    /// see the failover themselves.
    pub parted_below: u32,
}

/// Everything, as of one instant of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub probe: Probe,
    pub nodes: Vec<NodeRow>,
    /// Claims that have ever been claimed; others are free at the default [`Version`].
    pub claims: Vec<ClaimRow>,
    /// The newest plan, opaque here; 0 and empty when there is none.
    pub plan: (u64, Vec<u8>),
}

/// A node's wish to be known under its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    pub id: NodeId,
    pub incarnation: Incarnation,
    pub facts: NodeFacts,
    /// The former life that this one replaces, as last seen: `None` demands that the id is new or removed. The caller
    /// has watched that life's lease lapse, or was told that it is fenced.
    pub replaces: Option<(Incarnation, u64)>,
}

/// The answer to a renewal that the store took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    pub probe: Probe,
    pub seq: u64,
    pub state: NodeState,
}

/// Who claims.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Candidate {
    pub id: NodeId,
    pub incarnation: Incarnation,
}

/// One claim wanted, provided that it still is as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub key: ClaimKey,
    pub seen: Version,
    /// Taken without its owner having given it back: the engine sets `suspect` with the grant.
    pub by_force: bool,
}

/// A right to write: the claim as its holder knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    pub key: ClaimKey,
    pub epoch: Epoch,
}

/// Why the store did not do what it could have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Another incarnation has this id and its lease is live.
    DuplicateId { live: Incarnation },
    /// This incarnation was removed or replaced, or never enrolled in the store's present history.
    Superseded,
    /// The view was outdated.
    Stale,
}

/// Why the store did nothing, or why nobody knows whether it did.
#[derive(Debug)]
pub enum Fault {
    /// Understood and declined; nothing changed.
    Refused(Refusal),
    /// No answer in time, or the connection broke: the change may or may not have been made. Counts as not made for
    /// whoever wanted a right, and as made for whoever gave one up.
    Unknown(Box<dyn std::error::Error + Send + Sync>),
    /// The store cannot be used as it is (schema of a newer version, missing rights).
    Unusable(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DuplicateId { .. } => "another node with this id is alive",
            Self::Superseded => "this incarnation of the node is not enrolled: it was removed or replaced, or a failover has lost it",
            Self::Stale => "somebody else changed it first",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Unknown(_) => f.write_str("the claim store did not answer"),
            Self::Unusable(_) => f.write_str("the claim store cannot be used"),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Unknown(cause) | Self::Unusable(cause) => Some(cause.as_ref()),
        }
    }
}

impl std::error::Error for Refusal {}

/// The durable store of ownership. Every method is one transaction, durable at the store's own level when it returns
/// `Ok`; a cancelled call counts as [`Fault::Unknown`].
pub trait ClaimStore: Send + Sync + fmt::Debug {
    /// What the store is now.
    fn probe(&self) -> Later<'_, Result<Probe, Fault>>;

    /// Everything at one instant.
    fn view(&self) -> Later<'_, Result<View, Fault>>;

    /// Makes the node known, `Joining`, with `seq` 0.
    fn enrol<'a>(&'a self, enrolment: &'a Enrolment) -> Later<'a, Result<Renewal, Fault>>;

    /// Raises `seq` of this incarnation's lease, if it is still the node's.
    fn renew<'a>(&'a self, node: &'a Candidate) -> Later<'a, Result<Renewal, Fault>>;

    /// Moves a node on in its life, provided that it is that incarnation and in state `from`. `Removed` fences the
    /// incarnation: it can renew, claim and write no more.
    fn advance<'a>(
        &'a self,
        node: &'a Candidate,
        from: NodeState,
        to: NodeState,
    ) -> Later<'a, Result<(), Fault>>;

    /// Takes claims for a live node. Each wish stands alone: the epoch of those won, in order, `None` for those that
    /// were not as seen. A won claim has epoch (timeline now, counter + 1) and step 0.
    fn claim<'a>(
        &'a self,
        by: &'a Candidate,
        wishes: &'a [Wish],
    ) -> Later<'a, Result<Vec<Option<Epoch>>, Fault>>;

    /// Gives claims back in order; those that are not held under that epoch are passed over.
    fn release<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>>;

    /// Clears `suspect` of claims held under these epochs: their quarantine has ended.
    fn settle<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>>;

    /// Stores plan `number` if the newest one is `number - 1` and `leader` still is the leader's claim.
    fn publish_plan<'a>(
        &'a self,
        leader: &'a Fence,
        number: u64,
        plan: &'a [u8],
    ) -> Later<'a, Result<(), Fault>>;
}
