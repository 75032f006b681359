//! What must not overlap: subnets, the pools of a subnet, relays of different networks.

use super::codes;
use super::context::Context;
use super::network::Parsed;
use purlin_config::{Fault, FromNode, Reader, Span};
use purlin_types::Ipv4Range;

pub(super) fn check(top: &Reader<'_>, parsed: &Parsed, context: &mut Context<'_>) {
    subnets(parsed, context);
    pools(parsed, context);
    relays(parsed, context);
    interfaces(top, context);
}

/// Something that takes addresses, for the sweep.
struct Taken<'a> {
    range: Ipv4Range,
    path: &'a str,
    span: Span,
    /// Those of one group may overlap.
    group: usize,
    words: String,
}

/// Sweeps over sorted ranges and reports each that overlaps one before it, at the later place in the text.
fn sweep(mut taken: Vec<Taken<'_>>, mut report: impl FnMut(&Taken<'_>, &Taken<'_>)) {
    taken.sort_by_key(|t| (t.range.first(), t.span));
    // Of each group the one that reaches furthest is enough to find an overlap.
    let mut furthest: Vec<usize> = Vec::new();
    for i in 0..taken.len() {
        let now = &taken[i];
        furthest.retain(|&j| taken[j].range.last() >= now.range.first());
        if let Some(&j) = furthest.iter().find(|&&j| taken[j].group != now.group) {
            let other = &taken[j];
            let (first, second) = if other.span <= now.span {
                (other, now)
            } else {
                (now, other)
            };
            report(first, second);
        }
        match furthest.iter().position(|&j| taken[j].group == now.group) {
            Some(at) if taken[furthest[at]].range.last() < now.range.last() => furthest[at] = i,
            Some(_) => {}
            None => furthest.push(i),
        }
    }
}

fn subnets(parsed: &Parsed, context: &mut Context<'_>) {
    let taken = parsed.subnets().enumerate().map(|(group, subnet)| Taken {
        range: subnet.prefix.range(),
        path: &subnet.path,
        span: subnet.span,
        group,
        words: subnet.prefix.to_string(),
    });
    sweep(taken.collect(), |first, second| {
        let message = format!("the subnet {} overlaps {}", second.words, first.words);
        let fault = Fault::error(codes::SUBNETS_OVERLAP, second.path, second.span, message);
        context
            .faults
            .push(fault.related(first.span, format!("{} is here", first.words)));
    });
}

fn pools(parsed: &Parsed, context: &mut Context<'_>) {
    for subnet in parsed.subnets() {
        let taken = subnet.pools.iter().enumerate().map(|(group, pool)| Taken {
            range: pool.pool.range,
            path: &pool.path,
            span: pool.span,
            group,
            words: pool.pool.range.to_string(),
        });
        sweep(taken.collect(), |first, second| {
            let message = format!("the pool {} overlaps {}", second.words, first.words);
            let fault = Fault::error(codes::POOLS_OVERLAP, second.path, second.span, message);
            context
                .faults
                .push(fault.related(first.span, "the other pool is here"));
        });
    }
}

fn relays(parsed: &Parsed, context: &mut Context<'_>) {
    let mut taken = Vec::new();
    for (group, network) in parsed.networks.iter().enumerate() {
        for subnet in &network.subnets {
            taken.extend(subnet.relays.iter().map(|&(range, span)| Taken {
                range,
                path: &subnet.path,
                span,
                group,
                words: subnet.name.clone(),
            }));
        }
    }
    sweep(taken, |first, second| {
        let message = format!("relays {} also select \"{}\"", second.range, first.words);
        let path = format!("{}.relays", second.path);
        let fault = Fault::error(codes::RELAYS_OVERLAP, path, second.span, message);
        context
            .faults
            .push(fault.related(first.span, "the same relays are listed here"));
    });
}

/// An interface name twice would open two sockets for the same frames.
fn interfaces(top: &Reader<'_>, context: &mut Context<'_>) {
    for key in ["interfaces", "listen"] {
        let named = top.items(key).iter().enumerate().filter_map(|(i, node)| {
            Some((
                String::from_node(node)?,
                format!("{}[{i}]", top.path_of(key)),
                node.span,
            ))
        });
        let what = if key == "listen" { "listening" } else { "interface" };
        context.names_once(what, named.collect::<Vec<_>>());
    }
}
