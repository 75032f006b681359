//! A platform narrowed to a tenant: what its handlers read is the tenant's part, what they write stays in it.
//!
//! Routes never see the whole platform when a request is made for a tenant ([`crate::routes`] are narrowed by the shell,
//! before the handler runs), so that no handler can forget it.

use purlin_api::tenancy::Tenancy;
use purlin_ovn_core::tenant::{Bound, Confine, view};
use purlin_ovsdb::DatabaseSchema;
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::client::Snapshot;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Tenants whose part is kept; beyond them all are made anew.
const VIEWS_MAX: usize = 256;

/// A tenant's part of a platform. Copies are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    pub(crate) confine: Arc<Confine>,
    views: Arc<Views>,
}

/// The parts that tenants have read last, and whose turn it is to write.
#[derive(Debug, Default)]
pub(crate) struct Views {
    kept: Mutex<HashMap<String, Kept>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

#[derive(Debug)]
struct Kept {
    /// Of which rows, and by which loading of them.
    generation: (u64, u64),
    external: bool,
    part: Database,
}

impl Within {
    pub(crate) fn of(tenancy: &Tenancy, views: &Arc<Views>) -> Self {
        let bound = |bound: &purlin_api::tenancy::Bound| Bound {
            of: bound.of.clone(),
            tenants: bound.tenants.clone(),
            quotas: bound.quotas.clone(),
        };
        let confine = Confine {
            tenant: tenancy.id.clone(),
            name: tenancy.name.clone(),
            prefix: tenancy.prefix.clone(),
            external: tenancy.external,
            bounds: tenancy.bounds.iter().map(bound).collect(),
            root: tenancy.root.clone(),
        };
        Self {
            confine: Arc::new(confine),
            views: Arc::clone(views),
        }
    }

    /// The tenant's part of these rows. Made once for each state that it is read in.
    pub(crate) fn part(&self, schema: &DatabaseSchema, whole: &Snapshot) -> Database {
        let generation = (whole.reloads, whole.generation);
        let external = self.confine.external;
        let mut kept = self.views.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.get(&self.confine.tenant)
            && (kept.generation, kept.external) == (generation, external)
        {
            return kept.part.clone();
        }
        let part = view(schema, &whole.database, &self.confine);
        if kept.len() >= VIEWS_MAX {
            kept.clear();
        }
        let new = Kept {
            generation,
            external,
            part: part.clone(),
        };
        kept.insert(self.confine.tenant.clone(), new);
        part
    }

    /// One write at a time in a tree of tenants: those of this node wait here rather than overtake one another in the
    /// database, which has the last word about those of other nodes.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.views.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= VIEWS_MAX {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(turns.entry(self.confine.root.clone()).or_default())
        };
        turn.lock_owned().await
    }
}
