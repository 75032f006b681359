//! Host and port of a server.

use std::fmt;

/// Host name or address, and port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Address {
    #[must_use]
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    ///
    /// # Errors
    /// What is expected, in words, without the text that was given.
    pub fn parse(text: &str, port: u16) -> Result<Self, &'static str> {
        let (host, rest) = match text.strip_prefix('[') {
            Some(bracketed) => bracketed
                .split_once(']')
                .ok_or("the bracket of an IPv6 address is not closed")?,
            None => match text.find(':') {
                Some(colon) => text.split_at(colon),
                None => (text, ""),
            },
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => port,
            None => return Err("a port comes after a colon"),
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or("the port is a number from 1 to 65535, and IPv6 addresses stand in brackets")?,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() {
            return Err("the host is missing");
        }
        if !host.chars().all(plain) {
            return Err("the host has letters, digits, '.', '-' and '_' only");
        }
        Ok(Self::new(host, port))
    }

    /// A list with commas; spaces around them do not matter.
    pub(super) fn parse_list(text: &str, port: u16) -> Result<Vec<Self>, &'static str> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Self::parse(part, port)).collect()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
