//! What operations of one transaction call each other's rows.

use crate::fault::Fault;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::HashMap;

/// `uuid-name`s: an operation may speak of a row that a later one brings.
#[derive(Debug, Default)]
pub(crate) struct Symbols(HashMap<String, Symbol>);

#[derive(Debug, Clone, Copy)]
struct Symbol {
    uuid: Uuid,
    created: bool,
}

impl Symbols {
    /// A later operation inserts the row of this name under this UUID.
    pub(crate) fn foretell(&mut self, name: &str, uuid: Uuid) {
        let symbol = Symbol { uuid, created: false };
        self.0.entry(name.to_owned()).or_insert(symbol);
    }

    /// The row of this name is inserted now.
    pub(crate) fn create(
        &mut self,
        name: &str,
        chosen: Option<Uuid>,
        random: &mut dyn FnMut() -> [u8; 16],
    ) -> Result<Uuid, Fault> {
        if !purlin_ovsdb::types::is_id(name) {
            return Err(Fault::new(
                "syntax error",
                format!("\"{name}\" is not a valid <id>"),
            ));
        }
        let known = self.0.get(name).copied();
        if known.is_some_and(|symbol| symbol.created) {
            return Err(Fault::new(
                "duplicate uuid-name",
                "This \"uuid-name\" appeared on an earlier \"insert\" operation.",
            ));
        }
        // What was spoken of before it was there keeps its name.
        let uuid = known.map(|symbol| symbol.uuid).or(chosen);
        let uuid = uuid.unwrap_or_else(|| Uuid::from_random(random()));
        self.0.insert(name.to_owned(), Symbol { uuid, created: true });
        Ok(uuid)
    }

    /// Puts UUIDs in place of names.
    pub(crate) fn resolve(&mut self, value: &mut Datum, random: &mut dyn FnMut() -> [u8; 16]) {
        let named = |atom: &Atom| matches!(atom, Atom::Named(_));
        let is_named = value.atoms().iter().any(named);
        if !is_named
            && !value
                .pairs()
                .iter()
                .any(|(key, value)| named(key) || named(value))
        {
            return;
        }
        let mut uuid = |atom: &Atom| match atom {
            Atom::Named(name) => Atom::Uuid(self.uuid(name, random)),
            other => other.clone(),
        };
        *value = match value {
            Datum::Map(_) => {
                let pairs: Vec<_> = value.pairs().iter().map(|(k, v)| (uuid(k), uuid(v))).collect();
                Datum::map(pairs)
            }
            _ => {
                let atoms: Vec<_> = value.atoms().iter().map(uuid).collect();
                Datum::set(atoms)
            }
        };
    }

    fn uuid(&mut self, name: &str, random: &mut dyn FnMut() -> [u8; 16]) -> Uuid {
        let symbol = self.0.entry(name.to_owned()).or_insert_with(|| Symbol {
            uuid: Uuid::from_random(random()),
            created: false,
        });
        symbol.uuid
    }
}
