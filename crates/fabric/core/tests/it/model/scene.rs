//! What is explored: from where, how far, with which faults, and without which rule.

use super::node::{Held, Node};
use super::store::{Lease, Rows};
use super::{CLIENTS, NODES, State};
use purlin_fabric::Timing;
use std::time::Duration;

/// One rule left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mutation {
    /// R0: answers although the lease has ended.
    NoTimeLease,
    /// R0: the lease counts from the answer, not from the sending.
    CountedFromAnswer,
    /// What was held under a lease that ended is held again after a late renewal.
    LateRenewalRevives,
    /// A grant is taken up although the lease ended between asking and learning of it.
    LateGrantHeld,
    /// R1: a renewal promises the full length whatever is recorded.
    UnboundedRenewal,
    /// R2: unrecorded promises outside a durable window.
    NoWindow,
    /// R3: an inherited row goes to another client when its recorded time is over.
    NoMcltOnReassigning,
    /// R3: counted from the recorded time even if that was over long before the takeover.
    NoTakeoverFloor,
    /// R3: another client is told before the row is written.
    LazyReassign,
    /// R4: unrecorded addresses are given away at once after a takeover.
    NoQuarantine,
    /// R4: only the successor's memory knows that it must wait.
    QuarantineNotDurable,
    /// R7: writes are not fenced.
    NoFence,
    /// A free claim is taken at once after a failover.
    FreeTakenAtOnce,
    /// The watch over others goes on over a failover.
    WatchNotRestarted,
    /// A grant is taken up although the store failed over between the look and the claim.
    GrantFromAnotherHistory,
    /// A claim taken after a failover is not suspect.
    NoQuarantineAfterFailover,
}

/// From where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// Node 0 holds the claim; nothing is recorded.
    Held,
    /// Node 0 holds the claim, and client 0 has the address until `pot` by the record.
    Bound { pot: u8 },
    /// As `Held`, but nobody's.
    Free,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scene {
    pub(crate) start: Start,
    /// Ticks.
    pub(crate) horizon: u8,
    /// Half ticks: with two, nothing is held over a tick; with three, what was renewed in one is held in the next.
    pub(crate) ttl: u8,
    pub(crate) mclt: u8,
    pub(crate) lease: u8,
    /// The store is a database without a synchronous standby, which fails over once.
    pub(crate) lossy: bool,
    /// New clients are told before the row is written (`ack = lead`).
    pub(crate) lead: bool,
    /// New clients are told after the row was written (`ack = durable`).
    pub(crate) durable: bool,
    /// Claims are given back in order.
    pub(crate) releases: bool,
    /// How often the claim changes hands at most.
    pub(crate) terms: u8,
    pub(crate) mutation: Option<Mutation>,
}

impl Scene {
    pub(crate) fn without(self, mutation: Mutation) -> Self {
        Self {
            mutation: Some(mutation),
            ..self
        }
    }

    pub(crate) fn lacks(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Two nanoseconds are one tick.
    pub(crate) fn timing(&self) -> Timing {
        Timing {
            renew: Duration::from_nanos(200),
            ttl: Duration::from_nanos(self.ttl.into()),
            guard: Duration::ZERO,
            ..Timing::default()
        }
    }

    pub(crate) fn first_state(&self) -> State {
        let mut state = State {
            time: 0,
            store: Rows::new(),
            standby: None,
            nodes: std::array::from_fn(|_| Node::new()),
            clients: [0; CLIENTS],
            newest: (0, 0),
            epoch_fell: false,
            newcomer: self.start != Start::Free,
        };
        if self.start != Start::Free {
            let lease = match self.start {
                Start::Bound { pot } => {
                    state.clients[0] = pot;
                    Some(Lease {
                        client: 0,
                        pot,
                        term: (1, 1),
                    })
                }
                _ => None,
            };
            (state.store.term, state.store.owner, state.store.lease) = ((1, 1), Some(0), lease);
            state.newest = (1, 1);
            state.nodes[0].hold(Held::first(lease));
        }
        for n in 0..NODES {
            state.nodes[n].start(self, n, &state.store);
        }
        if self.lossy {
            state.standby = Some(Box::new(state.store));
        }
        state
    }
}
