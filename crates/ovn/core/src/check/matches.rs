//! Match expressions of ACLs, QoS rules and routing policies: read, names known, able to be true, not covered by others.

use crate::expr::{Answer, Formula, Kind as NameKind, lower, parse, satisfiable, symbol, unknown};
use crate::model::{Diff, Kind, State};
use crate::problem::Problem;
use crate::review::{Finding, Rule, review};
use purlin_ovsdb::Uuid;
use std::collections::{BTreeMap, BTreeSet};

/// Tables with matches, and the columns that hold their rows.
const TABLES: &[(&str, &[(&str, &str)])] = &[
    ("ACL", &[("Logical_Switch", "acls"), ("Port_Group", "acls")]),
    ("QoS", &[("Logical_Switch", "qos_rules")]),
    ("Logical_Router_Policy", &[("Logical_Router", "policies")]),
];

/// Rules of one list that are compared with each other after a change; longer lists only when a lint is asked for.
const LIST_MAX: usize = 300;

pub(super) fn check(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<Problem> {
    let text = state.text(table, uuid, "match").unwrap_or_default();
    let parsed = match parse(text) {
        Ok(parsed) => parsed,
        Err(fault) => return vec![Problem::error("match-syntax", "match", fault.to_string())],
    };
    let faults = unknown(&parsed, state);
    let port = |span| {
        parsed
            .uses
            .iter()
            .any(|used| used.span == span && used.kind == NameKind::Port)
    };
    let mut problems: Vec<Problem> = faults
        .iter()
        .map(|fault| match port(fault.span) {
            // A port may come later; until then nothing matches.
            true => Problem::warning("match-port-unknown", "match", fault.to_string()),
            false => Problem::error("match-name-unknown", "match", fault.to_string()),
        })
        .collect();
    if problems.iter().any(Problem::is_error) {
        return problems;
    }
    match lower(&parsed, state) {
        Err(fault) => problems.push(Problem::error("match-type", "match", fault.to_string())),
        Ok(formula) => {
            problems.extend(early_outport(state, table, uuid, &formula));
            problems.extend(reserved(&formula));
            if satisfiable(&formula) == Answer::Never {
                let message = format!("no packet ever matches `{text}`");
                problems.push(Problem::warning("match-never", "match", message));
            }
        }
    }
    problems
}

/// On the way in, OVN has not yet decided where a packet goes.
fn early_outport(state: &State<'_>, table: &str, uuid: Uuid, formula: &Formula) -> Option<Problem> {
    let inward = state.text(table, uuid, "direction") == Some("from-lport");
    (inward && uses_text(formula, "outport")).then(|| {
        let message = "`outport` is not known yet where `from-lport` rules are asked: they never match it";
        Problem::warning("match-outport-early", "match", message).help("use a `to-lport` rule")
    })
}

/// Registers and flags are OVN's own notes between its stages; what they hold changes with its version.
fn reserved(formula: &Formula) -> Option<Problem> {
    let name = first_symbol(formula, &|name| {
        let register = ["reg", "xreg", "xxreg"].iter().any(|start| {
            name.strip_prefix(start)
                .is_some_and(|rest| rest.bytes().all(|c| c.is_ascii_digit()))
        });
        register || name == "flags" || name.starts_with("flags.")
    })?;
    let message = format!("`{name}` belongs to OVN: what it holds may be another thing in its next version");
    Some(Problem::warning("match-reserved", "match", message))
}

fn first_symbol(formula: &Formula, wanted: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    match formula {
        Formula::Bits(bits) => Some(bits.symbol.name).filter(|name| wanted(name)),
        Formula::And(parts) | Formula::Or(parts) => parts.iter().find_map(|part| first_symbol(part, wanted)),
        _ => None,
    }
}

fn uses_text(formula: &Formula, name: &str) -> bool {
    match formula {
        Formula::Text { symbol: used, .. } => Some(*used) == symbol(name),
        Formula::And(parts) | Formula::Or(parts) => parts.iter().any(|part| uses_text(part, name)),
        _ => false,
    }
}

/// Rules elsewhere that use an address set or a port group which goes.
pub(super) fn lost_names(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut lost = BTreeSet::new();
    for row in &diff.rows {
        let kind = match row.table.as_str() {
            "Address_Set" => NameKind::AddressSet,
            "Port_Group" => NameKind::PortGroup,
            _ => continue,
        };
        let name = row.columns.iter().find(|column| column.column == "name");
        let before = name.and_then(|name| name.before.as_ref()?.one()?.as_str());
        if let (Kind::Removed | Kind::Changed, Some(name)) = (row.kind, before) {
            lost.insert((kind, name.to_owned()));
        }
    }
    if lost.is_empty() {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (table, _) in TABLES {
        for uuid in after.uuids(table) {
            let Some(Ok(parsed)) = after.text(table, uuid, "match").map(parse) else {
                continue;
            };
            let used = parsed
                .uses
                .iter()
                .find(|used| lost.contains(&(used.kind, used.name.clone())));
            if let Some(used) = used {
                let place = format!("{table} {}", after.label(table, uuid));
                let message = format!("uses the {} `{}`, which goes", used.kind.word(), used.name);
                problems.push(
                    Problem::error("match-name-lost", place, message).help("change or remove the rule too"),
                );
            }
        }
    }
    problems
}

/// Lists that the change touches, as far as they are short; only findings about rules that it writes.
pub(super) fn reviewed(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut lists: BTreeMap<(&str, Uuid, &str), BTreeSet<Uuid>> = BTreeMap::new();
    for row in diff.rows.iter().filter(|row| row.kind != Kind::Removed) {
        let Some((_, holders)) = TABLES.iter().find(|(table, _)| *table == row.table) else {
            continue;
        };
        for (holder, column) in *holders {
            for list in after.find(holder, column, &row.uuid.into()) {
                lists.entry((holder, list, column)).or_default().insert(row.uuid);
            }
        }
    }
    let mut problems = Vec::new();
    for ((holder, list, column), written) in lists {
        if after.targets(holder, list, column).len() <= LIST_MAX {
            problems.extend(list_findings(after, holder, list, column, Some(&written)));
        }
    }
    problems
}

pub(super) fn review_all(state: &State<'_>) -> Vec<Problem> {
    let holders = TABLES.iter().flat_map(|(_, holders)| holders.iter());
    holders
        .flat_map(|(holder, column)| {
            let lists = state.uuids(holder).into_iter();
            lists.flat_map(|list| list_findings(state, holder, list, column, None))
        })
        .collect()
}

fn list_findings(
    state: &State<'_>,
    holder: &str,
    list: Uuid,
    column: &str,
    only: Option<&BTreeSet<Uuid>>,
) -> Vec<Problem> {
    let table = match column {
        "acls" => "ACL",
        "qos_rules" => "QoS",
        _ => "Logical_Router_Policy",
    };
    let uuids = state.targets(holder, list, column);
    let (uuids, rules): (Vec<Uuid>, Vec<Rule>) = uuids
        .into_iter()
        .filter_map(|uuid| Some((uuid, rule(state, table, uuid)?)))
        .unzip();
    let place = format!("{holder} {}", state.label(holder, list));
    let findings = review(&rules).into_iter();
    findings
        .filter(|finding| {
            let other = match finding {
                // `match-never` says so already.
                Finding::Never { .. } => return false,
                Finding::Unordered { other, .. } => Some(*other),
                _ => None,
            };
            let written = |at: usize| only.is_none_or(|only| only.contains(&uuids[at]));
            written(finding.rule()) || other.is_some_and(written)
        })
        .map(|finding| {
            let code = match finding {
                Finding::Covered {
                    same_action: true, ..
                } => "rule-superfluous",
                Finding::Covered { .. } => "rule-shadowed",
                Finding::Unordered { .. } => "rule-unordered",
                _ => "rule-intricate",
            };
            Problem::warning(code, place.as_str(), finding.say(&rules).to_string())
        })
        .collect()
}

/// A rule for the review; one that cannot be read is somebody else's problem.
fn rule(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Rule> {
    let text = state.text(table, uuid, "match")?;
    let formula = lower(&parse(text).ok()?, state).ok()?;
    let priority = state.value(table, uuid, "priority")?.one()?.as_integer()?;
    let options = state.map(table, uuid, "options");
    let late = options.get("apply-after-lb").is_some_and(|late| late == "true");
    let tier = state
        .value(table, uuid, "tier")
        .and_then(|tier| tier.one()?.as_integer())
        .unwrap_or(0);
    let direction = state.text(table, uuid, "direction").unwrap_or_default();
    let hops = state.texts(table, uuid, "nexthops").join(" ");
    let action = match table {
        "QoS" => format!(
            "{:?} {:?}",
            state.value(table, uuid, "action"),
            state.value(table, uuid, "bandwidth")
        ),
        _ => format!("{} {hops}", state.text(table, uuid, "action").unwrap_or_default()),
    };
    let name = state.text(table, uuid, "name").map(|name| format!("`{name}` "));
    Some(Rule {
        name: format!("{table} {}({priority}: {text})", name.unwrap_or_default()),
        priority,
        stage: format!("{direction} {late} {tier}"),
        action,
        formula,
    })
}
