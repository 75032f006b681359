//! [`ClaimStore`]: node leases and claims as rows that change by compare-and-set.
//!
//! ```text
//!   node    id ─► incarnation, seq, state, facts        one UPDATE per renewal
//!   claim   key ─► owner, incarnation, (gtl, epoch), step, suspect
//!   plan    one row
//! ```
//!
//! Rows of many claims are always locked in the order of their keys, so that two nodes that want the same ones wait for
//! each other instead of blocking each other; where the server finds a deadlock all the same, the call is made again.

mod key;
mod node;
mod plan;
mod take;
mod view;

use purlin_fabric::port::{
    Candidate, ClaimStore, Enrolment, Fault, Fence, Later, NodeState, Probe, Refusal, Renewal, View, Wish,
};
use purlin_types::Epoch;

use crate::postgres::{Postgres, Work};
use crate::probe::Look;

pub(crate) use key::{parse as key_parse, text as key_text};

/// What a call may answer besides its result.
type Answer<T> = Result<T, Refusal>;

impl Postgres {
    async fn ask<T: Send, W: Work<Done = Answer<T>>>(&self, work: &W) -> Result<T, Fault> {
        self.call(work).await?.map_err(Fault::Refused)
    }
}

impl ClaimStore for Postgres {
    fn probe(&self) -> Later<'_, Result<Probe, Fault>> {
        Box::pin(async { Ok(self.call(&Look).await?) })
    }

    fn view(&self) -> Later<'_, Result<View, Fault>> {
        Box::pin(async { Ok(self.call(&view::Everything).await?) })
    }

    fn enrol<'a>(&'a self, enrolment: &'a Enrolment) -> Later<'a, Result<Renewal, Fault>> {
        Box::pin(async { self.ask(&node::Enrol::new(enrolment)?).await })
    }

    fn renew<'a>(&'a self, node: &'a Candidate) -> Later<'a, Result<Renewal, Fault>> {
        Box::pin(async { self.ask(&node::Renew(node)).await })
    }

    fn advance<'a>(
        &'a self,
        node: &'a Candidate,
        from: NodeState,
        to: NodeState,
    ) -> Later<'a, Result<(), Fault>> {
        Box::pin(async move { self.ask(&node::Advance { node, from, to }).await })
    }

    fn claim<'a>(
        &'a self,
        by: &'a Candidate,
        wishes: &'a [Wish],
    ) -> Later<'a, Result<Vec<Option<Epoch>>, Fault>> {
        Box::pin(async { self.ask(&take::Take { by, wishes }).await })
    }

    fn release<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>> {
        Box::pin(async { Ok(self.call(&take::Give::back(by, held)).await?) })
    }

    fn settle<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>> {
        Box::pin(async { Ok(self.call(&take::Give::doubt(by, held)).await?) })
    }

    fn publish_plan<'a>(
        &'a self,
        leader: &'a Fence,
        number: u64,
        plan: &'a [u8],
    ) -> Later<'a, Result<(), Fault>> {
        Box::pin(async move { self.ask(&plan::Publish { leader, number, plan }).await })
    }
}
