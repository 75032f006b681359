//! Notations inside strings.

use crate::settings::{MacPrefix, Network, Ports};
use purlin_config::{Kind, TextFault, parse_duration};
use std::time::Duration;

pub(in crate::reader) const NAME: Kind = Kind::Form {
    what: "a name",
    check: name,
};
pub(in crate::reader) const NETWORKS: Kind = Kind::List(&Kind::Form {
    what: "a network such as \"10.0.0.0/8\" or \"2001:db8::/32\"",
    check: network,
});
pub(in crate::reader) const MACS: Kind = Kind::List(&Kind::Form {
    what: "a hardware address or its first octets such as \"52:54:00\"",
    check: mac_prefix,
});
pub(in crate::reader) const PORTS: Kind = Kind::Form {
    what: "\"single\", \"ephemeral\" or a range such as \"10000-20000\"",
    check: ports,
};
pub(in crate::reader) const NODES: Kind = Kind::List(&Kind::Form {
    what: "a host with a port such as \"redis-1:6379\"",
    check: node,
});
/// Text that may be empty.
pub(in crate::reader) const ANY_TEXT: Kind = Kind::Form {
    what: "a string",
    check: any_text,
};
/// Bare numbers are milliseconds here, unlike elsewhere.
pub(in crate::reader) const MILLIS: Kind = Kind::OneOf(&[
    Kind::Int { min: 1, max: 60_000 },
    Kind::Form {
        what: "milliseconds, or a duration such as \"100ms\"",
        check: short,
    },
]);

fn plain(message: String, help: &str) -> TextFault {
    TextFault {
        at: None,
        message,
        help: help.to_owned(),
    }
}

fn name(text: &str) -> Result<(), TextFault> {
    let odd = text
        .char_indices()
        .find(|(_, c)| c.is_control() || matches!(c, '[' | ']'));
    match (text.len(), odd) {
        (1..=128, None) => Ok(()),
        (_, Some((at, c))) => Err(TextFault {
            at: Some((at, c.len_utf8())),
            ..plain(format!("a name cannot have the character {c:?}"), "")
        }),
        (len, None) => Err(plain(format!("a name has 1 to 128 octets, not {len}"), "")),
    }
}

fn any_text(text: &str) -> Result<(), TextFault> {
    match text.len() {
        0..=4096 => Ok(()),
        len => Err(plain(
            format!("the string has {len} octets, at most 4096 are allowed"),
            "",
        )),
    }
}

fn network(text: &str) -> Result<(), TextFault> {
    Network::parse(text).map(drop).map_err(TextFault::from)
}

fn mac_prefix(text: &str) -> Result<(), TextFault> {
    match MacPrefix::parse(text) {
        Some(_) => Ok(()),
        None => Err(plain(
            format!("expected a hardware address or its first octets, found {text:?}"),
            "write 1 to 6 pairs of hexadecimal digits: \"52:54:00\"",
        )),
    }
}

fn ports(text: &str) -> Result<(), TextFault> {
    Ports::parse(text).map(drop).map_err(TextFault::from)
}

fn node(text: &str) -> Result<(), TextFault> {
    let good = text.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        (1..=253).contains(&host.len())
            && !host.contains(|c: char| c.is_whitespace() || c == '/')
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    match good {
        true => Ok(()),
        false => Err(plain(
            format!("expected a host with a port, found {text:?}"),
            "write \"redis-1:6379\"",
        )),
    }
}

fn short(text: &str) -> Result<(), TextFault> {
    millis(text).map(drop).map_err(TextFault::from)
}

/// A short time in a string: milliseconds without a unit.
pub(in crate::reader) fn millis(text: &str) -> Result<Duration, String> {
    let time = match text.trim().parse::<u64>() {
        Ok(millis) => Duration::from_millis(millis),
        Err(_) => parse_duration(text)?,
    };
    match (1..=60_000).contains(&time.as_millis()) {
        true => Ok(time),
        false => Err(format!("{text:?} is not from 1ms to 1m")),
    }
}
