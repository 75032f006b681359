//! Rules: tables of their own, and lines of a tftpd-hpa map.

use super::codes;
use super::context::Context;
use super::keys;
use super::templates::who;
use crate::rule::{Pattern, Replacement, hpa};
use crate::settings::{Action, Family, Network, On, Rule};
use purlin_config::{Reader, TextFault};

pub(super) fn read(top: &Reader<'_>, context: &mut Context<'_>) -> Vec<Rule> {
    let tables = top.tables("rules", &[keys::RULE]);
    let mut rules: Vec<Rule> = tables.iter().filter_map(|table| rule(table, context)).collect();
    let Some(map) = top.opt::<String>("remap") else {
        return rules;
    };
    match hpa::parse(&map) {
        Ok(more) => rules.extend(more),
        Err(faults) => {
            // In one string: each fault has its own place, so one must not hide the others.
            let (path, node) = (top.path_of("remap"), top.node("remap"));
            for line in faults {
                let Some(node) = node else { continue };
                let span = context.document.inside(node.span, &map, line.at, line.len);
                let number = map[..line.at.min(map.len())].matches('\n').count() + 1;
                let message = format!("line {number} of the map: {}", line.message);
                let fault = purlin_config::Fault::error(codes::BAD_REMAP, path.as_str(), span, message);
                context.faults.push(fault.help(line.help));
            }
        }
    }
    rules
}

fn rule(table: &Reader<'_>, context: &mut Context<'_>) -> Option<Rule> {
    let pattern = match table.node("pattern") {
        Some(_) => pattern(table, "pattern", table.get("ignore_case"), context)?,
        None => Pattern::parse("", false).expect("the empty pattern fits every name"),
    };
    let action = action(table, &pattern, context)?;
    Some(Rule {
        who: who(table),
        pattern,
        inverse: table.get("inverse"),
        on: match table.get::<String>("on").as_str() {
            "read" => On::Read,
            "write" => On::Write,
            _ => On::All,
        },
        family: match table.get::<String>("family").as_str() {
            "ipv4" => Family::V4,
            "ipv6" => Family::V6,
            _ => Family::Any,
        },
        action,
        restart: table.get("restart"),
        last: table.get("last"),
    })
}

/// The one thing the rule does.
fn action(table: &Reader<'_>, pattern: &Pattern, context: &mut Context<'_>) -> Option<Action> {
    let refuse: bool = table.get("refuse");
    let keys = ["replace", "root"]
        .into_iter()
        .filter(|key| table.node(key).is_some());
    let said: Vec<&'static str> = keys.chain(refuse.then_some("refuse")).collect();
    if let [first, second, ..] = said.as_slice() {
        let message = format!("a rule does one thing, but both `{first}` and `{second}` are set");
        context.refuse(codes::RULE_SHAPE, (table, second), message, "make it two rules");
        return None;
    }
    let inverse: bool = table.get("inverse");
    match said.first().copied() {
        Some("replace") if inverse => {
            let message = "where the pattern does not fit there is nothing to replace";
            context.refuse(codes::RULE_SHAPE, (table, "inverse"), message, "");
            None
        }
        Some("replace") => Some(Action::Replace {
            with: replacement(table, "replace", pattern, context)?,
            all: table.get("all"),
        }),
        Some("root") => {
            let root = replacement(table, "root", pattern, context)?;
            let marks = root.plain().is_none();
            let path = root.plain().unwrap_or_else(|| root.lead());
            if !is_absolute(path) || root.as_str().contains("..") {
                let message = "the tree is no absolute path without \"..\"";
                context.refuse(codes::ROOT_RELATIVE, (table, "root"), message, "begin it with /");
                return None;
            }
            debug_assert!(marks || root.plain().is_some());
            Some(Action::Root(root))
        }
        Some(_) => Some(Action::Refuse),
        None => {
            if !table.get::<bool>("last") && !table.get::<bool>("restart") {
                let at = if table.node("pattern").is_some() {
                    "pattern"
                } else {
                    "last"
                };
                let help = "set replace, root or refuse = true; or last = true";
                context.refuse(codes::RULE_SHAPE, (table, at), "the rule does nothing", help);
                return None;
            }
            Some(Action::Keep)
        }
    }
}

/// A text whose groups the pattern has.
fn replacement(
    table: &Reader<'_>,
    key: &'static str,
    pattern: &Pattern,
    context: &mut Context<'_>,
) -> Option<Replacement> {
    let text: String = table.opt(key)?;
    let replacement = Replacement::parse(&text);
    let group = replacement.group_max();
    if usize::from(group) > pattern.groups() {
        let mark = format!("\\{group}");
        let why = TextFault {
            at: text.find(&mark).map(|at| (at, 2)),
            message: format!("{mark} names a group that the pattern does not have"),
            help: "groups are counted from 1, by their opening parentheses".to_owned(),
        };
        context.refuse_text(codes::RULE_SHAPE, (table, key), why);
        return None;
    }
    Some(replacement)
}

/// A pattern that compiles; faults point inside the string.
pub(super) fn pattern(
    table: &Reader<'_>,
    key: &'static str,
    ignore_case: bool,
    context: &mut Context<'_>,
) -> Option<Pattern> {
    let text: String = table.opt(key)?;
    match Pattern::parse(&text, ignore_case) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            context.refuse_text(codes::BAD_PATTERN, (table, key), why);
            None
        }
    }
}

/// An absolute path without parts that climb.
pub(super) fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..")
}

/// The `networks` of a table.
pub(super) fn networks(table: &Reader<'_>) -> Vec<Network> {
    let nodes = table.items("networks").iter();
    nodes
        .filter_map(|node| Network::parse(node.as_str()?).ok())
        .collect()
}
