//! From kept rows to the changes that bring them back, around those that are there.

use super::rename::{Names, ON_PORTS, Wiring, name_of, set_name};
use super::{Content, OF_THE_SERVER};
use crate::model::{Change, NAME_KEY, Owner, State, keys, owner, target};
use crate::tenant::tenant_of;
use purlin_ovsdb::{Atom, ColumnType, Datum, Row, TableSchema, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a row that is there already, under the same UUID or name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// It stays as it is.
    Skip,
    /// It becomes as it was kept; nothing is taken away in between.
    Overwrite,
    /// A copy comes beside it under another name, wired to the other copies.
    Rename,
    /// Nothing is restored when one is there and differs.
    #[default]
    Error,
}

#[derive(Debug, Clone, Default)]
pub struct Options {
    pub policy: Policy,
    /// Other names for rows, by name or UUID.
    pub mapping: BTreeMap<String, String>,
    /// Rows that stand by themselves and that the backup lacks go.
    pub exact: bool,
    /// Rows that other managers have marked, too.
    pub foreign: bool,
    /// Tables of the server that are meant, too.
    pub server: Vec<String>,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restoration {
    pub changes: Vec<Change>,
    /// Rows that come or change.
    pub restored: usize,
    /// Rows that stay as they are.
    pub skipped: usize,
    pub warnings: Vec<String>,
    /// Rows in the way, under [`Policy::Error`]: nothing is to be done then.
    pub conflicts: Vec<String>,
}

/// Tables of rows that hang on others and have names that no two of them share.
const NAMED: [&str; 3] = ["Logical_Switch_Port", "Logical_Router_Port", "Gateway_Chassis"];
/// Tables whose key is no name.
const KEYED: [&str; 3] = ["BFD", "Static_MAC_Binding", "Chassis_Template_Var"];

/// Where a kept row goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    New(Uuid),
    Over(Uuid),
    /// It stays, and what hangs on it is taken in.
    Kept(Uuid),
    Left,
}

/// The changes that bring rows back.
pub fn restore(
    state: &State<'_>,
    content: &Content,
    options: &Options,
    uuids: &mut dyn FnMut() -> Uuid,
) -> Restoration {
    let mut restore = Restore {
        state,
        content,
        options,
        uuids,
        places: BTreeMap::new(),
        names: BTreeMap::new(),
        free: Names::of(content),
        wiring: Wiring::default(),
        parents: parents(state, content),
        out: Restoration::default(),
        dangling: 0,
    };
    // What is known by the port that it is on comes after the ports.
    let on_port = |key: &&Key| ON_PORTS.contains(&key.0.as_str());
    for key in content.rows.keys().filter(|key| !on_port(key)) {
        restore.place(key);
    }
    restore.wire();
    for key in content.rows.keys().filter(on_port) {
        restore.place(key);
    }
    for (key, row) in &content.rows {
        restore.row(key, row);
    }
    if options.exact {
        restore.others();
    }
    if restore.dangling > 0 {
        let many = restore.dangling;
        restore.out.warnings.push(format!(
            "{many} references to rows that are neither here nor in the backup are left out"
        ));
    }
    restore.out
}

type Key = (String, Uuid);

/// The kept row that each kept row hangs on.
fn parents(state: &State<'_>, content: &Content) -> BTreeMap<Key, Key> {
    let mut parents = BTreeMap::new();
    for (key, row) in &content.rows {
        let Some(table) = state.schema().table(&key.0) else {
            continue;
        };
        for (column, value) in row.columns() {
            let kind = table.column(column).map(|column| &column.kind);
            if let Some((to, true)) = kind.and_then(target) {
                let held = value.atoms().iter().filter_map(Atom::as_uuid);
                parents.extend(held.map(|uuid| ((to.to_owned(), uuid), key.clone())));
            }
        }
    }
    parents
}

struct Restore<'r, 'a> {
    state: &'r State<'a>,
    content: &'r Content,
    options: &'r Options,
    uuids: &'r mut dyn FnMut() -> Uuid,
    places: BTreeMap<Key, Place>,
    /// New names of rows.
    names: BTreeMap<Key, String>,
    free: Names,
    wiring: Wiring,
    parents: BTreeMap<Key, Key>,
    out: Restoration,
    dangling: usize,
}

impl Restore<'_, '_> {
    /// Decides where a row goes, its parent first.
    fn place(&mut self, key: &Key) -> Place {
        if let Some(place) = self.places.get(key) {
            return place.clone();
        }
        let row = &self.content.rows[key];
        let parent = self
            .parents
            .get(key)
            .filter(|parent| self.content.rows.contains_key(*parent))
            .cloned();
        let above = parent.as_ref().map(|parent| self.place(parent));
        let place = self.decide(key, row, parent.as_ref().zip(above.as_ref()));
        match &place {
            Place::Left | Place::Kept(_) => self.out.skipped += 1,
            Place::New(_) | Place::Over(_) => {}
        }
        self.places.insert(key.clone(), place.clone());
        place
    }

    fn decide(&mut self, key: &Key, row: &Row, above: Option<(&Key, &Place)>) -> Place {
        let (table, uuid) = key;
        let server = OF_THE_SERVER.contains(&table.as_str()) && !self.options.server.contains(table);
        let root = self.state.schema().table(table).is_some_and(|table| table.root);
        // Rows that nothing holds do not stay.
        if server || above.is_some_and(|(_, place)| *place == Place::Left) || (!root && above.is_none()) {
            return Place::Left;
        }
        if self.is_others(&marks(row), table, "in the backup") {
            return Place::Left;
        }
        let named = name_of(row);
        let has_name = root || NAMED.contains(&table.as_str());
        let renamed = [named.map(str::to_owned), Some(uuid.to_string())];
        let renamed = renamed
            .into_iter()
            .flatten()
            .find_map(|word| self.options.mapping.get(&word));
        let name = renamed.map(String::as_str).or(named).filter(|_| has_name);
        if let Some(name) = renamed {
            self.names.insert(key.clone(), name.clone());
        }
        let wired = KEYED
            .contains(&table.as_str())
            .then(|| self.wiring.wired(table, row));
        let moved = wired.as_ref().is_some_and(|wired| wired != row);
        let by_uuid =
            Some(*uuid).filter(|uuid| renamed.is_none() && !moved && self.state.contains(table, *uuid));
        let found = by_uuid
            .or_else(|| self.state.by_name(table, name?))
            .or_else(|| self.twin(table, wired.as_ref()?));
        let copied = matches!(above, Some((parent, Place::New(to))) if parent.1 != *to);
        let Some(found) = found else {
            // A copy of a row, and what hangs on one, has a UUID of its own.
            let taken = (renamed.is_some() || moved) && self.state.contains(table, *uuid);
            return Place::New(if copied || taken { (self.uuids)() } else { *uuid });
        };
        if copied || self.options.policy == Policy::Rename && root {
            if let Some(why) = single(table) {
                let label = self.state.label(table, found);
                let told = format!("{table} {label} is not copied and stays as it is: {why}");
                self.out.warnings.push(told);
                return Place::Kept(found);
            }
            if let Some(name) = name {
                let there = |name: &str| {
                    let called = self.state.find_key(table, "external_ids", NAME_KEY, name);
                    self.state.by_name(table, name).is_some() || !called.is_empty()
                };
                let name = self.free.free(table, name, there);
                self.names.insert(key.clone(), name);
            }
            return Place::New((self.uuids)());
        }
        let whose = owner(&self.state.map(table, found, "external_ids"));
        if self.is_others(&whose, table, "there already") {
            return Place::Left;
        }
        match self.options.policy {
            Policy::Overwrite => Place::Over(found),
            Policy::Skip | Policy::Rename => Place::Kept(found),
            Policy::Error if self.differs(table, found, row) => {
                let label = self.state.label(table, found);
                self.out
                    .conflicts
                    .push(format!("{table} {label} is there already and differs"));
                Place::Kept(found)
            }
            Policy::Error => Place::Kept(found),
        }
    }

    fn is_others(&mut self, whose: &Owner, table: &str, place: &str) -> bool {
        let Owner::Other(manager) = whose else {
            return false;
        };
        if !self.options.foreign {
            let told = format!(
                "rows of {table} that belong to {manager}, {place}, are left alone: force brings them back, too"
            );
            if !self.out.warnings.contains(&told) {
                self.out.warnings.push(told);
            }
        }
        !self.options.foreign
    }

    /// The row here that has the same key, in tables whose key is no name.
    fn twin(&self, table: &str, row: &Row) -> Option<Uuid> {
        let index = self.state.schema().table(table)?.indexes.first()?;
        let first = row.get(index.first()?)?.one()?;
        let same = |uuid: &Uuid| {
            let mut columns = index.iter();
            columns.all(|column| self.state.value(table, *uuid, column) == row.get(column))
        };
        let found = self.state.find(table, index.first()?, first);
        found.into_iter().find(same)
    }

    /// From now on rows are wired by the names that were given.
    fn wire(&mut self) {
        for (key, new) in &self.names {
            if let Some(old) = name_of(&self.content.rows[key]) {
                self.wiring.add(&key.0, old, new);
            }
        }
    }

    fn differs(&self, table: &str, found: Uuid, row: &Row) -> bool {
        let now = Content::of_row(self.state, table, found);
        now != *row
    }

    fn row(&mut self, key: &Key, row: &Row) {
        let Some(schema) = self.state.schema().table(&key.0) else {
            return;
        };
        let place = self.places.get(key).cloned().unwrap_or(Place::Left);
        match place {
            Place::Left => {}
            Place::New(uuid) => {
                let row = self.mapped(key, row, schema);
                self.out.restored += 1;
                self.out.changes.push(Change::Restore {
                    table: key.0.clone(),
                    uuid,
                    row,
                });
            }
            Place::Over(uuid) => {
                let row = self.mapped(key, row, schema);
                let before = self.out.changes.len();
                self.over(&key.0, uuid, &row, schema);
                match self.out.changes.len() == before {
                    true => self.out.skipped += 1,
                    false => self.out.restored += 1,
                }
            }
            Place::Kept(uuid) => self.attach(key, uuid, row, schema),
        }
    }

    /// The row under its new name, with references as they are here.
    fn mapped(&mut self, key: &Key, row: &Row, schema: &TableSchema) -> Row {
        let mut mapped = Row::new();
        for (column, value) in self.wiring.wired(&key.0, row).columns() {
            let Some(known) = schema.column(column) else {
                continue;
            };
            let value = match target(&known.kind) {
                Some((to, _)) => self.references(to, value, &known.kind),
                None => value.clone(),
            };
            if value != Datum::default_of(&known.kind) {
                mapped.set(column, value);
            }
        }
        if let Some(name) = self.names.get(key) {
            set_name(&mut mapped, schema, name);
        }
        mapped
    }

    fn references(&mut self, to: &str, value: &Datum, kind: &ColumnType) -> Datum {
        let mut one = |atom: &Atom| {
            let Some(uuid) = atom.as_uuid() else {
                return Some(atom.clone());
            };
            let place = self.places.get(&(to.to_owned(), uuid));
            let found = match place {
                Some(Place::New(uuid) | Place::Over(uuid) | Place::Kept(uuid)) => Some(*uuid),
                Some(Place::Left) | None => Some(uuid).filter(|uuid| self.state.contains(to, *uuid)),
            };
            self.dangling += usize::from(found.is_none());
            found.map(Atom::Uuid)
        };
        if kind.value.is_some() {
            let pairs = value.pairs().iter();
            let pairs: Vec<_> = pairs
                .filter_map(|(key, value)| Some((one(key)?, one(value)?)))
                .collect();
            return Datum::map(pairs);
        }
        let atoms: Vec<Atom> = value.atoms().iter().filter_map(one).collect();
        Datum::set(atoms)
    }

    /// Column by column, and of sets only what differs.
    fn over(&mut self, table: &str, uuid: Uuid, row: &Row, schema: &TableSchema) {
        let mut scalars = Row::new();
        let now = Content::of_row(self.state, table, uuid);
        let names: BTreeSet<&str> = row.columns().chain(now.columns()).map(|(name, _)| name).collect();
        for column in names {
            let Some(known) = schema.column(column) else {
                continue;
            };
            let default = Datum::default_of(&known.kind);
            let wanted = row.get(column).unwrap_or(&default).clone();
            let held = now.get(column).unwrap_or(&default).clone();
            if wanted == held {
                continue;
            }
            if known.kind.max == 1 {
                scalars.set(column, wanted);
                continue;
            }
            // Rows that have come to hang here since stay, unless all is to be as it was.
            let grown = matches!(target(&known.kind), Some((_, true))) && !self.options.exact;
            let (gone, new) = (held.without(&wanted), wanted.without(&held));
            let gone = keys(&gone).without(&keys(&new));
            let (table, column) = (table.to_owned(), column.to_owned());
            if !gone.is_empty() && !grown {
                let (table, column) = (table.clone(), column.clone());
                self.out.changes.push(Change::Remove {
                    table,
                    uuid,
                    column,
                    values: gone,
                });
            }
            if !new.is_empty() {
                self.out.changes.push(Change::Add {
                    table,
                    uuid,
                    column,
                    values: new,
                });
            }
        }
        if !scalars.is_empty() {
            self.out.changes.push(Change::Update {
                table: table.to_owned(),
                uuid,
                row: scalars,
            });
        }
    }

    /// A row that stays takes in the rows that come back and hung on it.
    fn attach(&mut self, key: &Key, uuid: Uuid, row: &Row, schema: &TableSchema) {
        for (column, value) in row.columns() {
            let kind = schema.column(column).map(|column| &column.kind);
            let Some((to, true)) = kind.and_then(target) else {
                continue;
            };
            let new = value.atoms().iter().filter_map(|atom| {
                let held = (to.to_owned(), atom.as_uuid()?);
                match self.places.get(&held)? {
                    Place::New(uuid) => Some(Atom::Uuid(*uuid)),
                    _ => None,
                }
            });
            let values = Datum::set(new.collect::<Vec<Atom>>());
            if !values.is_empty() {
                let (table, column) = (key.0.clone(), column.to_owned());
                self.out.changes.push(Change::Add {
                    table,
                    uuid,
                    column,
                    values,
                });
            }
        }
    }

    /// Rows that the backup lacks.
    fn others(&mut self) {
        let kept: BTreeSet<Key> = self
            .places
            .iter()
            .filter_map(|((table, _), place)| match place {
                Place::New(uuid) | Place::Over(uuid) | Place::Kept(uuid) => Some((table.clone(), *uuid)),
                Place::Left => None,
            })
            .collect();
        for (table, schema) in &self.state.schema().tables {
            if !schema.root || OF_THE_SERVER.contains(&table.as_str()) {
                continue;
            }
            for uuid in self.state.uuids(table) {
                let whose = owner(&self.state.map(table, uuid, "external_ids"));
                // What is only shared with a tenant is not in its backups, and stays.
                let lent = self.state.confine().is_some_and(|confine| {
                    tenant_of(self.state, table, uuid).as_ref() != Some(&confine.tenant)
                });
                if lent {
                    continue;
                }
                if kept.contains(&(table.clone(), uuid)) || self.is_others(&whose, table, "there already") {
                    continue;
                }
                let table = table.clone();
                self.out.changes.push(Change::Delete { table, uuid });
            }
        }
    }
}

/// Why there cannot be a second row like this one.
fn single(table: &str) -> Option<&'static str> {
    match table {
        "Chassis_Template_Var" => Some("there is one for each hypervisor"),
        "NB_Global" | "Connection" | "SSL" => Some("it is about the database itself"),
        _ if ON_PORTS.contains(&table) => {
            Some("its port is not copied, and there is one for each address on it")
        }
        _ => None,
    }
}

fn marks(row: &Row) -> Owner {
    let ids = row.get("external_ids").map(Datum::pairs).unwrap_or_default();
    let text = |(k, v): &(Atom, Atom)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned()));
    owner(&ids.iter().filter_map(text).collect())
}
