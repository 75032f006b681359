//! Servers of other protocols as arguments: a name or address, perhaps with a port.

use crate::exit::{Exit, Failure};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// The port of TFTP (RFC 1350, section 4).
const TFTP: u16 = 69;

/// `10.0.0.1`, `10.0.0.1:6969`, `[2001:db8::1]:69`, `2001:db8::1`, `boot.example.com`, `boot.example.com:6969`.
pub(crate) fn tftp_server(text: &str) -> Result<SocketAddr, Failure> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, TFTP));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| no_server(text))?),
        None => (text, TFTP),
    };
    if host.is_empty() || host.contains([':', '/', ' ']) {
        return Err(no_server(text));
    }
    let found = (host, port).to_socket_addrs();
    found.ok().and_then(|mut all| all.next()).ok_or_else(|| {
        Failure::new(
            Exit::Unreachable,
            format!("the name {host:?} leads to no address"),
            "getent hosts NAME shows what this machine knows of it",
        )
    })
}

fn no_server(text: &str) -> Failure {
    Failure::usage(
        format!("{text:?} is no server"),
        "write HOST or HOST:PORT, like 10.0.0.1:6969 or [2001:db8::1]:69",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_in_any_usual_form() {
        for (text, expected) in [
            ("10.0.0.1", "10.0.0.1:69"),
            ("10.0.0.1:6969", "10.0.0.1:6969"),
            ("2001:db8::1", "[2001:db8::1]:69"),
            ("[2001:db8::1]", "[2001:db8::1]:69"),
            ("[2001:db8::1]:6969", "[2001:db8::1]:6969"),
        ] {
            assert_eq!(tftp_server(text).unwrap().to_string(), expected);
        }
        for bad in ["", "host:port", "http://x", "a b"] {
            assert_eq!(tftp_server(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }
}
