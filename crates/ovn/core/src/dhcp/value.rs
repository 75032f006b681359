//! Values of options: read by type, printed as one constant of OVN's language.

use super::Kind;
use crate::problem::Problem;
use purlin_types::Mac;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A value that fits its option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Number(u32),
    Addresses(Vec<IpAddr>),
    /// Destination, its prefix length, router.
    Routes(Vec<(Ipv4Addr, u8, Ipv4Addr)>),
    Text(String),
    Mac(Mac),
    /// A word of the row that is not pasted into a flow.
    Word(&'static str),
}

/// Octets of one option's value.
const TEXT_MAX: usize = 255;

impl Value {
    /// Reads a value as people write it: texts with or without quotes, lists with or without braces.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        match kind {
            Kind::Bool => boolean(text),
            Kind::Uint8 => number(text, u8::MAX.into()),
            Kind::Uint16 => number(text, u16::MAX.into()),
            Kind::Uint32 => number(text, u32::MAX),
            Kind::Ipv4 => list(
                text,
                |part| part.parse::<Ipv4Addr>().ok().map(IpAddr::from),
                "IPv4 address",
            ),
            Kind::Ipv6 => list(
                text,
                |part| part.parse::<Ipv6Addr>().ok().map(IpAddr::from),
                "IPv6 address",
            ),
            Kind::StaticRoutes => routes(text),
            Kind::Text => string(text).map(Self::Text),
            Kind::HostId => match text.parse::<Ipv4Addr>() {
                Ok(address) => Ok(Self::Addresses(vec![address.into()])),
                Err(_) => string(text).map(Self::Text),
            },
            Kind::Domains => domains(text),
            Kind::Mac => text
                .parse()
                .map(Self::Mac)
                .map_err(|_| wrong(format!("`{text}` is no MAC address")).help("as in `02:00:00:00:00:01`")),
        }
    }
}

fn wrong(message: String) -> Problem {
    Problem::error("dhcp-option-value", "", message)
}

/// `true` and `false` of the database, not of a flow.
pub(super) fn switch(text: &str) -> Result<Value, Problem> {
    match text {
        "true" => Ok(Value::Word("true")),
        "false" => Ok(Value::Word("false")),
        _ => Err(wrong(format!("`{text}` is neither `true` nor `false`"))),
    }
}

fn boolean(text: &str) -> Result<Value, Problem> {
    match text {
        "1" | "true" => Ok(Value::Number(1)),
        "0" | "false" => Ok(Value::Number(0)),
        _ => Err(wrong(format!("`{text}` is neither 0 nor 1"))),
    }
}

fn number(text: &str, max: u32) -> Result<Value, Problem> {
    match text.parse::<u32>() {
        Ok(number) if number <= max => Ok(Value::Number(number)),
        _ => Err(wrong(format!("`{text}` is no number from 0 to {max}"))),
    }
}

/// The parts of `{a, b}`, `a, b` or `a`.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .unwrap_or(text);
    inner
        .split([',', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn list(text: &str, parse: impl Fn(&str) -> Option<IpAddr>, what: &str) -> Result<Value, Problem> {
    let addresses: Result<Vec<IpAddr>, Problem> = parts(text)
        .map(|part| parse(part).ok_or_else(|| wrong(format!("`{part}` is no {what}"))))
        .collect();
    match addresses? {
        none if none.is_empty() => Err(wrong(format!("there is no {what} in `{text}`"))),
        addresses => Ok(Value::Addresses(addresses)),
    }
}

/// The addresses in a value that was written by us.
pub(super) fn addresses(text: &str) -> Vec<IpAddr> {
    parts(text).filter_map(|part| part.parse().ok()).collect()
}

fn routes(text: &str) -> Result<Value, Problem> {
    let help = "destination and router in turn, as in `{10.1.0.0/16, 10.0.0.2, 0.0.0.0/0, 10.0.0.1}`";
    let parts: Vec<&str> = parts(text).collect();
    if parts.is_empty() || parts.len() % 2 == 1 {
        return Err(wrong(format!("`{text}` has {} parts", parts.len())).help(help));
    }
    let route = |pair: &[&str]| {
        let (address, length) = pair[0].split_once('/').unwrap_or((pair[0], "32"));
        let length = length.parse().ok().filter(|length| *length <= 32)?;
        Some((address.parse().ok()?, length, pair[1].parse().ok()?))
    };
    let routes: Option<Vec<_>> = parts.chunks(2).map(route).collect();
    match routes {
        Some(routes) => Ok(Value::Routes(routes)),
        None => Err(wrong(format!("`{text}` is no list of routes")).help(help)),
    }
}

/// The text itself: quotes around it are taken off, with their escapes.
fn string(text: &str) -> Result<String, Problem> {
    let text = match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(inner) if !text.is_empty() => {
            unescaped(inner).ok_or_else(|| wrong(format!("the quotes in `{text}` do not match")))?
        }
        _ => text.to_owned(),
    };
    if text.is_empty() {
        return Err(wrong("the text is empty".to_owned()));
    }
    if text.len() > TEXT_MAX {
        return Err(wrong(format!(
            "the text has {} octets, an option holds {TEXT_MAX}",
            text.len()
        )));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(wrong(format!("the text holds the control character {c:?}"))),
        None => Ok(text),
    }
}

fn unescaped(inner: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => text.push(chars.next().filter(|c| ['"', '\\', '/'].contains(c))?),
            c => text.push(c),
        }
    }
    Some(text)
}

/// Names of at most 253 characters with labels of at most 63.
///
/// Source: RFC 1035, section 2.3.4.
fn domains(text: &str) -> Result<Value, Problem> {
    let text = string(text)?;
    let label = |label: &str| {
        let inner = label
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
    };
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let wrong_name = names
        .iter()
        .find(|name| name.len() > 253 || !name.split('.').all(label));
    match wrong_name {
        Some(name) => {
            Err(wrong(format!("`{name}` is no domain name")).help("as in `example.com,lab.example.com`"))
        }
        None => Ok(Value::Text(names.join(","))),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Addresses(addresses) if addresses.len() == 1 => write!(f, "{}", addresses[0]),
            Self::Addresses(addresses) => {
                let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                write!(f, "{{{}}}", texts.join(", "))
            }
            Self::Routes(routes) => {
                let texts: Vec<String> = routes
                    .iter()
                    .map(|(to, length, router)| format!("{to}/{length},{router}"))
                    .collect();
                write!(f, "{{{}}}", texts.join(", "))
            }
            Self::Text(text) => {
                let text = text.replace('\\', "\\\\").replace('"', "\\\"");
                write!(f, "\"{text}\"")
            }
            Self::Mac(mac) => write!(f, "{mac}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}
