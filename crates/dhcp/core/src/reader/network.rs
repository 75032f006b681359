//! Shared networks and subnets.

use super::codes;
use super::context::{Context, Place};
use super::keys::{self, SCOPE};
use super::pool::{self, FoundPool, Special};
use super::reservation::{self, Found};
use super::scope::{self, Inherited};
use crate::settings::{Network, Scope, Subnet};
use purlin_config::{Fault, FromNode, Reader, Span};
use purlin_types::{Ipv4Range, Prefix4};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Most subnets; their indexes are 16 bits wide on the packet path.
const SUBNETS_MAX: usize = 65_000;

/// A subnet with the places that checks between subnets need.
#[derive(Debug)]
pub(super) struct FoundSubnet {
    subnet: Subnet,
    pub(super) prefix: Prefix4,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) span: Span,
    pub(super) pools: Vec<FoundPool>,
    pub(super) reservations: Vec<Found>,
    pub(super) relays: Vec<(Ipv4Range, Span)>,
}

#[derive(Debug)]
pub(super) struct FoundNetwork {
    name: String,
    scope: Scope,
    pub(super) subnets: Vec<FoundSubnet>,
}

/// All networks with their places.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) networks: Vec<FoundNetwork>,
    /// Prefixes ascending with the index of their network, so that an address is found by bisection.
    sorted: Vec<(Prefix4, usize)>,
}

impl Parsed {
    pub(super) fn subnets(&self) -> impl Iterator<Item = &FoundSubnet> {
        self.networks.iter().flat_map(|network| &network.subnets)
    }

    fn new(networks: Vec<FoundNetwork>) -> Self {
        let indexed = networks.iter().enumerate();
        let mut sorted: Vec<(Prefix4, usize)> = indexed
            .flat_map(|(i, network)| network.subnets.iter().map(move |subnet| (subnet.prefix, i)))
            .collect();
        sorted.sort_unstable();
        Self { networks, sorted }
    }

    /// The index of the network that contains an address. Where subnets overlap, which is a fault of its own, any.
    pub(super) fn network_of(&self, address: Ipv4Addr) -> Option<usize> {
        let behind = self
            .sorted
            .partition_point(|(prefix, _)| prefix.network() <= address);
        let (prefix, network) = self.sorted.get(behind.checked_sub(1)?)?;
        prefix.contains(address).then_some(*network)
    }

    pub(super) fn into_networks(self) -> Vec<Network> {
        let subnet = |found: FoundSubnet| Subnet {
            pools: found.pools.into_iter().map(|pool| pool.pool).collect(),
            reservations: found
                .reservations
                .into_iter()
                .map(|found| found.reservation)
                .collect(),
            ..found.subnet
        };
        let network = |found: FoundNetwork| Network {
            name: found.name,
            scope: found.scope,
            subnets: found.subnets.into_iter().map(subnet).collect(),
        };
        self.networks.into_iter().map(network).collect()
    }
}

pub(super) fn read(top: &Reader<'_>, above: &Inherited, context: &mut Context<'_>) -> Parsed {
    let own = own_addresses(top);
    let mut networks = Vec::new();
    let mut names = Vec::new();
    for table in top.tables("networks", &[keys::NETWORK, SCOPE]) {
        let (scope, inherited) = scope::read(&table, above, context);
        let inner = table.tables("subnets", &[keys::SUBNET, SCOPE]);
        let subnets = inner
            .iter()
            .filter_map(|table| subnet(table, &inherited, &own, context))
            .collect();
        let name: String = table.opt("name").unwrap_or_default();
        names.extend(
            table
                .node("name")
                .map(|node| (name.clone(), table.path_of("name"), node.span)),
        );
        networks.push(FoundNetwork { name, scope, subnets });
    }
    // A plain subnet is a network of one with the subnet's name, so it competes with networks for names too.
    for table in top.tables("subnets", &[keys::SUBNET, SCOPE]) {
        if let Some(found) = subnet(&table, above, &own, context) {
            networks.push(FoundNetwork {
                name: found.name.clone(),
                scope: Scope::default(),
                subnets: vec![found],
            });
        }
    }
    let parsed = Parsed::new(networks);
    names.extend(parsed.subnets().map(|s| (s.name.clone(), s.path.clone(), s.span)));
    context.names_once("subnet or network", names);
    if let Some(over) = parsed.subnets().nth(SUBNETS_MAX) {
        let message = format!("more than {SUBNETS_MAX} subnets");
        context
            .faults
            .push(Fault::error(codes::TOO_MANY, &over.path, over.span, message));
    }
    parsed
}

/// Addresses this server itself listens on; no pool may hold them.
fn own_addresses(top: &Reader<'_>) -> Vec<(Ipv4Addr, Span)> {
    let items = top.items("listen").iter();
    let parsed = items.filter_map(|node| Some((*SocketAddrV4::from_node(node)?.ip(), node.span)));
    parsed.filter(|(address, _)| !address.is_unspecified()).collect()
}

fn subnet(
    table: &Reader<'_>,
    above: &Inherited,
    own: &[(Ipv4Addr, Span)],
    context: &mut Context<'_>,
) -> Option<FoundSubnet> {
    let (scope, inherited) = scope::read(table, above, context);
    let pools = pool::read(table, &inherited, context);
    let proxy = proxy(table, &pools, context);
    let classes = context.class_names(table, "classes", Place::Guard);
    let reservations = reservation::read(table, &inherited, context);
    let prefix: Prefix4 = table.opt("network")?;
    let at = table.span_of("network");
    check_hosts(table, prefix, at, context);
    check_gateway(table, prefix, at, &inherited, context);
    let specials = specials(prefix, &inherited, own);
    for found in &pools {
        pool::check(found, prefix, at, &specials, context);
    }
    for found in &reservations {
        reservation::check_inside(found, prefix, at, &inherited, context);
    }
    let relays = table.items("relays").iter();
    let relays: Vec<_> = relays
        .filter_map(|node| Some((Ipv4Range::from_node(node)?, node.span)))
        .collect();
    let name: String = table.opt("name").unwrap_or_else(|| prefix.to_string());
    let span = if table.node("name").is_some() {
        table.span_of("name")
    } else {
        at
    };
    let subnet = Subnet {
        name: name.clone(),
        network: prefix,
        pools: Vec::new(),
        scope,
        reservations: Vec::new(),
        relays: relays.iter().map(|(range, _)| *range).collect(),
        interfaces: table.opt("interfaces").unwrap_or_default(),
        classes,
        conflict_check: table
            .opt::<String>("conflict_check")
            .map(|word| super::conflict_check(&word)),
        reserved_only: table.get("reserved_only"),
        proxy,
    };
    let path = table.path().to_owned();
    Some(FoundSubnet {
        subnet,
        prefix,
        name,
        path,
        span,
        pools,
        reservations,
        relays,
    })
}

/// What no client can have: no address yet, groups, and what stays within one machine.
fn check_hosts(table: &Reader<'_>, prefix: Prefix4, at: Span, context: &mut Context<'_>) {
    let overlaps = |first: Ipv4Addr, length: u8| {
        let other = Prefix4::try_new(first, length).expect("a prefix without host bits");
        prefix.contains(first) || other.contains(prefix.network())
    };
    let fault = |whose: &str| {
        let message = format!("{prefix} {whose}");
        Fault::error(codes::NO_HOSTS, table.path_of("network"), at, message)
    };
    if overlaps(Ipv4Addr::UNSPECIFIED, 8) {
        context
            .faults
            .push(fault("has addresses that mean none (0.0.0.0/8)"));
    }
    if overlaps(Ipv4Addr::new(224, 0, 0, 0), 4) {
        context
            .faults
            .push(fault("has addresses of groups (multicast, 224.0.0.0/4)"));
    }
    if overlaps(Ipv4Addr::new(127, 0, 0, 0), 8) {
        let fault = fault("has loopback addresses (127.0.0.0/8), which no other machine can use");
        context.faults.push(fault.as_warning());
    }
}

/// A gateway of the subnet's own; one that several subnets of a link have from above is in one of them at most.
fn check_gateway(
    table: &Reader<'_>,
    prefix: Prefix4,
    at: Span,
    inherited: &Inherited,
    context: &mut Context<'_>,
) {
    let own = inherited.gateway.filter(|_| table.node("gateway").is_some());
    if let Some((gateway, span)) = own.filter(|(gateway, _)| !prefix.contains(*gateway)) {
        let message = format!("the gateway {gateway} is outside of {prefix}");
        let fault = Fault::error(codes::GATEWAY_OUTSIDE, table.path_of("gateway"), span, message);
        let fault = fault.related(at, "the network is set here");
        context.faults.push(fault.as_warning());
    }
}

/// Whether another server gives this subnet's addresses. Then pools here would never be used, or be given out twice.
fn proxy(table: &Reader<'_>, pools: &[FoundPool], context: &mut Context<'_>) -> bool {
    let own: Option<bool> = table.opt("proxy");
    let proxy = own.unwrap_or(context.proxy);
    if let Some(pool) = pools.first().filter(|_| proxy) {
        let message = "a pool where another DHCP server gives the addresses (proxy = true)";
        let fault = Fault::error(codes::PROXY_POOLS, &pool.path, pool.span, message);
        let help = "remove the subnet's pools, or set proxy = false in the subnet to give addresses here";
        context.faults.push(fault.help(help));
    }
    proxy
}

fn specials(prefix: Prefix4, inherited: &Inherited, own: &[(Ipv4Addr, Span)]) -> Vec<Special> {
    let mut specials = Vec::new();
    // RFC 3021: a /31 has two hosts, and a /32 one.
    if prefix.length() <= 30 {
        specials.push(Special {
            address: prefix.network(),
            whose: "the network address",
            span: None,
        });
        specials.push(Special {
            address: prefix.broadcast(),
            whose: "the broadcast address",
            span: None,
        });
    }
    let gateway = inherited.gateway.map(|(address, span)| Special {
        address,
        whose: "the gateway",
        span: Some(span),
    });
    specials.extend(gateway);
    let own = own.iter().map(|&(address, span)| Special {
        address,
        whose: "the server's own address",
        span: Some(span),
    });
    specials.extend(own);
    specials
}
