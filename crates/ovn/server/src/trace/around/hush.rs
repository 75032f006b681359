//! Answers about the whole network without what others have in it.

use purlin_ovn_core::model::{Owner, State};
use purlin_ovn_core::tenant::NAMED;
use purlin_ovn_core::trace::{Decision, Hop, Object, Outcome, Story};
use purlin_ovsdb::Uuid;
use serde_json::Value;

/// What stands for a row of somebody else.
const OTHERS: &str = "another tenant's";

/// What there is, and what of it may be named.
pub(super) struct Hush<'s> {
    pub(super) whole: &'s State<'s>,
    pub(super) part: &'s State<'s>,
}

impl Hush<'_> {
    pub(super) fn story(&self, story: &mut Story) {
        story.hops.iter_mut().for_each(|hop| self.hop(hop));
        match &mut story.outcome {
            Outcome::Delivered { ports } => ports.iter_mut().for_each(|port| self.port(port)),
            Outcome::Dropped { at, reason, by, .. } => {
                let own = self.has_network(at);
                if !own {
                    OTHERS.clone_into(at);
                }
                if by.as_ref().is_some_and(|by| !self.sees(by)) {
                    *by = by.as_ref().map(hidden);
                    *reason = format!("{OTHERS} rule drops it");
                } else if !own {
                    "it is dropped there".clone_into(reason);
                }
            }
        }
    }

    fn hop(&self, hop: &mut Hop) {
        for port in [&mut hop.inport, &mut hop.outport].into_iter().flatten() {
            self.port(port);
        }
        if !self.has_network(&hop.name) {
            OTHERS.clone_into(&mut hop.name);
            hop.decisions.clear();
        }
        for decision in &mut hop.decisions {
            if decision.by.as_ref().is_some_and(|by| !self.sees(by)) {
                *decision = Decision {
                    stage: std::mem::take(&mut decision.stage),
                    expression: String::new(),
                    priority: decision.priority,
                    flow: String::new(),
                    actions: Vec::new(),
                    by: decision.by.as_ref().map(hidden),
                };
            }
        }
    }

    fn port(&self, port: &mut String) {
        let own = ["Logical_Switch_Port", "Logical_Router_Port"]
            .iter()
            .any(|table| self.part.by_name(table, port).is_some());
        if !own {
            OTHERS.clone_into(port);
        }
    }

    fn has_network(&self, word: &str) -> bool {
        let tables = ["Logical_Switch", "Logical_Router"];
        let mut by_name = tables
            .iter()
            .map(|table| self.part.by_name(table, word).is_some());
        let uuid = Uuid::parse(word);
        by_name.any(|found| found)
            || uuid.is_some_and(|uuid| tables.iter().any(|table| self.part.contains(table, uuid)))
    }

    fn sees(&self, object: &Object) -> bool {
        Uuid::parse(&object.uuid).is_some_and(|uuid| self.part.contains(&object.table, uuid))
    }

    /// The same of a document: rows that are named, and names in texts.
    pub(super) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(hushed) = self.text(text) {
                    *text = hushed;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                let word = |name: &str| members.get(name).and_then(Value::as_str);
                let hidden = match (word("table"), word("uuid")) {
                    (Some(table), Some(uuid)) => {
                        !Uuid::parse(uuid).is_some_and(|uuid| self.part.contains(table, uuid))
                    }
                    _ => false,
                };
                if hidden {
                    let table = members.remove("table").unwrap_or_default();
                    members.clear();
                    members.insert("table".into(), table);
                    members.insert("label".into(), OTHERS.into());
                    members.insert("name".into(), OTHERS.into());
                    return;
                }
                members.values_mut().for_each(|member| self.value(member));
                // Words about a rule that is not shown would show it.
                if members.get("by").is_some_and(|by| by["label"] == OTHERS) {
                    for about in ["reason", "inexact"] {
                        if members.get(about).is_some_and(Value::is_string) {
                            members.insert(about.into(), format!("{OTHERS} rule decides").into());
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// A text without names and UUIDs of what is not seen; `None` when it has none.
    fn text(&self, text: &str) -> Option<String> {
        let mut told = String::with_capacity(text.len());
        let mut changed = false;
        let mut rest = text;
        while !rest.is_empty() {
            let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
            if let Some((inner, behind)) = quoted {
                let hidden = self.is_hidden(inner);
                changed |= hidden;
                told.push('"');
                told.push_str(if hidden { OTHERS } else { inner });
                told.push('"');
                rest = behind;
                continue;
            }
            let end = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
            let (word, behind) = match end {
                0 => rest.split_at(rest.chars().next().map_or(1, char::len_utf8)),
                end => rest.split_at(end),
            };
            let bare = word.trim_end_matches(['.', ':', '-']);
            let hidden = bare.contains(|c: char| c.is_ascii_alphabetic())
                && (self.is_hidden(bare) || self.is_hidden(word));
            changed |= hidden;
            told.push_str(if hidden { OTHERS } else { word });
            rest = behind;
        }
        changed.then_some(told)
    }

    /// Whether a word is that of a row which is there, and not the tenant's to see.
    fn is_hidden(&self, word: &str) -> bool {
        if let Some(uuid) = Uuid::parse(word) {
            let tables = self.whole.schema().tables.keys();
            let mut tables = tables.filter(|table| self.whole.contains(table, uuid));
            return tables.any(|table| !self.part.contains(table, uuid));
        }
        let named = |state: &State<'_>| NAMED.iter().any(|table| state.by_name(table, word).is_some());
        named(self.whole) && !named(self.part)
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || "_.:-".contains(c)
}

fn hidden(object: &Object) -> Object {
    Object {
        table: object.table.clone(),
        uuid: String::new(),
        label: OTHERS.to_owned(),
        owner: Owner::Nobody,
    }
}
