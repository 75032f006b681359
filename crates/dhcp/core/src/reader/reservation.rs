//! Reservations: one client each, an address in its subnet, nothing twice.

use super::codes;
use super::context::{Context, Place};
use super::keys::{self, SCOPE};
use super::network::Parsed;
use super::scope::{self, Inherited};
use crate::settings::{Reservation, ReservedFor};
use purlin_config::{Fault, Reader, Span, parse_hex};
use purlin_types::{Mac, Prefix4};
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// A reservation with its places.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) reservation: Reservation,
    path: String,
    client_span: Span,
    address_span: Span,
}

const CLIENT_KEYS: [&str; 6] = ["mac", "client_id", "circuit_id", "remote_id", "uuid", "flex_id"];

/// The `reservations` of a table.
pub(super) fn read(table: &Reader<'_>, above: &Inherited, context: &mut Context<'_>) -> Vec<Found> {
    let tables = table.tables("reservations", &[keys::RESERVATION, SCOPE]);
    tables
        .iter()
        .filter_map(|table| one(table, above, context))
        .collect()
}

fn one(table: &Reader<'_>, above: &Inherited, context: &mut Context<'_>) -> Option<Found> {
    let classes = context.class_names(table, "classes", Place::Reservation);
    let (scope, _) = scope::read(table, above, context);
    let (key, client) = client(table, context)?;
    let reservation = Reservation {
        client,
        address: table.opt("address"),
        hostname: table.opt("hostname"),
        classes,
        scope,
    };
    Some(Found {
        reservation,
        path: table.path().to_owned(),
        client_span: table.span_of(key),
        address_span: table.span_of("address"),
    })
}

fn client(table: &Reader<'_>, context: &mut Context<'_>) -> Option<(&'static str, ReservedFor)> {
    let given: Vec<&'static str> = CLIENT_KEYS
        .into_iter()
        .filter(|key| table.node(key).is_some())
        .collect();
    let [key] = given[..] else {
        let message = match given.len() {
            0 => "the reservation names no client".to_owned(),
            _ => format!(
                "the reservation names a client in {} ways: {}",
                given.len(),
                given.join(", ")
            ),
        };
        let span = given.get(1).map_or(table.span(), |key| table.span_of(key));
        let fault = Fault::error(codes::RESERVED_FOR, table.path(), span, message);
        let help = format!("give exactly one of {}", CLIENT_KEYS.join(", "));
        context.push_unless_known(table.span(), fault.help(help));
        return None;
    };
    let octets = || table.opt::<String>(key).map(|text| identifier(&text));
    let client = match key {
        "mac" => ReservedFor::Mac(table.opt::<Mac>(key)?),
        "client_id" => ReservedFor::ClientId(octets()?),
        "circuit_id" => ReservedFor::CircuitId(octets()?),
        "remote_id" => ReservedFor::RemoteId(octets()?),
        "uuid" => ReservedFor::Uuid(uuid(&table.opt::<String>(key)?)?),
        _ => ReservedFor::Flex(octets()?),
    };
    if let ("flex_id", None) = (key, context.document.get("dhcp.flex_id")) {
        let message = "flex_id needs the expression dhcp.flex_id, which is not set";
        let fault = Fault::error(
            codes::RESERVED_FOR,
            table.path_of(key),
            table.span_of(key),
            message,
        );
        context
            .faults
            .push(fault.help("for example: flex_id = \"relay4[1].hex\" in [dhcp]"));
    }
    Some((key, client))
}

/// Octets of an identifier: `0x...`, `hex:...` or pairs with colons are hex, everything else is text.
fn identifier(text: &str) -> Vec<u8> {
    let marked = text.strip_prefix("0x").or_else(|| text.strip_prefix("hex:"));
    let pairs = text.contains(':') && text.split(':').all(|pair| pair.len() == 2);
    let digits = marked.or_else(|| pairs.then_some(text));
    digits
        .and_then(|digits| parse_hex(digits).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The 16 octets of a UUID in the order in which they are written.
pub(super) fn uuid(text: &str) -> Option<[u8; 16]> {
    let inner = text.trim().trim_start_matches('{').trim_end_matches('}');
    parse_hex(inner).ok()?.try_into().ok()
}

/// A subnet's reservation has its address in the subnet, and not one that belongs to somebody else.
pub(super) fn check_inside(
    found: &Found,
    network: Prefix4,
    at: Span,
    above: &Inherited,
    context: &mut Context<'_>,
) {
    let Some(address) = found.reservation.address else {
        return;
    };
    let path = format!("{}.address", found.path);
    if !network.contains(address) {
        let message = format!("the address {address} is not inside {network}");
        let fault = Fault::error(codes::RESERVED_OUTSIDE, path, found.address_span, message);
        context.faults.push(fault.related(at, "the network is set here"));
        return;
    }
    let edge = network.length() <= 30 && (address == network.network() || address == network.broadcast());
    if edge {
        let message = format!("{address} is the network or broadcast address of {network}");
        context.faults.push(Fault::error(
            codes::RESERVED_OUTSIDE,
            path,
            found.address_span,
            message,
        ));
    } else if let Some((_, span)) = above.gateway.filter(|(gateway, _)| *gateway == address) {
        let fault = Fault::error(
            codes::RESERVED_OUTSIDE,
            path,
            found.address_span,
            format!("{address} is the gateway"),
        );
        context
            .faults
            .push(fault.related(span, "the gateway is set here"));
    }
}

/// `dhcp.reservations`: an address must be in some subnet.
pub(super) fn global(top: &Reader<'_>, parsed: &Parsed, context: &mut Context<'_>) -> Vec<Found> {
    let found = read(top, &Inherited::default(), context);
    for one in &found {
        let Some(address) = one.reservation.address else {
            continue;
        };
        if parsed.network_of(address).is_none() {
            let path = format!("{}.address", one.path);
            let message = format!("the address {address} is in no subnet");
            context.faults.push(Fault::error(
                codes::RESERVED_OUTSIDE,
                path,
                one.address_span,
                message,
            ));
        }
    }
    found
}

/// In one network a client and an address are reserved once; global reservations count in every network that
/// contains their address, and everywhere when they have none.
pub(super) fn check_twice(parsed: &Parsed, global: &[Found], context: &mut Context<'_>) {
    let mut by_network: Vec<Vec<&Found>> = parsed.networks.iter().map(|_| Vec::new()).collect();
    let mut everywhere: Vec<&Found> = Vec::new();
    for one in global {
        match one.reservation.address.map(|address| parsed.network_of(address)) {
            None => everywhere.push(one),
            Some(Some(network)) => by_network[network].push(one),
            Some(None) => {} // Its address is in no subnet, which is a fault already.
        }
    }
    twice(everywhere.iter().copied(), &HashMap::new(), context);
    let known = everywhere
        .iter()
        .map(|one| (&one.reservation.client, *one))
        .collect();
    for (network, here) in parsed.networks.iter().zip(by_network) {
        let own = network.subnets.iter().flat_map(|subnet| &subnet.reservations);
        twice(own.chain(here), &known, context);
    }
}

/// Reports clients that are among the `known` or twice in `all`, and addresses that are twice in `all`.
fn twice<'f>(
    all: impl Iterator<Item = &'f Found>,
    known: &HashMap<&ReservedFor, &Found>,
    context: &mut Context<'_>,
) {
    let mut clients: HashMap<&ReservedFor, &Found> = HashMap::new();
    let mut addresses: HashMap<Ipv4Addr, &Found> = HashMap::new();
    let mut report = |one: &Found, span: Span, first: Span, message: String| {
        let fault = Fault::error(codes::RESERVED_TWICE, &one.path, span, message);
        context.faults.push(fault.related(first, "first reserved here"));
    };
    for one in all {
        match known
            .get(&one.reservation.client)
            .or_else(|| clients.get(&one.reservation.client))
        {
            Some(first) => {
                let message = "this client has a reservation already".to_owned();
                report(one, one.client_span, first.client_span, message);
            }
            None => {
                clients.insert(&one.reservation.client, one);
            }
        }
        let Some(address) = one.reservation.address else {
            continue;
        };
        match addresses.get(&address) {
            Some(first) => {
                let message = format!("the address {address} is reserved twice");
                report(one, one.address_span, first.address_span, message);
            }
            None => {
                addresses.insert(address, one);
            }
        }
    }
}
