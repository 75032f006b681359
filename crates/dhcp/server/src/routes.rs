//! The DHCP part of the HTTP API.
//!
//! ```text
//!   leases                            are those of all nodes
//!   decisions, scaling                ask the packet threads of this node through the Handle
//!   subnets, pools, reservations,     are views of the configuration document; a write edits the document and
//!   classes                           becomes a revision, applied live
//! ```

mod bodies;
mod decisions;
mod events;
mod leases;
mod objects;
mod scaling;
mod schemas;
mod text;
mod why;

pub use events::DecisionEvents;
pub use why::LeaseTeller;

use crate::Leases;
use purlin_api::revisions::Revisions;
use purlin_api::route::Routes;
use std::sync::Arc;

/// What the routes need. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) leases: Leases,
    pub(crate) revisions: Revisions,
    pub(crate) load: Arc<scaling::Load>,
}

/// The DHCP routes over the leases of a running service and of the nodes that it shares with.
#[must_use]
pub fn routes(leases: &Leases, revisions: &Revisions) -> Routes {
    let desk = Desk {
        leases: leases.clone(),
        revisions: revisions.clone(),
        load: Arc::new(scaling::Load::new(leases.handle())),
    };
    let drafts = objects::drafts()
        .into_iter()
        .chain(leases::drafts())
        .chain(decisions::drafts())
        .chain(scaling::drafts());
    bodies::components(schemas::components(Routes::new("dhcp", &desk, drafts)))
}
