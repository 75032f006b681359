//! Fenced rows: what many nodes write into one store, each only under claims that it still holds (rule R7).

use crate::standing::Standing;
use purlin_types::{Epoch, Slot, SlotSet};
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

/// A future of an engine chosen at run time.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One row as its owner states it; the newest statement is the whole truth about its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FencedRow {
    /// Names the row within its table: for a lease, the address as a number.
    pub key: u64,
    pub slot: Slot,
    /// Rises with every statement about the key under one epoch; a higher epoch beats it.
    pub version: u32,
    /// Two live rows of a table cannot have the same one: for a bound lease, network and client. `None` for a row
    /// that claims nothing.
    pub unique: Option<Vec<u8>>,
    /// The service's own record.
    pub body: Vec<u8>,
}

/// A row with the term under which it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    pub row: FencedRow,
    pub epoch: Epoch,
}

/// Rows per question of the reads that go over all rows.
const READ_AT_ONCE: usize = 5000;

/// How many rows of a range of keys have one value of an octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// Index of the range among those asked for.
    pub range: usize,
    /// The octet.
    pub value: u8,
    pub rows: u64,
}

/// A row that cannot be written beside a live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rival {
    /// Of the row in the batch.
    pub key: u64,
    /// Of the row that has what it claims.
    pub by: u64,
}

/// Rows were written: they are as durable as the store can make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// After the commit nothing copied the store nor kept its log for a copy: nobody is behind. False says nothing;
    /// [`FencedRows::standing`] tells.
    pub alone: bool,
}

/// Why rows were not written. In all but `Unknown` nothing was.
#[derive(Debug)]
pub enum FenceFault {
    /// These slots are not held under the epochs given: whoever wrote must stop deciding about them at once.
    Lost(Vec<Slot>),
    /// These slots were held under epochs of a history that a failover has ended, and what is written under them could be
    /// lost again. Whoever still holds them claims them anew and writes the rows under the new epochs.
    Former(Vec<Slot>),
    /// The `unique` of each of these rows is another live row's. Names every row of the batch that has to stay out, so that
    /// the others are not held up by one attempt for each.
    Taken(Vec<Rival>),
    /// No answer: the rows may have been written. They may be written again as they are.
    Unknown(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for FenceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(slots) => write!(f, "{} slots are no longer held", slots.len()),
            Self::Former(slots) => write!(
                f,
                "{} slots have to be claimed anew after a failover of the store",
                slots.len()
            ),
            Self::Taken(rivals) => match rivals.as_slice() {
                [Rival { key, by }] => write!(f, "row {key} would be a second one beside {by}"),
                rivals => write!(f, "{} rows would be second ones beside others", rivals.len()),
            },
            Self::Unknown(_) => f.write_str("the store did not answer"),
        }
    }
}

impl std::error::Error for FenceFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

/// Rows by key, written under claims.
///
/// The fence and the rows are one transaction: the claims are locked against change (`FOR SHARE`) until the rows are
/// committed, so that whoever claims next sees every row that its predecessor was told is written.
pub trait FencedRows: Send + Sync + fmt::Debug {
    /// Writes rows of one table, all or none. Rows that are older than what is stored change nothing and are no fault.
    /// `held` names every slot of the rows.
    fn write<'a>(
        &'a self,
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>>;

    /// All rows of these slots, in key order from above `after`, at most `limit`.
    fn load<'a>(
        &'a self,
        table: &'a str,
        slots: &'a [Slot],
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>>;

    /// How far the copies of what is written are. An engine that has none need not say so.
    fn standing(&self) -> Later<'_, Result<Standing, FenceFault>> {
        Box::pin(async { Ok(Standing::ALONE) })
    }

    /// Rows by key, whoever's slots they are in; may be answered by a replica. For display.
    fn page<'a>(
        &'a self,
        table: &'a str,
        after: Option<u64>,
        limit: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>>;

    /// Live rows that claim one of `uniques`, whoever's slots they are in, in key order; may be answered by a replica.
    /// For display. Engines find them by index; as it stands here every row is read.
    fn named<'a>(
        &'a self,
        table: &'a str,
        uniques: &'a [Vec<u8>],
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async move {
            let mut named = Vec::new();
            let mut after = None;
            loop {
                let page = self.page(table, after, READ_AT_ONCE).await?;
                after = page.last().map(|stored| stored.row.key);
                let wanted = |stored: &StoredRow| {
                    let unique = stored.row.unique.as_ref();
                    unique.is_some_and(|unique| uniques.contains(unique))
                };
                let full = page.len() == READ_AT_ONCE;
                named.extend(page.into_iter().filter(wanted));
                if !full {
                    return Ok(named);
                }
            }
        })
    }

    /// How many rows there are with each value of the octet at `octet` of their bodies, by range of keys; rows of the
    /// slots in `except` and rows with shorter bodies are not counted. May be answered by a replica. For display.
    /// Engines count where the rows are; as it stands here every row is read.
    fn tally<'a>(
        &'a self,
        table: &'a str,
        octet: usize,
        ranges: &'a [RangeInclusive<u64>],
        except: &'a SlotSet,
    ) -> Later<'a, Result<Vec<Tally>, FenceFault>> {
        Box::pin(async move {
            let mut counted: BTreeMap<(usize, u8), u64> = BTreeMap::new();
            let mut after = None;
            loop {
                let page = self.page(table, after, READ_AT_ONCE).await?;
                after = page.last().map(|stored| stored.row.key);
                for stored in page.iter().filter(|stored| !except.contains(stored.row.slot)) {
                    let Some(&value) = stored.row.body.get(octet) else {
                        continue;
                    };
                    for (range, keys) in ranges.iter().enumerate() {
                        if keys.contains(&stored.row.key) {
                            *counted.entry((range, value)).or_default() += 1;
                        }
                    }
                }
                if page.len() < READ_AT_ONCE {
                    break;
                }
            }
            let tally = |((range, value), rows)| Tally { range, value, rows };
            Ok(counted.into_iter().map(tally).collect())
        })
    }
}
