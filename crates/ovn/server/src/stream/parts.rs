//! What each tenant is told of a transaction: rows that enter its part come, those that leave it go.

use super::entry;
use purlin_ovn_core::model::{State, target};
use purlin_ovn_core::tenant::{Passage, Seen, passages};
use purlin_ovsdb::cache::{Changes, Database, RowRef};
use purlin_ovsdb::{ColumnType, DatabaseSchema};
use std::sync::Arc;

/// As which tenant a reader looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Eyes {
    pub(crate) tenant: String,
    /// Whether it sees what is shared.
    pub(crate) external: bool,
}

/// One row of a transaction, for those who see it.
#[derive(Debug)]
pub(super) struct Part {
    before: Seen,
    after: Seen,
    own: Texts,
    /// For those with whom the row is only shared: what it points to is not theirs.
    shared: Texts,
}

/// What is told, by whether one saw the row before and sees it after.
#[derive(Debug, Default)]
struct Texts {
    stayed: Option<String>,
    entered: Option<String>,
    left: Option<String>,
}

#[cfg(test)]
impl Part {
    /// A row that comes to a tenant.
    pub(super) fn entering(tenant: &str, text: &str) -> Self {
        Self {
            before: Seen::default(),
            after: Seen {
                tenant: Some(tenant.to_owned()),
                shared: false,
            },
            own: Texts {
                entered: Some(text.to_owned()),
                ..Texts::default()
            },
            shared: Texts::default(),
        }
    }
}

impl Part {
    pub(super) fn told(&self, eyes: &Eyes) -> Option<&str> {
        let sees = |seen: &Seen| seen.by(&eyes.tenant, eyes.external);
        let owns = |seen: &Seen| seen.tenant.as_deref() == Some(&eyes.tenant);
        let text = match (sees(&self.before), sees(&self.after)) {
            (true, true) if owns(&self.after) && owns(&self.before) => &self.own.stayed,
            (true, true) => &self.shared.stayed,
            (false, true) if owns(&self.after) => &self.own.entered,
            (false, true) => &self.shared.entered,
            (true, false) => &self.own.left,
            (false, false) => &None,
        };
        text.as_deref()
    }

    pub(super) fn octets(&self) -> usize {
        let texts = [&self.own, &self.shared];
        let texts = texts
            .into_iter()
            .flat_map(|texts| [&texts.stayed, &texts.entered, &texts.left]);
        texts.flatten().map(String::len).sum()
    }
}

/// The parts of a transaction that made the second of the first.
pub(super) fn of(
    schema: &DatabaseSchema,
    (before, after): (&Database, &Database),
    changes: &Changes,
) -> Arc<[Part]> {
    let changed = changes
        .iter()
        .map(|(table, change, _, _)| (table.to_owned(), change.uuid));
    let states = (State::new(schema, before), State::new(schema, after));
    let passages = passages(&states.0, &states.1, changed).into_iter();
    passages
        .map(|passage| part(schema, (before, after), passage))
        .collect()
}

fn part(schema: &DatabaseSchema, (before, after): (&Database, &Database), passage: Passage) -> Part {
    let Passage {
        table,
        uuid,
        before: was,
        after: is,
        changed,
    } = passage;
    let old = before.table(&table).and_then(|rows| rows.get(uuid));
    let new = after.table(&table).and_then(|rows| rows.get(uuid));
    let text = |old: Option<&RowRef<'_>>, new: Option<&RowRef<'_>>, tells: fn(&ColumnType) -> bool| {
        entry(schema, (&table, uuid), old, new, tells).to_string()
    };
    let texts = |tells: fn(&ColumnType) -> bool| Texts {
        stayed: (changed && was.by_any() && is.by_any()).then(|| text(old.as_ref(), new.as_ref(), tells)),
        entered: (was != is && is.by_any()).then(|| text(None, new.as_ref(), tells)),
        left: (was != is && was.by_any()).then(|| text(old.as_ref(), None, tells)),
    };
    let shared = match was.shared || is.shared {
        true => texts(|kind| target(kind).is_none()),
        false => Texts::default(),
    };
    Part {
        own: texts(|_| true),
        shared,
        before: was,
        after: is,
    }
}
