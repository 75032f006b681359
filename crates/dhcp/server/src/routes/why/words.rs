//! The words of a story: one sentence, and what to look at next.

mod pinned;

use super::{Record, Subject, text};
use pinned::Pinned;
use purlin_api::clock::rfc3339_secs;
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::settings::{Network, Settings, Subnet};
use purlin_dhcp_core::view::{LeaseState, LeaseView, Told};
use purlin_telemetry::Outcome;
use std::net::{IpAddr, Ipv4Addr};

/// Leases beside the first that a summary names; the story lists all.
const ALSO_MAX: usize = 3;

/// What is told besides the record itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) seen: bool,
    pub(super) summary: String,
    pub(super) checks: Vec<String>,
}

/// Tells the story at `now` (seconds since the Unix epoch).
pub(super) fn tell(subject: &Subject, record: &Record, plan: &Plan, now: i64) -> Words {
    let settings = plan.settings();
    let pinned = Pinned::of(subject, record, plan);
    let seen = !record.decisions.is_empty() || !record.leases.is_empty();
    let (mut summary, mut checks) = if seen {
        (summary(subject, record, now), checks(record))
    } else {
        (nothing(subject, plan), look_for_it(subject, settings))
    };
    for words in pinned.words(record) {
        summary.push(' ');
        summary.push_str(&words);
    }
    checks.splice(0..0, pinned.fixes());
    Words {
        // That an address is kept for a machine is on record, whether it has come for it or not.
        seen: seen || !pinned.is_empty(),
        summary,
        checks,
    }
}

fn summary(subject: &Subject, record: &Record, now: i64) -> String {
    let who = subject.text();
    let mut bound = record
        .leases
        .iter()
        .filter(|lease| lease.state == LeaseState::Bound);
    let held = bound
        .next()
        .map(|lease| holds(subject, lease) + &also_holds(lease, bound));
    let last = record.decisions.last();
    let trouble = last.filter(|told| is_trouble(told));
    match (held, trouble, last) {
        (Some(held), None, _) => format!("{held}."),
        (Some(held), Some(told), _) => format!("{held}, but {}.", ended(told, now)),
        (None, Some(told), _) => format!("{who} holds no lease: {}.", ended(told, now)),
        (None, None, Some(told)) => format!("{who} holds no lease; {}.", ended(told, now)),
        (None, None, None) => match record.leases.first() {
            Some(lease) => format!(
                "{who} held {} until it was {}.",
                lease.address,
                lease.state.as_str()
            ),
            None => format!("{who} holds no lease."),
        },
    }
}

fn is_trouble(told: &Told) -> bool {
    matches!(
        told.decision.outcome,
        Outcome::Refused | Outcome::Silent | Outcome::Dropped
    )
}

/// The addresses beside the first: firmware, boot loader and system may be a client each (option 61), and machines may
/// share a name.
fn also_holds<'a>(first: &LeaseView, mut others: impl Iterator<Item = &'a LeaseView>) -> String {
    let mut words = String::new();
    for lease in others.by_ref().take(ALSO_MAX) {
        let (address, subnet) = (lease.address, &lease.subnet);
        let whose = if lease.mac == first.mac {
            String::new()
        } else {
            format!("{} ", lease.mac)
        };
        words += &format!(", and {whose}{address} in subnet {subnet:?} {}", until(lease));
    }
    match others.count() {
        0 => words,
        more => format!("{words}, and {more} more"),
    }
}

fn until(lease: &LeaseView) -> String {
    match lease.expires {
        u32::MAX => "without an end".to_owned(),
        secs => format!("until {}", rfc3339_secs(secs)),
    }
}

fn holds(subject: &Subject, lease: &LeaseView) -> String {
    let until = until(lease);
    let name = lease
        .hostname
        .as_ref()
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    let subnet = &lease.subnet;
    match subject {
        Subject::Address(address) => format!(
            "{address} belongs to {}{name} in subnet {subnet:?} {until}",
            lease.mac
        ),
        Subject::Mac(mac) => format!("{mac}{name} holds {} in subnet {subnet:?} {until}", lease.address),
        Subject::Name(host) => {
            format!(
                "{host} ({}) holds {} in subnet {subnet:?} {until}",
                lease.mac, lease.address
            )
        }
    }
}

/// How the last decision ended, as part of a sentence.
fn ended(told: &Told, now: i64) -> String {
    let ago = ago(now - i64::from(told.decision.at.secs()));
    let (event, reason) = (told.event, &told.text);
    match told.decision.outcome {
        Outcome::Answered => format!(
            "its last {event} was answered with {} {ago}: {reason}",
            told.answer
        ),
        Outcome::Refused => format!(
            "its last {event} was refused with {} {ago}: {reason}",
            told.answer
        ),
        Outcome::Silent => format!("its last {event} got no answer {ago}: {reason}"),
        Outcome::Dropped => format!("its last packet was dropped {ago}: {reason}"),
        Outcome::Noted => format!("the last on record is {ago}: {reason}"),
    }
}

fn ago(secs: i64) -> String {
    match secs {
        ..=1 => "just now".to_owned(),
        2..=119 => format!("{secs} s ago"),
        120..=7199 => format!("{} min ago", secs / 60),
        7200..=172_799 => format!("{} h ago", secs / 3600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

/// The fixes of what went wrong lately, each once, newest first.
fn checks(record: &Record) -> Vec<String> {
    let mut checks: Vec<String> = Vec::new();
    for told in record.decisions.iter().rev().filter(|told| is_trouble(told)) {
        let fix = text::fix(told);
        if !fix.is_empty() && !checks.iter().any(|known| known == fix) {
            checks.push(fix.to_owned());
        }
    }
    checks.truncate(5);
    checks
}

fn nothing(subject: &Subject, plan: &Plan) -> String {
    let window = format!(
        "the last {} decisions of each packet thread, at most since the start",
        plan.settings().decisions
    );
    let place = match subject {
        Subject::Address(IpAddr::V4(address)) => format!(", and {}", place(*address, plan)),
        _ => String::new(),
    };
    format!(
        "Nothing was seen of {} in what is kept ({window}){place}.",
        subject.text()
    )
}

/// Where an address stands in the configuration.
fn place(address: Ipv4Addr, plan: &Plan) -> String {
    let settings = plan.settings();
    let Some(subnet) = subnet_of(address, settings) else {
        return format!("{address} lies in no configured subnet");
    };
    let name = &subnet.name;
    let mut reservations = subnet.reservations.iter().chain(&settings.reservations);
    if reservations.any(|reservation| reservation.address == Some(address)) {
        return format!("{address} is reserved in subnet {name:?} for a client that did not come");
    }
    if plan.pins().iter().any(|pin| pin.address == address) {
        return format!("{address} is reserved in subnet {name:?} for a machine that did not come");
    }
    if subnet.pools.iter().any(|pool| pool.range.contains(address)) {
        return format!("{address} is free in a pool of subnet {name:?}");
    }
    format!("{address} lies in subnet {name:?}, but in none of its pools")
}

fn subnet_of(address: Ipv4Addr, settings: &Settings) -> Option<&Subnet> {
    let all = settings
        .networks
        .iter()
        .flat_map(|network: &Network| &network.subnets);
    all.into_iter().find(|subnet| subnet.network.contains(address))
}

/// Why a packet may never have come here.
fn look_for_it(subject: &Subject, settings: &Settings) -> Vec<String> {
    let listen: Vec<String> = settings.listen.iter().map(ToString::to_string).collect();
    let mut checks = vec![format!(
        "does the client send at all? On its link: tcpdump -ni IFACE 'udp port 67 or udp port 68'{}",
        match subject {
            Subject::Mac(mac) => format!(" and ether host {mac}"),
            _ => String::new(),
        }
    )];
    if !listen.is_empty() {
        checks.push(format!(
            "does the relay (ip helper) of the client's link point to {}?",
            listen.join(" or ")
        ));
    }
    if settings.interfaces.is_empty() {
        checks.push(
            "clients on this machine's own links need dhcp.interfaces; now only relayed ones are heard"
                .into(),
        );
    } else {
        checks.push(format!(
            "is the client on a link of {}?",
            settings.interfaces.join(", ")
        ));
    }
    checks.push(
        "does a firewall drop UDP port 67? `purlin doctor` looks at ports, capabilities and other servers"
            .into(),
    );
    if let Subject::Name(name) = subject {
        checks.push(format!(
            "clients without a lease are known by MAC only: ask for the MAC of {name:?}"
        ));
    }
    checks
}

#[cfg(test)]
mod tests;
