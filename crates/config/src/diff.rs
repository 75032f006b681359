//! What changed between two configurations, by meaning: list items are matched by who they are, not by place.

use serde_json::{Map, Value as Json, json};
use std::fmt::Write;

/// Keys that say who a list item is, first match counts.
pub(crate) const IDENTITY: &[&str] = &[
    "name",
    "network",
    "mac",
    "client_id",
    "circuit_id",
    "remote_id",
    "uuid",
    "flex_id",
    "range",
    "code",
    "id",
    "address",
];

/// What happened to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
    /// The same items in another order, where order matters.
    Reordered,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// With identities in brackets: `dhcp.subnets[main].lease_time`.
    pub path: String,
    pub kind: ChangeKind,
    pub old: Option<Json>,
    pub new: Option<Json>,
}

/// All changes from `old` to `new`, in the order of `new`, removals after what stayed.
#[must_use]
pub fn diff(old: &Json, new: &Json) -> Vec<Change> {
    let mut changes = Vec::new();
    values("", old, new, &mut changes);
    changes
}

fn push(changes: &mut Vec<Change>, path: &str, kind: ChangeKind, old: Option<&Json>, new: Option<&Json>) {
    changes.push(Change {
        path: path.to_owned(),
        kind,
        old: old.cloned(),
        new: new.cloned(),
    });
}

fn values(path: &str, old: &Json, new: &Json, changes: &mut Vec<Change>) {
    match (old, new) {
        (Json::Object(a), Json::Object(b)) => objects(path, a, b, changes),
        (Json::Array(a), Json::Array(b)) if a != b => lists(path, a, b, changes),
        (a, b) if a != b => push(changes, path, ChangeKind::Changed, Some(a), Some(b)),
        _ => {}
    }
}

fn objects(path: &str, old: &Map<String, Json>, new: &Map<String, Json>, changes: &mut Vec<Change>) {
    for (key, value) in new {
        let path = crate::path::join(path, key);
        match old.get(key) {
            Some(before) => values(&path, before, value, changes),
            None => push(changes, &path, ChangeKind::Added, None, Some(value)),
        }
    }
    for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        push(
            changes,
            &crate::path::join(path, key),
            ChangeKind::Removed,
            Some(value),
            None,
        );
    }
}

/// The identity of every item, when all have one and no two are the same.
fn identities(items: &[Json]) -> Option<Vec<String>> {
    let ids: Option<Vec<String>> = items.iter().map(identity).collect();
    let ids = ids?;
    let mut sorted: Vec<&String> = ids.iter().collect();
    sorted.sort();
    sorted.dedup();
    (sorted.len() == ids.len()).then_some(ids)
}

fn identity(item: &Json) -> Option<String> {
    match item {
        Json::String(text) => Some(text.clone()),
        Json::Object(map) => IDENTITY.iter().find_map(|key| match map.get(*key)? {
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }),
        _ => None,
    }
}

fn lists(path: &str, old: &[Json], new: &[Json], changes: &mut Vec<Change>) {
    let whole = |changes: &mut Vec<Change>, kind| {
        push(
            changes,
            path,
            kind,
            Some(&Json::Array(old.to_vec())),
            Some(&Json::Array(new.to_vec())),
        );
    };
    let (Some(before), Some(after)) = (identities(old), identities(new)) else {
        return whole(changes, ChangeKind::Changed);
    };
    let position: std::collections::HashMap<&str, usize> = before
        .iter()
        .enumerate()
        .map(|(i, id)| (id.as_str(), i))
        .collect();
    let kept: std::collections::HashSet<&str> = after.iter().map(String::as_str).collect();
    let found = changes.len();
    for (id, item) in after.iter().zip(new) {
        let path = format!("{path}[{id}]");
        match position.get(id.as_str()) {
            Some(&i) => values(&path, &old[i], item, changes),
            None => push(changes, &path, ChangeKind::Added, None, Some(item)),
        }
    }
    for (id, item) in before
        .iter()
        .zip(old)
        .filter(|(id, _)| !kept.contains(id.as_str()))
    {
        push(
            changes,
            &format!("{path}[{id}]"),
            ChangeKind::Removed,
            Some(item),
            None,
        );
    }
    if changes.len() == found {
        whole(changes, ChangeKind::Reordered);
    }
}

impl Change {
    /// As JSON: `path`, `change` (`added`, `removed`, `changed`, `reordered`), `old`, `new`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({ "path": self.path, "change": self.kind.word(), "old": self.old, "new": self.new })
    }
}

impl ChangeKind {
    /// The word in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
        }
    }
}

/// Changes as text: `+` added, `-` removed, `~` changed, one line each.
#[must_use]
pub fn diff_text(changes: &[Change]) -> String {
    let mut out = String::new();
    let word = |value: &Option<Json>| value.as_ref().map(Json::to_string).unwrap_or_default();
    for change in changes {
        let _ = match change.kind {
            ChangeKind::Added => writeln!(out, "+ {} = {}", change.path, word(&change.new)),
            ChangeKind::Removed => writeln!(out, "- {} = {}", change.path, word(&change.old)),
            ChangeKind::Changed => {
                writeln!(
                    out,
                    "~ {}: {} -> {}",
                    change.path,
                    word(&change.old),
                    word(&change.new)
                )
            }
            ChangeKind::Reordered => writeln!(out, "~ {}: order is now {}", change.path, word(&change.new)),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_items_are_matched_by_who_they_are() {
        let old = json!({ "dhcp": { "subnets": [
            { "name": "a", "network": "10.0.0.0/24", "lease_time": "1h" }, { "name": "b", "network": "10.0.1.0/24" } ] } });
        let new = json!({ "dhcp": { "subnets": [
            { "name": "c", "network": "10.0.2.0/24" }, { "name": "a", "network": "10.0.0.0/24", "lease_time": "2h" } ] } });
        let text = diff_text(&diff(&old, &new));
        let expected = r#"+ dhcp.subnets[c] = {"name":"c","network":"10.0.2.0/24"}
~ dhcp.subnets[a].lease_time: "1h" -> "2h"
- dhcp.subnets[b] = {"name":"b","network":"10.0.1.0/24"}
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_new_order_is_a_change_of_its_own() {
        let changes = diff(&json!({ "l": ["a", "b"] }), &json!({ "l": ["b", "a"] }));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].kind, ChangeKind::Reordered);
        assert!(diff(&json!({ "l": [1] }), &json!({ "l": [1] })).is_empty());
    }
}
