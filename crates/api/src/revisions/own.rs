//! What of a configuration is each node's own when nodes share the rest.
//!
//! ```text
//!   a node's configuration ──split──► shared: recorded, the same at all nodes
//!                          ◄──join──  own:    from that node's file, recorded nowhere
//! ```

use serde_json::{Map, Value};

/// Which part is a node's own: paths of sections or keys such as `node` or `dhcp.listen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Own(pub &'static [&'static str]);

impl Own {
    /// The part that all nodes share.
    #[must_use]
    pub fn shared(&self, config: &Value) -> Value {
        let mut shared = config.clone();
        for path in self.0 {
            take(&mut shared, path);
        }
        shared
    }

    /// The part that is this node's own.
    #[must_use]
    pub fn own(&self, config: &Value) -> Value {
        let mut own = Value::Object(Map::new());
        for path in self.0 {
            if let Some(value) = find(config, path) {
                put(&mut own, path, value.clone());
            }
        }
        own
    }

    /// A node's whole configuration: what is shared, and its own part.
    #[must_use]
    pub fn join(&self, shared: &Value, own: &Value) -> Value {
        let mut whole = self.shared(shared);
        for path in self.0 {
            if let Some(value) = find(own, path) {
                put(&mut whole, path, value.clone());
            }
        }
        whole
    }

    /// The paths at which two configurations differ in what is a node's own.
    #[must_use]
    pub fn differing(&self, a: &Value, b: &Value) -> Vec<&'static str> {
        let paths = self.0.iter().copied();
        paths.filter(|path| find(a, path) != find(b, path)).collect()
    }
}

fn find<'a>(config: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(config, |value, name| value.get(name))
}

/// Removes what is at `path`; a table that is empty then goes, too.
fn take(config: &mut Value, path: &str) {
    let Some(table) = config.as_object_mut() else {
        return;
    };
    match path.split_once('.') {
        None => {
            table.retain(|name, _| name != path);
        }
        Some((name, rest)) => {
            let Some(inner) = table.get_mut(name) else { return };
            take(inner, rest);
            if inner.as_object().is_some_and(Map::is_empty) {
                table.retain(|other, _| other != name);
            }
        }
    }
}

fn put(config: &mut Value, path: &str, value: Value) {
    let Some(table) = config.as_object_mut() else {
        return;
    };
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((name, rest)) => {
            let inner = table.entry(name).or_insert_with(|| Value::Object(Map::new()));
            put(inner, rest, value);
        }
    }
}

/// What a configuration says, as a digest: the same for any order of keys.
pub(super) fn digest(config: &Value) -> String {
    let mut text = String::new();
    write(config, &mut text);
    crate::tokens::short_digest(text.as_bytes())
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (name, member) in sorted {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        plain => text.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OWN: Own = Own(&["node", "dhcp.listen", "tftp.http.listen"]);

    #[test]
    fn what_is_split_is_joined_again() {
        let whole = json!({"node": {"id": "a"}, "dhcp": {"listen": [1], "subnets": [2]}, "tftp": {"http": {"listen": 3}}});
        let (shared, own) = (OWN.shared(&whole), OWN.own(&whole));
        assert_eq!(shared, json!({"dhcp": {"subnets": [2]}}), "empty tables are gone");
        assert_eq!(
            own,
            json!({"node": {"id": "a"}, "dhcp": {"listen": [1]}, "tftp": {"http": {"listen": 3}}})
        );
        assert_eq!(OWN.join(&shared, &own), whole);
    }

    #[test]
    fn a_foreign_own_part_never_gets_in() {
        let foreign = json!({"node": {"id": "b"}, "dhcp": {"listen": [9], "ack": "lead"}});
        let joined = OWN.join(&foreign, &json!({"node": {"id": "a"}}));
        assert_eq!(joined, json!({"node": {"id": "a"}, "dhcp": {"ack": "lead"}}));
        assert_eq!(OWN.differing(&foreign, &joined), ["node", "dhcp.listen"]);
    }

    #[test]
    fn the_order_of_keys_says_nothing() {
        let (a, b) = (json!({"a": 1, "b": [1, 2]}), json!({"b": [1, 2], "a": 1}));
        assert_eq!(digest(&a), digest(&b));
        assert_ne!(digest(&a), digest(&json!({"a": 1, "b": [2, 1]})));
    }
}
