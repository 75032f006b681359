//! Changes put on a state, so that what comes after them in one request finds what they brought.
//!
//! It checks nothing: the plan looks at all of it again.

use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::{Atom, Datum, Row, Uuid};

pub(crate) fn stage(state: &mut State<'_>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Insert {
                table,
                uuid,
                row,
                parent,
            } => {
                state.put(table, *uuid, Some(row));
                if let Some(parent) = parent {
                    add(
                        state,
                        &parent.table,
                        parent.uuid,
                        &parent.column,
                        &Datum::from(*uuid),
                    );
                }
            }
            Change::Restore { table, uuid, row } => state.put(table, *uuid, Some(row)),
            Change::Update { table, uuid, row } => update(state, table, *uuid, row),
            Change::Add {
                table,
                uuid,
                column,
                values,
            } => add(state, table, *uuid, column, values),
            Change::Remove {
                table,
                uuid,
                column,
                values,
            } => remove(state, table, *uuid, column, values),
            Change::Delete { table, uuid } => state.put(table, *uuid, None),
        }
    }
}

fn update(state: &mut State<'_>, table: &str, uuid: Uuid, row: &Row) {
    let Some(mut whole) = state.row(table, uuid) else {
        return;
    };
    for (name, value) in row.columns() {
        whole.set(name, value.clone());
    }
    state.put(table, uuid, Some(&whole));
}

fn add(state: &mut State<'_>, table: &str, uuid: Uuid, column: &str, values: &Datum) {
    let before = state.value(table, uuid, column).cloned().unwrap_or(Datum::EMPTY);
    let after = match values.pairs() {
        [] => Datum::set(before.atoms().iter().chain(values.atoms()).cloned()),
        pairs => Datum::map(before.pairs().iter().chain(pairs).cloned()),
    };
    update(state, table, uuid, &Row::new().with(column, after));
}

fn remove(state: &mut State<'_>, table: &str, uuid: Uuid, column: &str, values: &Datum) {
    let before = state.value(table, uuid, column).cloned().unwrap_or(Datum::EMPTY);
    let goes = |atom: &Atom| values.contains(atom) || values.get(atom).is_some();
    let after = match before.pairs() {
        [] => Datum::set(before.atoms().iter().filter(|atom| !goes(atom)).cloned()),
        pairs => Datum::map(pairs.iter().filter(|(key, _)| !goes(key)).cloned()),
    };
    update(state, table, uuid, &Row::new().with(column, after));
}
