//! One change of a request, read in one go: a choice by `op` would read each twice.

use super::Order;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    op: Op,
    table: String,
    #[serde(default, deserialize_with = "given")]
    columns: Option<Map<String, Value>>,
    #[serde(default, deserialize_with = "given")]
    parent: Option<Word>,
    #[serde(default, deserialize_with = "given")]
    r#as: Option<Word>,
    #[serde(default, deserialize_with = "given")]
    row: Option<String>,
    #[serde(default, deserialize_with = "given")]
    column: Option<String>,
    #[serde(default, deserialize_with = "given")]
    values: Option<Value>,
}

/// A word, or `null` where there is none.
#[derive(Debug, Default, Deserialize)]
struct Word(Option<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Insert,
    Update,
    Add,
    Remove,
    Delete,
}

/// Of a member that is there: `null` is said, too.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl Op {
    const fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Delete => "delete",
        }
    }

    /// What its orders have beside `op` and `table`.
    const fn members(self) -> &'static [&'static str] {
        match self {
            Self::Insert => &["columns", "parent", "as"],
            Self::Update => &["row", "columns"],
            Self::Add | Self::Remove => &["row", "column", "values"],
            Self::Delete => &["row"],
        }
    }
}

impl Told {
    /// A member that orders of its kind do not have.
    fn stray(&self) -> Option<&'static str> {
        let given = [
            ("columns", self.columns.is_some()),
            ("parent", self.parent.is_some()),
            ("as", self.r#as.is_some()),
            ("row", self.row.is_some()),
            ("column", self.column.is_some()),
            ("values", self.values.is_some()),
        ];
        let known = self.op.members();
        let mut given = given.into_iter().filter(|(_, given)| *given);
        given.find_map(|(name, _)| (!known.contains(&name)).then_some(name))
    }
}

impl TryFrom<Told> for Order {
    type Error = String;

    fn try_from(told: Told) -> Result<Self, String> {
        let op = told.op.word();
        if let Some(stray) = told.stray() {
            let known = told.op.members().join("`, `");
            return Err(format!(
                "unknown field `{stray}` of `{op}`, expected `table`, `{known}`"
            ));
        }
        let missing = |name: &str| format!("missing field `{name}` of `{op}`");
        let row = || told.row.ok_or_else(|| missing("row"));
        let columns = || told.columns.ok_or_else(|| missing("columns"));
        let column = || told.column.ok_or_else(|| missing("column"));
        let values = || told.values.ok_or_else(|| missing("values"));
        let table = told.table;
        Ok(match told.op {
            Op::Insert => Self::Insert {
                table,
                columns: columns()?,
                parent: told.parent.unwrap_or_default().0,
                r#as: told.r#as.unwrap_or_default().0,
            },
            Op::Update => Self::Update {
                table,
                row: row()?,
                columns: columns()?,
            },
            Op::Add => Self::Add {
                table,
                row: row()?,
                column: column()?,
                values: values()?,
            },
            Op::Remove => Self::Remove {
                table,
                row: row()?,
                column: column()?,
                values: values()?,
            },
            Op::Delete => Self::Delete { table, row: row()? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(order: Value) -> Result<Order, String> {
        serde_json::from_value(order).map_err(|error| error.to_string())
    }

    #[test]
    fn each_order_has_its_own_members() {
        let port = json!({ "op": "insert", "table": "Logical_Switch_Port", "columns": {}, "as": "p" });
        assert!(
            matches!(read(port), Ok(Order::Insert { r#as: Some(name), parent: None, .. }) if name == "p")
        );
        let alone = json!({ "op": "insert", "table": "ACL", "columns": {}, "parent": null });
        assert!(matches!(read(alone), Ok(Order::Insert { parent: None, .. })));
        let gone = json!({ "op": "delete", "table": "ACL", "row": "web" });
        assert!(matches!(read(gone), Ok(Order::Delete { .. })));
        let none = json!({ "op": "add", "table": "ACL", "row": "web", "column": "label", "values": null });
        assert!(matches!(
            read(none),
            Ok(Order::Add {
                values: Value::Null,
                ..
            })
        ));
    }

    #[test]
    fn what_is_missing_or_does_not_belong_there_is_named() {
        let check = |order: Value, words: [&str; 2]| {
            let said = read(order).expect_err("it is refused");
            assert!(words.iter().all(|word| said.contains(word)), "{said}");
        };
        let stray = json!({ "op": "delete", "table": "ACL", "row": "web", "columns": {} });
        check(stray, ["unknown field `columns`", "`delete`"]);
        check(
            json!({ "op": "update", "table": "ACL", "row": "web" }),
            ["missing field `columns`", "`update`"],
        );
        check(
            json!({ "op": "move", "table": "ACL" }),
            ["unknown variant `move`", "`insert`"],
        );
        check(
            json!({ "op": "delete", "table": "ACL", "rwo": "web" }),
            ["unknown field `rwo`", "`row`"],
        );
        check(json!({ "table": "ACL" }), ["missing field", "op"]);
        let nothing = json!({ "op": "delete", "table": "ACL", "row": "web", "parent": null });
        check(nothing, ["unknown field `parent`", "`delete`"]);
    }
}
