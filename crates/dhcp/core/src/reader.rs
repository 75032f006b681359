//! The `[dhcp]` section of a configuration document, checked into [`Settings`].
//!
//! ```text
//!   Document ──► schema check (types, ranges, names of keys) ──► fields ──► checks between values ──► Settings
//!                keys: what may be there                          one file per part: scope, subnet, class, …
//! ```
//!
//! Every fault is reported in one pass, those between two values with both places. A value that the schema check
//! has refused counts as not set for what follows.

mod boot;
mod class;
pub mod codes;
mod context;
mod datacenter;
mod keys;
mod network;
mod option;
mod overlap;
mod pool;
mod reservation;
pub mod scaling;
mod scope;
mod show;

pub use codes::REASONS;
pub use show::{option_text, options_text};

use crate::settings::{AckMode, ConflictCheck, Limits, Settings};
use context::Context;
use purlin_config::{Document, Fault, Faults, Reader, Section, check_section};
use scope::Inherited;

/// The demo that `purlin up` serves without a file: one subnet for relayed clients, on loopback only.
#[must_use]
pub fn demo() -> &'static str {
    include_str!("reader/demo.toml")
}

/// The schema of `[dhcp]`.
#[must_use]
pub fn section() -> &'static Section {
    &keys::SECTION
}

/// Reads `[dhcp]`; `None` when it has errors, which are then in `faults`. A document without the section gives
/// settings that are not enabled.
#[must_use]
pub fn read(document: &Document, faults: &mut Faults) -> Option<Settings> {
    let before = faults.errors();
    check_section(document, section(), faults);
    let top = Reader::section(document, section());
    let mut context = Context::new(document, &top, faults);
    let settings = settings(&top, &mut context);
    datacenter::read(&top, &settings, &mut context);
    (faults.errors() == before).then_some(settings)
}

fn settings(top: &Reader<'_>, context: &mut Context<'_>) -> Settings {
    let (scope, inherited) = scope::read(top, &Inherited::default(), context);
    let classes = class::read(top, context);
    let flex_id = class::flex_id(top, context);
    let parsed = network::read(top, &inherited, context);
    let reservations = reservation::global(top, &parsed, context);
    overlap::check(top, &parsed, context);
    reservation::check_twice(&parsed, &reservations, context);
    let enabled = enabled(top, context);
    Settings {
        enabled,
        listen: top.get("listen"),
        interfaces: top.get("interfaces"),
        threads: datacenter::threads(top, context),
        ack: if top.get::<String>("ack") == "lead" {
            AckMode::Lead
        } else {
            AckMode::Durable
        },
        mclt: top.get("mclt"),
        authoritative: top.get("authoritative"),
        server_id: top.opt("server_id"),
        echo_client_id: top.get("echo_client_id"),
        bootp: top.get("bootp"),
        rapid_commit: top.get("rapid_commit"),
        offer_hold: top.get("offer_hold"),
        decline_hold: top.get("decline_hold"),
        affinity: top.get("affinity"),
        conflict_check: conflict_check(&top.get::<String>("conflict_check")),
        conflict_wait: top.get("conflict_wait"),
        proxy: top.get("proxy"),
        limits: limits(top),
        scope,
        option_defs: context.defs.clone(),
        classes,
        networks: parsed.into_networks(),
        reservations: reservations.into_iter().map(|found| found.reservation).collect(),
        flex_id,
        decisions: top.get("decisions"),
        profiles: Vec::new(),
    }
}

fn limits(top: &Reader<'_>) -> Limits {
    let limits = top.below("limits", &[keys::LIMITS]);
    Limits {
        per_client: limits.get("per_client"),
        per_relay: limits.get("per_relay"),
    }
}

fn conflict_check(word: &str) -> ConflictCheck {
    match word {
        "ping" => ConflictCheck::Ping,
        "arp" => ConflictCheck::Arp,
        _ => ConflictCheck::Off,
    }
}

/// Whether DHCP is served. Said outright, or else when there is somewhere to listen; subnets that nobody could
/// reach are a fault, not silence.
fn enabled(top: &Reader<'_>, context: &mut Context<'_>) -> bool {
    let said: Option<bool> = top.opt("enabled");
    let somewhere = !top.items("listen").is_empty() || !top.items("interfaces").is_empty();
    let served = ["subnets", "networks"]
        .into_iter()
        .find(|name| !top.items(name).is_empty());
    let wanted = said.unwrap_or(somewhere || served.is_some());
    if wanted && !somewhere {
        let key = if said.is_some() {
            "enabled"
        } else {
            served.unwrap_or("enabled")
        };
        let message = "DHCP would listen nowhere: neither `listen` nor `interfaces` is set";
        let fault = Fault::error(codes::NOWHERE, top.path_of("listen"), top.span_of(key), message);
        let help = "set listen = [\"10.0.0.1:67\"] for relays, interfaces = [\"eth0\"] for a local segment, or enabled = false";
        context.faults.push(fault.help(help));
    }
    wanted
}

#[cfg(test)]
mod tests;
