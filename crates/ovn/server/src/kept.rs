//! What is known from the rows and kept as they change: who has which address, which DHCP options OVN has.
//!
//! A plan is decided over one snapshot, and needs the book of just that one: a newer book would hide who has gone since,
//! an older one who has come. So the book is kept together with the state that it was made of, and each request gets it as
//! it is for the request's own snapshot: the two states tell by themselves what differs between them (they share all
//! else), the book shares what it has with the kept one, and there is no log in between that could run over.

use purlin_ovn_core::address::{Book, book, follow};
use purlin_ovn_core::dhcp::{Catalog, Catalogs, DhcpOption, Family, Kind};
use purlin_ovn_core::model::State;
use purlin_ovsdb::cache::{Changes, Database, RowData, RowRef};
use purlin_ovsdb::{Atom, DatabaseSchema, Uuid};
use std::sync::{Arc, Mutex, PoisonError};

/// Who has which address.
#[derive(Debug, Default)]
pub(crate) struct Books(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    database: Database,
    generation: u64,
    book: Book,
}

impl Books {
    /// The book of this snapshot. Costs what differs from the snapshot that was asked about last; after all rows were
    /// loaded anew, a look at each.
    pub(crate) fn of(&self, schema: &DatabaseSchema, now: &Database, generation: u64) -> Book {
        // Whoever waits here would only make the same again.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let book = match &*kept {
            Some(kept) if Arc::ptr_eq(kept.database.layout(), now.layout()) => {
                caught_up(schema, &kept.database, now, kept.book.clone())
            }
            _ => book(&State::new(schema, now)),
        };
        // A request may be late with an older snapshot: the book goes back for it, and is kept as it was.
        let newer = kept.as_ref().is_none_or(|kept| kept.generation <= generation);
        if newer {
            *kept = Some(Kept {
                database: now.clone(),
                generation,
                book: book.clone(),
            });
        }
        book
    }
}

fn caught_up(schema: &DatabaseSchema, then: &Database, now: &Database, mut book: Book) -> Book {
    let changes = Changes::between(then, now, None);
    if !changes.is_empty() {
        let rows: Vec<(&str, Uuid)> = changes
            .iter()
            .map(|(table, change, _, _)| (table, change.uuid))
            .collect();
        follow(
            &mut book,
            &State::new(schema, then),
            &State::new(schema, now),
            rows,
        );
    }
    book
}

/// The DHCP options that the installed OVN lists in its southbound database.
#[derive(Debug, Default)]
pub(crate) struct Options(Mutex<Listed>);

#[derive(Debug, Default)]
struct Listed {
    /// The rows by which it is known whether anything has changed.
    rows: Vec<RowData>,
    catalogs: Option<Arc<Catalogs>>,
}

const TABLES: [(&str, Family); 2] = [("DHCP_Options", Family::V4), ("DHCPv6_Options", Family::V6)];

impl Options {
    /// What these rows list. Before an `ovn-northd` has written them, what OVN 23.03 knows.
    pub(crate) fn of(&self, south: Option<&Database>) -> Arc<Catalogs> {
        let rows = || {
            let tables = TABLES.iter().filter_map(|(table, _)| south?.table(table));
            tables.flat_map(|table| table.rows()).map(|row| row.data())
        };
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = rows().count() == listed.rows.len() && rows().zip(&listed.rows).all(|(a, b)| a.is_same(b));
        match &listed.catalogs {
            Some(catalogs) if same => catalogs.clone(),
            _ => {
                let catalogs = Arc::new(listed_in(south));
                *listed = Listed {
                    rows: rows().cloned().collect(),
                    catalogs: Some(catalogs.clone()),
                };
                catalogs
            }
        }
    }
}

fn listed_in(south: Option<&Database>) -> Catalogs {
    let [v4, v6] = TABLES.map(|(table, family)| {
        let table = south.and_then(|south| south.table(table));
        let rows = table.into_iter().flat_map(|table| table.rows());
        let mut options = rows.filter_map(|row| option(&row)).peekable();
        match options.peek() {
            Some(_) => Catalog::new(family, options),
            None => Catalog::builtin(family),
        }
    });
    Catalogs { v4, v6 }
}

/// An option; none where its type is of a later OVN.
fn option(row: &RowRef<'_>) -> Option<DhcpOption> {
    let atom = |column: &str| row.get(column)?.one();
    Some(DhcpOption {
        name: atom("name")?.as_str()?.to_owned(),
        code: u16::try_from(atom("code").and_then(Atom::as_integer)?).ok()?,
        kind: Kind::parse(atom("type")?.as_str()?)?,
    })
}

#[cfg(test)]
mod tests;
