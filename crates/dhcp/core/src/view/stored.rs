//! From a record to what people see.

use super::{LeaseQuery, LeaseState, LeaseView};
use crate::lease::FLAG_RESERVED;
use crate::plan::Plan;
use crate::record::{self, EXTRA_CIRCUIT, EXTRA_HOSTNAME, EXTRA_REMOTE, EXTRA_VENDOR, LeaseRecord};
use purlin_types::{Mac, Now};
use std::net::Ipv4Addr;

/// The lease that a record tells of.
pub(crate) fn view(plan: &Plan, now: &Now, lease: &LeaseRecord<'_>) -> LeaseView {
    let text = |tag| record::extra(lease.extra, tag).map(|b| String::from_utf8_lossy(b).into_owned());
    let octets = |tag| record::extra(lease.extra, tag).map(<[u8]>::to_vec);
    let who = &lease.who;
    let ethernet = who.htype == 1 && who.chaddr.len() == 6;
    let subnet = plan.routes.subnet_of(lease.address);
    LeaseView {
        address: lease.address.into(),
        state: shown_state(lease.state, lease.expires, now),
        mac: Mac(who.mac()),
        hardware: (!ethernet).then(|| (who.htype, who.chaddr.to_vec())),
        client_id: who.client_id.map(<[u8]>::to_vec),
        hostname: text(EXTRA_HOSTNAME),
        circuit_id: octets(EXTRA_CIRCUIT),
        remote_id: octets(EXTRA_REMOTE),
        vendor_class: text(EXTRA_VENDOR),
        giaddr: Some(lease.giaddr.into())
            .filter(|g| lease.state != LeaseState::Offered && *g != Ipv4Addr::UNSPECIFIED),
        last_seen: lease.last_seen,
        expires: lease.expires,
        reserved: lease.flags & FLAG_RESERVED != 0,
        network: plan.network_of(lease.address).to_owned(),
        subnet: subnet
            .and_then(|s| plan.subnet_name(s))
            .unwrap_or_default()
            .to_owned(),
    }
}

/// A lease that has ended but was not swept yet is shown as ended.
pub(crate) fn shown_state(state: LeaseState, expires: u32, now: &Now) -> LeaseState {
    if state == LeaseState::Bound && expires <= now.wall.secs() {
        LeaseState::Expired
    } else {
        state
    }
}

impl LeaseQuery {
    /// Whether a lease is wanted; the cursor and the limit are the caller's to heed.
    #[must_use]
    pub fn wants(&self, lease: &LeaseView) -> bool {
        let text = self.text.trim();
        self.state.is_none_or(|state| state == lease.state)
            && (self.subnet.is_empty() || self.subnet == lease.subnet)
            && (text.is_empty() || has_text(lease, text))
    }
}

/// An address or a MAC means itself, anything else a part of something.
fn has_text(lease: &LeaseView, text: &str) -> bool {
    if let Ok(mac) = text.parse::<Mac>() {
        return lease.hardware.is_none() && lease.mac == mac;
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return lease.address == address;
    }
    let part = Part::new(text);
    let text = &part.text;
    let octets = |bytes: &[u8]| part.is_in(bytes);
    let either =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase().contains(text) || octets(bytes);
    let hardware = lease.hardware.as_ref().map_or(&lease.mac.0[..], |(_, full)| full);
    let named = [&lease.hostname, &lease.vendor_class];
    let relayed = [&lease.circuit_id, &lease.remote_id];
    lease.address.to_string().contains(text)
        || octets(hardware)
        || lease.client_id.as_deref().is_some_and(octets)
        || named.into_iter().flatten().any(|name| either(name.as_bytes()))
        || relayed.into_iter().flatten().any(|id| either(id))
}

/// What is searched for: a part of a text, or of octets in any of the ways in which people write a MAC.
pub(crate) struct Part {
    /// In small letters.
    pub(crate) text: String,
    /// The hexadecimal digits alone, where it is written as octets are.
    digits: Option<String>,
}

impl Part {
    pub(crate) fn new(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let digits = digits_of(&text);
        Self { text, digits }
    }

    /// Whether these octets have it, from the beginning of one of them where separators do not say more.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let shown = hex(bytes);
        if shown.contains(&self.text) {
            return true;
        }
        let Some(digits) = &self.digits else { return false };
        let plain = shown.replace(':', "");
        (0..plain.len())
            .step_by(2)
            .any(|at| plain[at..].starts_with(digits.as_str()))
    }
}

/// The digits of `02-50-5`, `0250.524f` and `025052`. With dots only groups of four count, or a part of an IPv4
/// address would be one of a MAC; and fewer than six digits alone are in too much, as a search also
/// chooses what a bulk release ends.
fn digits_of(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let in_groups = |separator: char, of: usize| {
        let mut groups = text.split(separator).rev();
        let last = groups.next().unwrap_or_default();
        let mut others = groups.peekable();
        let hex = |group: &str| group.bytes().all(|c| c.is_ascii_hexdigit());
        others.peek().is_some()
            && last.len() <= of
            && hex(last)
            && others.all(|group| group.len() == of && hex(group))
    };
    let alone = text.len() == digits.len() && digits.len() >= 6;
    (alone || in_groups('-', 2) || in_groups('.', 4)).then_some(digits)
}

/// Octets as `02:00:0a`.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        let _ = write!(text, "{}{byte:02x}", if i > 0 { ":" } else { "" });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_mac_is_found_in_every_spelling() {
        let mac = [0x02, 0x50, 0x52, 0x4f, 0x00, 0x01];
        let found = |text: &str| Part::new(text).is_in(&mac);
        for text in [
            "02:50:52",
            "02-50-52",
            "025052",
            "0250.524f",
            "50-52-4",
            "52:4",
            "02-50-",
            "524F.0001",
            "4f0001",
        ] {
            assert!(found(text), "{text}");
        }
        // Not from the beginning of an octet, a part of an IPv4 address, too short, not the same.
        for text in [
            "250524",
            "0.5",
            "50.52",
            "4f00",
            "02-50-53",
            "0250.5250",
            "02-5-052",
            "-",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
