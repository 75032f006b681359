//! What a coordinator wants done.

use crate::event::Event;
use crate::port::{Enrolment, Fence, NodeState, Wish};
use purlin_types::Slot;

/// Something to do, in the order given. Requests to the store may overlap; each is answered by the
/// [`Input`](super::Input) named after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// [`ClaimStore::enrol`](crate::port::ClaimStore::enrol).
    Enrol(Enrolment),
    /// [`ClaimStore::renew`](crate::port::ClaimStore::renew).
    Renew,
    /// [`ClaimStore::view`](crate::port::ClaimStore::view).
    View,
    /// [`ClaimStore::claim`](crate::port::ClaimStore::claim).
    Claim(Vec<Wish>),
    /// [`ClaimStore::release`](crate::port::ClaimStore::release).
    Release(Vec<Fence>),
    /// [`ClaimStore::settle`](crate::port::ClaimStore::settle).
    Settle(Vec<Fence>),
    /// [`ClaimStore::advance`](crate::port::ClaimStore::advance).
    Advance { from: NodeState, to: NodeState },
    /// [`ClaimStore::publish_plan`](crate::port::ClaimStore::publish_plan).
    PublishPlan {
        leader: Fence,
        number: u64,
        plan: Vec<u8>,
    },
    /// The services stop deciding about these slots, make all their records of them durable and answer
    /// [`Input::Flushed`](super::Input::Flushed), or [`Input::FenceLost`](super::Input::FenceLost).
    GiveUp(Vec<Slot>),
    /// The holdings changed. Publish them *before* the tenure.
    Holdings,
    /// Tell whoever listens.
    Tell(Event),
}
