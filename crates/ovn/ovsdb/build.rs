//! Writes typed rows for the tables of OVN's schemas: one file per schema, included by `src/nb.rs` and `src/sb.rs`.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let out = env::var("OUT_DIR").expect("cargo says where to write");
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["nb", "sb"] {
        let file = format!("schemas/ovn-{name}.ovsschema");
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read_to_string(&file).expect("the schema is part of the crate");
        let schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
        fs::write(Path::new(&out).join(format!("{name}.rs")), generate(&schema))
            .expect("the folder can be written");
    }
}

fn generate(schema: &Value) -> String {
    let version = schema["version"].as_str().expect("a schema has a version");
    let database = schema["name"].as_str().expect("a schema has a name");
    let mut code = format!("/// The database's name.\npub const DATABASE: &str = \"{database}\";\n");
    writeln!(code, "/// The version of the schema that these types were made from.\npub const VERSION: &str = \"{version}\";").expect("a string takes it");
    for (name, table) in schema["tables"].as_object().expect("a schema has tables") {
        code.push_str(&generate_table(name, table));
    }
    code
}

fn generate_table(name: &str, table: &Value) -> String {
    let kind = camel(name);
    let (mut consts, mut getters, mut wanted) = (String::new(), String::new(), String::new());
    for (column, schema) in table["columns"].as_object().expect("a table has columns") {
        let (constant, getter) = (constant(column), identifier(column));
        let (holds, about) = (holds(&schema["type"]), about(&schema["type"]));
        let _ = writeln!(
            consts,
            "    /// Column `{column}`{about}\n    pub const {constant}: Column<{holds}> = Column::new(\"{name}\", \"{column}\");"
        );
        let _ = writeln!(
            getters,
            "    /// Column `{column}`{about}\n    #[must_use]\n    pub fn {getter}(&self) -> <{holds} as Kind>::Value<'a> {{ self.0.read(Self::{constant}) }}"
        );
        let _ = write!(wanted, "Self::{constant}.wanted(), ");
    }
    let root = if table["isRoot"] == true {
        "rows stay until they are deleted"
    } else {
        "rows go with the last row that points to them"
    };
    format!(
        "/// A row of `{name}`; {root}.\n#[derive(Debug, Clone, Copy)]\npub struct {kind}<'a>(RowRef<'a>);\n\
         impl {kind}<'_> {{\n    /// The table's name.\n    pub const TABLE: &'static str = \"{name}\";\n{consts}}}\n\
         impl<'a> {kind}<'a> {{\n{getters}}}\n\
         impl<'a> From<RowRef<'a>> for {kind}<'a> {{\n    fn from(row: RowRef<'a>) -> Self {{ Self(row) }}\n}}\n\
         impl<'a> TypedRow<'a> for {kind}<'a> {{\n    const TABLE: &'static str = \"{name}\";\n\
         fn columns() -> Vec<Wanted> {{ vec![{wanted}] }}\n    fn row(&self) -> RowRef<'a> {{ self.0 }}\n}}\n"
    )
}

/// `Logical_Switch_Port` becomes `LogicalSwitchPort`, `ACL` becomes `Acl`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        let shouted = word.chars().all(|c| !c.is_lowercase());
        first.to_uppercase()
            + &if shouted {
                rest.to_lowercase()
            } else {
                rest.to_owned()
            }
    };
    name.split('_').map(word).collect()
}

fn constant(column: &str) -> String {
    match column {
        "table" => "TABLE_COLUMN".to_owned(),
        _ => column.to_uppercase(),
    }
}

fn identifier(column: &str) -> String {
    let name = column.to_lowercase();
    if matches!(
        name.as_str(),
        "type" | "match" | "static" | "ref" | "use" | "where"
    ) {
        return format!("r#{name}");
    }
    name
}

fn holds(kind: &Value) -> String {
    let key = atomic(kind.get("key").unwrap_or(kind));
    if let Some(value) = kind.get("value") {
        return format!("Map<{key}, {}>", atomic(value));
    }
    let bound = |name: &str| kind.get(name).map_or(Some(1), Value::as_u64);
    match (bound("min"), bound("max")) {
        (Some(1), Some(1)) => key.to_owned(),
        (Some(0), Some(1)) => format!("Optional<{key}>"),
        _ => format!("Set<{key}>"),
    }
}

fn atomic(base: &Value) -> &'static str {
    match base.as_str().or_else(|| base["type"].as_str()) {
        Some("integer") => "Integer",
        Some("real") => "Real",
        Some("boolean") => "Boolean",
        Some("string") => "Text",
        Some("uuid") => "Reference",
        other => panic!("an unknown type: {other:?}"),
    }
}

/// What the type does not say: where a reference points, which values are allowed.
fn about(kind: &Value) -> String {
    let key = kind.get("key").unwrap_or(kind);
    if let Some(table) = key.get("refTable").and_then(Value::as_str) {
        return format!(": rows of [`{}`].", camel(table));
    }
    if let Some(allowed) = key["enum"][1].as_array() {
        let allowed: Vec<_> = allowed
            .iter()
            .map(|value| format!("`{}`", value.to_string().trim_matches('"')))
            .collect();
        return format!(": one of {}.", allowed.join(", "));
    }
    ".".to_owned()
}
