//! Reading rows: what a new owner takes over, and pages for display.

use purlin_fabric::port::ClaimKey;
use purlin_store::{FencedRow, StoredRow, Tally};
use purlin_types::{Epoch, SLOTS, Slot, SlotSet};
use std::ops::RangeInclusive;
use tokio_postgres::Row;

use super::column;
use crate::claims::key_text;
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::session::{Params, Session};

const LOAD: &str = "SELECT key, slot, gtl, epoch, ver, uniq, body FROM purlin.fenced_row \
     WHERE tbl = $1 AND slot = ANY ($2) AND ($3::bigint IS NULL OR key > $3) ORDER BY key LIMIT $4";

/// Locks that exclude nobody who matters. Their purpose is to be written to the log: a transaction that only reads does
/// not wait for the standby, and rows whose own commit nobody confirmed could be read and then be lost in a failover.
const ANCHOR: &str = "SELECT FROM purlin.claim WHERE key = ANY ($1) ORDER BY key LIMIT 1 FOR KEY SHARE";

const PAGE: &str = "SELECT key, slot, gtl, epoch, ver, uniq, body FROM purlin.fenced_row \
     WHERE tbl = $1 AND ($2::bigint IS NULL OR key > $2) ORDER BY key LIMIT $3";

const NAMED: &str = "SELECT key, slot, gtl, epoch, ver, uniq, body FROM purlin.fenced_row \
     WHERE tbl = $1 AND uniq = ANY ($2) ORDER BY key";

const TALLY: &str = "SELECT u.n AS range, get_byte(r.body, $2) AS value, count(*) AS rows \
     FROM UNNEST($3::bigint[], $4::bigint[]) WITH ORDINALITY AS u (first, last, n) \
     JOIN purlin.fenced_row AS r ON r.tbl = $1 AND r.key BETWEEN u.first AND u.last \
     WHERE octet_length(r.body) > $2 AND get_bit($5::bytea, r.slot) = 0 GROUP BY 1, 2";

pub(super) struct Load<'a> {
    table: &'a str,
    slots: Vec<i16>,
    claims: Vec<String>,
    after: Option<i64>,
    limit: i64,
}

impl<'a> Load<'a> {
    pub(super) fn new(table: &'a str, slots: &[Slot], after: Option<u64>, limit: usize) -> Self {
        Self {
            table,
            slots: slots.iter().copied().map(column::slot).collect(),
            claims: slots
                .iter()
                .map(|slot| key_text(&ClaimKey::Slot(*slot)))
                .collect(),
            after: after.map(column::key),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        }
    }
}

impl Work for Load<'_> {
    type Done = Vec<StoredRow>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            session.prepare(&[LOAD, ANCHOR]).await?;
            let loading: Params<'_> = &[&self.table, &self.slots, &self.after, &self.limit];
            let anchoring: Params<'_> = &[&self.claims];
            let (begun, rows, anchored) = tokio::join!(
                biased;
                session.run("BEGIN"),
                session.query(LOAD, loading),
                session.query(ANCHOR, anchoring),
            );
            begun?;
            let rows = rows?;
            anchored?;
            session.commit().await?;
            rows.iter().map(stored).collect()
        })
    }
}

pub(super) struct Page<'a> {
    table: &'a str,
    after: Option<i64>,
    limit: i64,
}

impl<'a> Page<'a> {
    pub(super) fn new(table: &'a str, after: Option<u64>, limit: usize) -> Self {
        Self {
            table,
            after: after.map(column::key),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        }
    }
}

impl Work for Page<'_> {
    type Done = Vec<StoredRow>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let rows = session
                .query(PAGE, &[&self.table, &self.after, &self.limit])
                .await?;
            rows.iter().map(stored).collect()
        })
    }
}

pub(super) struct Named<'a> {
    table: &'a str,
    uniques: Vec<&'a [u8]>,
}

impl<'a> Named<'a> {
    pub(super) fn new(table: &'a str, uniques: &'a [Vec<u8>]) -> Self {
        let uniques = uniques.iter().map(Vec::as_slice).collect();
        Self { table, uniques }
    }
}

impl Work for Named<'_> {
    type Done = Vec<StoredRow>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let rows = session.query(NAMED, &[&self.table, &self.uniques]).await?;
            rows.iter().map(stored).collect()
        })
    }
}

pub(super) struct Count<'a> {
    table: &'a str,
    octet: i32,
    first: Vec<i64>,
    last: Vec<i64>,
    /// A bit per slot, the lowest of an octet first.
    except: Vec<u8>,
}

impl<'a> Count<'a> {
    pub(super) fn new(
        table: &'a str,
        octet: usize,
        ranges: &[RangeInclusive<u64>],
        except: &SlotSet,
    ) -> Self {
        let mut bits = vec![0; usize::from(SLOTS) / 8];
        for slot in except.iter() {
            bits[usize::from(slot.index()) / 8] |= 1 << (slot.index() % 8);
        }
        Self {
            table,
            octet: i32::try_from(octet).unwrap_or(i32::MAX),
            first: ranges.iter().map(|range| column::key(*range.start())).collect(),
            last: ranges.iter().map(|range| column::key(*range.end())).collect(),
            except: bits,
        }
    }
}

impl Work for Count<'_> {
    type Done = Vec<Tally>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let asked: Params<'_> = &[&self.table, &self.octet, &self.first, &self.last, &self.except];
            let rows = session.query(TALLY, asked).await?;
            rows.iter().map(tally).collect()
        })
    }
}

fn tally(row: &Row) -> Result<Tally, Failure> {
    let nonsense = |_| Failure::Nonsense("a tally");
    // Ranges are numbered from 1 there.
    let range: i64 = row.try_get("range")?;
    Ok(Tally {
        range: usize::try_from(range - 1).map_err(nonsense)?,
        value: u8::try_from(row.try_get::<_, i32>("value")?).map_err(nonsense)?,
        rows: row.try_get::<_, i64>("rows")?.cast_unsigned(),
    })
}

fn stored(row: &Row) -> Result<StoredRow, Failure> {
    let slot: i16 = row.try_get("slot")?;
    Ok(StoredRow {
        row: FencedRow {
            key: column::key_of(row.try_get("key")?),
            slot: u16::try_from(slot)
                .ok()
                .and_then(Slot::new)
                .ok_or(Failure::Nonsense("a slot"))?,
            version: u32::try_from(row.try_get::<_, i64>("ver")?)
                .map_err(|_| Failure::Nonsense("a version"))?,
            unique: row.try_get("uniq")?,
            body: row.try_get("body")?,
        },
        epoch: Epoch {
            timeline: u32::try_from(row.try_get::<_, i64>("gtl")?)
                .map_err(|_| Failure::Nonsense("a timeline"))?,
            counter: row.try_get::<_, i64>("epoch")?.cast_unsigned(),
        },
    })
}
