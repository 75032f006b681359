//! Classless static routes, option 121.
//!
//! ```text
//!   +------------+---------------------------+----------------+
//!   | prefix len | significant octets (0-4)  | router (4)     |   repeated
//!   +------------+---------------------------+----------------+
//! ```
//!
//! Source: RFC 3442, "Classless Route Option Format".

use super::encode::EncodeError;
use super::kind::OptionKind;
use super::render::joined;
use purlin_types::{Prefix4, RangeError};
use std::net::Ipv4Addr;

/// Prefix and router in turns; `via`, `-`, `->` and commas between them are read over, `default` is 0.0.0.0/0.
pub(super) fn write(items: &[&str], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let words = items.iter().flat_map(|item| item.split([',', ' ', '\t']));
    let mut words = words.filter(|word| !matches!(*word, "" | "via" | "-" | "->"));
    while let Some(word) = words.next() {
        let prefix = prefix(word)?;
        let router = words
            .next()
            .ok_or_else(|| EncodeError::new(word, format!("`{word} via ROUTER`")))?;
        let router: Ipv4Addr = router.parse().map_err(|_| {
            EncodeError::new(
                router,
                format!("the router of {word}, an IPv4 address such as 10.0.0.1"),
            )
        })?;
        out.push(prefix.length());
        out.extend(&prefix.network().octets()[..significant(prefix.length())]);
        out.extend(router.octets());
    }
    Ok(())
}

fn prefix(word: &str) -> Result<Prefix4, EncodeError> {
    let text = if word == "default" { "0.0.0.0/0" } else { word };
    text.parse().map_err(|fault| match fault {
        RangeError::HostBits(network, length) => EncodeError::new(
            word,
            format!("the network {network}/{length} (host bits are set)"),
        ),
        _ => EncodeError::of(OptionKind::Routes, word),
    })
}

/// Octets in which a prefix of that length has bits.
fn significant(length: u8) -> usize {
    usize::from(length).div_ceil(8)
}

pub(super) fn show(octets: &[u8]) -> Option<String> {
    let mut routes = Vec::new();
    let mut rest = octets;
    while let Some((&length, behind)) = rest.split_first() {
        let (network, behind) = behind.split_at_checked(significant(length))?;
        let (&router, behind) = behind.split_first_chunk::<4>()?;
        let mut address = [0; 4];
        address.get_mut(..network.len())?.copy_from_slice(network);
        let prefix = Prefix4::try_new(address.into(), length).ok()?;
        routes.push(format!("{prefix} via {}", Ipv4Addr::from(router)));
        rest = behind;
    }
    (!routes.is_empty()).then(|| joined(routes.iter()))
}
