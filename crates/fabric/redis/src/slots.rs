//! What `CLUSTER SLOTS` says.

use crate::settings::Address;
use redis::Value;

/// A range of slots and the id of its master. Ids, unlike addresses, are the same in every node's answer.
pub(crate) type Range = (i64, i64, String);

/// The ranges in order, and the addresses of all nodes. What cannot be read is passed over.
pub(crate) fn read(answer: &Value) -> (Vec<Range>, Vec<Address>) {
    let mut ranges = Vec::new();
    let mut nodes = Vec::new();
    for entry in items(answer) {
        let [Value::Int(first), Value::Int(last), servers @ ..] = items(entry) else {
            continue;
        };
        if let Some([_, _, id, ..]) = servers.first().map(items) {
            ranges.push((*first, *last, text(id)));
        }
        nodes.extend(servers.iter().filter_map(address));
    }
    ranges.sort();
    nodes.sort();
    nodes.dedup();
    (ranges, nodes)
}

fn address(server: &Value) -> Option<Address> {
    let [host, Value::Int(port), ..] = items(server) else {
        return None;
    };
    // An empty host or '?' means that the node does not know its own address.
    let host = text(host);
    let port = u16::try_from(*port).ok()?;
    (!host.is_empty() && host != "?").then(|| Address::new(host, port))
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(octets) => String::from_utf8_lossy(octets).into_owned(),
        Value::SimpleString(text) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str, port: i64, id: &str) -> Value {
        let text = |text: &str| Value::BulkString(text.into());
        Value::Array(vec![text(host), Value::Int(port), text(id), Value::Array(vec![])])
    }

    fn range(first: i64, last: i64, servers: Vec<Value>) -> Value {
        let mut items = vec![Value::Int(first), Value::Int(last)];
        items.extend(servers);
        Value::Array(items)
    }

    #[test]
    fn masters_are_known_by_id_and_all_nodes_by_address() {
        let answer = Value::Array(vec![
            range(8192, 16383, vec![server("b", 2, "id-b")]),
            range(0, 8191, vec![server("a", 1, "id-a"), server("c", 3, "id-c")]),
        ]);
        let (ranges, nodes) = read(&answer);
        assert_eq!(
            ranges,
            [(0, 8191, "id-a".to_owned()), (8192, 16383, "id-b".to_owned())]
        );
        let expected = [("a", 1), ("b", 2), ("c", 3)].map(|(host, port)| Address::new(host, port));
        assert_eq!(nodes, expected);
    }

    #[test]
    fn strange_answers_are_passed_over() {
        let unknown = range(0, 1, vec![server("?", 1, "x"), server("", 1, "y")]);
        for answer in [Value::Nil, Value::Array(vec![Value::Nil, Value::Array(vec![])])] {
            assert_eq!(read(&answer), (vec![], vec![]));
        }
        assert_eq!(read(&Value::Array(vec![unknown])).1, []);
    }
}
