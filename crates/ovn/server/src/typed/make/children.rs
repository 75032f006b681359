//! Rows that exist for one other row only, as a list of objects within it.

use super::{Making, Manner};
use crate::typed::{Fault, Field, read};
use purlin_ovn_core::model::{Change, Child};
use purlin_ovsdb::{Atom, Datum, Row, Uuid};
use serde_json::{Map, Value};

impl Making<'_, '_> {
    /// The list is what there is afterwards: children that it names stay and are changed, new ones come, others go.
    pub(super) fn children(
        &mut self,
        field: &Field,
        (table, column): (&'static str, &str),
        fields: &'static [Field],
        key: &[&str],
        value: &Value,
    ) -> Result<(), Fault> {
        let kind = self.kind_of(field, column, value)?;
        let nothing = Vec::new();
        let given = match value {
            Value::Null => &nothing,
            Value::Array(given) => given,
            _ => {
                let message = format!("{value} stands where a list of objects is expected");
                return Err(Fault::new(field.name, value, message));
            }
        };
        if given.is_empty() && kind.min > 0 {
            return Err(Fault::new(field.name, value, "is empty; at least one is needed"));
        }
        let present: Vec<(Uuid, Value)> = self
            .state
            .targets(self.table, self.uuid, column)
            .into_iter()
            .map(|child| (child, shown(self, table, fields, child)))
            .collect();
        let mut stay = Vec::new();
        for (at, object) in given.iter().enumerate() {
            let place = format!("{}[{at}]", field.name);
            let Value::Object(body) = object else {
                let message = format!("{object} stands where an object is expected");
                return Err(Fault::new(place, object, message));
            };
            let known = present
                .iter()
                .find(|(uuid, shown)| !stay.contains(uuid) && is_same(body, shown, key))
                .map(|(uuid, _)| *uuid);
            let uuid = match known {
                Some(uuid) => uuid,
                None => Self::fresh(field, object)?,
            };
            stay.push(uuid);
            let changes = self.child((table, column), fields, (uuid, known.is_none()), body);
            let changes = changes.map_err(|fault| fault.within(&place))?;
            match self.new {
                true => self.first.extend(changes),
                false => self.then.extend(changes),
            }
        }
        if self.new {
            self.row.set(column, Datum::set(stay.into_iter().map(Atom::Uuid)));
            return Ok(());
        }
        let gone = present
            .iter()
            .map(|(uuid, _)| *uuid)
            .filter(|uuid| !stay.contains(uuid));
        let gone: Vec<Atom> = gone.map(Atom::Uuid).collect();
        if !gone.is_empty() {
            self.then.push(self.remove(column, Datum::set(gone)));
        }
        Ok(())
    }

    fn child(
        &self,
        (table, column): (&'static str, &str),
        fields: &'static [Field],
        (uuid, new): (Uuid, bool),
        body: &Map<String, Value>,
    ) -> Result<Vec<Change>, Fault> {
        let mut child = Making {
            state: self.state,
            table,
            fields,
            uuid,
            new,
            manner: Manner::Replace,
            aliases: self.aliases,
            row: Row::new(),
            first: Vec::new(),
            then: Vec::new(),
            parents: Vec::new(),
            faults: Vec::new(),
        };
        if new && !self.new {
            child.parents.push(Child {
                table: self.table.to_owned(),
                uuid: self.uuid,
                column: column.to_owned(),
            });
        }
        child.members(body);
        if new {
            let missing = fields
                .iter()
                .find(|field| field.needed && body.get(field.name).is_none_or(Value::is_null));
            if let Some(field) = missing {
                let message = format!("is needed: {}", field.doc);
                return Err(Fault::new(field.name, &Value::Null, message));
            }
        }
        match child.faults.into_iter().next() {
            Some(fault) => return Err(fault),
            None => child.faults = Vec::new(),
        }
        Ok(if new { child.born() } else { child.changed() })
    }
}

fn shown(making: &Making<'_, '_>, table: &str, fields: &[Field], uuid: Uuid) -> Value {
    let member = |field: &Field| {
        let value = read::member(making.state, table, field, uuid);
        (field.name.to_owned(), value)
    };
    let mut members: Map<String, Value> = fields.iter().map(member).collect();
    members.insert("uuid".to_owned(), Value::from(uuid.to_string()));
    Value::Object(members)
}

/// Whether a body speaks of this child: by its UUID, else by the members that say which is which.
fn is_same(body: &Map<String, Value>, shown: &Value, key: &[&str]) -> bool {
    match body.get("uuid").filter(|uuid| !super::members::is_blank(uuid)) {
        Some(uuid) => *uuid == shown["uuid"],
        None => key
            .iter()
            .all(|name| body.get(*name).unwrap_or(&Value::Null) == &shown[*name]),
    }
}
