//! Types of variables, and how their values stand in an expression.

use crate::address::Network;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The type of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A switch port, by its name.
    Port,
    /// A port group, by its name.
    PortGroup,
    /// An address set, by its name.
    AddressSet,
    /// IPv4 addresses and networks, one or several.
    Ipv4,
    /// IPv6 addresses and networks, one or several.
    Ipv6,
    /// Ports of TCP, UDP or SCTP, one or several.
    PortNumbers,
}

impl Kind {
    /// The value as a piece of an expression, or why it is none.
    pub(super) fn print(self, text: &str) -> Result<String, String> {
        let text = text.trim();
        match self {
            Self::Port => {
                named(text).map(|name| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
            }
            Self::PortGroup => identifier(text, '@'),
            Self::AddressSet => identifier(text, '$'),
            Self::Ipv4 => list(text, |part| network(part, true)),
            Self::Ipv6 => list(text, |part| network(part, false)),
            Self::PortNumbers => list(text, |part| match part.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port.to_string()),
                _ => Err(format!("`{part}` is no port number from 1 to 65535")),
            }),
        }
    }
}

fn named(text: &str) -> Result<&str, String> {
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err("the name of a port is empty or has control characters".to_owned()),
        false => Ok(text),
    }
}

fn identifier(text: &str, mark: char) -> Result<String, String> {
    let name = text.strip_prefix(mark).unwrap_or(text);
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '.';
    match name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit()) {
        true => Ok(format!("{mark}{name}")),
        false => Err(format!("`{text}` is no name that can stand behind `{mark}`")),
    }
}

fn network(text: &str, v4: bool) -> Result<String, String> {
    let network = match text.parse::<IpAddr>() {
        Ok(address) => Network::host(address),
        Err(_) => Network::parse(text)?,
    };
    match network.is_v4() == v4 {
        // Without a length, so that it reads as it was given.
        true if text.contains('/') => Ok(network.to_string()),
        true => Ok(network.address().to_string()),
        false => Err(format!("`{text}` is of the other IP version")),
    }
}

/// One value, or several in braces.
fn list(text: &str, part: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text);
    let parts = inner
        .split([',', ' '])
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let printed = parts.map(part).collect::<Result<Vec<String>, String>>()?;
    match printed.len() {
        0 => Err("there is no value".to_owned()),
        1 => Ok(printed.into_iter().next().expect("there is one")),
        _ => Ok(format!("{{{}}}", printed.join(", "))),
    }
}
