//! Overrides from the environment: `PURLIN__DHCP__SUBNETS__0__LEASE_TIME=2h`.
//!
//! `PURLIN__A__B_FILE=/run/secrets/b` takes the value from a file, which the caller reads.

use crate::codes;
use crate::document::Document;
use crate::fault::{Fault, Faults};
use crate::nearest::nearest;
use crate::node::{Entry, Node, Table, Value};
use crate::schema::{Kind, Section, find_key, key_names, written};
use crate::source::{Source, SourceId, SourceKind, Span};

/// What every override's name begins with; two underscores stand between the parts of the path.
pub const PREFIX: &str = "PURLIN__";

/// Longest list that a variable may address by index; a mistyped index must not fill the memory.
const INDEX_LIMIT: usize = 4096;

impl Document {
    /// Lays the variables that begin with [`PREFIX`] over the document. `read` gives the content of the file
    /// that a `_FILE` variable names, or a sentence saying why it cannot.
    pub fn overlay_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
        mut read: impl FnMut(&str) -> Result<String, String>,
        sections: &[&'static Section],
        faults: &mut Faults,
    ) {
        let mut ours: Vec<(String, String)> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        // Sorted, so that the result does not depend on the order of the process's environment.
        ours.sort();
        for (name, value) in ours {
            self.overlay_one(&name, value, &mut read, sections, faults);
        }
    }

    fn overlay_one(
        &mut self,
        name: &str,
        value: String,
        read: &mut impl FnMut(&str) -> Result<String, String>,
        sections: &[&'static Section],
        faults: &mut Faults,
    ) {
        let steps: Vec<String> = name[PREFIX.len()..]
            .split("__")
            .map(str::to_ascii_lowercase)
            .collect();
        let (steps, kind, from_file) = match locate(sections, &steps) {
            Ok(kind) => (steps, kind, false),
            Err(miss) => match without_file_suffix(&steps).map(|short| (locate(sections, &short), short)) {
                Some((Ok(kind), short)) => (short, kind, true),
                _ => {
                    let id = self.add_source(variable(name, value));
                    // Its name says enough, and what it was meant for may be a secret.
                    self.hide([self.whole(id)]);
                    return faults.push(unknown(name, &steps, &miss, self.whole(id)));
                }
            },
        };
        let (text, failure) = match from_file.then(|| read(&value)) {
            None => (value, None),
            Some(Ok(text)) => (text.trim_end_matches(['\r', '\n']).to_owned(), None),
            Some(Err(why)) => (value, Some(why)),
        };
        let id = self.add_source(variable(name, text));
        let span = self.whole(id);
        if let Some(why) = failure {
            let message = format!("the file that {name} names cannot be read: {why}");
            return faults.push(Fault::error(codes::SECRET_FILE, steps.join("."), span, message));
        }
        if from_file || matches!(kind, Kind::Secret) {
            self.hide([span]);
        }
        let node = written(&self.source(id).text, &kind, id);
        if let Err(why) = place(&mut self.root, &steps, node, span) {
            faults.push(Fault::error(
                codes::UNKNOWN_VARIABLE,
                steps.join("."),
                span,
                format!("{name}: {why}"),
            ));
        }
    }

    fn whole(&self, id: SourceId) -> Span {
        Span::new(id, 0..self.source(id).text.len())
    }
}

fn variable(name: &str, text: String) -> Source {
    Source {
        name: name.to_owned(),
        kind: SourceKind::Environment,
        text,
    }
}

fn without_file_suffix(steps: &[String]) -> Option<Vec<String>> {
    let (last, rest) = steps.split_last()?;
    let stem = last.strip_suffix("_file").filter(|stem| !stem.is_empty())?;
    Some(rest.iter().cloned().chain([stem.to_owned()]).collect())
}

/// Where a path left the schema: the bad step and the nearest name there.
struct Miss {
    index: usize,
    near: Option<&'static str>,
}

fn locate(sections: &[&'static Section], steps: &[String]) -> Result<Kind, Miss> {
    let first = steps.first().map_or("", String::as_str);
    let Some(section) = sections.iter().find(|section| section.name == first) else {
        let near = nearest(first, sections.iter().map(|section| section.name));
        return Err(Miss { index: 0, near });
    };
    let mut kind = Kind::Table(section.keys);
    if section.not_yet.is_some() {
        return Ok(Kind::Any);
    }
    for (index, step) in steps.iter().enumerate().skip(1) {
        kind = below(&kind, step).map_err(|near| Miss { index, near })?;
    }
    Ok(kind)
}

fn below(kind: &Kind, step: &str) -> Result<Kind, Option<&'static str>> {
    match kind {
        Kind::Any => Ok(Kind::Any),
        Kind::Map(entry) => Ok(**entry),
        Kind::List(item) if step.parse::<usize>().is_ok() => Ok(**item),
        Kind::Table(keys) => find_key(keys, step)
            .map(|key| key.kind)
            .ok_or_else(|| nearest(step, key_names(keys))),
        Kind::OneOf(kinds) => {
            let mut near = None;
            for kind in *kinds {
                match below(kind, step) {
                    Ok(found) => return Ok(found),
                    Err(name) => near = near.or(name),
                }
            }
            Err(near)
        }
        _ => Err(None),
    }
}

fn unknown(name: &str, steps: &[String], miss: &Miss, span: Span) -> Fault {
    let fault = Fault::error(
        codes::UNKNOWN_VARIABLE,
        steps.join("."),
        span,
        format!("the environment variable {name} names no key"),
    );
    match miss.near {
        Some(near) => {
            let mut right = steps.to_vec();
            right[miss.index] = near.to_owned();
            fault.help(format!(
                "did you mean {PREFIX}{}?",
                right.join("__").to_ascii_uppercase()
            ))
        }
        None => fault.help("unset it, or see `purlin config explain` for the keys"),
    }
}

/// Puts `value` at a path, making tables on the way; list indices must exist or be the next one.
fn place(node: &mut Node, steps: &[String], value: Node, span: Span) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *node = value;
        return Ok(());
    };
    let fresh = || Node {
        value: Value::Null,
        span,
    };
    if node.value == Value::Null {
        let is_index = step.parse::<usize>().is_ok();
        node.value = if is_index {
            Value::List(Vec::new())
        } else {
            Value::Table(Table::default())
        };
    }
    match &mut node.value {
        Value::List(items) => {
            let index: usize = step.parse().map_err(|_| format!("`{step}` is no list index"))?;
            if index > items.len() || index >= INDEX_LIMIT {
                return Err(format!(
                    "the list has {} items, so there is no index {index}",
                    items.len()
                ));
            }
            if index == items.len() {
                items.push(fresh());
            }
            place(&mut items[index], rest, value, span)
        }
        Value::Table(table) => {
            if table.get(step).is_none() {
                table.entries.push(Entry {
                    key: step.clone(),
                    key_span: span,
                    node: fresh(),
                });
            }
            let entry = table.entry_mut(step).expect("the entry was just made");
            place(&mut entry.node, rest, value, span)
        }
        other => Err(format!(
            "there is {} on the way, so nothing can be set below it",
            other.type_name()
        )),
    }
}
