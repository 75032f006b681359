//! IPv4 addresses: one, several, in pairs, and the lists of SIP and PCP servers.

use super::encode::{EncodeError, write_domains};
use super::kind::OptionKind;
use super::name;
use super::render::joined;
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) fn write(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let address: Ipv4Addr = value
        .parse()
        .map_err(|_| EncodeError::of(OptionKind::Ip, value))?;
    out.extend(address.octets());
    Ok(())
}

pub(super) fn show(octets: &[u8]) -> Option<String> {
    <[u8; 4]>::try_from(octets)
        .ok()
        .map(|octets| Ipv4Addr::from(octets).to_string())
}

pub(super) fn write_v6(value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let address: Ipv6Addr = value
        .parse()
        .map_err(|_| EncodeError::of(OptionKind::Ip6, value))?;
    out.extend(address.octets());
    Ok(())
}

pub(super) fn show_v6(octets: &[u8]) -> Option<String> {
    <[u8; 16]>::try_from(octets)
        .ok()
        .map(|octets| Ipv6Addr::from(octets).to_string())
}

/// At least one address.
pub(super) fn show_list(octets: &[u8]) -> Option<String> {
    let (addresses, rest) = octets.as_chunks::<4>();
    (rest.is_empty() && !addresses.is_empty()).then(|| joined(addresses.iter().map(|&at| Ipv4Addr::from(at))))
}

/// Any separation by blanks, commas, `/` or `->`, as long as the number is even.
pub(super) fn write_pairs(items: &[&str], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let words = items
        .iter()
        .flat_map(|item| item.split([',', ' ', '\t', '/', '>', '-']));
    for word in words.filter(|word| !word.is_empty()) {
        write(word, out)?;
    }
    if (out.len() - start).is_multiple_of(8) && out.len() > start {
        return Ok(());
    }
    Err(EncodeError::of(OptionKind::IpPairs, &items.join(", ")))
}

pub(super) fn show_pairs(octets: &[u8]) -> Option<String> {
    let (pairs, rest) = octets.as_chunks::<8>();
    let pair = |&[a, b, c, d, e, f, g, h]: &[u8; 8]| {
        format!("{} {}", Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h))
    };
    (rest.is_empty() && !pairs.is_empty()).then(|| joined(pairs.iter().map(pair)))
}

/// Encoding octet 0 and names, or 1 and addresses (RFC 3361, section 3).
pub(super) fn write_sip(words: &[&str], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let addresses = words
        .iter()
        .filter(|word| word.parse::<Ipv4Addr>().is_ok())
        .count();
    if addresses == words.len() {
        out.push(1);
        return words.iter().try_for_each(|word| write(word, out));
    }
    if addresses > 0 {
        return Err(EncodeError::of(OptionKind::SipServers, &words.join(", ")));
    }
    out.push(0);
    write_domains(words.to_vec(), out)
}

pub(super) fn show_sip(octets: &[u8]) -> Option<String> {
    match octets.split_first()? {
        (0, names) => name::names_to_text(names)
            .filter(|names| !names.is_empty())
            .map(|names| names.join(", ")),
        (1, addresses) => show_list(addresses),
        _ => None,
    }
}

/// Length octet and the addresses of one PCP server (RFC 7291, section 4).
pub(super) fn write_counted(item: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut addresses = Vec::new();
    for word in item.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        write(word, &mut addresses)?;
    }
    let fault = || EncodeError::of(OptionKind::PcpServers, item);
    out.push(u8::try_from(addresses.len()).map_err(|_| fault())?);
    out.extend(addresses);
    Ok(())
}

pub(super) fn show_counted(octets: &[u8]) -> Option<String> {
    let mut servers = Vec::new();
    let mut rest = octets;
    while let Some((&len, behind)) = rest.split_first() {
        let (addresses, next) = behind.split_at_checked(usize::from(len))?;
        servers.push(show_list(addresses)?);
        rest = next;
    }
    (!servers.is_empty()).then(|| servers.join("; "))
}
