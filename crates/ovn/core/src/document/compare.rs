//! What must change for the network to be as a document says.

use super::spec::{Identity, Spec, TOP, Target};
use super::within::{is_own, named};
use super::{Document, Item, Options};
use crate::model::{Change, Child, NAME_KEY, OWNER_KEY, Owner, State, from_natural, natural};
use crate::plan::{Reach, Reason, Refusal, Writer};
use crate::problem::Problem;
use crate::tenant::tenant_of;
use purlin_ovsdb::{Atom, Datum, Row, TableSchema, Uuid};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn changes(
    state: &State<'_>,
    document: &Document,
    writer: &Writer,
    options: Options,
    uuids: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Change>, Refusal> {
    let within = state.confine().map(|confine| document.within(confine));
    let document = within.as_ref().unwrap_or(document);
    let mut compare = Compare {
        state,
        writer,
        options,
        uuids,
        born: BTreeMap::new(),
        kept: BTreeSet::new(),
        problems: Vec::new(),
        changes: Vec::new(),
    };
    let places: Vec<Placed<'_>> = document
        .items
        .iter()
        .map(|item| {
            let found = compare.top(item);
            compare.place(item, found)
        })
        .collect();
    for placed in &places {
        compare.item(placed, None);
    }
    if options.prune {
        compare.prune();
    }
    match compare.problems.is_empty() {
        true => Ok(compare.changes),
        false => Err(Refusal {
            reason: Reason::Invalid,
            problems: compare.problems,
        }),
    }
}

/// An item with the row that it is, or will be.
struct Placed<'d> {
    item: &'d Item,
    uuid: Uuid,
    known: bool,
    children: Vec<(&'static str, Vec<Self>)>,
}

struct Compare<'s, 'a> {
    state: &'s State<'a>,
    writer: &'s Writer,
    options: Options,
    uuids: &'s mut dyn FnMut() -> Uuid,
    /// Rows that the document brings, by table and name.
    born: BTreeMap<(&'static str, String), Uuid>,
    /// Rows at the top that the document names.
    kept: BTreeSet<Uuid>,
    problems: Vec<Problem>,
    changes: Vec<Change>,
}

impl<'a> Compare<'_, 'a> {
    /// Finds the rows of an item and of all below it; those that are not there get a UUID.
    fn place<'d>(&mut self, item: &'d Item, found: Option<Uuid>) -> Placed<'d> {
        let spec = item.spec;
        let uuid = found.unwrap_or_else(|| (self.uuids)());
        if let Some(name) = item.identity.first().and_then(Value::as_str) {
            self.born.insert((spec.table, name.to_owned()), uuid);
        }
        let mut children = Vec::new();
        for (key, items) in &item.children {
            let child = spec.child(key).expect("the reader asked the same spec");
            let rows = self.state.targets(spec.table, uuid, key).into_iter();
            let known: BTreeMap<String, Uuid> =
                rows.map(|row| (told(&self.identity(child, row)), row)).collect();
            let placed = items
                .iter()
                .map(|item| self.place(item, known.get(&told(&item.identity)).copied()));
            children.push((*key, placed.collect()));
        }
        Placed {
            item,
            uuid,
            known: found.is_some(),
            children,
        }
    }

    /// The row at the top that an item is.
    fn top(&mut self, item: &Item) -> Option<Uuid> {
        let name = item.identity.first()?.as_str()?;
        let kept = item.spec.identity == Identity::Kept;
        let found = self.named(item.spec.table, name, kept);
        // What is shared with a tenant may have the name of a row that it is about to have.
        let found =
            found.filter(|row| !kept || self.state.confine().is_none() || self.is_own(item.spec.table, *row));
        self.kept.extend(found);
        found
    }

    fn named(&self, table: &str, name: &str, kept: bool) -> Option<Uuid> {
        match kept {
            false => self.state.by_name(table, name),
            true => {
                let mut rows = self.state.find_key(table, "external_ids", NAME_KEY, name);
                rows.sort_by_key(|row| !self.is_own(table, *row));
                // Rows that were not made by a document have no name; they are called by what stands for one.
                let owned = || {
                    self.state
                        .find_key(table, "external_ids", OWNER_KEY, &self.writer.owner)
                };
                let called = || {
                    owned()
                        .into_iter()
                        .find(|row| self.is_own(table, *row) && self.state.label(table, *row) == name)
                };
                rows.into_iter().next().or_else(called)
            }
        }
    }

    fn is_own(&self, table: &str, uuid: Uuid) -> bool {
        is_own(self.state, table, uuid)
    }

    /// The identity of a row that is there, with empty columns as a document leaves them out.
    fn identity(&self, spec: &Spec, uuid: Uuid) -> Vec<Value> {
        let columns: &[&str] = match spec.identity {
            Identity::Columns(columns) => columns,
            Identity::Name | Identity::Kept => &["name"],
        };
        let table = self.table(spec);
        let value = |column: &&str| {
            let value = self.state.value(spec.table, uuid, column)?;
            let json = natural(value, &table.column(column)?.kind);
            (json != "").then_some(json)
        };
        columns
            .iter()
            .map(|column| value(column).unwrap_or(Value::Null))
            .collect()
    }

    fn table(&self, spec: &Spec) -> &'a TableSchema {
        self.state
            .schema()
            .table(spec.table)
            .expect("the database has OVN's tables")
    }

    fn item(&mut self, placed: &Placed<'_>, parent: Option<Child>) {
        let item = placed.item;
        if placed.known && !self.may_write(item, placed.uuid) {
            return;
        }
        let Some(row) = self.row(item) else {
            return;
        };
        match placed.known {
            true => self.existing(item, placed.uuid, &row),
            false => self.changes.push(Change::Insert {
                table: item.spec.table.to_owned(),
                uuid: placed.uuid,
                row,
                parent,
            }),
        }
        for (key, children) in &placed.children {
            for child in children {
                let parent = Child {
                    table: item.spec.table.to_owned(),
                    uuid: placed.uuid,
                    column: (*key).to_owned(),
                };
                self.item(child, Some(parent));
            }
            if placed.known && self.options.prune {
                self.extra(item.spec, placed.uuid, key, children);
            }
        }
    }

    /// A row of somebody else is no part of this document.
    fn may_write(&mut self, item: &Item, uuid: Uuid) -> bool {
        if self.state.confine().is_some() && !self.is_own(item.spec.table, uuid) {
            let message = "there is one already, which is shared with this tenant";
            let problem = Problem::error("tenant-bounds", item.place.as_str(), message);
            self.problems
                .push(problem.help("a document of a tenant is about its own rows: choose another name"));
            return false;
        }
        let whose = self.state.owner(item.spec.table, uuid);
        let good = match &whose {
            Owner::Purlin(owner) => *owner == self.writer.owner,
            Owner::Nobody => self.options.adopt || self.writer.reach != Reach::Own,
            Owner::Other(_) => false,
        };
        if good || self.writer.reach == Reach::All {
            return true;
        }
        let problem = match whose {
            Owner::Nobody => {
                let problem = Problem::error(
                    "owner-foreign",
                    item.place.as_str(),
                    "there is one already, without an owner",
                );
                problem.help("take it over with `adopt`")
            }
            whose => Problem::error(
                "owner-foreign",
                item.place.as_str(),
                format!("there is one already, and it belongs to {whose}"),
            ),
        };
        self.problems.push(problem);
        false
    }

    /// The columns that the document speaks of, references resolved.
    fn row(&mut self, item: &Item) -> Option<Row> {
        let table = self.table(item.spec);
        let mut row = Row::new();
        for (name, json) in &item.columns {
            // A column of a newer OVN than the one that is there.
            let Some(column) = table.column(name) else {
                let message = format!("the database has no column `{name}`");
                self.problems
                    .push(Problem::error("document-key", item.place.as_str(), message));
                return None;
            };
            row.set(name, from_natural(json, &column.kind).ok()?);
        }
        if item.spec.identity == Identity::Kept {
            let ids = row
                .get("external_ids")
                .map(|ids| ids.pairs().to_vec())
                .unwrap_or_default();
            let name = item.identity[0].as_str().unwrap_or_default();
            let name = (Atom::from(NAME_KEY), Atom::from(name));
            row.set("external_ids", Datum::map(ids.into_iter().chain([name])));
        }
        for (column, names) in &item.references {
            let target = item
                .spec
                .reference(column)
                .expect("the reader asked the same spec");
            let uuids: Vec<Option<Uuid>> = names
                .iter()
                .map(|name| self.resolve(item, column, target, name))
                .collect();
            row.set(
                column,
                Datum::set(uuids.into_iter().collect::<Option<Vec<Uuid>>>()?),
            );
        }
        Some(row)
    }

    fn resolve(&mut self, item: &Item, column: &str, target: Target, name: &str) -> Option<Uuid> {
        let find = |name: &str| {
            let born = self.born.get(&(target.table, name.to_owned())).copied();
            born.or_else(|| self.named(target.table, name, target.kept))
        };
        let whole = named(self.state, target.table, name);
        let found = whole
            .and_then(|whole| find(&whole))
            .or_else(|| find(name))
            .or_else(|| Uuid::parse(name).filter(|uuid| self.state.contains(target.table, *uuid)));
        if found.is_none() {
            let born = self.born.keys().filter(|(table, _)| *table == target.table);
            let mut known: Vec<String> = born.map(|(_, name)| name.clone()).collect();
            let rows = self.state.uuids(target.table).into_iter();
            known.extend(rows.map(|uuid| self.state.label(target.table, uuid)));
            let message = format!("there is no {} `{name}`", target.table);
            let problem = Problem::error("reference-missing", format!("{}: {column}", item.place), message);
            self.problems
                .push(problem.nearest(name, known.iter().map(String::as_str)));
        }
        found
    }

    fn existing(&mut self, item: &Item, uuid: Uuid, row: &Row) {
        let spec = item.spec;
        let mut scalars = Row::new();
        for (column, wanted) in row.columns() {
            let kind = &self
                .table(spec)
                .column(column)
                .expect("the row was read by this table")
                .kind;
            let held = self
                .state
                .value(spec.table, uuid, column)
                .cloned()
                .unwrap_or(Datum::EMPTY);
            if kind.max == 1 {
                scalars.set(column, wanted.clone());
                continue;
            }
            let (mut missing, mut extra) = differences(&held, wanted);
            if let Some(target) = spec.reference(column) {
                // What a tenant does not see is not its document's.
                let seen = |row: &Uuid| self.state.contains(target.table, *row);
                extra = Datum::set(extra.atoms().iter().filter_map(Atom::as_uuid).filter(seen));
            }
            if column == "external_ids" && held.get_str(NAME_KEY).is_none() {
                missing = Datum::map(
                    missing
                        .pairs()
                        .iter()
                        .filter(|(k, _)| k.as_str() != Some(NAME_KEY))
                        .cloned(),
                );
            }
            // What others note in a row is not the document's.
            if !extra.is_empty() && column != "external_ids" {
                self.changes.push(Change::Remove {
                    table: spec.table.to_owned(),
                    uuid,
                    column: column.to_owned(),
                    values: extra,
                });
            }
            if !missing.is_empty() {
                self.add(spec, uuid, column, missing);
            }
        }
        if scalars
            .columns()
            .any(|(column, value)| self.state.value(spec.table, uuid, column) != Some(value))
        {
            self.changes.push(Change::Update {
                table: spec.table.to_owned(),
                uuid,
                row: scalars,
            });
        }
        let unmarked = self.state.owner(spec.table, uuid) == Owner::Nobody;
        if unmarked && self.options.adopt && self.table(spec).column("external_ids").is_some() {
            let mark = Datum::map([(OWNER_KEY, self.writer.owner.as_str())]);
            self.add(spec, uuid, "external_ids", mark);
        }
    }

    fn add(&mut self, spec: &Spec, uuid: Uuid, column: &str, values: Datum) {
        self.changes.push(Change::Add {
            table: spec.table.to_owned(),
            uuid,
            column: column.to_owned(),
            values,
        });
    }

    /// Children that the list lacks; those that somebody else has marked stay, and those that a tenant has put there.
    fn extra(&mut self, spec: &Spec, uuid: Uuid, key: &str, children: &[Placed<'_>]) {
        let child = spec.child(key).expect("the reader asked the same spec");
        let listed: BTreeSet<Uuid> = children.iter().map(|placed| placed.uuid).collect();
        let tenant = tenant_of(self.state, spec.table, uuid);
        for row in self.state.targets(spec.table, uuid, key) {
            if tenant_of(self.state, child.table, row) != tenant {
                continue;
            }
            let listed = listed.contains(&row);
            let whose = self.state.owner(child.table, row);
            let ours = matches!(&whose, Owner::Purlin(owner) if *owner == self.writer.owner);
            if !listed && (ours || (whose == Owner::Nobody && self.options.adopt)) {
                self.delete(child.table, row);
            }
        }
    }

    /// Rows of the owner at the top that the document does not name.
    fn prune(&mut self) {
        for spec in TOP {
            let owned = self
                .state
                .find_key(spec.table, "external_ids", OWNER_KEY, &self.writer.owner);
            for row in owned
                .into_iter()
                .filter(|row| !self.kept.contains(row) && self.is_own(spec.table, *row))
                .collect::<Vec<_>>()
            {
                self.delete(spec.table, row);
            }
        }
    }

    fn delete(&mut self, table: &str, uuid: Uuid) {
        self.changes.push(Change::Delete {
            table: table.to_owned(),
            uuid,
        });
    }
}

/// An identity as one text.
fn told(identity: &[Value]) -> String {
    Value::from(identity.to_vec()).to_string()
}

/// What is missing in `held`, with keys that have another value, and what is too much; of a map the keys.
fn differences(held: &Datum, wanted: &Datum) -> (Datum, Datum) {
    match (held, wanted) {
        (Datum::Map(_), _) | (_, Datum::Map(_)) => {
            let missing = wanted.pairs().iter().filter(|(k, v)| held.get(k) != Some(v));
            let extra = held.pairs().iter().filter(|(k, _)| wanted.get(k).is_none());
            (
                Datum::map(missing.cloned()),
                Datum::set(extra.map(|(k, _)| k.clone())),
            )
        }
        _ => {
            let missing = wanted.atoms().iter().filter(|atom| !held.contains(atom));
            let extra = held.atoms().iter().filter(|atom| !wanted.contains(atom));
            (Datum::set(missing.cloned()), Datum::set(extra.cloned()))
        }
    }
}
