//! Where a server listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens, in the words of OVS: `tcp:HOST:PORT`, `ssl:HOST:PORT`, `unix:PATH`.
///
/// Source: ovsdb(7), "Connection Methods".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// TCP without encryption.
    Tcp(String, u16),
    /// TLS over TCP; both sides show certificates.
    Ssl(String, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

/// A text that names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no endpoint: {reason}; tcp:HOST:PORT, ssl:HOST:PORT and unix:PATH are")]
pub struct NotAnEndpoint {
    text: String,
    reason: &'static str,
}

/// The port that IANA gave to OVSDB.
const PORT: u16 = 6640;

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let fault = |reason| NotAnEndpoint {
            text: text.to_owned(),
            reason,
        };
        let (method, rest) = text.split_once(':').ok_or_else(|| fault("it has no method"))?;
        match method {
            "unix" if rest.is_empty() => Err(fault("it has no path")),
            "unix" => Ok(Self::Unix(rest.into())),
            "tcp" => host_port(rest)
                .map(|(host, port)| Self::Tcp(host, port))
                .map_err(fault),
            "ssl" => host_port(rest)
                .map(|(host, port)| Self::Ssl(host, port))
                .map_err(fault),
            _ => Err(fault("it has another method")),
        }
    }
}

fn host_port(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or("its bracket is not closed")?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => return Err("an IPv6 address stands in brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err("it has no host");
    }
    let port = port.map_or(Ok(PORT), |port| {
        port.parse().map_err(|_| "its port is no number below 65536")
    })?;
    Ok((host.to_owned(), port))
}

/// Reads a list of endpoints with commas between them, as `--db` of OVN's tools takes it.
///
/// # Errors
///
/// The first text that names no server; or none at all.
pub fn parse_endpoints(text: &str) -> Result<Vec<Endpoint>, NotAnEndpoint> {
    text.split(',').map(|one| one.trim().parse()).collect()
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracket = |host: &str| {
            if host.contains(':') {
                format!("[{host}]")
            } else {
                host.to_owned()
            }
        };
        match self {
            Self::Tcp(host, port) => write!(f, "tcp:{}:{port}", bracket(host)),
            Self::Ssl(host, port) => write!(f, "ssl:{}:{port}", bracket(host)),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_as_they_are_written() {
        for text in [
            "tcp:127.0.0.1:6641",
            "ssl:[::1]:6642",
            "unix:/run/ovn/ovnnb_db.sock",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!("tcp:host".parse(), Ok(Endpoint::Tcp("host".to_owned(), 6640)));
        assert_eq!(parse_endpoints("tcp:a:1, tcp:b:2").unwrap().len(), 2);
    }

    #[test]
    fn what_names_no_server_says_why() {
        for (text, reason) in [
            ("", "it has no method"),
            ("http://x", "another method"),
            ("tcp::1", "no host"),
            ("tcp:a:99999", "its port"),
            ("tcp:::1:6640", "stands in brackets"),
            ("ssl:[::1", "not closed"),
            ("unix:", "no path"),
        ] {
            let fault = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(fault.contains(reason), "{fault}");
        }
    }
}
