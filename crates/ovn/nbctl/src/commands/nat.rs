//! NAT rules of routers.

use super::words::{ADDRESS_SET, PORT, ROUTER, ROUTER_PORT};
use crate::address::{cidr, cidr4, cidr6, mac, normal_prefix};
use crate::context::{Context, Row, fail};
use crate::format::left;
use crate::syntax::{Looks, Mode, Syntax};
use purlin_ovsdb::{Atom, Datum, Str};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) static COMMANDS: &[Syntax] = &[
    Syntax {
        name: "lr-nat-add",
        min: 4,
        max: 7,
        arguments: "ROUTER TYPE EXTERNAL_IP LOGICAL_IP[LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]",
        options: "--may-exist,--stateless,--portrange,--add-route,--gateway-port=",
        mode: Mode::Writes,
        looks: Looks::At(
            "Logical_Router name nat ports; Logical_Switch_Port name; \
             NAT external_ip logical_ip type logical_port external_mac gateway_port options; \
             Logical_Router_Port name mac networks gateway_chassis ha_chassis_group",
        ),
        run: add,
    },
    Syntax {
        name: "lr-nat-del",
        min: 1,
        max: 4,
        arguments: "ROUTER [TYPE [IP] [GATEWAY_PORT]]",
        options: "--if-exists",
        mode: Mode::Writes,
        looks: Looks::At(
            "Logical_Router name nat; NAT type logical_ip external_ip gateway_port; Logical_Router_Port name",
        ),
        run: delete,
    },
    Syntax {
        name: "lr-nat-list",
        min: 1,
        max: 1,
        arguments: "ROUTER",
        options: "",
        mode: Mode::Reads,
        looks: Looks::At(
            "Logical_Router name nat; Logical_Router_Port name; \
             NAT type external_ip external_port_range logical_ip external_mac logical_port gateway_port",
        ),
        run: list,
    },
    Syntax {
        name: "lr-nat-update-ext-ip",
        min: 4,
        max: 4,
        arguments: "ROUTER TYPE IP ADDRESS_SET",
        options: "--is-exempted",
        mode: Mode::Writes,
        looks: Looks::At(
            "Logical_Router name nat; NAT logical_ip external_ip type exempted_ext_ips allowed_ext_ips; \
             Address_Set name",
        ),
        run: set_external,
    },
];

/// The rule that is to be.
struct Wanted<'a> {
    kind: &'a str,
    external: String,
    logical: String,
    port: Option<&'a str>,
    mac: Option<&'a str>,
    range: Option<&'a str>,
}

fn kind<'c>(ctx: &Context<'c, '_>) -> Result<&'c str, String> {
    let kind = ctx.arg(2);
    if matches!(kind, "dnat" | "snat" | "dnat_and_snat") {
        return Ok(kind);
    }
    fail(format!(
        "{kind}: type must be one of \"dnat\", \"snat\" and \"dnat_and_snat\"."
    ))
}

/// The column by which rules of a kind are told apart.
fn side(kind: &str) -> &'static str {
    if kind == "snat" {
        "logical_ip"
    } else {
        "external_ip"
    }
}

/// `FIRST[-LAST]`.
fn is_range(text: &str) -> bool {
    let number = |text: &str| crate::address::leading_integer(text).unwrap_or(0);
    let mut parts = text.split('-').filter(|part| !part.is_empty());
    let Some(first) = parts.next().map(number).filter(|first| *first > 0) else {
        return false;
    };
    if !text.contains('-') {
        return true;
    }
    let last = parts.next().map(number);
    parts.next().is_none() && last.is_some_and(|last| first < last && last <= 65535)
}

fn wanted<'c>(ctx: &Context<'c, '_>) -> Result<Wanted<'c>, String> {
    let kind = kind(ctx)?;
    let (external, logical) = (ctx.arg(3), ctx.arg(4));
    let v4 = external.parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    let v6 = || external.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = v4
        .or_else(v6)
        .ok_or_else(|| format!("{external}: Not a valid IPv4 or IPv6 address."))?;
    let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
    let read = if address.is_ipv4() { cidr4 } else { cidr6 };
    let inside = match kind {
        "snat" => read(logical)
            .map(crate::address::Cidr::normal)
            .ok_or_else(|| format!("{logical}: should be an {family} address or network."))?,
        _ => read(logical)
            .filter(|_| !logical.contains('/'))
            .map(crate::address::Cidr::normal)
            .ok_or_else(|| format!("{logical}: Not a valid {family} address."))?,
    };
    let mut wanted = Wanted {
        kind,
        external: address.to_string(),
        logical: inside,
        port: None,
        mac: None,
        range: None,
    };
    further(ctx, &mut wanted)?;
    Ok(wanted)
}

/// `[LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]`.
fn further<'c>(ctx: &Context<'c, '_>, wanted: &mut Wanted<'c>) -> Result<(), String> {
    const NO_MAC: &str = "lr-nat-add with logical_port must also specify external_mac.";
    let ranges = ctx.has("--portrange");
    let range = |text: &'c str| match is_range(text) {
        true => Ok(Some(text)),
        false => fail(format!("invalid port range {text}.")),
    };
    match ctx.count() {
        5 if !ranges => return fail(NO_MAC),
        5 => wanted.range = range(ctx.arg(5))?,
        6.. => {
            if wanted.kind != "dnat_and_snat" {
                return fail("logical_port and external_mac are only valid when type is \"dnat_and_snat\".");
            }
            if ctx.count() == 6 && ranges {
                return fail(NO_MAC);
            }
            ctx.get(&PORT, ctx.arg(5))?;
            let address = ctx.arg(6);
            if mac(address).is_none() {
                return fail(format!("invalid mac address {address}."));
            }
            (wanted.port, wanted.mac) = (Some(ctx.arg(5)), Some(address));
            if ctx.count() > 6 {
                wanted.range = range(ctx.arg(7))?;
            }
        }
        _ => {}
    }
    if wanted.kind != "dnat_and_snat" && ctx.has("--stateless") {
        return fail("stateless is not applicable to dnat or snat types");
    }
    if wanted.kind == "snat" && ctx.has("--add-route") {
        return fail("routes cannot be added for snat types.");
    }
    Ok(())
}

fn is_gateway(ctx: &Context<'_, '_>, port: Row) -> bool {
    ["ha_chassis_group", "gateway_chassis"]
        .iter()
        .any(|column| !ctx.value(port, column).is_empty())
}

/// The gateway port that a rule belongs to, and how many the router has.
fn gateway(ctx: &Context<'_, '_>, router: Row, external: &str) -> Result<(Option<Row>, usize), String> {
    let ports = ctx.refs(router, "ports", ROUTER_PORT.table);
    let gateways: Vec<Row> = ports
        .iter()
        .copied()
        .filter(|port| is_gateway(ctx, *port))
        .collect();
    if let Some(name) = ctx.option("--gateway-port") {
        let port = ctx.get(&ROUTER_PORT, name)?;
        if !ports.contains(&port) {
            return fail(format!(
                "{name} is not a router port of logical router: {}.",
                ctx.arg(1)
            ));
        }
        if !gateways.contains(&port) {
            return fail(format!("{name} is not a distributed gateway router port."));
        }
        return Ok((Some(port), gateways.len()));
    }
    let found = gateways
        .iter()
        .rev()
        .find(|port| on_network(ctx, **port, external))
        .copied();
    if gateways.len() > 1 && found.is_none() {
        return fail(format!(
            "logical router: {} has multiple distributed gateway ports and gateway_port can not be determined from \
             external IP of NAT rule.",
            ctx.arg(1)
        ));
    }
    Ok((found, gateways.len()))
}

/// Whether an address is on a network of a router port, its link-local one included.
fn on_network(ctx: &Context<'_, '_>, port: Row, text: &str) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else {
        return false;
    };
    if mac(&ctx.text(port, "mac")).is_none() {
        return false;
    }
    let link_local = cidr6("fe80::/64").filter(|net| net.holds(address));
    let networks = ctx.texts(port, "networks");
    let zero = |cidr: &crate::address::Cidr| cidr.address == IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut nets = networks
        .iter()
        .filter_map(|text| cidr(text))
        .filter(|cidr| !zero(cidr));
    link_local.is_some() || nets.any(|net| net.holds(address))
}

fn add(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let wanted = wanted(ctx)?;
    let (port, gateways) = gateway(ctx, router, &wanted.external)?;
    for nat in ctx.refs(router, "nat", "NAT") {
        if let Some(end) = conflict(ctx, nat, &wanted, port, gateways) {
            return end;
        }
    }
    let nat = ctx.insert("NAT");
    ctx.set(nat, "type", wanted.kind);
    ctx.set(nat, "external_ip", ctx.arg(3));
    ctx.set(nat, "logical_ip", wanted.logical.as_str());
    if let (Some(port), Some(mac)) = (wanted.port, wanted.mac) {
        ctx.set(nat, "logical_port", port);
        ctx.set(nat, "external_mac", mac);
    }
    if let Some(range) = wanted.range {
        ctx.set(nat, "external_port_range", range);
    }
    let stateless = if ctx.has("--stateless") { "true" } else { "false" };
    let route = ctx.has("--add-route").then_some(("add_route", "true"));
    ctx.set(
        nat,
        "options",
        Datum::map(route.into_iter().chain([("stateless", stateless)])),
    );
    if let Some(port) = port.filter(|_| ctx.has("--gateway-port")) {
        ctx.set(nat, "gateway_port", Atom::Uuid(port.uuid));
    }
    ctx.add_ref(router, "nat", nat);
    Ok(())
}

/// What a rule that is there means for the one that is to be: nothing (`None`), or the end of the command.
fn conflict(
    ctx: &mut Context<'_, '_>,
    nat: Row,
    wanted: &Wanted<'_>,
    port: Option<Row>,
    gateways: usize,
) -> Option<Result<(), String>> {
    let external = normal_prefix(&ctx.text(nat, "external_ip"))?;
    let logical = normal_prefix(&ctx.text(nat, "logical_ip"))?;
    let kind = ctx.text(nat, "type");
    let may_exist = ctx.has("--may-exist");
    let own = ctx.refs(nat, "gateway_port", ROUTER_PORT.table).first().copied();
    let here = match own {
        _ if gateways <= 1 => true,
        Some(own) => Some(own) == port,
        None => port.is_some_and(|port| on_network(ctx, port, &external)),
    };
    let (old, new) = match wanted.kind {
        "snat" => ((&logical, &external), (&wanted.logical, &wanted.external)),
        _ => ((&external, &logical), (&wanted.external, &wanted.logical)),
    };
    if *kind == *wanted.kind && here && old.0 == new.0 {
        if old.1 != new.1 {
            let (what, side) = (wanted.kind, side(wanted.kind));
            return Some(fail(format!(
                "a NAT with this type ({what}), {side} ({}) already exists",
                new.0
            )));
        }
        if !may_exist {
            return Some(fail(format!(
                "{}, {}: a NAT with this external_ip and logical_ip already exists",
                wanted.external, wanted.logical
            )));
        }
        for (column, value) in [("logical_port", wanted.port), ("external_mac", wanted.mac)] {
            ctx.verify(nat, column);
            ctx.set(nat, column, value.map_or(Datum::EMPTY, Datum::from));
        }
        return Some(Ok(()));
    }
    let both = |kind: &str| kind == "dnat_and_snat";
    let stateless = ctx.key(nat, "options", "stateless").as_deref() == Some("true");
    if (both(wanted.kind) || both(&kind))
        && external == wanted.external
        && (stateless || ctx.has("--stateless"))
    {
        if may_exist {
            return Some(Ok(()));
        }
        return Some(fail(format!(
            "{}, {}: External ip cannot be shared across stateless and stateful NATs",
            wanted.external, wanted.logical
        )));
    }
    None
}

fn delete(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    if ctx.count() == 1 {
        ctx.verify(router, "nat");
        ctx.set(router, "nat", Datum::EMPTY);
        return Ok(());
    }
    let kind = kind(ctx)?;
    let mut gone = ctx.refs(router, "nat", "NAT");
    gone.retain(|nat| &*ctx.text(*nat, "type") == kind);
    let through = |ctx: &Context<'_, '_>, nat: &Row, port: Row| {
        ctx.refs(*nat, "gateway_port", ROUTER_PORT.table).contains(&port)
    };
    if ctx.count() > 2 {
        let text = ctx.arg(3);
        let address = normal_prefix(text);
        let has = |ctx: &Context<'_, '_>, nat: &Row| normal_prefix(&ctx.text(*nat, side(kind))) == address;
        match (&address, ctx.count()) {
            (None, 3) => {
                let port = ctx.get(&ROUTER_PORT, text)?;
                gone.retain(|nat| through(ctx, nat, port));
            }
            (Some(_), 3) => gone.retain(|nat| has(ctx, nat)),
            (None, _) => return fail(format!("{text}: Invalid IP address or CIDR")),
            (Some(address), _) => {
                let port = ctx.get(&ROUTER_PORT, ctx.arg(4))?;
                gone.retain(|nat| has(ctx, nat) && through(ctx, nat, port));
                gone.truncate(1);
                if gone.is_empty() && !ctx.has("--if-exists") {
                    return fail(format!(
                        "no matching NAT with the type ({kind}), {} ({address}) and gateway_port ({})",
                        side(kind),
                        ctx.arg(4)
                    ));
                }
            }
        }
    }
    for nat in gone {
        ctx.drop_ref(router, "nat", nat);
    }
    Ok(())
}

fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let mut lines = Vec::new();
    for nat in ctx.refs(router, "nat", "NAT") {
        let text = |column| ctx.text(nat, column);
        let port = ctx.refs(nat, "gateway_port", ROUTER_PORT.table).first().copied();
        let port: Str = port.map(|port| ctx.text(port, "name")).unwrap_or_default();
        let key = format!(
            "{}{}{}",
            left(&text("type"), 17, 13),
            left(&port, 22, 18),
            text("external_ip")
        );
        let range = left(&text("external_port_range"), 17, 13);
        let logical = text("logical_ip");
        let mac = ctx.maybe_text(nat, "external_mac");
        let value = match (mac, ctx.maybe_text(nat, "logical_port")) {
            (Some(mac), Some(port)) => {
                format!("{range}{}{}{port}", left(&logical, 20, 16), left(&mac, 21, 17))
            }
            _ => format!("{range}{logical}"),
        };
        lines.push((key, value));
    }
    lines.sort();
    if !lines.is_empty() {
        ctx.line(
            "TYPE             GATEWAY_PORT          EXTERNAL_IP        EXTERNAL_PORT    LOGICAL_IP          \
             EXTERNAL_MAC         LOGICAL_PORT",
        );
    }
    for (key, value) in lines {
        ctx.line(format!("{}{value}", left(&key, 58, 54)));
    }
    Ok(())
}

fn set_external(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let kind = kind(ctx)?;
    let set = ctx.get(&ADDRESS_SET, ctx.arg(4))?;
    let text = ctx.arg(3);
    let address = normal_prefix(text).ok_or_else(|| format!("{text}: Invalid IP address or CIDR"))?;
    let rules = ctx.refs(router, "nat", "NAT").into_iter();
    let mut fitting = rules.filter(|nat| {
        &*ctx.text(*nat, "type") == kind
            && normal_prefix(&ctx.text(*nat, side(kind))).as_deref() == Some(&*address)
    });
    let Some(nat) = fitting.next() else {
        return fail(format!("{kind}: Could not locate nat rule for: {address}."));
    };
    let column = if ctx.has("--is-exempted") {
        "exempted_ext_ips"
    } else {
        "allowed_ext_ips"
    };
    ctx.verify(router, "nat");
    ctx.set(nat, column, Atom::Uuid(set.uuid));
    Ok(())
}
