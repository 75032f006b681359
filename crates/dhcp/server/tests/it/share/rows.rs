//! Rows behind the fence of the claims, in memory, and a copy of them that lags.

use purlin_fabric::port::{ClaimKey, ClaimStore};
use purlin_fabric_runtime::local::LocalClaims;
use purlin_store::{Copies, FenceFault, FencedRow, FencedRows, Later, Rival, Standing, StoredRow, Written};
use purlin_types::{Epoch, Slot};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;

type Table = BTreeMap<(String, u64), StoredRow>;

#[derive(Debug)]
pub(super) struct Rows {
    claims: Arc<LocalClaims>,
    stored: Mutex<Stored>,
    asked_for_copies: watch::Sender<u64>,
    /// Questions for stored rows since that was last changed, and whether they are answered.
    reads: watch::Sender<u64>,
    open: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Stored {
    rows: Table,
    /// Writes so far.
    written: u64,
    /// Writes that met a row which claims the same.
    refused: u64,
    /// As much of it as the copy has, when there is one.
    copy: Option<(Table, u64)>,
}

impl Rows {
    pub(super) fn over(claims: &Arc<LocalClaims>) -> Arc<Self> {
        Arc::new(Self {
            claims: Arc::clone(claims),
            stored: Mutex::default(),
            asked_for_copies: watch::Sender::default(),
            reads: watch::Sender::default(),
            open: watch::Sender::new(true),
        })
    }

    /// From now on, or no longer, questions for stored rows are left without an answer.
    pub(super) fn keep_to_itself(&self, shut: bool) {
        self.reads.send_replace(0);
        self.open.send_replace(!shut);
    }

    /// Waits until somebody asks for stored rows.
    pub(super) async fn until_read(&self) {
        let mut reads = self.reads.subscribe();
        reads.wait_for(|&reads| reads > 0).await.expect("it is ours");
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().expect("nothing panics with it")
    }

    /// There is a copy, which has all of it now and gets nothing more.
    pub(super) fn lag(&self) {
        let stored = &mut *self.stored();
        stored.copy = Some((stored.rows.clone(), stored.written));
    }

    /// There is no copy any more.
    pub(super) fn without_copy(&self) {
        self.stored().copy = None;
    }

    /// The copy takes the store's place and has none behind it.
    pub(super) fn fail_over(&self) {
        let mut stored = self.stored();
        let (rows, written) = stored.copy.take().expect("there is a copy");
        (stored.rows, stored.written) = (rows, written);
    }

    /// Waits until a question for the copies that comes after this has been answered, and the answer taken in.
    pub(super) async fn until_asked_for_copies(&self) {
        let mut asked = self.asked_for_copies.subscribe();
        let goal = *asked.borrow_and_update() + 2;
        asked.wait_for(|&now| now >= goal).await.expect("it is ours");
    }

    /// Leases that name a client, with the timelines that they were written under.
    pub(super) fn live(&self) -> Vec<u32> {
        let stored = self.stored();
        let live = stored.rows.values().filter(|stored| stored.row.unique.is_some());
        live.map(|stored| stored.epoch.timeline).collect()
    }

    /// How many times anything was written.
    pub(super) fn written(&self) -> u64 {
        self.stored().written
    }

    /// How many times a row stood in another's way.
    pub(super) fn refused(&self) -> u64 {
        self.stored().refused
    }

    /// The live row, if any, that claims what `row` would.
    fn holder(stored: &Stored, table: &str, row: &FencedRow) -> Option<u64> {
        let unique = row.unique.as_ref()?;
        let claims = |((of, key), other): (&(String, u64), &StoredRow)| {
            (of == table && *key != row.key && other.row.unique.as_ref() == Some(unique)).then_some(*key)
        };
        stored.rows.iter().find_map(claims)
    }

    /// Which of what is held is not, and whether all of that may be held still by who says so.
    async fn fence(&self, held: &[(Slot, Epoch)]) -> Result<(), FenceFault> {
        let view = self.claims.view().await;
        let view = view.map_err(|fault| FenceFault::Unknown(fault.into()))?;
        let claims: BTreeMap<&ClaimKey, Epoch> = view
            .claims
            .iter()
            .filter(|claim| claim.owner.is_some())
            .map(|claim| (&claim.key, claim.version.epoch))
            .collect();
        let now = |slot: Slot| claims.get(&ClaimKey::Slot(slot)).copied();
        let lost = |(slot, epoch): &&(Slot, Epoch)| now(*slot) != Some(*epoch);
        let lost: Vec<Slot> = held.iter().filter(lost).map(|(slot, _)| *slot).collect();
        if !lost.is_empty() {
            return Err(FenceFault::Lost(lost));
        }
        let former = |(slot, epoch): &(Slot, Epoch)| (epoch.timeline < view.probe.timeline).then_some(*slot);
        let former: Vec<Slot> = held.iter().filter_map(former).collect();
        match former.is_empty() {
            true => Ok(()),
            false => Err(FenceFault::Former(former)),
        }
    }
}

impl FencedRows for Rows {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        Box::pin(async move {
            self.fence(held).await?;
            let mut stored = self.stored();
            let held: BTreeMap<Slot, Epoch> = held.iter().copied().collect();
            let rival = |row: &FencedRow| {
                let by = Self::holder(&stored, table, row)?;
                Some(Rival { key: row.key, by })
            };
            let rivals: Vec<Rival> = rows.iter().filter_map(rival).collect();
            if !rivals.is_empty() {
                stored.refused += 1;
                return Err(FenceFault::Taken(rivals));
            }
            stored.written += 1;
            let alone = stored.copy.is_none();
            for row in rows {
                let (row, epoch) = (row.clone(), held[&row.slot]);
                stored
                    .rows
                    .insert((table.to_owned(), row.key), StoredRow { row, epoch });
            }
            Ok(Written { alone })
        })
    }

    fn load<'a>(
        &'a self,
        table: &'a str,
        slots: &'a [Slot],
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        let wanted = move |key: &(String, u64), row: &StoredRow| {
            key.0 == table && after.is_none_or(|after| key.1 > after) && slots.contains(&row.row.slot)
        };
        Box::pin(async move {
            self.reads.send_modify(|reads| *reads += 1);
            let mut open = self.open.subscribe();
            open.wait_for(|open| *open).await.expect("it is ours");
            let stored = self.stored();
            let rows = stored.rows.iter().filter(|(key, row)| wanted(key, row));
            Ok(rows.map(|(_, row)| row.clone()).take(limit).collect())
        })
    }

    fn standing(&self) -> Later<'_, Result<Standing, FenceFault>> {
        Box::pin(async move {
            self.asked_for_copies.send_modify(|asked| *asked += 1);
            let probe = self.claims.probe().await;
            let probe = probe.map_err(|fault| FenceFault::Unknown(fault.into()))?;
            let stored = self.stored();
            let behind = |(_, upto): &(Table, u64)| Copies::Behind {
                upto: *upto,
                follows: true,
            };
            Ok(Standing {
                timeline: probe.timeline,
                written: stored.written,
                copies: stored.copy.as_ref().map_or(Copies::None, behind),
            })
        })
    }

    fn page<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
