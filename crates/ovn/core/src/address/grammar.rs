//! The little languages of `Logical_Switch_Port.addresses` and `.port_security`.
//!
//! Source: ovn-nb(5), table `Logical_Switch_Port`.

use super::Network;
use crate::problem::Problem;
use purlin_types::Mac;
use std::fmt;
use std::net::IpAddr;

/// One element of `addresses`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// `MAC [IP...]`
    Static(Owned),
    /// `[MAC] dynamic [IP...]`: what is not said comes from OVN.
    Dynamic { mac: Option<Mac>, ips: Vec<IpAddr> },
    /// Frames to nobody else are for this port.
    Unknown,
    /// What the router port on the other side has.
    Router,
}

/// A MAC and the addresses behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub mac: Mac,
    pub ips: Vec<IpAddr>,
}

/// One element of `port_security`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub mac: Mac,
    pub networks: Vec<Network>,
}

/// Reads the column `addresses` of a port of type `kind`. All problems are found.
pub fn parse_addresses<'a>(
    kind: &str,
    column: impl IntoIterator<Item = &'a str>,
) -> (Vec<Element>, Vec<Problem>) {
    let mut elements = Vec::new();
    let mut problems = Vec::new();
    for text in column {
        match element(text) {
            Ok(Element::Router) if kind != "router" => {
                let message = "`router` is for ports of type `router` only";
                problems.push(Problem::error("address-router", "addresses", message));
            }
            Ok(element) => elements.push(element),
            Err(why) => problems.push(Problem::error("address-syntax", "addresses", why.0).help(why.1)),
        }
    }
    let dynamic = elements
        .iter()
        .filter(|element| matches!(element, Element::Dynamic { .. }));
    if dynamic.count() > 1 {
        let message = "`dynamic` stands in more than one element";
        problems.push(Problem::error("address-dynamic-twice", "addresses", message));
    }
    (elements, problems)
}

/// Reads the column `port_security`.
pub fn parse_port_security<'a>(column: impl IntoIterator<Item = &'a str>) -> (Vec<Allowed>, Vec<Problem>) {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for text in column {
        match allowed(text) {
            Ok(allowed) => all.push(allowed),
            Err(why) => {
                problems.push(Problem::error("port-security-syntax", "port_security", why.0).help(why.1));
            }
        }
    }
    (all, problems)
}

/// What is wrong, and what would be right.
type Wrong = (String, &'static str);

const FORMS: &str = "as in `02:00:00:00:00:01 10.0.0.5`, `dynamic`, `02:00:00:00:00:01 dynamic`, `unknown`";

fn element(text: &str) -> Result<Element, Wrong> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        [] => Err(("an element is empty".to_owned(), FORMS)),
        ["unknown"] => Ok(Element::Unknown),
        ["router"] => Ok(Element::Router),
        ["dynamic", ref rest @ ..] => Ok(Element::Dynamic {
            mac: None,
            ips: dynamic_ips(rest)?,
        }),
        [mac, "dynamic", ref rest @ ..] => Ok(Element::Dynamic {
            mac: Some(parse_mac(mac)?),
            ips: dynamic_ips(rest)?,
        }),
        [mac, ref rest @ ..] => Ok(Element::Static(Owned {
            mac: parse_mac(mac)?,
            ips: ips(rest)?,
        })),
    }
}

fn parse_mac(text: &str) -> Result<Mac, Wrong> {
    // OVN sends a frame to nobody whose owner has a group's address.
    match text.parse::<Mac>() {
        Ok(mac) if mac.0[0] & 1 == 1 => Err((
            format!("`{text}` is the address of a group"),
            "a port's MAC has an even first octet",
        )),
        Ok(mac) if mac.0 == [0; 6] => Err((format!("`{text}` is nobody's address"), FORMS)),
        Ok(mac) => Ok(mac),
        Err(_) => Err((format!("`{text}` is no MAC address"), FORMS)),
    }
}

fn ips(words: &[&str]) -> Result<Vec<IpAddr>, Wrong> {
    let ip = |word: &&str| {
        word.parse()
            .map_err(|_| (format!("`{word}` is no IP address"), FORMS))
    };
    words.iter().map(ip).collect()
}

fn dynamic_ips(words: &[&str]) -> Result<Vec<IpAddr>, Wrong> {
    let ips = ips(words)?;
    let of_version = |v4: bool| ips.iter().filter(|ip| ip.is_ipv4() == v4).count();
    match of_version(true).max(of_version(false)) {
        0 | 1 => Ok(ips),
        _ => Err((
            "behind `dynamic` stand several addresses of one version".to_owned(),
            "at most one IPv4 and one IPv6 address, as in `dynamic 10.0.0.5`",
        )),
    }
}

fn allowed(text: &str) -> Result<Allowed, Wrong> {
    const FORM: &str = "as in `02:00:00:00:00:01 10.0.0.5 10.1.0.0/16`";
    let mut words = text.split([' ', ',', '\t']).filter(|word| !word.is_empty());
    let Some(mac) = words.next() else {
        return Err(("an element is empty".to_owned(), FORM));
    };
    let mac = mac
        .parse()
        .map_err(|_| (format!("`{mac}` is no MAC address"), FORM))?;
    let network = |word: &str| match word.parse() {
        Ok(address) => Ok(Network::host(address)),
        Err(_) => Network::parse(word).map_err(|why| (why, FORM)),
    };
    Ok(Allowed {
        mac,
        networks: words.map(network).collect::<Result<_, _>>()?,
    })
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mac, word, ips): (Option<&Mac>, &str, &[IpAddr]) = match self {
            Self::Unknown => return f.write_str("unknown"),
            Self::Router => return f.write_str("router"),
            Self::Static(owned) => (Some(&owned.mac), "", &owned.ips),
            Self::Dynamic { mac, ips } => (mac.as_ref(), "dynamic", ips),
        };
        let words = mac
            .map(ToString::to_string)
            .into_iter()
            .chain((!word.is_empty()).then(|| word.to_owned()));
        let words: Vec<String> = words.chain(ips.iter().map(ToString::to_string)).collect();
        f.write_str(&words.join(" "))
    }
}
