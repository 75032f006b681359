//! The sections that belong to the process as a whole, and the names of those that come later.

pub mod api;
pub mod balancer;
pub mod cluster;
pub mod coordination;
pub mod log;
pub mod node;
pub mod oidc;
pub mod sessions;
pub mod store;

use crate::schema::Section;

static INFRA: Section = Section::later(
    "infra",
    "Applications and infrastructure.",
    "infrastructure comes with a later version; remove the section for now",
);

/// The sections of this crate; the composition root adds those of its services.
#[must_use]
pub fn common() -> Vec<&'static Section> {
    vec![
        node::section(),
        api::section(),
        oidc::section(),
        store::section(),
        coordination::section(),
        cluster::section(),
        balancer::section(),
        sessions::section(),
        log::section(),
        &INFRA,
    ]
}
