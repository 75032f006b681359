//! A command line over a snapshot: what is to be sent, and what is to be printed when it has happened.

use crate::context::Context;
use crate::symbols::{Mint, Symbols};
use crate::syntax::Command;
use crate::table::{Style, Table};
use crate::warning::Warning;
use crate::work::{Built, Work};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{
    Atom, Condition, DatabaseSchema, Datum, Mutation, Mutator, Operation, Outcome, Str, Transaction, Uuid,
};
use std::collections::BTreeMap;

/// What happens to a command line besides its commands.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Words for the server's log.
    pub comment: String,
    /// Raise `nb_cfg`, by which one can see how far others have followed.
    pub count: bool,
    /// Raise it also when nothing else changes.
    pub count_always: bool,
    /// Let the server try it and forget it.
    pub dry_run: bool,
}

/// What one command printed.
#[derive(Debug, Clone, PartialEq)]
enum Printed {
    Text(String),
    Table(Table),
    /// The name of a new row; which operation brings it.
    Row(Uuid, Option<usize>),
}

/// What is to be sent, and what is to be printed when it has happened.
#[derive(Debug)]
pub struct Plan {
    /// What is to be sent; nothing where nothing changes.
    pub transaction: Option<Transaction>,
    /// Which operation tells what `nb_cfg` came to.
    counter: Option<usize>,
    printed: Vec<Printed>,
}

/// What became of a command line.
#[derive(Debug)]
pub enum Planned {
    /// It can be carried out.
    Ready(Plan),
    /// Something that it waits for is not so yet.
    NotYet,
}

/// Runs the commands. Warnings are told also when it fails.
///
/// # Errors
/// The sentence with which the first command that cannot be carried out refuses.
pub fn run(
    commands: &[Command],
    database: &Database,
    schema: &DatabaseSchema,
    mint: Mint,
    manner: &Manner,
    warnings: &mut Vec<Warning>,
) -> Result<Planned, String> {
    let mut work = Work::new(database, schema);
    let mut symbols = Symbols::new(mint);
    let global = global(&mut work, &mut symbols);
    let mut printed = Vec::with_capacity(commands.len());
    for (at, command) in commands.iter().enumerate() {
        let mut ctx = Context {
            command,
            work: &mut work,
            symbols: &mut symbols,
            warnings,
            output: String::new(),
            table: None,
            created: None,
            again: false,
            last: at + 1 == commands.len(),
        };
        (command.syntax.run)(&mut ctx)?;
        if ctx.again {
            return Ok(Planned::NotYet);
        }
        printed.push(match (ctx.created, ctx.table) {
            (Some(uuid), _) => Printed::Row(uuid, None),
            (None, Some(table)) => Printed::Table(table),
            (None, None) => Printed::Text(ctx.output),
        });
    }
    check_names(&symbols, warnings)?;
    let mut plan = finish(work.build(), printed, manner, global);
    if manner.dry_run
        && let Some(transaction) = &mut plan.transaction
    {
        transaction.push(Operation::Abort);
    }
    Ok(Planned::Ready(plan))
}

/// The one row of `NB_Global`, which every command line brings where it is missing; and its `nb_cfg`.
fn global(work: &mut Work<'_>, symbols: &mut Symbols) -> (Atom, i64) {
    const TABLE: &str = "NB_Global";
    if let Some(uuid) = work.rows(TABLE).first() {
        let count = work.value(TABLE, *uuid, "nb_cfg");
        let count = count.one().and_then(Atom::as_integer).unwrap_or(0);
        return (Atom::Uuid(*uuid), count);
    }
    let uuid = symbols.mint.uuid();
    work.insert(TABLE, uuid);
    let name = crate::work::name_of(uuid);
    (Atom::Named(Str::from(name)), 0)
}

fn check_names(symbols: &Symbols, warnings: &mut Vec<Warning>) -> Result<(), String> {
    for (name, symbol) in symbols.iter() {
        if !symbol.created {
            return Err(format!(
                "row id \"{name}\" is referenced but never created (e.g. with \"-- --id={name} create ...\")"
            ));
        }
        if !symbol.strong {
            let what = if symbol.weak {
                "only a weak reference to it was inserted"
            } else {
                "no reference to it was inserted"
            };
            let text = format!(
                "row id \"{name}\" was created but {what}, so it will not actually appear in the database"
            );
            warnings.push(Warning::warn("ovn_dbctl", text));
        }
    }
    Ok(())
}

fn finish(built: Built, mut printed: Vec<Printed>, manner: &Manner, global: (Atom, i64)) -> Plan {
    let Built {
        mut transaction,
        inserts,
        changes,
    } = built;
    let inserts: BTreeMap<Uuid, usize> = inserts.into_iter().map(|(at, uuid)| (uuid, at)).collect();
    for one in &mut printed {
        if let Printed::Row(uuid, at) = one {
            *at = inserts.get(uuid).copied();
        }
    }
    let count = manner.count && (changes || manner.count_always);
    if !changes && !count {
        return Plan {
            transaction: None,
            counter: None,
            printed,
        };
    }
    let counter = count.then(|| raise(&mut transaction, global));
    transaction.comment(manner.comment.clone());
    Plan {
        transaction: Some(transaction),
        counter,
        printed,
    }
}

/// Raises `nb_cfg`, and says which operation tells what it came to.
fn raise(transaction: &mut Transaction, (row, now): (Atom, i64)) -> usize {
    let conditions = vec![Condition::equal("_uuid", row)];
    let table = Str::from("NB_Global");
    if now == i64::MAX {
        transaction.push(Operation::Update {
            table: table.clone(),
            conditions: conditions.clone(),
            row: purlin_ovsdb::Row::new().with("nb_cfg", 0),
        });
    }
    transaction.push(Operation::Mutate {
        table: table.clone(),
        conditions: conditions.clone(),
        mutations: vec![Mutation::new("nb_cfg", Mutator::Add, Datum::from(1))],
    });
    transaction.push(Operation::Select {
        table,
        conditions,
        columns: Some(vec![Str::from("nb_cfg")]),
    });
    transaction.len() - 1
}

impl Plan {
    /// What `nb_cfg` came to.
    #[must_use]
    pub fn counted(&self, outcome: &Outcome) -> Option<i64> {
        let rows = outcome.done.get(self.counter?)?.rows.as_ref()?;
        rows.first()?.get("nb_cfg")?.as_i64()
    }

    /// What is printed, all commands together.
    #[must_use]
    pub fn print(&self, outcome: Option<&Outcome>, style: &Style, oneline: bool) -> String {
        let mut text = String::new();
        let mut first = true;
        for printed in &self.printed {
            let lines = match printed {
                Printed::Table(table) => {
                    text.push_str(&table.print(style, first));
                    first = false;
                    continue;
                }
                Printed::Text(lines) => lines.clone(),
                Printed::Row(uuid, at) => {
                    let real = at.and_then(|at| outcome?.done.get(at)?.uuid);
                    format!("{}\n", real.unwrap_or(*uuid))
                }
            };
            if oneline {
                text.push_str(&one_line(&lines));
            } else {
                text.push_str(&lines);
            }
        }
        text
    }
}

/// Line ends and backslashes escaped, a line end after it.
fn one_line(lines: &str) -> String {
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    format!("{}\n", lines.replace('\\', "\\\\").replace('\n', "\\n"))
}
