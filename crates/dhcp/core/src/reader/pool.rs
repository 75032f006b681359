//! Pools: inside their subnet, without addresses that no client may have.

use super::codes;
use super::context::{Context, Place};
use super::keys::{self, SCOPE};
use super::scope::{self, Inherited};
use crate::settings::Pool;
use purlin_config::{Fault, FromNode, Reader, Span};
use purlin_types::{Ipv4Range, Prefix4};
use std::net::Ipv4Addr;

/// A pool and where its range is written.
#[derive(Debug)]
pub(super) struct FoundPool {
    pub(super) pool: Pool,
    pub(super) path: String,
    pub(super) span: Span,
}

pub(super) fn read(subnet: &Reader<'_>, above: &Inherited, context: &mut Context<'_>) -> Vec<FoundPool> {
    let mut pools = Vec::new();
    for (i, node) in subnet.items("pools").iter().enumerate() {
        let path = format!("{}[{i}]", subnet.path_of("pools"));
        if node.as_table().is_none() {
            if let Some(range) = Ipv4Range::from_node(node) {
                let pool = Pool {
                    range,
                    classes: Vec::new(),
                    scope: crate::settings::Scope::default(),
                };
                pools.push(FoundPool {
                    pool,
                    path,
                    span: node.span,
                });
            }
            continue;
        }
        let table = Reader::table(node, &[keys::POOL, SCOPE], path);
        let classes = context.class_names(&table, "classes", Place::Guard);
        let (scope, _) = scope::read(&table, above, context);
        if let Some(range) = table.opt("range") {
            let (path, span) = (table.path_of("range"), table.span_of("range"));
            pools.push(FoundPool {
                pool: Pool {
                    range,
                    classes,
                    scope,
                },
                path,
                span,
            });
        }
    }
    pools
}

/// An address that no client may get, and whose it is.
pub(super) struct Special {
    pub(super) address: Ipv4Addr,
    pub(super) whose: &'static str,
    pub(super) span: Option<Span>,
}

/// A pool lies in its subnet and holds none of the `specials`.
pub(super) fn check(
    pool: &FoundPool,
    network: Prefix4,
    at: Span,
    specials: &[Special],
    context: &mut Context<'_>,
) {
    let range = pool.pool.range;
    if !network.contains(range.first()) || !network.contains(range.last()) {
        let message = format!("the pool {range} is not inside {network}");
        let fault = Fault::error(codes::POOL_OUTSIDE, &pool.path, pool.span, message);
        context.faults.push(fault.related(at, "the network is set here"));
        return;
    }
    let held: Vec<&Special> = specials
        .iter()
        .filter(|special| range.contains(special.address))
        .collect();
    let Some(first) = held.first() else { return };
    let list: Vec<String> = held
        .iter()
        .map(|s| format!("{} {}", s.whose, s.address))
        .collect();
    let message = format!("the pool {range} holds {}", list.join(" and "));
    let mut fault = Fault::error(codes::POOL_HOLDS, &pool.path, pool.span, message);
    fault.help = match without(range, held.iter().map(|s| s.address).collect()) {
        rest if rest.is_empty() => "no address would be left; remove the pool".to_owned(),
        rest => format!("write {}", rest.join(" and ")),
    };
    fault.related.extend(
        held.iter()
            .filter_map(|s| Some((s.span?, format!("{} is set here", s.whose)))),
    );
    debug_assert!(range.contains(first.address));
    context.faults.push(fault);
}

/// The ranges that are left of `range` without some of its addresses, quoted for a configuration.
fn without(range: Ipv4Range, mut holes: Vec<Ipv4Addr>) -> Vec<String> {
    holes.sort_unstable();
    holes.dedup();
    let last = u64::from(u32::from(range.last()));
    let mut start = u64::from(u32::from(range.first()));
    let mut rest = Vec::new();
    let address = |bits: u64| Ipv4Addr::from(u32::try_from(bits).unwrap_or(u32::MAX));
    for hole in holes
        .into_iter()
        .map(|hole| u64::from(u32::from(hole)))
        .chain([last + 1])
    {
        if start < hole {
            rest.push(format!("\"{}-{}\"", address(start), address(hole - 1)));
        }
        start = hole + 1;
    }
    rest
}
