//! Whom a request is from when something trusted stands in front.
//!
//! `X-Forwarded-For: client, proxy, proxy` grows at its end: each proxy appends whom it heard. What stands before the
//! last address that is not trusted could have been written by anybody and is not looked at.

use axum::http::HeaderMap;
use purlin_types::Prefix4;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word counts; nobody's by default.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Arc<[Proxy]>);

/// An address, or an IPv4 network in which proxies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    Address(IpAddr),
    Network(Prefix4),
}

impl FromStr for Proxy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        let network = text.parse().map(Self::Network);
        network.map_err(|_| format!("\"{text}\" is neither an address nor an IPv4 network"))
    }
}

impl Proxies {
    #[must_use]
    pub fn new(proxies: impl IntoIterator<Item = Proxy>) -> Self {
        Self(proxies.into_iter().collect())
    }

    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|proxy| match (proxy, address) {
            (Proxy::Address(known), address) => known.to_canonical() == address,
            (Proxy::Network(network), IpAddr::V4(address)) => network.contains(address),
            (Proxy::Network(_), IpAddr::V6(_)) => false,
        })
    }

    /// Whom a request over a connection from `peer` is from.
    pub(super) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        let mut client = peer;
        if !self.trust(client.ip()) {
            return client;
        }
        let lines = headers.get_all(FORWARDED_FOR).into_iter();
        let told: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        for word in told.iter().rev().flat_map(|line| line.rsplit(',')) {
            // What cannot be read ends what can be believed.
            let Ok(address) = word.trim().parse::<IpAddr>() else {
                return client;
            };
            client = SocketAddr::new(address, 0);
            if !self.trust(address) {
                return client;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = ["10.0.0.1", "10.9.0.0/16", "::1"];
        let proxies = Proxies::new(trusted.iter().map(|text| text.parse().expect("a proxy")));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"));
        }
        let peer = SocketAddr::new(peer.parse().expect("an address"), 1);
        proxies.client(peer, &headers).ip().to_string()
    }

    #[test]
    fn a_stranger_is_himself_whatever_he_says() {
        assert_eq!(client("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
    }

    #[test]
    fn a_trusted_proxy_is_believed_up_to_the_last_stranger() {
        for (lines, expected) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 10.9.3.4"], "192.0.2.1"),
            (&["198.51.100.1", "192.0.2.1", "10.0.0.1"], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["10.9.0.1"], "10.9.0.1"),
            (&["192.0.2.1, rubbish"], "10.0.0.1"),
            (&["192.0.2.1, rubbish, 10.9.0.1"], "10.9.0.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", lines), expected, "{lines:?}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network() {
        assert!("10.0.0.0/8".parse::<Proxy>().is_ok() && "::1".parse::<Proxy>().is_ok());
        assert!("haproxy".parse::<Proxy>().is_err() && "10.0.0.1:80".parse::<Proxy>().is_err());
    }
}
