//! Changes in the suite's own small language: `set 1 b 1, verify 1 s, increment 0`.

use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::{Client, CommitError, Replica, Snapshot};
use purlin_ovsdb::{
    Atom, Condition, Datum, Failure, Insert, Mutation, Mutator, Operation, Row, Transaction, Uuid, Wait,
};

const TABLE: &str = "simple";

/// What to print, and whether it was refused.
pub(super) async fn run(
    client: &Client,
    replica: &Replica,
    snapshot: &Snapshot,
    commands: &str,
) -> Result<(String, bool), String> {
    let mut change = Transaction::new();
    let (mut counted, mut fresh) = (false, Vec::<Insert>::new());
    for command in commands.split(',') {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["set", i, column, value] if in_fresh(&fresh, i).is_some() => {
                let at = in_fresh(&fresh, i).ok_or("it was there just now")?;
                fresh[at].row.set(column, atom(column, value)?);
            }
            ["delete", i] if in_fresh(&fresh, i).is_some() => {
                let at = in_fresh(&fresh, i).ok_or("it was there just now")?;
                fresh.remove(at);
            }
            // A row of this very transaction is as we want it.
            ["verify", i, _] if in_fresh(&fresh, i).is_some() => {}
            ["set", i, column, value] => {
                let row = find(snapshot, i)?;
                change.update(TABLE, row.uuid(), Row::new().with(column, atom(column, value)?));
            }
            ["insert", i] => fresh.push(Insert::new(TABLE).with("i", atom("i", i)?)),
            ["insert_uuid", uuid, i] => {
                let uuid: Uuid = uuid.parse().map_err(|fault| format!("{fault}"))?;
                fresh.push(Insert::new(TABLE).with("i", atom("i", i)?).uuid(uuid));
            }
            ["delete", i] => change.delete(TABLE, find(snapshot, i)?.uuid()),
            ["verify", i, column] => {
                let row = find(snapshot, i)?;
                // As the original does, for whatever reason: `u` looks at `s`.
                let column = if *column == "u" { "s" } else { column };
                let value = row
                    .get(column)
                    .ok_or("\"verify\" command asks for unknown column")?;
                change.wait(Wait::unchanged(
                    TABLE,
                    row.uuid(),
                    Row::new().with(column, value.clone()),
                ));
            }
            ["increment", i] => {
                let uuid = find(snapshot, i)?.uuid();
                change.mutate(TABLE, uuid, [Mutation::new("i", Mutator::Add, 1)]);
                let (table, conditions) = (TABLE.into(), vec![Condition::row(uuid)]);
                change.push(Operation::Select {
                    table,
                    conditions,
                    columns: Some(vec!["i".into()]),
                });
                counted = true;
            }
            ["abort"] => return Ok(("commit, status=aborted".to_owned(), false)),
            ["destroy"] => return Ok(("destroy".to_owned(), false)),
            _ => return Err(format!("unknown command {command}")),
        }
    }
    for insert in fresh {
        change.insert(insert);
    }
    if change.is_empty() {
        return Ok(("commit, status=unchanged".to_owned(), false));
    }
    let unchanged = change.is_read();
    Ok(match client.commit(change.repeatable()).await {
        Ok(_) if unchanged => ("commit, status=unchanged".to_owned(), false),
        Ok(committed) => {
            replica.has_seen(&committed).await;
            let rows = committed.outcome.done.iter().find_map(|done| done.rows.as_ref());
            let count = rows
                .and_then(|rows| rows.first())
                .map(|row| format!(", increment={}", row["i"]));
            let count = count.filter(|_| counted).unwrap_or_default();
            (format!("commit, status=success{count}"), false)
        }
        Err(CommitError::Refused(refusal)) if refusal.failure == Failure::TimedOut => {
            ("commit, status=try again".to_owned(), false)
        }
        Err(CommitError::Refused(refusal)) => {
            eprintln!("test-ovsdb: {refusal}");
            ("commit, status=error".to_owned(), true)
        }
        Err(other) => return Err(other.to_string()),
    })
}

/// Rows of this very transaction are found too.
fn in_fresh(fresh: &[Insert], i: &str) -> Option<usize> {
    let wanted = atom("i", i).ok()?;
    fresh
        .iter()
        .position(|insert| insert.row.get("i").and_then(Datum::one) == Some(&wanted))
}

fn find<'a>(snapshot: &'a Snapshot, i: &str) -> Result<RowRef<'a>, String> {
    let wanted: i64 = i.parse().map_err(|_| format!("{i} is no number"))?;
    let rows = snapshot.table(TABLE).into_iter().flat_map(|table| table.rows());
    let mut rows = rows.filter(|row| row.get("i").and_then(|i| i.one()?.as_integer()) == Some(wanted));
    rows.next()
        .ok_or_else(|| format!("command asks for nonexistent i={i}"))
}

fn atom(column: &str, value: &str) -> Result<Atom, String> {
    let fault = || format!("\"{value}\" is no value for {column}");
    match column {
        "b" => Ok(Atom::from(value != "0")),
        "s" => Ok(Atom::from(value)),
        "u" => value.parse::<Uuid>().map(Atom::from).map_err(|_| fault()),
        "r" => value.parse::<f64>().map(Atom::from).map_err(|_| fault()),
        "i" => value.parse::<i64>().map(Atom::from).map_err(|_| fault()),
        _ => Err(format!("\"set\" command asks for unknown column {column}")),
    }
}
