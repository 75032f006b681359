//! Options: own definitions, names, and values in the words of the catalog.

use super::codes;
use super::context::{Context, part_of};
use super::keys;
use crate::settings::{OptionDef, OptionValue};
use purlin_config::{Fault, Node, Reader, Span, Value, nearest};
use purlin_dhcp_proto::catalog::{self, EncodeError, OptionKind};

/// Longest value; see the catalog.
const HEX_MAX: usize = catalog::ENCODED_MAX;

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) code: u8,
    pub(super) kind: OptionKind,
}

/// The option that a name, alias or number means, own definitions first.
pub(super) fn find(name: &str, defs: &[OptionDef]) -> Option<Known> {
    let own = defs
        .iter()
        .find(|def| same(&def.name, name) || def.code.to_string() == name.trim());
    if let Some(def) = own {
        return Some(Known {
            code: def.code,
            kind: OptionKind::parse(&def.kind).unwrap_or(OptionKind::Bytes),
        });
    }
    if let Some(info) = catalog::lookup(name) {
        return Some(Known {
            code: info.code,
            kind: info.kind,
        });
    }
    let code: u8 = name.trim().parse().ok().filter(|code| (1..255).contains(code))?;
    Some(Known {
        code,
        kind: OptionKind::Bytes,
    })
}

fn same(a: &str, b: &str) -> bool {
    let plain = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// `dhcp.option_defs`.
pub(super) fn definitions(top: &Reader<'_>, context: &mut Context<'_>) -> Vec<OptionDef> {
    let mut defs: Vec<OptionDef> = Vec::new();
    let mut places: Vec<Span> = Vec::new();
    for reader in top.tables("option_defs", &[keys::OPTION_DEF]) {
        let all = (
            reader.opt::<String>("name"),
            reader.opt::<u8>("code"),
            reader.opt::<String>("type"),
        );
        let (Some(name), Some(code), Some(word)) = all else {
            continue;
        };
        let mut refuse = |key: &str, message: String, help: String, other: Option<Span>| {
            let mut fault = Fault::error(
                codes::BAD_DEFINITION,
                reader.path_of(key),
                reader.span_of(key),
                message,
            )
            .help(help);
            fault
                .related
                .extend(other.map(|span| (span, "first defined here".to_owned())));
            context.push_unless_known(reader.span_of(key), fault);
        };
        if OptionKind::parse(&word).is_none() {
            let near = nearest(&word, OptionKind::words());
            let help = near.map_or_else(
                || format!("types: {}", OptionKind::words().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean \"{near}\"?"),
            );
            refuse("type", format!("there is no type {word:?}"), help, None);
        }
        if let Some(info) = catalog::by_code(code) {
            let help = format!(
                "for another type write options.{} = {{ type = \"hex\", value = ... }}",
                info.name
            );
            refuse(
                "code",
                format!("{code} is the standard option {}", info.name),
                help,
                None,
            );
        }
        if let Some(info) = catalog::lookup(&name).filter(|info| info.code != code) {
            let message = format!("{name:?} is the standard option {}", info.code);
            refuse("name", message, "choose another name".to_owned(), None);
        }
        let twice = defs
            .iter()
            .position(|def| def.code == code || same(&def.name, &name));
        if let Some(first) = twice {
            let key = if defs[first].code == code { "code" } else { "name" };
            refuse(
                key,
                format!("this {key} is defined twice"),
                String::new(),
                Some(places[first]),
            );
            continue;
        }
        places.push(reader.span());
        defs.push(OptionDef {
            name,
            code,
            kind: word,
        });
    }
    defs
}

/// An option of a scope and where it was set.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) value: OptionValue,
    pub(super) span: Span,
}

/// The entries of an `options` table.
pub(super) fn read(reader: &Reader<'_>, context: &mut Context<'_>) -> Vec<Placed> {
    let entries = reader
        .node("options")
        .and_then(Node::as_table)
        .map_or(&[][..], |table| &table.entries);
    let mut options = Vec::new();
    for entry in entries {
        let path = purlin_config::path::join(&reader.path_of("options"), &entry.key);
        let Some(known) = find(&entry.key, &context.defs) else {
            let message = format!("there is no option `{}`", entry.key);
            let fault = Fault::error(codes::UNKNOWN_OPTION, path, entry.key_span, message);
            context.faults.push(suggest(fault, &entry.key, &context.defs));
            continue;
        };
        if let Some(instead) = set_by_server(known.code) {
            let message = format!("option {} is set by the server itself", known.code);
            let fault = Fault::error(codes::OPTION_OF_SERVER, path, entry.key_span, message);
            context.faults.push(fault.help(instead));
            continue;
        }
        if let Some(value) = value(known, &entry.node, &path, context) {
            options.push(Placed {
                value,
                span: entry.key_span,
            });
        }
    }
    options
}

fn suggest(fault: Fault, name: &str, defs: &[OptionDef]) -> Fault {
    let standard =
        catalog::all().flat_map(|info| std::iter::once(info.name).chain(info.aliases.iter().copied()));
    match nearest(name, defs.iter().map(|def| def.name.as_str()).chain(standard)) {
        Some(near) => fault.note(format!("did you mean `{near}`?")),
        None => fault.help("use the option's number, or define it in [[dhcp.option_defs]]"),
    }
}

/// What to use instead of an option that follows from the exchange.
fn set_by_server(code: u8) -> Option<&'static str> {
    match code {
        51 => Some("use lease_time"),
        54 => Some("use dhcp.server_id"),
        58 => Some("use t1"),
        59 => Some("use t2"),
        50 | 52 | 53 | 55 | 57 | 61 | 82 => {
            Some("clients and relays say this, or it follows from the message; leave it out")
        }
        _ => None,
    }
}

/// One option's value: a scalar, a list, or a table with `value`, `type`, `hex`, `always`.
fn value(known: Known, node: &Node, path: &str, context: &mut Context<'_>) -> Option<OptionValue> {
    let Some(table) = node.as_table() else {
        let data = encode(known.kind, node, path, context)?;
        return Some(OptionValue {
            code: known.code,
            data,
            always: false,
        });
    };
    let reader = Reader::table(node, &[keys::OPTION], path.to_owned());
    let always = reader.get("always");
    let data = match (reader.node("value"), reader.opt::<purlin_config::Octets>("hex")) {
        (None, Some(octets)) if octets.0.len() <= HEX_MAX => octets.0,
        (Some(value), None) => {
            let kind = own_kind(&reader, known.kind, context)?;
            encode(kind, value, &reader.path_of("value"), context)?
        }
        (None, Some(octets)) => {
            let message = format!("{} octets; at most {HEX_MAX} fit a message", octets.0.len());
            let span = reader.span_of("hex");
            context.faults.push(Fault::error(
                codes::BAD_OPTION,
                reader.path_of("hex"),
                span,
                message,
            ));
            return None;
        }
        (value, _) => {
            let message = if value.is_some() {
                "both `value` and `hex` are set"
            } else {
                "neither `value` nor `hex` is set"
            };
            let span = table.entries.first().map_or(node.span, |entry| entry.key_span);
            context.push_unless_known(node.span, Fault::error(codes::BAD_OPTION, path, span, message));
            return None;
        }
    };
    Some(OptionValue {
        code: known.code,
        data,
        always,
    })
}

fn own_kind(reader: &Reader<'_>, usual: OptionKind, context: &mut Context<'_>) -> Option<OptionKind> {
    let Some(word) = reader.opt::<String>("type") else {
        return Some(usual);
    };
    let kind = OptionKind::parse(&word);
    if kind.is_none() {
        let span = reader.span_of("type");
        let fault = Fault::error(
            codes::BAD_OPTION,
            reader.path_of("type"),
            span,
            format!("there is no type {word:?}"),
        );
        let fault = match nearest(&word, OptionKind::words()) {
            Some(near) => fault.note(format!("did you mean \"{near}\"?")),
            None => fault.help(format!(
                "types: {}",
                OptionKind::words().collect::<Vec<_>>().join(", ")
            )),
        };
        context.push_unless_known(span, fault);
    }
    kind
}

/// The octets of a value as it stands in the document; `None` when it does not fit, which is then reported.
pub(super) fn encode(
    kind: OptionKind,
    node: &Node,
    path: &str,
    context: &mut Context<'_>,
) -> Option<Vec<u8>> {
    let result = match &node.value {
        Value::List(items) => {
            let texts: Vec<String> = items
                .iter()
                .map(text_of)
                .collect::<Option<_>>()
                .unwrap_or_default();
            catalog::encode_items(kind, &texts.iter().map(String::as_str).collect::<Vec<_>>())
        }
        _ => catalog::encode(kind, &text_of(node).unwrap_or_default()),
    };
    result.map_err(|why| report(&why, node, path, context)).ok()
}

fn report(why: &EncodeError, node: &Node, path: &str, context: &mut Context<'_>) {
    // In a list the faulty item is the place; in an item or a string, the faulty part of it.
    let at = match node.as_list() {
        Some(items) => items
            .iter()
            .find(|item| text_of(item).is_some_and(|text| text.contains(&why.found))),
        None => None,
    };
    let span = part_of(context.document, at.unwrap_or(node), &why.found);
    context.push_unless_known(
        node.span,
        Fault::error(codes::BAD_OPTION, path, span, why.to_string()),
    );
}

/// A scalar as the catalog reads it.
fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
