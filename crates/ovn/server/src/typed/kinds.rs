//! The table of kinds. What is in it has routes, a place in the API document, checks and a line in the documentation.

mod balancing;
mod chassis;
pub(crate) mod ovncp;
mod policy;
mod routing;
mod services;
mod shown;
pub(crate) mod south;
mod switching;

use super::{Field, Kind};

/// Paths, components and summaries out of a noun and a component's name.
macro_rules! names {
    ($base:literal, $noun:literal, $one:literal, $component:literal) => {
        $crate::typed::Names {
            list: concat!($base, $noun),
            row: concat!($base, $noun, "/{id}"),
            add: concat!($base, $noun, "/{id}/add"),
            remove: concat!($base, $noun, "/{id}/remove"),
            attach: concat!($base, $noun, "/{id}/attach"),
            detach: concat!($base, $noun, "/{id}/detach"),
            component: $component,
            new: concat!($component, "New"),
            change: concat!($component, "Change"),
            written: concat!($component, "Written"),
            lists: concat!("Lists ", $noun),
            shows: concat!("Shows one ", $one),
            makes: concat!("Makes one ", $one),
            changes: concat!("Changes one ", $one),
            takes: concat!("Takes one ", $one, " away, and all that cannot be without it"),
            adds: concat!("Adds to lists and maps of one ", $one),
            takes_out: concat!("Takes out of lists and maps of one ", $one),
        }
    };
}
use names;

/// One kind of Purlin's own style.
macro_rules! kind {
    ($noun:literal, $one:literal, $table:literal, $component:literal, $about:literal, $example:literal, $prepare:expr, $fields:expr $(,)?) => {
        $crate::typed::Kind {
            noun: $noun,
            one: $one,
            table: $table,
            side: $crate::typed::Side::North,
            fields: $fields,
            about: $about,
            example: $example,
            names: $crate::typed::kinds::names!("/api/v1/ovn/", $noun, $one, $component),
            prepare: $prepare,
            marks: true,
        }
    };
}
use kind;

/// The keys that others see as `external_ids`.
const EXTERNAL_IDS: Field = Field::map("external_ids", "Notes of other programs, by key.");
const OPTIONS: Field = Field::map(
    "options",
    "Options of OVN that are no members of their own, by key.",
);

/// All kinds of Purlin's own style, in the order of the documentation.
pub(crate) static KINDS: [&Kind; 25] = [
    &switching::SWITCHES,
    &switching::PORTS,
    &switching::FORWARDING_GROUPS,
    &switching::MIRRORS,
    &routing::ROUTERS,
    &routing::ROUTER_PORTS,
    &routing::ROUTES,
    &routing::POLICIES,
    &routing::NAT,
    &routing::BFD,
    &routing::STATIC_MAC_BINDINGS,
    &balancing::LOAD_BALANCERS,
    &balancing::HEALTH_CHECKS,
    &balancing::LOAD_BALANCER_GROUPS,
    &policy::ACLS,
    &policy::PORT_GROUPS,
    &policy::ADDRESS_SETS,
    &policy::QOS,
    &policy::METERS,
    &policy::COPP,
    &services::DHCP_OPTIONS,
    &services::DNS,
    &chassis::GATEWAY_CHASSIS,
    &chassis::HA_GROUPS,
    &chassis::TEMPLATE_VARS,
];
