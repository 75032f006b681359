//! Fenced rows in memory, with real waiting: a write locks its claims, waits for a row that is held, then writes. And the
//! ways to get it wrong.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use purlin_types::{Epoch, Slot};

use super::super::FencedRig;
use crate::fenced::Later;
use crate::{FenceFault, FencedRow, FencedRows, Rival, StoredRow, Written};

/// What an engine may get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The claims are looked at and not locked: what `FOR KEY SHARE` would do.
    NoLock,
    /// The claims are looked at once the rows are written.
    NoFence,
    /// The owner is compared, the epoch is not.
    AnyEpoch,
    /// Rows before the one that fails stay.
    InPart,
    /// The last statement wins, however old.
    AnyVersion,
    /// Versions are compared without epochs.
    VersionOnly,
    NoUnique,
    /// Uniqueness is checked row by row.
    UniqueAtOnce,
    /// Keys are ordered as signed numbers.
    SignedKeys,
    /// Rows outside the slots that are named pass.
    Strangers,
    /// A removed owner's claims count.
    Undead,
}

impl Flaw {
    pub(super) const ALL: [Self; 11] = [
        Self::NoLock,
        Self::NoFence,
        Self::AnyEpoch,
        Self::InPart,
        Self::AnyVersion,
        Self::VersionOnly,
        Self::NoUnique,
        Self::UniqueAtOnce,
        Self::SignedKeys,
        Self::Strangers,
        Self::Undead,
    ];
}

type Table = BTreeMap<u64, StoredRow>;

#[derive(Debug, Default)]
struct Claim {
    epoch: Epoch,
    owned: bool,
    removed: bool,
    /// Writes under way.
    writers: usize,
}

#[derive(Debug, Default)]
struct State {
    claims: HashMap<Slot, Claim>,
    tables: HashMap<String, Table>,
    held: Option<(String, u64)>,
    waiting: usize,
    wakers: Vec<Waker>,
}

#[derive(Debug, Clone)]
pub(super) struct MemoryRig {
    flaw: Flaw,
    state: Arc<Mutex<State>>,
}

impl MemoryRig {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            state: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no check panics with it")
    }

    /// Waits until `ready` gives something. `counted`: seen as waiting by [`FencedRig::until_waiting`].
    async fn wait<T>(&self, counted: bool, mut ready: impl FnMut(&mut State) -> Option<T>) -> T {
        let mut waits = false;
        poll_fn(|context| {
            let mut state = self.state();
            let found = ready(&mut state);
            let pending = found.is_none();
            if pending != waits {
                waits = pending;
                if counted {
                    state.waiting = if waits {
                        state.waiting + 1
                    } else {
                        state.waiting - 1
                    };
                    state.wakers.drain(..).for_each(Waker::wake);
                }
            }
            match found {
                Some(found) => Poll::Ready(found),
                None => {
                    state.wakers.push(context.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let done = change(&mut state);
        state.wakers.drain(..).for_each(Waker::wake);
        done
    }

    /// The slots that are not held; the others are locked if the flaw allows and nothing is lost.
    fn fence(&self, held: &[(Slot, Epoch)]) -> Vec<Slot> {
        let flaw = self.flaw;
        self.change(|state| {
            let lost: Vec<Slot> = held
                .iter()
                .filter(|(slot, epoch)| {
                    !state.claims.get(slot).is_some_and(|claim| {
                        claim.owned
                            && (claim.epoch == *epoch || flaw == Flaw::AnyEpoch)
                            && (!claim.removed || flaw == Flaw::Undead)
                    })
                })
                .map(|(slot, _)| *slot)
                .collect();
            if lost.is_empty() {
                for (slot, _) in held {
                    state.claims.entry(*slot).or_default().writers += 1;
                }
            }
            lost
        })
    }

    async fn write_rows(
        &self,
        table: &str,
        held: &[(Slot, Epoch)],
        rows: &[FencedRow],
    ) -> Result<(), FenceFault> {
        let strangers: Vec<Slot> = rows
            .iter()
            .map(|row| row.slot)
            .filter(|slot| !held.iter().any(|(named, _)| named == slot))
            .collect();
        if !strangers.is_empty() && self.flaw != Flaw::Strangers {
            return Err(FenceFault::Lost(strangers));
        }
        let lost = self.fence(held);
        if !lost.is_empty() && self.flaw != Flaw::NoFence {
            return Err(FenceFault::Lost(lost));
        }
        let fenced = lost.is_empty();
        self.wait(true, |state| {
            let stopped = rows.iter().any(|row| {
                state
                    .held
                    .as_ref()
                    .is_some_and(|(t, k)| t == table && *k == row.key)
            });
            (!stopped).then_some(())
        })
        .await;
        self.change(|state| {
            let outcome = self.apply(state.tables.entry(table.to_owned()).or_default(), held, rows);
            if fenced {
                for (slot, _) in held {
                    state.claims.entry(*slot).or_default().writers -= 1;
                }
            }
            outcome
        })?;
        if fenced {
            Ok(())
        } else {
            Err(FenceFault::Lost(lost))
        }
    }

    fn apply(&self, table: &mut Table, held: &[(Slot, Epoch)], rows: &[FencedRow]) -> Result<(), FenceFault> {
        let mut next = table.clone();
        for row in rows {
            let epoch = held
                .iter()
                .find(|(slot, _)| *slot == row.slot)
                .map_or_else(Epoch::default, |(_, epoch)| *epoch);
            let newer = next.get(&row.key).is_none_or(|old| match self.flaw {
                Flaw::AnyVersion => true,
                Flaw::VersionOnly => old.row.version < row.version,
                _ => (old.epoch, old.row.version) < (epoch, row.version),
            });
            if newer {
                let row = row.clone();
                next.insert(row.key, StoredRow { row, epoch });
            }
            if self.flaw == Flaw::UniqueAtOnce {
                two_alike(&next)?;
            }
            if self.flaw == Flaw::InPart {
                two_alike(&next)?;
                table.clone_from(&next);
            }
        }
        if self.flaw != Flaw::NoUnique {
            two_alike(&next).map_err(|fault| named(fault, table))?;
        }
        *table = next;
        Ok(())
    }

    fn select(
        &self,
        table: &str,
        after: Option<u64>,
        limit: usize,
        slots: Option<&[Slot]>,
    ) -> Vec<StoredRow> {
        let state = self.state();
        let Some(table) = state.tables.get(table) else {
            return Vec::new();
        };
        let signed = |key: u64| {
            if self.flaw == Flaw::SignedKeys {
                key ^ (1 << 63)
            } else {
                key
            }
        };
        let mut rows: Vec<&StoredRow> = table
            .values()
            .filter(|stored| slots.is_none_or(|slots| slots.contains(&stored.row.slot)))
            .filter(|stored| after.is_none_or(|after| signed(stored.row.key) > signed(after)))
            .collect();
        rows.sort_by_key(|stored| signed(stored.row.key));
        rows.into_iter().take(limit).cloned().collect()
    }
}

fn two_alike(table: &Table) -> Result<(), FenceFault> {
    let mut seen: HashMap<&[u8], u64> = HashMap::new();
    let mut rivals = Vec::new();
    for (&key, stored) in table {
        if let Some(unique) = &stored.row.unique {
            let by = *seen.entry(unique).or_insert(key);
            rivals.extend((by != key).then_some(Rival { key, by }));
        }
    }
    match rivals.is_empty() {
        true => Ok(()),
        false => Err(FenceFault::Taken(rivals)),
    }
}

/// `by` is the row that was there before.
fn named(fault: FenceFault, before: &Table) -> FenceFault {
    let FenceFault::Taken(rivals) = fault else {
        return fault;
    };
    let turned = |Rival { key, by }| match before.contains_key(&key) && !before.contains_key(&by) {
        true => Rival { key: by, by: key },
        false => Rival { key, by },
    };
    FenceFault::Taken(rivals.into_iter().map(turned).collect())
}

impl FencedRows for MemoryRig {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        Box::pin(async move {
            self.write_rows(table, held, rows).await?;
            Ok(Written { alone: true })
        })
    }

    fn load<'a>(
        &'a self,
        table: &'a str,
        slots: &'a [Slot],
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async move { Ok(self.select(table, after, limit, Some(slots))) })
    }

    fn page<'a>(
        &'a self,
        table: &'a str,
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async move { Ok(self.select(table, after, limit, None)) })
    }
}

impl FencedRig for MemoryRig {
    fn rows(&self) -> Later<'_, Arc<dyn FencedRows>> {
        Box::pin(async { Arc::new(self.clone()) as Arc<dyn FencedRows> })
    }

    fn take_over(&self, slot: Slot) -> Later<'_, Epoch> {
        Box::pin(self.wait(true, move |state| {
            let claim = state.claims.entry(slot).or_default();
            if claim.writers > 0 && self.flaw != Flaw::NoLock {
                return None;
            }
            claim.epoch.timeline = 1;
            claim.epoch.counter += 1;
            (claim.owned, claim.removed) = (true, false);
            Some(claim.epoch)
        }))
    }

    fn give_back(&self, slot: Slot, epoch: Epoch) -> Later<'_, ()> {
        Box::pin(async move {
            self.change(|state| {
                let claim = state.claims.entry(slot).or_default();
                claim.owned &= claim.epoch != epoch;
            });
        })
    }

    fn hold(&self, table: &'static str, key: u64) -> Later<'_, bool> {
        Box::pin(async move {
            self.change(|state| state.held = Some((table.to_owned(), key)));
            true
        })
    }

    fn let_go(&self) -> Later<'_, ()> {
        Box::pin(async { self.change(|state| state.held = None) })
    }

    fn until_waiting(&self, calls: usize) -> Later<'_, ()> {
        Box::pin(self.wait(false, move |state| (state.waiting >= calls).then_some(())))
    }

    fn remove_owner(&self, slot: Slot) -> Later<'_, bool> {
        Box::pin(async move {
            self.change(|state| state.claims.entry(slot).or_default().removed = true);
            true
        })
    }
}
