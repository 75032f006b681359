//! Whose rows a document is about: those of the installation, or those of the tenant that it is for.
//!
//! The same owner may have rows in several tenants and outside of all. Each of these parts has a document of its own, and no
//! document takes away what is in another part.

use super::spec::Identity;
use super::{Document, Item};
use crate::model::State;
use crate::tenant::{Confine, NAMED, tenant_of};
use purlin_ovsdb::Uuid;
use serde_json::Value;

/// Whether a row is in the part that a state is confined to, or in none where it is not.
pub(super) fn is_own(state: &State<'_>, table: &str, uuid: Uuid) -> bool {
    let tenant = state.confine().map(|confine| confine.tenant.as_str());
    tenant_of(state, table, uuid).as_deref() == tenant
}

/// A name as it may be written in a tenant's document, and as the row has it.
pub(super) fn named(state: &State<'_>, table: &str, name: &str) -> Option<String> {
    let confine = state.confine().filter(|_| NAMED.contains(&table))?;
    Some(confine.named(table, name))
}

impl Document {
    /// With the names that the rows of a tenant have.
    pub(super) fn within(&self, confine: &Confine) -> Self {
        let items = self.items.iter().map(|item| item.within(confine));
        Self {
            items: items.collect(),
        }
    }
}

impl Item {
    fn within(&self, confine: &Confine) -> Self {
        let mut item = self.clone();
        if item.spec.identity == Identity::Name && NAMED.contains(&item.spec.table) {
            let name = item.columns.get_mut("name").into_iter();
            for name in item.identity.iter_mut().chain(name) {
                if let Some(text) = name.as_str() {
                    *name = Value::from(confine.named(item.spec.table, text));
                }
            }
        }
        for child in item.children.values_mut().flatten() {
            *child = child.within(confine);
        }
        item
    }
}
