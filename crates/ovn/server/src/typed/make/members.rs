//! One member of a body.

use super::{Making, Manner};
use crate::typed::{Access, Fault, Field, Form, Of, Values, forms, place, read};
use purlin_ovn_core::model::{Change, Child, NAME_KEY, OWNER_KEY, from_natural};
use purlin_ovsdb::{Atom, AtomicType, ColumnType, Datum, Row, Uuid};
use serde_json::Value;
use std::collections::BTreeSet;

type Done = Result<(), Fault>;

impl Making<'_, '_> {
    pub(super) fn member(&mut self, field: &Field, value: &Value) -> Done {
        let is = |value: &Value| read::member(self.state, self.table, field, self.uuid) == *value;
        if !self.new && is(value) {
            return Ok(());
        }
        match field.access {
            Access::Told => return Ok(()),
            Access::Read if self.new && is_blank(value) => return Ok(()),
            Access::Read => {
                let message = "is only shown here; leave it out, or send it back as it is";
                return Err(Fault::new(field.name, value, message));
            }
            Access::Once if !self.new => {
                let message = "is said once, when the object is made; make another one in its place";
                return Err(Fault::new(field.name, value, message));
            }
            Access::Once | Access::Write => {}
        }
        match field.of {
            Of::Column(column) => self.column(field, column, value),
            Of::Map {
                column,
                hidden,
                values,
            } => self.map(field, column, hidden, values, value),
            Of::Key { column, key, form } => self.key(field, column, key, form, value),
            Of::Rows { column, .. } => self.rows(field, column, value),
            Of::Referrers { table, column, .. } => self.referrers(field, table, column, value),
            Of::Parent { table, column, .. } => self.parent(field, table, column, value),
            Of::Children {
                table,
                column,
                fields,
                key,
            } => self.children(field, (table, column), fields, key, value),
            Of::Datapath { .. } | Of::Shown(..) => Ok(()),
        }
    }

    pub(super) fn kind_of(&self, field: &Field, column: &str, value: &Value) -> Result<ColumnType, Fault> {
        let schema = self.state.schema();
        let found = schema.table(self.table).and_then(|table| table.column(column));
        found.map(|column| column.kind.clone()).ok_or_else(|| {
            let message = format!("this OVN (schema {}) knows nothing of it", schema.version);
            Fault::new(field.name, value, message)
        })
    }

    fn column(&mut self, field: &Field, column: &str, value: &Value) -> Done {
        let kind = self.kind_of(field, column, value)?;
        if self.new && value.is_null() && kind.min > 0 {
            // Not said: the database has a default, or the member is needed and missed elsewhere.
            return Ok(());
        }
        let datum = from_natural(value, &kind).map_err(|why| Fault::new(field.name, value, why))?;
        self.row.set(column, datum);
        Ok(())
    }

    fn map(&mut self, field: &Field, column: &str, hidden: &[&str], values: Values, value: &Value) -> Done {
        self.kind_of(field, column, value)?;
        let given = match value {
            Value::Null => Vec::new(),
            Value::Object(given) => given.iter().collect(),
            _ => {
                let message = format!("{value} stands where an object is expected");
                return Err(Fault::new(field.name, value, message));
            }
        };
        let mut pairs = Vec::new();
        let mut gone = Vec::new();
        for (key, value) in given {
            let place = format!("{}.{key}", field.name);
            if hidden.contains(&key.as_str()) {
                let message = "is a member of its own, or kept by the platform";
                return Err(Fault::new(place, value, message));
            }
            match value {
                Value::Null => gone.push(Atom::from(key)),
                value => {
                    let text = forms::map_value(value, values);
                    let text = text.map_err(|why| Fault::new(place, value, why))?;
                    pairs.push((Atom::from(key), text));
                }
            }
        }
        if !self.new && self.manner == Manner::Merge && !value.is_null() {
            self.put_keys(column, pairs, gone);
            return Ok(());
        }
        let present = self.state.value(self.table, self.uuid, column);
        let kept = present.map(Datum::pairs).unwrap_or_default().iter();
        let stays = |key: &str| hidden.contains(&key) || [OWNER_KEY, NAME_KEY].contains(&key);
        let kept = kept.filter(|(key, _)| key.as_str().is_some_and(stays)).cloned();
        let whole = Datum::map(kept.chain(pairs));
        self.row.set(column, whole);
        Ok(())
    }

    /// Keys of a map: into the map that this body brings anyway, else one by one.
    fn put_keys(&mut self, column: &str, pairs: Vec<(Atom, Atom)>, gone: Vec<Atom>) {
        if self.new || self.row.get(column).is_some() {
            let before = self.row.get(column).map(Datum::pairs).unwrap_or_default();
            let stays = |key: &Atom| !gone.contains(key) && !pairs.iter().any(|(own, _)| own == key);
            let before: Vec<(Atom, Atom)> = before.iter().filter(|(key, _)| stays(key)).cloned().collect();
            let whole = Datum::map(before.into_iter().chain(pairs));
            self.row.set(column, whole);
            return;
        }
        if !pairs.is_empty() {
            self.then.push(self.add(column, Datum::map(pairs)));
        }
        if !gone.is_empty() {
            self.then.push(self.remove(column, Datum::set(gone)));
        }
    }

    fn key(&mut self, field: &Field, column: &str, key: &str, form: Form, value: &Value) -> Done {
        let kind = self.kind_of(field, column, value)?;
        let atomic = kind.value.as_ref().map_or(AtomicType::String, |base| base.atomic);
        let written = forms::written(value, form, atomic);
        let (pairs, gone) = match written.map_err(|why| Fault::new(field.name, value, why))? {
            Some(atom) => (vec![(Atom::from(key), atom)], Vec::new()),
            None => (Vec::new(), vec![Atom::from(key)]),
        };
        self.put_keys(column, pairs, gone);
        Ok(())
    }

    /// The row that a word stands for.
    pub(super) fn resolve(&self, field: &Field, table: &str, value: &Value) -> Result<Uuid, Fault> {
        let Some(word) = value.as_str() else {
            let message = format!("{value} stands where the name or UUID of a {table} is expected");
            return Err(Fault::new(field.name, value, message));
        };
        let found = self.aliases.find(self.state, table, word);
        found.map_err(|lost| Fault::new(field.name, value, place::lost(&lost, table, word)))
    }

    /// The rows that a list of words stands for.
    pub(super) fn resolve_all(
        &self,
        field: &Field,
        table: &str,
        value: &Value,
    ) -> Result<BTreeSet<Uuid>, Fault> {
        match value {
            Value::Null => Ok(BTreeSet::new()),
            Value::Array(words) => words
                .iter()
                .map(|word| self.resolve(field, table, word))
                .collect(),
            _ => {
                let message = format!("{value} stands where a list of names or UUIDs of {table} is expected");
                Err(Fault::new(field.name, value, message))
            }
        }
    }

    fn rows(&mut self, field: &Field, column: &str, value: &Value) -> Done {
        let kind = self.kind_of(field, column, value)?;
        let to = read::target(self.state, self.table, column).unwrap_or_default();
        let datum = match (kind.max, value) {
            (1, Value::Null) => Datum::EMPTY,
            // ovncp's own form of nothing.
            (1, Value::String(word)) if word.is_empty() => Datum::EMPTY,
            (1, word) => Datum::from(self.resolve(field, &to, word)?),
            _ => Datum::set(self.resolve_all(field, &to, value)?.into_iter().map(Atom::Uuid)),
        };
        let present = self.state.value(self.table, self.uuid, column);
        if self.new || present.is_none_or(|present| *present != datum) {
            self.row.set(column, datum);
        }
        Ok(())
    }

    fn referrers(&mut self, field: &Field, table: &str, column: &str, value: &Value) -> Done {
        let wanted = self.resolve_all(field, table, value)?;
        let present = self.state.find(table, column, &Atom::Uuid(self.uuid));
        let present: BTreeSet<Uuid> = present.into_iter().collect();
        for row in wanted.difference(&present) {
            self.then.push(self.pointing(table, column, *row, true));
        }
        for row in present.difference(&wanted) {
            self.then.push(self.pointing(table, column, *row, false));
        }
        Ok(())
    }

    /// Lets another row point here, or no more.
    pub(super) fn pointing(&self, table: &str, column: &str, row: Uuid, points: bool) -> Change {
        let (table, own) = (table.to_owned(), Datum::from(self.uuid));
        if read::is_single(self.state, &table, column) {
            let value = if points { own } else { Datum::EMPTY };
            let columns = Row::new().with(column, value);
            return Change::Update {
                table,
                uuid: row,
                row: columns,
            };
        }
        let column = column.to_owned();
        match points {
            true => Change::Add {
                table,
                uuid: row,
                column,
                values: own,
            },
            false => Change::Remove {
                table,
                uuid: row,
                column,
                values: own,
            },
        }
    }

    fn parent(&mut self, field: &Field, table: &str, column: &str, value: &Value) -> Done {
        if is_blank(value) {
            return Ok(());
        }
        let uuid = self.resolve(field, table, value)?;
        if let Some(other) = self.parents.iter().find(|parent| parent.uuid != uuid) {
            let message = format!("it hangs under {} {} already", other.table, other.uuid);
            return Err(Fault::new(field.name, value, message));
        }
        if self.parents.is_empty() {
            self.parents.push(Child {
                table: table.to_owned(),
                uuid,
                column: column.to_owned(),
            });
        }
        Ok(())
    }
}

/// Whether a value says nothing, as clients write it that send all members of a type.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}
