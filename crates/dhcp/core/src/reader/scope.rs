//! What every level may set: times, options under their own names, and boot answers.

use super::boot;
use super::codes;
use super::context::Context;
use super::keys::INFINITE;
use super::option::{self, Placed};
use crate::settings::{OptionValue, Scope};
use purlin_config::{Fault, Node, Reader, Span};
use purlin_dhcp_proto::catalog;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Keys that are options under a name of their own.
const NAMED: &[(&str, u8)] = &[
    ("gateway", 3),
    ("dns_servers", 6),
    ("domain_name", 15),
    ("mtu", 26),
    ("broadcast", 28),
    ("ntp_servers", 42),
    ("vendor_options", 43),
    ("tftp_server", 66),
    ("captive_portal", 114),
    ("domain_search", 119),
    ("static_routes", ROUTES),
    ("dnr", 162),
];

const ROUTES: u8 = 121;

/// The lease when no level sets one.
const LEASE_DEFAULT: Duration = Duration::from_secs(3600);

/// An infinite lease, as the wire writes it (RFC 2131, section 3.3).
const ENDLESS: Duration = Duration::from_secs(u32::MAX as u64);

/// A value from this level or one above, and where it was set.
type Set<T> = Option<(T, Span)>;

/// What a level takes over from those above, as far as values depend on each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited {
    pub(super) gateway: Set<Ipv4Addr>,
    routes: Option<Vec<u8>>,
    lease: Set<Duration>,
    min: Set<Duration>,
    max: Set<Duration>,
    t1: Set<Duration>,
    t2: Set<Duration>,
}

/// Reads the scope keys of a table, and what the levels below inherit.
pub(super) fn read(reader: &Reader<'_>, above: &Inherited, context: &mut Context<'_>) -> (Scope, Inherited) {
    let mut inherited = above.clone();
    let mut placed = named(reader, context);
    placed.extend(option::read(reader, context));
    once(reader, &placed, context);
    let mut options: Vec<OptionValue> = placed.into_iter().map(|placed| placed.value).collect();
    if let Some(address) = options
        .iter()
        .find(|o| o.code == 3)
        .and_then(|o| o.data.first_chunk::<4>())
    {
        inherited.gateway = Some((Ipv4Addr::from(*address), reader.span_of("gateway")));
    }
    let is_top = reader.path() == "dhcp";
    default_route(reader, &mut options, &mut inherited);
    times(reader, &mut inherited, context);
    let scope = Scope {
        lease_time: lease(reader, "lease_time").or_else(|| is_top.then_some(LEASE_DEFAULT)),
        lease_time_min: reader.opt("lease_time_min"),
        lease_time_max: lease(reader, "lease_time_max"),
        t1: reader.opt("t1"),
        t2: reader.opt("t2"),
        next_server: reader.opt("next_server"),
        server_name: reader.opt("server_name"),
        boot_file: reader.opt("boot_file"),
        options,
        v6_only_wait: reader.opt("v6_only_wait"),
        boot: boot::read(reader, context).into(),
    };
    (scope, inherited)
}

fn named(reader: &Reader<'_>, context: &mut Context<'_>) -> Vec<Placed> {
    let mut options = Vec::new();
    for &(key, code) in NAMED {
        let Some(node) = reader.node(key) else { continue };
        let kind = catalog::by_code(code)
            .expect("named keys are standard options")
            .kind;
        if let Some(data) = option::encode(kind, node, &reader.path_of(key), context) {
            let value = OptionValue {
                code,
                data,
                always: false,
            };
            options.push(Placed {
                value,
                span: node.span,
            });
        }
    }
    options
}

/// An option is set once per level, whatever name it is set under.
fn once(reader: &Reader<'_>, placed: &[Placed], context: &mut Context<'_>) {
    let mut first: Vec<(u8, Span)> = placed.iter().map(|p| (p.value.code, p.span)).collect();
    if let Some(node) = reader.node("v6_only_wait") {
        first.insert(0, (108, node.span));
    }
    for (i, (code, span)) in first.iter().enumerate() {
        if let Some((_, before)) = first[..i].iter().find(|(known, _)| known == code) {
            let message = format!("option {code} is set twice here");
            let fault = Fault::error(codes::OPTION_TWICE, reader.path(), *span, message);
            context.faults.push(fault.related(*before, "first set here"));
        }
    }
}

/// RFC 3442: a client that understands option 121 ignores option 3, so the routes carry the default route too.
fn default_route(reader: &Reader<'_>, options: &mut Vec<OptionValue>, inherited: &mut Inherited) {
    let own = options.iter().position(|o| o.code == ROUTES);
    if let Some(at) = own {
        inherited.routes = Some(options[at].data.clone());
    }
    let own_gateway = options.iter().any(|o| o.code == 3);
    let (Some(routes), Some((gateway, _))) = (inherited.routes.clone(), inherited.gateway) else {
        return;
    };
    if (own.is_none() && !own_gateway)
        || has_default(&routes)
        || reader.node("options").is_some_and(sets_routes)
    {
        return;
    }
    let mut data = vec![0];
    data.extend(gateway.octets());
    data.extend(routes);
    match own {
        Some(at) => options[at].data = data,
        None => options.push(OptionValue {
            code: ROUTES,
            data,
            always: false,
        }),
    }
}

/// Whether option 121 was written by hand in `options`: then it is sent as written.
fn sets_routes(options: &Node) -> bool {
    let entries = options.as_table().map_or(&[][..], |table| &table.entries);
    entries
        .iter()
        .any(|entry| option::find(&entry.key, &[]).is_some_and(|known| known.code == ROUTES))
}

fn has_default(mut routes: &[u8]) -> bool {
    while let Some((&length, rest)) = routes.split_first() {
        if length == 0 {
            return true;
        }
        routes = rest
            .get(usize::from(length).div_ceil(8) + 4..)
            .unwrap_or_default();
    }
    false
}

/// T1 < T2 < lease and min <= lease <= max must hold for what is in effect here, inherited values included.
/// A time, which may be without end where the key allows it.
fn lease(reader: &Reader<'_>, key: &str) -> Option<Duration> {
    match reader.node(key)?.as_str() {
        Some(INFINITE) => Some(ENDLESS),
        _ => reader.opt(key),
    }
}

fn shown(time: Duration) -> String {
    if time == ENDLESS {
        return INFINITE.to_owned();
    }
    purlin_config::format_duration(time)
}

fn times(reader: &Reader<'_>, inherited: &mut Inherited, context: &mut Context<'_>) {
    let own = |key: &str| lease(reader, key).map(|value| (value, reader.span_of(key)));
    for key in ["lease_time", "lease_time_min", "lease_time_max", "t1", "t2"] {
        if let Some((time, span)) = own(key).filter(|(time, _)| time.subsec_nanos() != 0) {
            let message = format!("{} s is no whole number of seconds", time.as_secs_f64());
            context.push_unless_known(
                span,
                Fault::error(codes::WHOLE_SECONDS, reader.path_of(key), span, message),
            );
        }
    }
    let before = inherited.clone();
    inherited.lease = own("lease_time").or(before.lease);
    inherited.min = own("lease_time_min").or(before.min);
    inherited.max = own("lease_time_max").or(before.max);
    inherited.t1 = own("t1").or(before.t1);
    inherited.t2 = own("t2").or(before.t2);
    let none = Span {
        start: 0,
        end: 0,
        ..reader.span()
    };
    // Only from a subnet on is it certain that no level below sets a lease time for everybody.
    let in_subnet = reader.path().contains("subnets[");
    let lease = inherited.lease.or(in_subnet.then_some((LEASE_DEFAULT, none)));
    let mut order = |low: Set<Duration>, high: Set<Duration>, names: (&str, &str), equal: bool| {
        let (Some((a, a_span)), Some((b, b_span))) = (low, high) else {
            return;
        };
        if a < b || (equal && a == b) {
            return;
        }
        let is_own = |span: Span, key: &str| reader.node(key).is_some_and(|node| node.span == span);
        let (first, second) = (is_own(a_span, names.0), is_own(b_span, names.1));
        if !first && !second && a_span != none && b_span != none {
            return; // Reported at the level that brought them together.
        }
        let [a, b] = [a, b].map(shown);
        let than = if equal { "above" } else { "not below" };
        let message = format!("{} ({a}) is {than} {} ({b})", names.0, names.1);
        let (key, place, other, word) = if first || b_span == none {
            (names.0, a_span, b_span, names.1)
        } else {
            (names.1, b_span, a_span, names.0)
        };
        let fault = Fault::error(codes::TIMES_ORDER, reader.path_of(key), place, message);
        let fault = if other == none {
            fault.help("the lease time is 1h when not set")
        } else {
            fault.related(other, format!("{word} is set here"))
        };
        context.push_unless_known(place, fault);
    };
    order(inherited.t1, inherited.t2, ("t1", "t2"), false);
    order(inherited.t2, lease, ("t2", "lease_time"), false);
    if inherited.t2.is_none() {
        order(inherited.t1, lease, ("t1", "lease_time"), false);
    }
    order(inherited.min, lease, ("lease_time_min", "lease_time"), true);
    order(lease, inherited.max, ("lease_time", "lease_time_max"), true);
}
