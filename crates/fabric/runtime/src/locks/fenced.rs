//! Fenced locks: claims whose epoch is the token.

use super::Asked;
use crate::Fabric;
use purlin_fabric::Suspicion;
use purlin_fabric::lock::{LockError, LockName, LockToken};
use purlin_fabric::port::{Candidate, ClaimKey, ClaimRow, ClaimStore, Fault, Fence, Version, Wish};
use purlin_types::{BootTime, Epoch, Incarnation, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Names whose last own release is remembered.
const RELEASED_MAX: usize = 1024;

/// Whether a life's lease was seen to lapse.
type Gone = dyn Fn(&NodeId, Incarnation) -> bool + Send + Sync;

/// What fenced locks rest on: this node's lease and the claims under it.
pub struct Fencing {
    store: Arc<dyn ClaimStore>,
    me: Candidate,
    valid_until: Box<dyn Fn() -> BootTime + Send + Sync>,
    gone: Box<Gone>,
    /// Locks that this node gave back: likely still as it left them, which spares a look at all claims.
    released: Mutex<BTreeMap<LockName, Version>>,
}

/// A fenced lock that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FencedHolder {
    pub name: String,
    pub node: NodeId,
    /// Goes into what the lock protects.
    pub epoch: Epoch,
}

impl Fencing {
    /// `valid_until` is the end of the node's own tenure, now; `gone` says whether this node has watched the lease of
    /// another life lapse.
    #[must_use]
    pub fn new(
        store: Arc<dyn ClaimStore>,
        me: Candidate,
        valid_until: impl Fn() -> BootTime + Send + Sync + 'static,
        gone: impl Fn(&NodeId, Incarnation) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            store,
            me,
            valid_until: Box::new(valid_until),
            gone: Box::new(gone),
            released: Mutex::default(),
        }
    }

    /// Over the lease that `fabric` keeps in `store`. Does not keep the fabric's task alive.
    #[must_use]
    pub fn over(fabric: &Fabric, store: Arc<dyn ClaimStore>) -> Self {
        let tenure = fabric.tenure();
        let snapshots = fabric.snapshots();
        let gone = move |id: &NodeId, life: Incarnation| {
            let snapshot = snapshots.borrow();
            let mut members = snapshot.members.iter().filter(|member| member.id == *id);
            // Another life under the id was let in only after this one's lease had lapsed.
            members.any(|member| member.incarnation != life || member.suspicion == Suspicion::Lapsed)
        };
        Self::new(store, fabric.me().clone(), move || tenure.valid_until(), gone)
    }

    pub(super) fn valid_until(&self) -> BootTime {
        (self.valid_until)()
    }

    /// Asks once. The caller has made sure that no other task of this node has or asks for the lock.
    pub(super) async fn ask(&self, name: &LockName, now: BootTime) -> Asked {
        if now >= self.valid_until() {
            return Asked::Never(LockError::NoLease);
        }
        let key = ClaimKey::Lock(name.as_str().to_owned());
        match self.grasp(name, &key).await {
            Ok(Some(epoch)) => Asked::Granted(LockToken::Fenced(epoch)),
            Ok(None) => Asked::Busy,
            Err(Fault::Refused(_)) => Asked::Never(LockError::NoLease),
            Err(Fault::Unknown(_) | Fault::Unusable(_)) => Asked::Away,
        }
    }

    async fn grasp(&self, name: &LockName, key: &ClaimKey) -> Result<Option<Epoch>, Fault> {
        // Versions at which the lock is free for certain: never claimed, or as this node gave it back.
        let free = self.released().remove(name).unwrap_or_default();
        if let Some(epoch) = self.wish(key, free, false).await? {
            return Ok(Some(epoch));
        }
        let claims = self.store.view().await?.claims;
        let Some(row) = claims.into_iter().find(|row| row.key == *key) else {
            return Ok(None);
        };
        let Some(by_force) = self.may_take(&row) else {
            return Ok(None);
        };
        let won = self.wish(key, row.version, by_force).await?;
        if let (Some(epoch), true) = (won, by_force || row.suspect) {
            // No promise is made under a lock without its token, so that nothing has to be waited for.
            let fence = Fence {
                key: key.clone(),
                epoch,
            };
            let _shown_as_suspect_until_then = self.store.settle(&self.me, &[fence]).await;
        }
        Ok(won)
    }

    /// Whether by force; `None` when its owner is alive.
    fn may_take(&self, row: &ClaimRow) -> Option<bool> {
        match &row.owner {
            None => Some(false),
            // Its release was not answered, or the holding task is gone: no task of this node has it now.
            Some((id, life)) if *id == self.me.id && *life == self.me.incarnation => Some(false),
            Some((id, life)) => (self.gone)(id, *life).then_some(true),
        }
    }

    async fn wish(&self, key: &ClaimKey, seen: Version, by_force: bool) -> Result<Option<Epoch>, Fault> {
        let wish = Wish {
            key: key.clone(),
            seen,
            by_force,
        };
        let won = self.store.claim(&self.me, &[wish]).await?;
        Ok(won.into_iter().next().flatten())
    }

    /// One that cannot be given back now is still this node's: it takes it again, and others once its lease has lapsed.
    pub(super) async fn give_back(&self, name: &LockName, epoch: Epoch) {
        let fence = Fence {
            key: ClaimKey::Lock(name.as_str().to_owned()),
            epoch,
        };
        if self.store.release(&self.me, &[fence]).await.is_ok() {
            let mut released = self.released();
            if released.len() >= RELEASED_MAX {
                released.pop_first();
            }
            // Right in nearly all cases, and a wrong guess is answered by nothing taken.
            released.insert(name.clone(), Version { epoch, step: 1 });
        }
    }

    pub(super) async fn holders(&self) -> Result<Vec<FencedHolder>, Fault> {
        let claims = self.store.view().await?.claims;
        let held = claims.into_iter().filter_map(|row| match (row.key, row.owner) {
            (ClaimKey::Lock(name), Some((node, _))) => Some(FencedHolder {
                name,
                node,
                epoch: row.version.epoch,
            }),
            _ => None,
        });
        Ok(held.collect())
    }

    fn released(&self) -> std::sync::MutexGuard<'_, BTreeMap<LockName, Version>> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Fencing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fencing")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}
