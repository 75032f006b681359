//! A state of the database: what a cache holds, with changes on top that are not committed.

use super::Owner;
use super::owner::NAME_KEY;
use super::schema::label_column;
use crate::dhcp::Catalogs;
use crate::tenant::Confine;
use purlin_ovsdb::cache::{Database, Index, RowRef};
use purlin_ovsdb::{Atom, DatabaseSchema, Datum, Row, Str, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// Elements of a set that have gone from the committed state, and those that have come.
pub(crate) type Moved = (Datum, Datum);

/// A state. Copies cost what was changed, not what there is.
#[derive(Debug, Clone)]
pub struct State<'a> {
    schema: &'a DatabaseSchema,
    base: &'a Database,
    dhcp: &'a Catalogs,
    confine: Option<&'a Confine>,
    /// Rows that may differ from the cache, by table.
    touched: BTreeMap<String, BTreeSet<Uuid>>,
    /// Of rows whose sets have only gained and lost elements: which.
    moved: BTreeMap<Uuid, Vec<MovedSet>>,
    /// The cache's state with the changes in it.
    now: Database,
}

/// A set that has only gained and lost elements.
#[derive(Debug, Clone)]
struct MovedSet {
    table: String,
    column: String,
    moved: Moved,
}

impl<'a> State<'a> {
    pub fn new(schema: &'a DatabaseSchema, base: &'a Database) -> Self {
        Self {
            schema,
            base,
            dhcp: Catalogs::builtin(),
            confine: None,
            touched: BTreeMap::new(),
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
            touched: BTreeMap::new(),
            moved: BTreeMap::new(),
            now: self.base.clone(),
            ..*self
        }
    }

    pub fn contains(&self, table: &str, uuid: Uuid) -> bool {
        self.seen(table, uuid).is_some()
    }

    /// A column's value. `None` when there is no such row or column.
    pub fn value(&self, table: &str, uuid: Uuid, column: &str) -> Option<&Datum> {
        self.seen(table, uuid)?.get(column)
    }

    /// A row, for whoever looks at many of its columns.
    pub(crate) fn seen(&self, table: &str, uuid: Uuid) -> Option<RowRef<'_>> {
        self.now.table(table)?.get(uuid)
    }

    /// All columns of a row.
    pub fn row(&self, table: &str, uuid: Uuid) -> Option<Row> {
        Some(self.seen(table, uuid)?.to_row())
    }

    /// The columns of a row with their values, by name. Copies nothing.
    pub fn columns(&self, table: &str, uuid: Uuid) -> Option<impl Iterator<Item = (&str, &Datum)>> {
        Some(self.seen(table, uuid)?.columns())
    }

    /// The rows of a table, in the order of their UUIDs.
    pub fn uuids(&self, table: &str) -> Vec<Uuid> {
        let rows = self.now.table(table).into_iter().flat_map(|table| table.rows());
        rows.map(|row| row.uuid()).collect()
    }

    /// Rows whose column is, or has among its elements or keys, this atom.
    pub fn find(&self, table: &str, column: &str, atom: &Atom) -> Vec<Uuid> {
        let table = self.now.table(table);
        table.map_or_else(Vec::new, |table| table.names_by(column, atom))
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

    /// Whether any row of a table may be found by one of these. Costs nothing where there are such indexes.
    pub(crate) fn finds_any(&self, table: &str, indexes: &[Index]) -> bool {
        let Some(table) = self.now.table(table).filter(|table| !table.is_empty()) else {
            return false;
        };
        indexes.iter().any(|index| table.finds_any(index) != Some(false))
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
        let short = || uuid.to_string()[..8].to_owned();
        self.seen(table, uuid)
            .map_or_else(short, |row| label_of(table, &row))
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

    /// Puts a row in place of what is there; `None` takes it away. Nothing is checked. Columns that are not given are at
    /// their defaults.
    pub fn put(&mut self, table: &str, uuid: Uuid, row: Option<&Row>) {
        self.now.set(table, uuid, row);
        if let Some(moved) = self.moved.get_mut(&uuid) {
            moved.retain(|set| set.table != table);
        }
        let base = self.base.table(table);
        if row.is_some() || base.is_some_and(|table| table.get(uuid).is_some()) {
            self.touch(table, uuid);
        } else if let Some(touched) = self.touched.get_mut(table) {
            touched.remove(&uuid);
        }
    }

    /// Gives a set of a row another value: what it had, without `gone`, which were in it, and with `came`, which were not.
    /// The others are not looked at: a switch of ten thousand ports that gains one has gained one.
    pub(crate) fn amend(&mut self, table: &str, uuid: Uuid, column: &str, after: Datum, (gone, came): Moved) {
        if !self.contains(table, uuid) {
            return;
        }
        self.now.amend(table, uuid, column, after, (&gone, &came));
        let first = self.touch(table, uuid);
        let sets = self.moved.entry(uuid).or_default();
        let known = sets
            .iter()
            .position(|set| set.table == table && set.column == column);
        if let Some(at) = known {
            let moved = &mut sets[at].moved;
            // What comes back had not gone, what goes again had not come.
            let (back, again) = (came.without(&moved.0), gone.without(&moved.1));
            *moved = (
                moved.0.without(&came).with_atoms(again.atoms()),
                moved.1.without(&gone).with_atoms(back.atoms()),
            );
        } else if first || sets.iter().any(|set| set.table == table) {
            sets.push(MovedSet {
                table: table.to_owned(),
                column: column.to_owned(),
                moved: (gone, came),
            });
        }
    }

    /// The row may differ from now on; whether it could not before.
    fn touch(&mut self, table: &str, uuid: Uuid) -> bool {
        match self.touched.get_mut(table) {
            Some(touched) => touched.insert(uuid),
            None => {
                self.touched.insert(table.to_owned(), BTreeSet::from([uuid]));
                true
            }
        }
    }

    /// What a set has lost and gained since the committed state, where that is known without a look at its elements.
    pub(crate) fn moved(&self, table: &str, uuid: Uuid, column: &str) -> Option<&Moved> {
        let mut sets = self.moved.get(&uuid)?.iter();
        let set = sets.find(|set| set.table == table && set.column == column)?;
        Some(&set.moved)
    }

    /// Whether this is the committed state below the other one.
    pub(crate) fn is_base_of(&self, other: &State<'_>) -> bool {
        self.touched.is_empty() && std::ptr::eq(self.base, other.base)
    }

    /// Rows that may differ from the committed state.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (&str, Uuid)> {
        self.touched
            .iter()
            .flat_map(|(table, rows)| rows.iter().map(move |uuid| (table.as_str(), *uuid)))
    }
}

/// How people call a row: its name, else what stands for one, else the start of its UUID.
pub(crate) fn label_of(table: &str, row: &RowRef<'_>) -> String {
    let text = |column: &str| row.get(column)?.one()?.as_str();
    let name = |column: &str| text(column).filter(|text| !text.is_empty());
    let own = row.get("external_ids").and_then(|ids| ids.get_str(NAME_KEY));
    let found = own
        .or_else(|| name(label_column(table)?))
        .or_else(|| name("match"));
    found.map_or_else(|| row.uuid().to_string()[..8].to_owned(), str::to_owned)
}
