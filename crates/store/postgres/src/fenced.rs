//! [`FencedRows`]: rows written under claims that still hold.
//!
//! ```text
//!   quick         one statement: writer FOR SHARE, unchanged since its claims were read? · rows by UNNEST
//!   when not, or for more than 1000 rows:
//!   one flight    BEGIN · claims FOR SHARE · rows by UNNEST, 1000 per statement
//!   then          every claim there?  COMMIT : ROLLBACK, Lost
//! ```
//!
//! `FOR SHARE` is the point: whoever takes a claim over changes its row, waits for the lock and therefore sees, when it
//! loads, every row that its predecessor was told is written. `FOR KEY SHARE` would not make it wait.

mod batch;
mod column;
mod proof;
mod quick;
mod read;
mod standing;
mod write;

use purlin_store::{Copies, FenceFault, FencedRow, FencedRows, Later, Standing, StoredRow, Tally, Written};
use purlin_types::{Epoch, Slot, SlotSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::failure::Failure;
use crate::postgres::Postgres;

pub(crate) use proof::Proof;

/// How often rows are tried beside others that come and go.
const TRIES: u32 = 4;

impl Postgres {
    /// In one statement where that is possible; else, and to learn what stands against it, claim by claim.
    async fn first_try(&self, batch: &write::Batch<'_>) -> Result<Result<Written, FenceFault>, Failure> {
        if batch.only_piece().is_some() {
            let known = self.proof().filter(|proof| proof.covers(batch.held()));
            let looks = self.was_alone();
            if let Some(proof) = &known
                && let Some(written) = self.call(&quick::Quick { batch, proof, looks }).await?
            {
                return Ok(Ok(written));
            }
            if let Some(proof) = &self.proof_anew(batch).await?
                && let Some(written) = self.call(&quick::Quick { batch, proof, looks }).await?
            {
                return Ok(Ok(written));
            }
        }
        self.call(batch).await
    }

    /// Reads the claims of whoever holds the first slot of the batch, and keeps them when they are what it needs.
    async fn proof_anew(&self, batch: &write::Batch<'_>) -> Result<Option<Arc<Proof>>, Failure> {
        let Some(&(slot, _)) = batch.held().first() else {
            return Ok(None);
        };
        let found = self.call(&proof::Find(slot)).await?;
        let found = found.filter(|proof| proof.covers(batch.held())).map(Arc::new);
        self.keep_proof(found.clone());
        Ok(found)
    }
}

impl FencedRows for Postgres {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        Box::pin(async move {
            let batch = write::Batch::new(table, held, rows)?;
            let mut outcome = self.first_try(&batch).await;
            // What stood in the way may be gone when it is asked for; then at once again, because others wait.
            for _ in 0..TRIES {
                match outcome {
                    Err(failure) if failure.is_taken() => outcome = self.call(&batch.second_try()).await,
                    outcome => return outcome?,
                }
            }
            outcome?
        })
    }

    fn load<'a>(
        &'a self,
        table: &'a str,
        slots: &'a [Slot],
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        let load = read::Load::new(table, slots, after, limit);
        Box::pin(async move { Ok(self.call(&load).await?) })
    }

    fn standing(&self) -> Later<'_, Result<Standing, FenceFault>> {
        Box::pin(async {
            let standing = self.call(&standing::Ask).await?;
            self.note_alone(standing.copies == Copies::None);
            Ok(standing)
        })
    }

    fn page<'a>(
        &'a self,
        table: &'a str,
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        let page = read::Page::new(table, after, limit);
        Box::pin(async move { Ok(self.read(&page).await?) })
    }

    fn named<'a>(
        &'a self,
        table: &'a str,
        uniques: &'a [Vec<u8>],
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        let named = read::Named::new(table, uniques);
        Box::pin(async move { Ok(self.read(&named).await?) })
    }

    fn tally<'a>(
        &'a self,
        table: &'a str,
        octet: usize,
        ranges: &'a [RangeInclusive<u64>],
        except: &'a SlotSet,
    ) -> Later<'a, Result<Vec<Tally>, FenceFault>> {
        let count = read::Count::new(table, octet, ranges, except);
        Box::pin(async move { Ok(self.read(&count).await?) })
    }
}
