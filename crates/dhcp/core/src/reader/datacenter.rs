//! `dhcp.datacenter`: the keys of the datacenter and multi-site guides. Those of `performance.optimization` switch the
//! packet path, most of which the server reads for itself; the others are checked and take effect in a cluster.

use super::context::Context;
use super::{keys, scaling};
use crate::settings::{ConflictCheck, Settings};
use purlin_config::{Fault, Faults, FromNode, Node, Reader, Severity, Span, codes, nearest};
use std::collections::HashMap;
use std::time::Duration;

const PARALLEL: &str = "dhcp.datacenter.performance.optimization.parallel_processing";
const ASYNC: &str = "dhcp.datacenter.performance.optimization.async_operations";

/// Packet threads as `dhcp.threads` and the guide's switch say together: switched off, there is one.
pub(super) fn threads(top: &Reader<'_>, context: &mut Context<'_>) -> Option<u16> {
    let own: Option<u16> = top.opt("threads");
    let switch = context.document.get(PARALLEL);
    let Some(off) = switch.filter(|node| bool::from_node(node) == Some(false)) else {
        return own;
    };
    if let Some(many) = own.filter(|&many| many > 1) {
        let message = format!("parallel_processing is off, but threads is {many}");
        let fault = Fault::error(codes::CONTRADICTION, PARALLEL, off.span, message);
        let fault = fault.related(top.span_of("threads"), "threads is set here");
        context
            .faults
            .push(fault.help("leave threads out, or switch parallel_processing on"));
    }
    Some(1)
}

pub(super) fn read(top: &Reader<'_>, settings: &Settings, context: &mut Context<'_>) {
    let data = top.below("datacenter", &[keys::DATACENTER]);
    if !data.is_present()
        || data
            .node("scaling")
            .or(data.node("performance"))
            .or(data.node("multi_site"))
            .is_none()
    {
        return;
    }
    let errors = context.faults.errors();
    scaling::check(context);
    multi_site(context);
    if context.faults.errors() == errors {
        told(&data, context);
        nothing_to_wait_for(settings, context);
    }
}

/// One warning for each group that is there, not for each key.
fn told(data: &Reader<'_>, context: &mut Context<'_>) {
    let among_others = context.document.get("cluster.enabled").and_then(bool::from_node) == Some(true);
    let groups = [
        (
            "scaling",
            among_others,
            codes::CLUSTER_ONLY,
            "takes effect when several nodes work together",
        ),
        (
            "multi_site",
            false,
            codes::NOT_YET,
            "takes no effect yet: this version knows one site",
        ),
    ];
    for (key, takes_effect, code, words) in groups {
        if let Some(entry) = data.node(key).filter(|_| !takes_effect) {
            let message = format!("`{key}` {words}; its values were checked");
            warn(context.faults, code, &data.path_of(key), entry.span, message, "");
        }
    }
}

/// Switched off, answers wait for address checks. Where none is made, there is nothing that they could wait for.
fn nothing_to_wait_for(settings: &Settings, context: &mut Context<'_>) {
    let Some(switch) = context
        .document
        .get(ASYNC)
        .filter(|node| bool::from_node(node) == Some(false))
    else {
        return;
    };
    let subnets = settings.networks.iter().flat_map(|network| &network.subnets);
    let own = subnets.filter_map(|subnet| subnet.conflict_check);
    let mut checks = own.chain([settings.conflict_check]);
    if checks.all(|check| check == ConflictCheck::Off) {
        let message =
            "`async_operations` is off, but there is no side job that an answer could wait for".to_owned();
        let help = "it means the check of an address before it is offered (dhcp.conflict_check), which is off; DNS \
                    updates and webhooks are not in this version";
        warn(context.faults, codes::MAPPED, ASYNC, switch.span, message, help);
    }
}

fn warn(
    faults: &mut Faults,
    code: purlin_telemetry::ReasonCode,
    path: &str,
    span: Span,
    message: String,
    help: &str,
) {
    let fault = Fault::error(code, path, span, message).as_warning().help(help);
    debug_assert!(fault.severity == Severity::Warning);
    faults.push(fault);
}

fn table<'a>(context: &Context<'a>, path: &str, keys: purlin_config::Keys) -> Option<Reader<'a>> {
    let node = context
        .document
        .get(path)
        .filter(|node| node.as_table().is_some())?;
    Some(Reader::table(node, keys, path.to_owned()))
}

fn multi_site(context: &mut Context<'_>) {
    let path = "dhcp.datacenter.multi_site";
    let Some(reader) = table(context, path, &[keys::MULTI_SITE]) else {
        return;
    };
    let sites = reader.tables("sites", &[keys::SITE_KEYS]);
    let named = sites
        .iter()
        .filter_map(|s| Some((s.opt::<String>("name")?, s.path_of("name"), s.span_of("name"))));
    let named: Vec<(String, String, Span)> = named.collect();
    let names: Vec<String> = named.iter().map(|(name, _, _)| name.clone()).collect();
    context.names_once("site", named);
    nodes_once(&sites, context);
    if let Some(node) = reader.node("local_site") {
        known_site(node, &reader.path_of("local_site"), &names, context);
    }
    let lists: [(&str, &str, purlin_config::Keys); 2] = [
        ("allocation", "fallback_sites", &[keys::ALLOCATION]),
        ("failover", "preferred_sites", &[keys::FAILOVER]),
    ];
    for (part, key, keys) in lists {
        let Some(part) = table(context, &format!("{path}.{part}"), keys) else {
            continue;
        };
        for (i, node) in part.items(key).iter().enumerate() {
            known_site(node, &format!("{}[{i}]", part.path_of(key)), &names, context);
        }
    }
    failover_times(path, context);
}

fn nodes_once(sites: &[Reader<'_>], context: &mut Context<'_>) {
    let mut first: HashMap<String, Span> = HashMap::new();
    for site in sites {
        for node in site.items("nodes") {
            let Some(name) = String::from_node(node) else {
                continue;
            };
            if let Some(before) = first.insert(name.clone(), node.span) {
                let message = format!("the node {name} is listed twice; a node is in one site");
                let fault = Fault::error(codes::CONTRADICTION, site.path_of("nodes"), node.span, message);
                context.faults.push(fault.related(before, "first listed here"));
            }
        }
    }
}

fn known_site(node: &Node, path: &str, names: &[String], context: &mut Context<'_>) {
    let Some(name) = node
        .as_str()
        .filter(|name| !names.is_empty() && !names.iter().any(|known| known == name))
    else {
        return;
    };
    let fault = Fault::error(
        codes::BAD_VALUE,
        path,
        node.span,
        format!("there is no site \"{name}\""),
    );
    let fault = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => fault.note(format!("did you mean \"{near}\"?")),
        None => fault.help(format!("sites: {}", names.join(", "))),
    };
    context.push_unless_known(node.span, fault);
}

fn failover_times(path: &str, context: &mut Context<'_>) {
    let Some(reader) = table(context, &format!("{path}.failover"), &[keys::FAILOVER]) else {
        return;
    };
    let (interval, timeout) = ("detection_interval", "failover_timeout");
    let (Some(a), Some(b)) = (reader.opt::<Duration>(interval), reader.opt::<Duration>(timeout)) else {
        return;
    };
    if a > b {
        let message = format!("{interval} is longer than {timeout}, so every site would count as gone");
        let fault = Fault::error(
            codes::CONTRADICTION,
            reader.path_of(interval),
            reader.span_of(interval),
            message,
        );
        context
            .faults
            .push(fault.related(reader.span_of(timeout), format!("{timeout} is set here")));
    }
}
