//! Static routes of routers.

use super::route_list;
use super::words::{ROUTER, ROUTER_PORT};
use crate::address::{cidr4, cidr6, normal_prefix};
use crate::context::{Context, Row, fail};
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &str = "Logical_Router_Static_Route";
pub(super) const DISCARD: &str = "discard";

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "lr-route-add",
        min: 3,
        max: 4,
        arguments: "ROUTER PREFIX NEXTHOP [PORT]",
        options: "--may-exist,--ecmp,--ecmp-symmetric-reply,--policy=,--route-table=,--bfd?",
        mode: Mode::Writes,
        looks: Looks::At(
            "Logical_Router name static_routes; Logical_Router_Port name; BFD dst_ip logical_port; \
             Logical_Router_Static_Route ip_prefix nexthop output_port policy bfd options route_table external_ids",
        ),
        run: add,
    },
    Syntax {
        name: "lr-route-del",
        min: 1,
        max: 4,
        arguments: "ROUTER [PREFIX [NEXTHOP [PORT]]]",
        options: "--if-exists,--policy=,--route-table=",
        mode: Mode::Writes,
        looks: Looks::At(
            "Logical_Router name static_routes; BFD; \
             Logical_Router_Static_Route ip_prefix nexthop output_port policy bfd route_table",
        ),
        run: delete,
    },
    Syntax {
        name: "lr-route-list",
        min: 1,
        max: 1,
        arguments: "ROUTER",
        options: "--route-table=",
        mode: Mode::Reads,
        looks: Looks::At(
            "Logical_Router name static_routes; \
             Logical_Router_Static_Route ip_prefix nexthop output_port policy bfd options route_table external_ids",
        ),
        run: route_list::list,
    },
];

/// What makes two routes the same: router, prefix, policy, table, and with ECMP the next hop.
struct Wanted<'a> {
    router: Row,
    prefix: String,
    by_source: bool,
    table: &'a str,
}

/// `--policy`: whether packets are looked at for where they come from.
fn by_source(ctx: &Context<'_, '_>) -> Result<bool, String> {
    match ctx.option("--policy") {
        None | Some("dst-ip") => Ok(false),
        Some("src-ip") => Ok(true),
        Some(other) => fail(format!("bad policy: {other}")),
    }
}

fn is_by_source(ctx: &Context<'_, '_>, route: Row) -> bool {
    ctx.maybe_text(route, "policy").as_deref() == Some("src-ip")
}

fn find(ctx: &Context<'_, '_>, wanted: &Wanted<'_>, next_hop: Option<&str>) -> Option<Row> {
    let routes = ctx.refs(wanted.router, "static_routes", TABLE);
    routes.into_iter().find(|route| {
        *ctx.text(*route, "route_table") == *wanted.table
            && is_by_source(ctx, *route) == wanted.by_source
            && normal_prefix(&ctx.text(*route, "ip_prefix")).as_deref() == Some(&*wanted.prefix)
            && next_hop.is_none_or(|next_hop| *ctx.text(*route, "nexthop") == *next_hop)
    })
}

/// Where packets go next: an address, nowhere, or out of a port.
fn next_hop(ctx: &Context<'_, '_>, v6: bool) -> Result<(String, Option<Row>), String> {
    let text = ctx.arg(3);
    if text == DISCARD {
        return Ok((DISCARD.to_owned(), None));
    }
    let address = if v6 {
        text.parse::<Ipv6Addr>().ok().map(|address| address.to_string())
    } else {
        text.parse::<Ipv4Addr>().ok().map(|address| address.to_string())
    };
    if let Some(address) = address {
        return Ok((address, None));
    }
    let family = if v6 { "IPv6" } else { "IPv4" };
    let bad = |_| format!("bad {family} nexthop argument: {text}");
    let port = ctx.get(&ROUTER_PORT, text).map_err(bad)?;
    Ok((String::new(), Some(port)))
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let by_source = by_source(ctx)?;
    let text = ctx.arg(2);
    let v4 = cidr4(text);
    let cidr = v4.or_else(|| cidr6(text));
    let prefix = cidr
        .ok_or_else(|| format!("bad prefix argument: {text}"))?
        .normal();
    let (hop, mut port) = next_hop(ctx, v4.is_none())?;
    if ctx.count() == 4 {
        port = Some(ctx.get(&ROUTER_PORT, ctx.arg(4))?);
    }
    let bfd = bfd(ctx, &hop, port)?;
    let symmetric = ctx.has("--ecmp-symmetric-reply");
    let ecmp = ctx.has("--ecmp") || symmetric;
    let wanted = Wanted {
        router,
        prefix,
        by_source,
        table: ctx.option("--route-table").unwrap_or_default(),
    };
    let there = find(ctx, &wanted, ecmp.then_some(hop.as_str()));
    if hop == DISCARD {
        for (given, why) in [
            (ecmp, "ecmp is not valid for discard routes."),
            (ctx.has("--bfd"), "bfd dst_ip cannot be discard."),
            (port.is_some(), "outport is not valid for discard routes."),
        ] {
            if given {
                return fail(why);
            }
        }
    }
    match there {
        Some(_) if ecmp && ctx.has("--may-exist") => return Ok(()),
        Some(_) if ecmp => return fail("duplicate nexthop for the same ECMP route"),
        Some(route) if ctx.key(route, "external_ids", "ic-learned-route").is_none() => {
            return update(ctx, route, &wanted, &hop, port, bfd);
        }
        _ => {}
    }
    if find(ctx, &wanted, Some(DISCARD)).is_some() {
        return fail("discard nexthop for the same ECMP route exists.");
    }
    let route = ctx.insert(TABLE);
    if !wanted.table.is_empty() {
        ctx.set(route, "route_table", wanted.table);
    }
    if symmetric {
        ctx.set(route, "options", Datum::map([("ecmp_symmetric_reply", "true")]));
    }
    ctx.add_ref(router, "static_routes", route);
    fill(ctx, route, &wanted, &hop, port, bfd)
}

/// `--may-exist`: the route that is there gets another next hop.
fn update(
    ctx: &mut Context<'_, '_>,
    route: Row,
    wanted: &Wanted<'_>,
    hop: &str,
    port: Option<Row>,
    bfd: Option<Row>,
) -> Result<(), String> {
    if !ctx.has("--may-exist") {
        let policy = if wanted.by_source { "src-ip" } else { "dst-ip" };
        return fail(format!(
            "duplicate prefix: {} (policy: {policy}). Use option --ecmp to allow this for ECMP routing.",
            wanted.prefix
        ));
    }
    ctx.verify(wanted.router, "static_routes");
    ctx.verify(route, "ip_prefix");
    ctx.verify(route, "nexthop");
    fill(ctx, route, wanted, hop, port, bfd)
}

fn fill(
    ctx: &mut Context<'_, '_>,
    route: Row,
    wanted: &Wanted<'_>,
    hop: &str,
    port: Option<Row>,
    bfd: Option<Row>,
) -> Result<(), String> {
    ctx.set(route, "ip_prefix", wanted.prefix.as_str());
    ctx.set(route, "nexthop", hop);
    if let Some(port) = port {
        let name = ctx.text(port, "name");
        ctx.set(route, "output_port", Atom::Text(name));
    }
    if let Some(policy) = ctx.option("--policy") {
        ctx.set(route, "policy", policy);
    }
    if !ctx.has("--bfd") {
        return Ok(());
    }
    let bfd = match (bfd, port) {
        (Some(bfd), _) => bfd,
        (None, None) => return fail("insert entry in the BFD table failed"),
        (None, Some(port)) => {
            let bfd = ctx.insert("BFD");
            let name = ctx.text(port, "name");
            ctx.set(bfd, "dst_ip", hop);
            ctx.set(bfd, "logical_port", Atom::Text(name));
            bfd
        }
    };
    ctx.set(route, "bfd", Atom::Uuid(bfd.uuid));
    Ok(())
}

/// The BFD session that `--bfd[=UUID]` means, if it is there.
fn bfd(ctx: &Context<'_, '_>, hop: &str, port: Option<Row>) -> Result<Option<Row>, String> {
    if !ctx.has("--bfd") {
        return Ok(None);
    }
    if let Some(id) = ctx.option("--bfd") {
        let uuid = Uuid::parse(id).filter(|uuid| ctx.work.has("BFD", *uuid));
        let uuid = uuid.ok_or("no entry found in the BFD table")?;
        return Ok(Some(Row { table: "BFD", uuid }));
    }
    let name = port.map(|port| ctx.text(port, "name"));
    let mut sessions = ctx.named("BFD", "dst_ip", hop).into_iter();
    Ok(sessions.find(|row| {
        name.as_ref()
            .is_none_or(|name| ctx.text(*row, "logical_port") == *name)
    }))
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let by_source = by_source(ctx)?;
    let policy = ctx.option("--policy");
    if ctx.count() == 1 && policy.is_none() {
        ctx.set(router, "static_routes", Datum::EMPTY);
        return Ok(());
    }
    let normal = |at: usize, what: &str| {
        let text = ctx.arg(at);
        normal_prefix(text).ok_or_else(|| format!("bad {what} argument: {text}"))
    };
    let prefix = (ctx.count() >= 2).then(|| normal(2, "prefix")).transpose()?;
    let hop = match ctx.count() {
        3.. if ctx.arg(3) == DISCARD => Some(DISCARD.to_owned()),
        3.. => Some(normal(3, "nexthop")?),
        _ => None,
    };
    let port = (ctx.count() == 4).then(|| ctx.arg(4));
    let table = ctx.option("--route-table").unwrap_or_default();
    let mut routes = ctx.refs(router, "static_routes", TABLE);
    routes.retain(|route| {
        let text = |column| ctx.text(*route, column);
        let hop_of = |text: &str| match text {
            DISCARD => Some(DISCARD.to_owned()),
            text => normal_prefix(text),
        };
        (policy.is_none() || is_by_source(ctx, *route) == by_source)
            && (prefix.is_none() || normal_prefix(&text("ip_prefix")) == prefix)
            && (hop.is_none() || hop_of(&text("nexthop")) == hop)
            && *text("route_table") == *table
            && port.is_none_or(|port| ctx.maybe_text(*route, "output_port").as_deref() == Some(port))
    });
    if routes.is_empty() && !ctx.has("--if-exists") {
        let any = |text: Option<&str>| text.unwrap_or("any").to_owned();
        return fail(format!(
            "no matching route: policy '{}', prefix '{}', nexthop '{}', output_port '{}'.",
            any(policy),
            prefix.as_deref().unwrap_or("(null)"),
            any(hop.as_deref()),
            any(port)
        ));
    }
    for route in routes {
        for bfd in ctx.refs(route, "bfd", "BFD") {
            ctx.delete(bfd);
        }
        ctx.drop_ref(router, "static_routes", route);
    }
    Ok(())
}
