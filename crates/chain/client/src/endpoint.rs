//! Where a node's JSON-RPC is.

use std::fmt;
use std::str::FromStr;

/// The port of JSON-RPC over HTTP where a URL names none.
const PORT: u16 = 8545;

/// A plain HTTP endpoint: `http://HOST[:PORT][/PATH]`, or `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
    /// Begins with `/`.
    pub path: String,
}

/// A text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no endpoint of JSON-RPC over plain HTTP; write http://HOST:PORT, like http://127.0.0.1:8545"
)]
pub struct EndpointError(String);

impl Endpoint {
    /// Host and port as they stand in a `Host` header: an IPv6 address in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError(text.to_owned());
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, "/".to_owned()),
        };
        let (host, port) = split(authority).ok_or_else(wrong)?;
        if host.is_empty() || host.contains(['/', ' ', '@', '?']) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path,
        })
    }
}

/// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
fn split(authority: &str) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => after.is_empty().then_some((host, PORT)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, PORT)),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path == "/" { "" } else { &self.path };
        write!(f, "http://{}{path}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_written_in_any_usual_form() {
        for (text, expected) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("localhost", "http://localhost:8545"),
            ("http://node.example.com/", "http://node.example.com:8545"),
            ("http://[::1]:8545/rpc", "http://[::1]:8545/rpc"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_plain_http_is_refused() {
        for bad in [
            "",
            "https://a",
            "ws://a:1",
            "a:port",
            "[::1",
            "a b",
            "http://user@a",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
