//! Types, values, schemas, conditions and mutations.

use crate::print::text;
use crate::{Outcome, json, unboxed};
use purlin_ovsdb::text::{self as commands, NoNames};
use purlin_ovsdb::{
    Atom, AtomicType, BaseType, ColumnSchema, ColumnType, Condition, DatabaseSchema, Datum, Error, Mutation,
    Names, Row, TableSchema,
};
use serde_json::{Map, Value};

pub(crate) fn run(command: &str, arguments: &[String]) -> Outcome {
    match (command, arguments) {
        ("default-atoms", []) => default_atoms(),
        ("default-data", []) => default_data(),
        ("parse-atomic-type", [kind]) => {
            print(BaseType::parse(&unboxed(kind)?).map(|base| Value::from(base.atomic.name())))
        }
        ("parse-base-type", [kind]) => print(BaseType::parse(&unboxed(kind)?).map(|base| base.to_json())),
        ("parse-type", [kind]) => print(ColumnType::parse(&unboxed(kind)?).map(|kind| kind.to_json())),
        ("parse-column", [name, column]) => {
            print(ColumnSchema::parse(name, &unboxed(column)?).map(|column| column.to_json()))
        }
        ("parse-table", [name, table]) => {
            print(TableSchema::parse(name, &unboxed(table)?, false).map(|table| table.to_json(false)))
        }
        ("parse-table", [name, table, root]) => print(
            TableSchema::parse(name, &unboxed(table)?, false).map(|table| table.to_json(root == "true")),
        ),
        ("parse-schema", [schema]) => {
            print(DatabaseSchema::parse(&json(schema)?).map(|schema| schema.to_json()))
        }
        ("parse-atoms", [kind, atoms @ ..]) => parse_atoms(kind, atoms),
        ("parse-atom-strings", [kind, atoms @ ..]) => parse_atom_strings(kind, atoms),
        ("parse-data-strings", [kind, data @ ..]) => parse_data_strings(kind, data),
        ("sort-atoms", [kind, atoms]) => sort_atoms(kind, atoms),
        ("parse-data", [kind, data @ ..]) => parse_data(kind, data),
        ("diff-data", [kind, data @ ..]) => diff_data(kind, data),
        ("parse-rows", [table, rows @ ..]) => parse_rows(&open(table)?, rows),
        ("compare-rows", [table, rows @ ..]) => compare_rows(&open(table)?, rows),
        ("parse-conditions", [table, conditions @ ..]) => each(conditions, |clauses| {
            let table = open(table)?;
            let parsed = list(clauses)?
                .iter()
                .map(|clause| Condition::parse(&table, clause, Names::Refused).map(|c| c.to_json()));
            parsed
                .collect::<Result<_, _>>()
                .map(Value::Array)
                .map_err(|fault| fault.to_string())
        }),
        ("parse-mutations", [table, mutations @ ..]) => each(mutations, |set| {
            let table = open(table)?;
            let parsed = list(set)?
                .iter()
                .map(|one| Mutation::parse(&table, "mytable", one, Names::Refused).map(|m| m.to_json()));
            parsed
                .collect::<Result<_, _>>()
                .map(Value::Array)
                .map_err(|fault| fault.to_string())
        }),
        ("evaluate-conditions", [table, conditions, rows]) => evaluate(&open(table)?, conditions, rows, true),
        ("evaluate-conditions-any", [table, conditions, rows]) => {
            evaluate(&open(table)?, conditions, rows, false)
        }
        ("compare-conditions", [table, conditions]) => compare_conditions(&open(table)?, conditions),
        ("execute-mutations", [table, mutations, rows]) => execute(&open(table)?, mutations, rows),
        _ => Err(format!(
            "unknown command '{command}', or other arguments than it takes"
        )),
    }
}

fn print(value: Result<Value, Error>) -> Outcome {
    println!("{}", text(&value.map_err(|fault| fault.to_string())?));
    Ok(())
}

fn open(table: &str) -> Result<TableSchema, String> {
    TableSchema::parse("mytable", &unboxed(table)?, false).map_err(|fault| fault.to_string())
}

fn list(json: &Value) -> Result<&Vec<Value>, String> {
    json.as_array()
        .ok_or_else(|| format!("\"{json}\" is no JSON array"))
}

/// Prints each, and goes on after a fault.
fn each(texts: &[String], read: impl Fn(&Value) -> Result<Value, String>) -> Outcome {
    let mut outcome = Ok(());
    for one in texts {
        match read(&json(one)?) {
            Ok(value) => println!("{}", text(&value)),
            Err(fault) => {
                eprintln!("test-ovsdb: {fault}");
                outcome = Err(String::new());
            }
        }
    }
    outcome
}

fn default_atoms() -> Outcome {
    for kind in AtomicType::ALL {
        let right = Atom::default_of(kind).kind() == kind;
        println!("{kind}: {}", if right { "OK" } else { "wrong" });
    }
    Ok(())
}

fn default_data() -> Outcome {
    for min in 0..2 {
        for key in AtomicType::ALL {
            let values = AtomicType::ALL.into_iter().map(Some);
            for value in [None].into_iter().chain(values) {
                let kind = ColumnType {
                    key: BaseType::any(key),
                    value: value.map(BaseType::any),
                    min,
                    max: 1,
                };
                let right = Datum::default_of(&kind).len() == min as usize;
                let (shown, right) = (
                    value.map_or("void", AtomicType::name),
                    if right { "OK" } else { "wrong" },
                );
                println!("key {key}, value {shown}, n_min {min}: {right}");
            }
        }
    }
    Ok(())
}

fn parse_atoms(kind: &str, atoms: &[String]) -> Outcome {
    let base = BaseType::parse(&unboxed(kind)?).map_err(|fault| fault.to_string())?;
    for atom in atoms {
        match Atom::parse(&base, &unboxed(atom)?, Names::Refused) {
            Ok(atom) => println!("{}", text(&atom.to_json())),
            Err(fault) => println!("{fault}"),
        }
    }
    Ok(())
}

/// In the syntax of command lines; a range of integers comes back as one.
fn parse_atom_strings(kind: &str, atoms: &[String]) -> Outcome {
    let base = BaseType::parse(&unboxed(kind)?).map_err(|fault| fault.to_string())?;
    for one in atoms {
        let atoms = commands::atoms(&base, one, &mut NoNames)?;
        let ends = [atoms.first(), atoms.last().filter(|_| atoms.len() > 1)];
        let ends: Vec<_> = ends.into_iter().flatten().map(commands::quoted).collect();
        println!("{}", ends.join("-"));
    }
    Ok(())
}

fn parse_data_strings(kind: &str, data: &[String]) -> Outcome {
    let kind = ColumnType::parse(&unboxed(kind)?).map_err(|fault| fault.to_string())?;
    for one in data {
        let value = commands::datum(&kind, one, &mut NoNames)?;
        println!("{}", commands::datum_text(&value, &kind));
    }
    Ok(())
}

fn compare_conditions(table: &TableSchema, conditions: &str) -> Outcome {
    let read = |clauses: &Value| {
        let read = list(clauses)?
            .iter()
            .map(|clause| Condition::parse(table, clause, Names::Refused));
        let mut clauses: Vec<_> = read
            .collect::<Result<_, _>>()
            .map_err(|fault| fault.to_string())?;
        clauses.sort();
        Ok((clauses.len(), clauses))
    };
    let all: Vec<_> = list(&json(conditions)?)?
        .iter()
        .map(read)
        .collect::<Result<_, String>>()?;
    for (at, two) in all.windows(2).enumerate() {
        println!("condition {at}-{}: {}", at + 1, two[0].cmp(&two[1]) as i8);
    }
    Ok(())
}

fn sort_atoms(kind: &str, atoms: &str) -> Outcome {
    let base = BaseType::parse(&unboxed(kind)?).map_err(|fault| fault.to_string())?;
    let atoms = json(atoms)?;
    let read = list(&atoms)?
        .iter()
        .map(|atom| Atom::parse(&base, atom, Names::Refused));
    let mut read: Vec<Atom> = read
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.to_string())?;
    read.sort();
    println!(
        "{}",
        text(&Value::Array(read.iter().map(Atom::to_json).collect()))
    );
    Ok(())
}

fn column(kind: &str) -> Result<ColumnType, String> {
    ColumnType::parse(&unboxed(kind)?).map_err(|fault| fault.to_string())
}

fn parse_data(kind: &str, data: &[String]) -> Outcome {
    let kind = column(kind)?;
    for datum in data {
        print(Datum::parse(&kind, &unboxed(datum)?, Names::Refused).map(|datum| datum.to_json()))?;
    }
    Ok(())
}

fn diff_data(kind: &str, data: &[String]) -> Outcome {
    let kind = column(kind)?;
    // What a difference or a value on its way may be: more than the column takes.
    let loose = ColumnType {
        max: if kind.max > 1 {
            ColumnType::UNLIMITED
        } else {
            kind.max
        },
        ..kind.clone()
    };
    for pair in data.chunks_exact(2) {
        let read = |kind: &ColumnType, text: &str| {
            Datum::parse(kind, &unboxed(text)?, Names::Refused).map_err(|fault| fault.to_string())
        };
        let (old, new) = (read(&kind, &pair[0])?, read(&loose, &pair[1])?);
        let nothing = if kind.value.is_some() {
            Datum::EMPTY_MAP
        } else {
            Datum::EMPTY
        };
        let diff = old.diff(&new, &kind);
        let applied = diff
            .as_ref()
            .map_or_else(|| old.clone(), |diff| old.apply(diff, &kind));
        if applied.len() > kind.max as usize {
            // The words are those of the original, which they judge.
            return Err("ovsdb error: Datum crated by diff has size error".to_owned());
        }
        if applied != new {
            return Err("failed to apply diff".to_owned());
        }
        println!("diff: {}", text(&diff.unwrap_or(nothing).to_json()));
        let applied = text(&applied.to_json());
        println!("apply diff: {applied}\napply diff in place: {applied}\nOK");
    }
    Ok(())
}

/// All columns, those at their defaults too.
fn whole(table: &TableSchema, row: &Row) -> Value {
    let columns = table.columns.iter().map(|(name, column)| {
        let value = row.get(name).cloned();
        (
            name.clone(),
            value.unwrap_or_else(|| Datum::default_of(&column.kind)).to_json(),
        )
    });
    let nobody = Value::from(vec!["uuid", "00000000-0000-0000-0000-000000000000"]);
    let own = ["_uuid", "_version"].map(|name| (name.to_owned(), nobody.clone()));
    Value::Object(columns.chain(own).collect::<Map<_, _>>())
}

fn row(table: &TableSchema, json: &Value) -> Result<Row, String> {
    Row::parse(table, json, Names::Refused).map_err(|fault| fault.to_string())
}

fn parse_rows(table: &TableSchema, rows: &[String]) -> Outcome {
    for one in rows {
        let row = row(table, &unboxed(one)?)?;
        let names: Vec<_> = row.columns().map(|(name, _)| name).collect();
        println!("{}", text(&whole(table, &row)));
        println!(
            "{}",
            if names.is_empty() {
                "<none>".to_owned()
            } else {
                names.join(", ")
            }
        );
    }
    Ok(())
}

fn compare_rows(table: &TableSchema, rows: &[String]) -> Outcome {
    let read = |one: &String| match json(one)?.as_array().map(Vec::as_slice) {
        Some([Value::String(name), data]) => Ok((name.clone(), whole(table, &row(table, data)?))),
        _ => Err(format!(
            "\"{one}\" does not have expected form [\"name\", {{data}}]"
        )),
    };
    let rows: Vec<_> = rows.iter().map(read).collect::<Result<_, String>>()?;
    for (at, (name, row)) in rows.iter().enumerate() {
        for (other, _) in rows[at + 1..].iter().filter(|(_, other)| other == row) {
            println!("{name} == {other}");
        }
    }
    Ok(())
}

fn evaluate(table: &TableSchema, conditions: &str, rows: &str, every: bool) -> Outcome {
    let rows = json(rows)?;
    let rows: Vec<Row> = list(&rows)?
        .iter()
        .map(|json| row(table, json))
        .collect::<Result<_, _>>()?;
    for (at, clauses) in list(&json(conditions)?)?.iter().enumerate() {
        let read = list(clauses)?
            .iter()
            .map(|clause| Condition::parse(table, clause, Names::Refused));
        let clauses: Vec<_> = read
            .collect::<Result<_, _>>()
            .map_err(|fault| fault.to_string())?;
        print!("condition {at:2}:");
        for (at, row) in rows.iter().enumerate() {
            let holds = |clause: &Condition| clause.matches(table, row);
            let found = if every {
                clauses.iter().all(holds)
            } else {
                clauses.is_empty() || clauses.iter().any(holds)
            };
            print!(
                "{}{}",
                if at.is_multiple_of(5) { " " } else { "" },
                if found { 'T' } else { '-' }
            );
        }
        println!();
    }
    Ok(())
}

fn execute(table: &TableSchema, mutations: &str, rows: &str) -> Outcome {
    let rows = json(rows)?;
    let rows: Vec<Row> = list(&rows)?
        .iter()
        .map(|json| row(table, json))
        .collect::<Result<_, _>>()?;
    for (at, set) in list(&json(mutations)?)?.iter().enumerate() {
        let read = list(set)?
            .iter()
            .map(|one| Mutation::parse(table, "mytable", one, Names::Refused));
        let set: Vec<_> = read
            .collect::<Result<_, _>>()
            .map_err(|fault| fault.to_string())?;
        println!("mutation {at:2}:");
        for (at, old) in rows.iter().enumerate() {
            let mut new = old.clone();
            let done = set
                .iter()
                .try_for_each(|mutation| mutation.apply(table, &mut new));
            println!(
                "row {at}: {}",
                done.map_or_else(|fault| fault.to_string(), |()| changed(table, old, &new))
            );
        }
        println!();
    }
    Ok(())
}

fn changed(table: &TableSchema, old: &Row, new: &Row) -> String {
    let (old, Value::Object(mut new)) = (whole(table, old), whole(table, new)) else {
        unreachable!("rows are objects")
    };
    new.retain(|name, value| old[name.as_str()] != *value);
    if new.is_empty() {
        "no change".to_owned()
    } else {
        text(&Value::Object(new))
    }
}
