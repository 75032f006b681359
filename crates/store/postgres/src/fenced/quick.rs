//! A batch in one statement and one round trip, under a [`Proof`].
//!
//! A second statement in the same flight runs when the first has committed: whether the server still is without a standby,
//! where it was when it was asked last. Every sender of its log counts, also one that only begins, or makes a base backup.

use super::proof::Proof;
use super::write::Batch;
use crate::postgres::{Doing, Work};
use crate::probe::{synced, timeline};
use crate::session::{Params, Session};
use purlin_store::Written;

/// Rows under the fence. That is one row, locked against change until the commit; without it nothing is written. When the
/// lock had to be waited for, the server looks at the row as it is then. A removed node's claims do not count.
macro_rules! insert {
    ($($on_conflict:tt)*) => {
        concat!(
            "WITH fence AS MATERIALIZED (SELECT FROM purlin.writer AS w WHERE w.id = $9 AND w.changes = $10 AND (SELECT ",
            timeline!(),
            ") = $12 AND CASE WHEN $13::boolean THEN true ELSE (SELECT ",
            synced!(),
            ") END AND EXISTS (SELECT FROM purlin.node AS n \
                 WHERE n.id = $9 AND n.incarnation = $11 AND n.state <> 'removed') FOR SHARE OF w), \
             put AS (INSERT INTO purlin.fenced_row AS r (tbl, key, slot, gtl, epoch, ver, uniq, body) \
               SELECT $1, u.* FROM UNNEST($2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], \
                 $7::bytea[], $8::bytea[]) AS u WHERE EXISTS (SELECT FROM fence)",
            $($on_conflict)*
            ") SELECT count(*) AS held FROM fence"
        )
    };
}

/// For keys that nobody has stated anything about, by their versions: an insert that need not find out costs the server a
/// third less. If somebody has, all of it fails, and the rows are written again as if what they claim were taken.
const NEW: &str = insert!();

const OLD: &str = insert!(
    " ON CONFLICT (key, tbl) DO UPDATE SET slot = excluded.slot, gtl = excluded.gtl, epoch = excluded.epoch, \
       ver = excluded.ver, uniq = excluded.uniq, body = excluded.body \
     WHERE (r.gtl, r.epoch, r.ver) < (excluded.gtl, excluded.epoch, excluded.ver)",
);

const ALONE: &str = "SELECT NOT EXISTS (SELECT FROM pg_stat_get_wal_senders()) AND NOT EXISTS \
     (SELECT FROM pg_get_replication_slots() AS s \
       WHERE s.slot_type = 'physical' AND NOT s.temporary AND s.restart_lsn IS NOT NULL) AS alone";

pub(super) struct Quick<'b, 'a> {
    pub(super) batch: &'b Batch<'a>,
    pub(super) proof: &'b Proof,
    /// Whether the server is to say if it is alone.
    pub(super) looks: bool,
}

impl Work for Quick<'_, '_> {
    /// `None` when the claims do not stand any more; nothing is written then.
    type Done = Option<Written>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Option<Written>> {
        Box::pin(async {
            let Some(rows) = self.batch.only_piece() else {
                return Ok(None);
            };
            let proof = self.proof;
            let params: Params<'_> = &[
                &self.batch.table(),
                &rows.keys,
                &rows.slots,
                &rows.timelines,
                &rows.counters,
                &rows.versions,
                &rows.uniques,
                &rows.bodies,
                &proof.owner,
                &proof.changes,
                &proof.incarnation,
                &proof.timeline,
                &proof.current,
            ];
            let first = rows.versions.iter().all(|&version| version == 1);
            let statement = if first { NEW } else { OLD };
            if self.looks {
                session.prepare(&[statement, ALONE]).await?;
            }
            let (answer, alone) = tokio::join!(
                biased;
                session.write(statement, params),
                self.is_alone(session),
            );
            let answer = answer?;
            let held = answer.first().map(|row| row.try_get::<_, i64>("held"));
            Ok((held.transpose()? == Some(1)).then_some(Written { alone }))
        })
    }
}

impl Quick<'_, '_> {
    /// The rows are written, whatever comes of this.
    async fn is_alone(&self, session: &Session) -> bool {
        if !self.looks {
            return false;
        }
        let rows = session.query(ALONE, &[]).await.unwrap_or_default();
        rows.first()
            .is_some_and(|row| row.try_get("alone").unwrap_or_default())
    }
}
