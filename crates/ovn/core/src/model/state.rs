//! A state of the database: what a cache holds, with changes on top that are not committed.

use super::Owner;
use super::owner::NAME_KEY;
use super::schema::label_column;
use crate::dhcp::Catalogs;
use crate::tenant::Confine;
use purlin_ovsdb::cache::{Database, Index, RowRef};
use purlin_ovsdb::{Atom, DatabaseSchema, Datum, Row, Str, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one table that differ from the cache; `None` is gone.
type Changed = BTreeMap<Uuid, Option<Row>>;

/// One row of a state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'s> {
    Own(&'s Row),
    Base(RowRef<'s>),
}

impl<'s> Seen<'s> {
    pub(crate) fn get(&self, column: &str) -> Option<&'s Datum> {
        match self {
            Self::Own(row) => row.get(column),
            Self::Base(row) => row.get(column),
        }
    }
}

/// Elements of a set that have gone from the committed state, and those that have come.
pub(crate) type Moved = (Datum, Datum);

/// A state. Copies cost what was changed, not what there is.
#[derive(Debug, Clone)]
pub struct State<'a> {
    schema: &'a DatabaseSchema,
    base: &'a Database,
    dhcp: &'a Catalogs,
    confine: Option<&'a Confine>,
    changed: BTreeMap<String, Changed>,
    /// Of sets that have only gained and lost elements: which.
    moved: BTreeMap<(String, Uuid), BTreeMap<String, Moved>>,
    /// The cache's state with the changes in it, for its indexes.
    now: Database,
}

impl<'a> State<'a> {
    pub fn new(schema: &'a DatabaseSchema, base: &'a Database) -> Self {
        Self {
            schema,
            base,
            dhcp: Catalogs::builtin(),
            confine: None,
            changed: BTreeMap::new(),
            moved: BTreeMap::new(),
            now: base.clone(),
        }
    }

    /// With the DHCP options that the installed OVN lists in its southbound database.
    #[must_use]
    pub fn with_dhcp(mut self, dhcp: &'a Catalogs) -> Self {
        self.dhcp = dhcp;
        self
    }

    /// With the bounds of the tenant on whose behalf is written.
    #[must_use]
    pub fn confined(mut self, confine: &'a Confine) -> Self {
        self.confine = Some(confine);
        self
    }

    /// The tenant's bounds, if there is one.
    pub fn confine(&self) -> Option<&'a Confine> {
        self.confine
    }

    pub fn dhcp(&self) -> &'a Catalogs {
        self.dhcp
    }

    pub fn schema(&self) -> &'a DatabaseSchema {
        self.schema
    }

    /// The committed state below.
    pub fn base(&self) -> Self {
        Self {
            changed: BTreeMap::new(),
            moved: BTreeMap::new(),
            now: self.base.clone(),
            ..*self
        }
    }

    pub fn contains(&self, table: &str, uuid: Uuid) -> bool {
        match self.changed(table, uuid) {
            Some(row) => row.is_some(),
            None => self
                .base
                .table(table)
                .is_some_and(|table| table.get(uuid).is_some()),
        }
    }

    /// A column's value. `None` when there is no such row or column.
    pub fn value(&self, table: &str, uuid: Uuid, column: &str) -> Option<&Datum> {
        match self.changed(table, uuid) {
            Some(row) => row.as_ref()?.get(column),
            None => self.base.table(table)?.get(uuid)?.get(column),
        }
    }

    /// A row, for whoever looks at many of its columns.
    pub(crate) fn seen(&self, table: &str, uuid: Uuid) -> Option<Seen<'_>> {
        match self.changed(table, uuid) {
            Some(row) => row.as_ref().map(Seen::Own),
            None => self.base.table(table)?.get(uuid).map(Seen::Base),
        }
    }

    /// All columns of a row.
    pub fn row(&self, table: &str, uuid: Uuid) -> Option<Row> {
        match self.changed(table, uuid) {
            Some(row) => row.clone(),
            None => Some(self.base.table(table)?.get(uuid)?.to_row()),
        }
    }

    /// The columns of a row with their values, by name. Copies nothing.
    pub fn columns(&self, table: &str, uuid: Uuid) -> Option<impl Iterator<Item = (&str, &Datum)>> {
        let (own, base) = match self.changed(table, uuid) {
            Some(row) => (Some(row.as_ref()?.columns()), None),
            None => (None, Some(self.base.table(table)?.get(uuid)?.columns())),
        };
        let own = own.into_iter().flatten();
        Some(own.chain(base.into_iter().flatten()))
    }

    /// The rows of a table, in the order of their UUIDs.
    pub fn uuids(&self, table: &str) -> Vec<Uuid> {
        let base = self.base.table(table).into_iter().flat_map(|table| table.rows());
        let mut uuids: BTreeSet<Uuid> = base.map(|row| row.uuid()).collect();
        for (uuid, row) in self.changed.get(table).into_iter().flatten() {
            match row {
                Some(_) => uuids.insert(*uuid),
                None => uuids.remove(uuid),
            };
        }
        uuids.into_iter().collect()
    }

    /// Rows whose column is, or has among its elements or keys, this atom.
    pub fn find(&self, table: &str, column: &str, atom: &Atom) -> Vec<Uuid> {
        self.find_by(table, &Index::column(column), atom)
    }

    /// Rows whose map has this text under this key.
    pub fn find_key(&self, table: &str, column: &str, key: &str, text: &str) -> Vec<Uuid> {
        self.find_by(table, &Index::key(column, key), &Atom::from(text))
    }

    fn find_by(&self, table: &str, index: &Index, atom: &Atom) -> Vec<Uuid> {
        let table = self.now.table(table);
        let found = table.iter().flat_map(|table| table.find(index, atom));
        found.map(|row| row.uuid()).collect()
    }

    /// The row of this name; the first one where names are not unique.
    pub fn by_name(&self, table: &str, name: &str) -> Option<Uuid> {
        let column = self.schema.table(table)?.column("name").map(|_| "name")?;
        self.find(table, column, &Atom::from(name)).into_iter().next()
    }

    /// Rows that point to this one: table, column, row, and whether strongly.
    pub fn referrers(&self, table: &str, uuid: Uuid) -> Vec<(&'a str, &'a str, Uuid, bool)> {
        let atom = Atom::Uuid(uuid);
        let pointing = self.schema.pointing_at(table).iter();
        pointing
            .flat_map(|from| {
                let rows = self.find(&from.table, &from.column, &atom).into_iter();
                rows.map(move |row| (from.table.as_str(), from.column.as_str(), row, from.strong))
            })
            .collect()
    }

    /// The row that owns a row which cannot be without one: a port's switch.
    pub fn parent(&self, table: &str, uuid: Uuid) -> Option<(&'a str, &'a str, Uuid)> {
        let atom = Atom::Uuid(uuid);
        let mut strong = self.schema.pointing_at(table).iter().filter(|from| from.strong);
        strong.find_map(|from| {
            let row = self.find(&from.table, &from.column, &atom).into_iter().next()?;
            Some((from.table.as_str(), from.column.as_str(), row))
        })
    }

    /// Text of a column that holds one.
    pub fn text(&self, table: &str, uuid: Uuid, column: &str) -> Option<&str> {
        self.value(table, uuid, column)?.one()?.as_str()
    }

    /// Texts of a set.
    pub fn texts(&self, table: &str, uuid: Uuid, column: &str) -> Vec<Str> {
        let texts = self
            .value(table, uuid, column)
            .map(Datum::atoms)
            .unwrap_or_default();
        texts
            .iter()
            .filter_map(|atom| atom.as_str().map(Str::from))
            .collect()
    }

    /// Rows that a column points to.
    pub fn targets(&self, table: &str, uuid: Uuid, column: &str) -> Vec<Uuid> {
        let atoms = self
            .value(table, uuid, column)
            .map(Datum::atoms)
            .unwrap_or_default();
        atoms.iter().filter_map(Atom::as_uuid).collect()
    }

    /// A map of texts.
    pub fn map(&self, table: &str, uuid: Uuid, column: &str) -> BTreeMap<String, String> {
        let pairs = self
            .value(table, uuid, column)
            .map(Datum::pairs)
            .unwrap_or_default();
        let text = |(k, v): &(Atom, Atom)| Some((k.as_str()?.to_owned(), v.as_str()?.to_owned()));
        pairs.iter().filter_map(text).collect()
    }

    /// How people call the row: its name, else what stands for one, else the start of its UUID.
    pub fn label(&self, table: &str, uuid: Uuid) -> String {
        let column = label_column(table);
        let name = |column: &str| self.text(table, uuid, column).filter(|text| !text.is_empty());
        let ids = self.value(table, uuid, "external_ids");
        let own = ids.and_then(|ids| ids.get_str(NAME_KEY));
        match own.or_else(|| name(column?)).or_else(|| name("match")) {
            Some(name) => name.to_owned(),
            None => uuid.to_string()[..8].to_owned(),
        }
    }

    /// Whose row it is; a row that cannot be marked or is not belongs to whom its parent belongs.
    pub fn owner(&self, table: &str, uuid: Uuid) -> Owner {
        let ids = self.value(table, uuid, "external_ids").unwrap_or(&Datum::EMPTY);
        let own = Owner::of(ids);
        if own != Owner::Nobody {
            return own;
        }
        match self.parent(table, uuid) {
            Some((table, _, uuid)) => self.owner(table, uuid),
            None => Owner::Nobody,
        }
    }

    /// Puts a row in place of what is there; `None` takes it away. Nothing is checked.
    pub fn put(&mut self, table: &str, uuid: Uuid, row: Option<Row>) {
        let known = self
            .base
            .table(table)
            .is_some_and(|table| table.get(uuid).is_some());
        self.now.set(table, uuid, row.as_ref());
        self.moved.remove(&(table.to_owned(), uuid));
        let changed = self.changed.entry(table.to_owned()).or_default();
        match (&row, known) {
            (None, false) => changed.remove(&uuid),
            _ => changed.insert(uuid, row),
        };
    }

    /// Gives a set of a row another value: what it had, without `gone`, which were in it, and with `came`, which were not.
    /// The others are not looked at: a switch of ten thousand ports that gains one has gained one.
    pub(crate) fn amend(&mut self, table: &str, uuid: Uuid, column: &str, after: Datum, (gone, came): Moved) {
        let key = (table.to_owned(), uuid);
        let first = self.changed(table, uuid).is_none();
        let known = first || self.moved.contains_key(&key);
        let Some(mut row) = self.row(table, uuid) else {
            return;
        };
        row.set(column, after.clone());
        self.now.amend(table, uuid, column, after, (&gone, &came));
        if known {
            let moved = self.moved.entry(key).or_default();
            let moved = moved
                .entry(column.to_owned())
                .or_insert((Datum::EMPTY, Datum::EMPTY));
            // What comes back had not gone, what goes again had not come.
            let (back, again) = (came.without(&moved.0), gone.without(&moved.1));
            *moved = (
                moved.0.without(&came).with_atoms(again.atoms()),
                moved.1.without(&gone).with_atoms(back.atoms()),
            );
        }
        let changed = self.changed.entry(table.to_owned()).or_default();
        changed.insert(uuid, Some(row));
    }

    /// What a set has lost and gained since the committed state, where that is known without a look at its elements.
    pub(crate) fn moved(&self, table: &str, uuid: Uuid, column: &str) -> Option<&Moved> {
        if self.moved.is_empty() {
            return None;
        }
        self.moved.get(&(table.to_owned(), uuid))?.get(column)
    }

    /// Whether this is the committed state below the other one.
    pub(crate) fn is_base_of(&self, other: &State<'_>) -> bool {
        self.changed.is_empty() && std::ptr::eq(self.base, other.base)
    }

    /// Rows that may differ from the committed state.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (&str, Uuid)> {
        self.changed
            .iter()
            .flat_map(|(table, rows)| rows.keys().map(move |uuid| (table.as_str(), *uuid)))
    }

    fn changed(&self, table: &str, uuid: Uuid) -> Option<&Option<Row>> {
        self.changed.get(table)?.get(&uuid)
    }
}
