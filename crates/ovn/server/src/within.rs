//! A platform narrowed to a tenant: what its handlers read is the tenant's part, what they write stays in it.
//!
//! Routes never see the whole platform when a request is made for a tenant ([`crate::routes`] are narrowed by the shell,
//! before the handler runs), so that no handler can forget it.
//!
//! A part is made once by a look at all that the tenant has, and then follows the whole, change by change, when somebody
//! asks for it.

use crate::kept::Books;
use crate::orders::Orders;
use purlin_api::tenancy::Tenancy;
use purlin_ovn_core::address::Book;
use purlin_ovn_core::tenant::{Bound, Confine, follow, view};
use purlin_ovsdb::DatabaseSchema;
use purlin_ovsdb::cache::{Changes, Database};
use purlin_ovsdb::client::Snapshot;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::OwnedMutexGuard;

/// Tenants whose part is kept; beyond them all are made anew.
const VIEWS_MAX: usize = 256;
/// A part that nobody asked for so long is given up, and with it the rows that it holds.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Changes that are followed whatever the tenant has; of more, making the part anew may be less work.
const FOLLOWED: usize = 4096;

/// A tenant's part of a platform. Copies are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    pub(crate) confine: Arc<Confine>,
    views: Arc<Views>,
}

/// The parts that tenants have read last, and whose turn it is to write.
#[derive(Debug, Default)]
pub(crate) struct Views {
    kept: Mutex<HashMap<(String, bool), Arc<View>>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// What is kept for a tenant.
#[derive(Debug)]
struct View {
    asked: Mutex<Instant>,
    part: Mutex<Option<Kept>>,
    books: Books,
    orders: Arc<Orders>,
}

#[derive(Debug, Clone)]
struct Kept {
    /// Of which rows, and by which loading of them.
    generation: (u64, u64),
    whole: Database,
    part: Database,
}

impl Kept {
    fn new(schema: &DatabaseSchema, whole: &Snapshot, confine: &Confine) -> Self {
        Self {
            generation: (whole.reloads, whole.generation),
            whole: whole.database.clone(),
            part: view(schema, &whole.database, confine),
        }
    }

    /// The same for another state.
    fn of(mut self, schema: &DatabaseSchema, whole: &Snapshot, confine: &Confine) -> Self {
        let same = Arc::ptr_eq(self.whole.layout(), whole.database.layout());
        if !same || self.generation.0 != whole.reloads {
            return Self::new(schema, whole, confine);
        }
        let changes = Changes::between(&self.whole, &whole.database, None);
        if changes.rows.len() > FOLLOWED + self.part.len() {
            return Self::new(schema, whole, confine);
        }
        let states = (&self.whole, &whole.database);
        follow(schema, &mut self.part, states, &changes, confine);
        self.generation = (whole.reloads, whole.generation);
        self.whole = whole.database.clone();
        self
    }
}

impl Views {
    fn kept(&self) -> MutexGuard<'_, HashMap<(String, bool), Arc<View>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up what nobody has asked for in a while, so that no old rows are held.
    pub(crate) fn tidy(&self) {
        self.kept().retain(|_, view| {
            view.orders.tidy();
            let asked = view.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.elapsed() < IDLE_MAX
        });
    }
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

    /// The same tenant's part of other rows.
    pub(crate) fn over(&self, views: &Arc<Views>) -> Self {
        Self {
            confine: Arc::clone(&self.confine),
            views: Arc::clone(views),
        }
    }

    fn view(&self) -> Arc<View> {
        let mut kept = self.views.kept();
        let key = (self.confine.tenant.clone(), self.confine.external);
        if kept.len() >= VIEWS_MAX && !kept.contains_key(&key) {
            kept.clear();
        }
        let new = || View {
            asked: Mutex::new(Instant::now()),
            part: Mutex::default(),
            books: Books::default(),
            orders: Arc::default(),
        };
        let view = kept.entry(key).or_insert_with(|| Arc::new(new()));
        *view.asked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Arc::clone(view)
    }

    /// The tenant's part of these rows.
    pub(crate) fn part(&self, schema: &DatabaseSchema, whole: &Snapshot) -> Database {
        let view = self.view();
        // Whoever waits here would only make the same again.
        let mut kept = view.part.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = (whole.reloads, whole.generation);
        let known = kept.as_ref().map(|kept| kept.generation);
        if let Some(kept) = kept.as_ref().filter(|kept| kept.generation == generation) {
            return kept.part.clone();
        }
        let now = match kept.clone() {
            Some(known) => known.of(schema, whole, &self.confine),
            None => Kept::new(schema, whole, &self.confine),
        };
        let part = now.part.clone();
        // A request may be late with older rows: the newer ones stay.
        if known.is_none_or(|known| known < generation) {
            *kept = Some(now);
        }
        part
    }

    /// The orders of the tenant's part. Those of the whole would show rows of others.
    pub(crate) fn orders(&self) -> Arc<Orders> {
        Arc::clone(&self.view().orders)
    }

    /// Who has which address in the tenant's part.
    pub(crate) fn book(&self, schema: &DatabaseSchema, part: &Database, generation: u64) -> Book {
        self.view().books.of(schema, part, generation)
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
