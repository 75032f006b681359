//! `lr-route-list`: routes in the order in which a router prefers them, table by table.

use super::route::{DISCARD, TABLE};
use super::words::ROUTER;
use crate::address::{cidr, normal_prefix};
use crate::context::{Context, Row};
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::net::IpAddr;

/// A route, and what it is sorted by.
struct Listed {
    row: Row,
    /// Table, preference, address: routes that have all of it in common share their traffic.
    key: (String, Reverse<u16>, IpAddr),
    hop: String,
    port: Option<String>,
}

pub(super) fn list(ctx: &mut Context<'_, '_>) -> Result<(), String> {
    let router = ctx.get(&ROUTER, ctx.arg(1))?;
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for row in ctx.refs(router, "static_routes", TABLE) {
        let table = ctx.text(row, "route_table");
        if ctx
            .option("--route-table")
            .is_some_and(|wanted| *wanted != *table)
        {
            continue;
        }
        let prefix = ctx.text(row, "ip_prefix");
        let Some(cidr) = cidr(&prefix) else {
            let name = ctx.text(router, "name");
            let text = format!("router {} ({name}) has invalid prefix: {prefix}", router.uuid);
            ctx.warn("nbctl", text);
            continue;
        };
        let by_target = ctx
            .maybe_text(row, "policy")
            .is_none_or(|policy| &*policy == "dst-ip");
        let preference = 2 * u16::from(cidr.bits) + u16::from(by_target);
        let listed = Listed {
            row,
            key: (table.to_string(), Reverse(preference), cidr.address),
            hop: ctx.text(row, "nexthop").to_string(),
            port: ctx.maybe_text(row, "output_port").map(|port| port.to_string()),
        };
        let family = if cidr.address.is_ipv4() { &mut v4 } else { &mut v6 };
        family.push(listed);
    }
    let mut text = print(ctx, "IPv4", &mut v4);
    if !v4.is_empty() && !v6.is_empty() {
        text.push('\n');
    }
    text.push_str(&print(ctx, "IPv6", &mut v6));
    ctx.output.push_str(&text);
    Ok(())
}

fn print(ctx: &Context<'_, '_>, family: &str, routes: &mut [Listed]) -> String {
    let mut text = String::new();
    if routes.is_empty() {
        return text;
    }
    routes.sort_by(|a, b| (&a.key, &a.hop, &a.port).cmp(&(&b.key, &b.hop, &b.port)));
    let _ = writeln!(text, "{family} Routes");
    for (at, route) in routes.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| &routes[before].key);
        if before.is_none_or(|before| before.0 != route.key.0) {
            let table = match route.key.0.as_str() {
                "" => "<main>",
                name => name,
            };
            let gap = if at > 0 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}Route Table {table}:");
        }
        let after = routes.get(at + 1).map(|after| &after.key);
        let shared = before == Some(&route.key) || after == Some(&route.key);
        text.push_str(&line(ctx, route, shared));
    }
    text
}

fn line(ctx: &Context<'_, '_>, route: &Listed, shared: bool) -> String {
    let row = route.row;
    let prefix = normal_prefix(&ctx.text(row, "ip_prefix")).unwrap_or_default();
    let hop = match route.hop.as_str() {
        DISCARD => DISCARD.to_owned(),
        hop => normal_prefix(hop).unwrap_or_default(),
    };
    let mut text = format!("{prefix:>25} {hop:>25}");
    let policy = ctx.maybe_text(row, "policy");
    let _ = write!(text, " {}", policy.as_deref().unwrap_or("dst-ip"));
    if let Some(port) = &route.port {
        let _ = write!(text, " {port}");
    }
    let learned = ctx.key(row, "external_ids", "ic-learned-route").is_some();
    let symmetric = ctx.key_is_true(row, "options", "ecmp_symmetric_reply");
    let bfd = !ctx.value(row, "bfd").is_empty();
    for (so, word) in [
        (learned, " (learned)"),
        (shared, " ecmp"),
        (symmetric, " ecmp-symmetric-reply"),
        (bfd, " bfd"),
    ] {
        if so {
            text.push_str(word);
        }
    }
    text + "\n"
}
