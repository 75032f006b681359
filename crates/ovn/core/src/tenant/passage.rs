//! Rows on their way into a tenant's part and out of it: who saw them before a transaction, and who sees them after it.

use super::view::any_marked;
use super::{is_shared, tenant_of};
use crate::model::{State, target};
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::BTreeSet;

/// Who sees a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The tenant that it belongs to.
    pub tenant: Option<String>,
    /// Whether it is shared with those that may use external networks.
    pub shared: bool,
}

/// What a transaction means for those who see the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub table: String,
    pub uuid: Uuid,
    pub before: Seen,
    pub after: Seen,
    /// Whether the row itself was changed; else only what it hangs on.
    pub changed: bool,
}

impl Seen {
    /// Nobody, when there is no such row.
    pub fn of(state: &State<'_>, table: &str, uuid: Uuid) -> Self {
        if !state.contains(table, uuid) {
            return Self::default();
        }
        Self {
            tenant: tenant_of(state, table, uuid),
            shared: is_shared(state, table, uuid),
        }
    }

    /// Whether a tenant does.
    pub fn by(&self, tenant: &str, external: bool) -> bool {
        self.tenant.as_deref() == Some(tenant) || (external && self.shared)
    }

    /// Whether any tenant does.
    pub fn by_any(&self) -> bool {
        self.shared || self.tenant.is_some()
    }
}

/// The changed rows that tenants see, and those that came to another tenant with the row that they hang on. Costs what
/// the transaction changed and moved, not what there is.
pub fn passages(
    before: &State<'_>,
    after: &State<'_>,
    changed: impl IntoIterator<Item = (String, Uuid)>,
) -> Vec<Passage> {
    if !any_marked(before) && !any_marked(after) {
        return Vec::new();
    }
    let changed: BTreeSet<(String, Uuid)> = changed.into_iter().collect();
    let mut next: Vec<(String, Uuid)> = changed.iter().cloned().collect();
    let mut done = BTreeSet::new();
    let mut passages = Vec::new();
    while let Some(row) = next.pop() {
        if !done.insert(row.clone()) {
            continue;
        }
        let (table, uuid) = row.clone();
        let was = Seen::of(before, &table, uuid);
        let is = Seen::of(after, &table, uuid);
        let moved = was.tenant != is.tenant;
        next.extend(children(before, after, &table, uuid, moved));
        let changed = changed.contains(&row);
        if (changed || was != is) && (was.by_any() || is.by_any()) {
            passages.push(Passage {
                table,
                uuid,
                before: was,
                after: is,
                changed,
            });
        }
    }
    // In no order of this search: by table and row.
    passages.sort_by(|a, b| (&a.table, a.uuid).cmp(&(&b.table, b.uuid)));
    passages
}

/// Rows that hang on this one before or after: all of them, or those that it did not have at both times.
fn children(
    before: &State<'_>,
    after: &State<'_>,
    table: &str,
    uuid: Uuid,
    all: bool,
) -> Vec<(String, Uuid)> {
    let Some(schema) = after.schema().table(table) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (column, known) in &schema.columns {
        let Some((to, true)) = target(&known.kind) else {
            continue;
        };
        let held = |state: &State<'_>| state.value(table, uuid, column).cloned().unwrap_or(Datum::EMPTY);
        let (was, is) = (held(before), held(after));
        let mut take = |value: &Datum| {
            let uuids = value.atoms().iter().filter_map(Atom::as_uuid);
            found.extend(uuids.map(|child| (to.to_owned(), child)));
        };
        if all {
            take(&was);
            take(&is);
        } else {
            take(&was.without(&is));
            take(&is.without(&was));
        }
    }
    found
}
