//! The DHCP part of the HTTP API.
//!
//! ```text
//!   leases, forecast                  are those of all nodes
//!   decisions                         ask the packet threads of this node through the Handle
//!   pins                              are what others have said last
//!   subnets, pools, reservations,     are views of the configuration document; a write edits the document and
//!   classes                           becomes a revision, applied live
//! ```

mod bodies;
mod decisions;
mod events;
mod forecast;
mod leases;
mod objects;
mod pins;
mod schemas;
mod text;
mod why;

pub use events::DecisionEvents;
pub use why::LeaseTeller;

use crate::Leases;
use crate::forecast::Uses;
use purlin_api::revisions::Revisions;
use purlin_api::route::Routes;

/// What the routes need. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) leases: Leases,
    pub(crate) revisions: Revisions,
    pub(crate) uses: Uses,
}

/// The DHCP routes over the leases of a running service and of the nodes that it shares with.
#[must_use]
pub fn routes(leases: &Leases, revisions: &Revisions, uses: &Uses) -> Routes {
    let desk = Desk {
        leases: leases.clone(),
        revisions: revisions.clone(),
        uses: uses.clone(),
    };
    let drafts = objects::drafts()
        .into_iter()
        .chain(leases::drafts())
        .chain(decisions::drafts())
        .chain(forecast::drafts())
        .chain(pins::drafts());
    bodies::components(schemas::components(Routes::new("dhcp", &desk, drafts)))
}
