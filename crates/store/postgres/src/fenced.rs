//! [`FencedRows`]: rows written under claims that still hold.
//!
//! ```text
//!   one flight    BEGIN · claims FOR SHARE · rows by UNNEST, 1000 per statement
//!   then          every claim there?  COMMIT : ROLLBACK, Lost
//! ```
//!
//! `FOR SHARE` is the point: whoever takes a claim over changes its row, waits for the lock and therefore sees, when it
//! loads, every row that its predecessor was told is written. `FOR KEY SHARE` would not make it wait.

mod column;
mod read;
mod standing;
mod write;

use purlin_store::{FenceFault, FencedRow, FencedRows, Later, Standing, StoredRow, Tally};
use purlin_types::{Epoch, Slot, SlotSet};
use std::ops::RangeInclusive;

use crate::postgres::Postgres;

/// How often rows are tried beside others that come and go.
const TRIES: u32 = 4;

impl FencedRows for Postgres {
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<(), FenceFault>> {
        Box::pin(async move {
            let batch = write::Batch::new(table, held, rows)?;
            let mut outcome = self.call(&batch).await;
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
        Box::pin(async { Ok(self.call(&standing::Ask).await?) })
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
