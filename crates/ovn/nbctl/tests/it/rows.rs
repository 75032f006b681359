//! All rows of a database in a form in which two databases can be compared, whatever their rows are called.

use crate::world::Server;
use purlin_ovn_core::model::nb_schema;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Puts what is known of a row in the place of its name.
fn shown(value: &Value, names: &BTreeMap<String, u64>) -> Value {
    match value.as_array().map(Vec::as_slice) {
        Some([tag, Value::String(uuid)]) if tag == "uuid" => {
            json!(names.get(uuid).copied().unwrap_or(0))
        }
        Some([tag, Value::Array(elements)]) if tag == "set" || tag == "map" => {
            let mut all: Vec<Value> = elements.iter().map(|element| shown(element, names)).collect();
            all.sort_by_key(Value::to_string);
            json!([tag, all])
        }
        Some(elements) => elements.iter().map(|element| shown(element, names)).collect(),
        None => value.clone(),
    }
}

/// Every row as a text, sorted; a reference shows what the row is that it points to, in a few rounds all the way.
pub(crate) fn dump(server: &Server) -> Vec<String> {
    let tables: Vec<&String> = nb_schema().tables.keys().collect();
    let select = |table: &&String| json!({"op": "select", "table": table, "where": []});
    let answers = server.transact(tables.iter().map(select).collect());
    let mut rows = Vec::new();
    for (table, answer) in tables.iter().zip(&answers) {
        for row in answer["rows"].as_array().unwrap() {
            let mut columns = row.as_object().unwrap().clone();
            let uuid = columns.remove("_uuid").unwrap()[1].as_str().unwrap().to_owned();
            columns.remove("_version");
            rows.push((uuid, (*table).clone(), columns));
        }
    }
    let mut names = BTreeMap::new();
    let mut texts = Vec::new();
    for _ in 0..6 {
        texts.clear();
        let mut next = BTreeMap::new();
        for (uuid, table, columns) in &rows {
            let columns = columns
                .iter()
                .map(|(name, value)| (name.clone(), shown(value, &names)));
            let text = format!("{table} {}", Value::Object(columns.collect()));
            next.insert(uuid.clone(), hash(&text));
            texts.push(text);
        }
        names = next;
    }
    texts.sort();
    texts
}

/// Takes all rows away.
pub(crate) fn clear(server: &Server) {
    let delete = |table: &String| json!({"op": "delete", "table": table, "where": []});
    server.transact(nb_schema().tables.keys().map(delete).collect());
}

/// The name of the row whose column is this text.
pub(crate) fn find(server: &Server, table: &str, column: &str, text: &str) -> Option<String> {
    let condition = json!([[column, "==", text]]);
    let answer = server.transact(vec![
        json!({"op": "select", "table": table, "where": condition, "columns": ["_uuid"]}),
    ]);
    let row = answer[0]["rows"].as_array()?.first()?;
    Some(row["_uuid"][1].as_str()?.to_owned())
}
