//! Writing a batch of rows.

use purlin_fabric::port::{ClaimKey, Durability};
use purlin_store::{FenceFault, FencedRow, Rival, Written};
use purlin_types::{Epoch, Slot};

use super::batch::{Columns, newest};
use super::column;
use crate::claims::key_text;
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{Look, of_this_history};
use crate::session::{Params, Session};

/// Rows of one statement: beyond, statements get no cheaper and memory on both sides grows.
const ROWS: usize = 1000;

/// All claims named that are held, locked against change until the end of the transaction; in the order of keys, so
/// that neither takers nor other writers can block each other. A removed node's claims do not count, though they stand
/// until somebody has taken them over.
const FENCE: &str = concat!(
    "SELECT c.key FROM purlin.claim AS c \
     JOIN UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS f (key, gtl, epoch) \
       ON c.key = f.key AND (c.gtl, c.epoch) = (f.gtl, f.epoch) \
     WHERE ",
    of_this_history!(),
    " AND EXISTS (SELECT FROM purlin.node AS n \
         WHERE n.id = c.owner AND n.incarnation = c.incarnation AND n.state <> 'removed') \
     ORDER BY c.key FOR SHARE OF c"
);

/// Of the claims named, those that are not their holder's by what the claim's row itself says: somebody claimed after
/// it, or it was given back, or its owner is removed. An older row, or none, says no such thing: a failover may have
/// lost the newest of it.
const OVERTAKEN: &str = "SELECT c.key FROM purlin.claim AS c \
     JOIN UNNEST($1::text[], $2::bigint[], $3::bigint[]) AS f (key, gtl, epoch) ON c.key = f.key \
     WHERE (c.gtl, c.epoch) > (f.gtl, f.epoch) OR ((c.gtl, c.epoch) = (f.gtl, f.epoch) \
       AND NOT EXISTS (SELECT FROM purlin.node AS n \
         WHERE n.id = c.owner AND n.incarnation = c.incarnation AND n.state <> 'removed')) \
     ORDER BY c.key";

/// The newest statement about a key is the whole truth; an older one changes nothing.
const UPSERT: &str = "INSERT INTO purlin.fenced_row AS r (tbl, key, slot, gtl, epoch, ver, uniq, body) \
     SELECT $1, u.* FROM UNNEST($2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[], \
       $7::bytea[], $8::bytea[]) AS u \
     ON CONFLICT (key, tbl) DO UPDATE SET slot = excluded.slot, gtl = excluded.gtl, epoch = excluded.epoch, \
       ver = excluded.ver, uniq = excluded.uniq, body = excluded.body \
     WHERE (r.gtl, r.epoch, r.ver) < (excluded.gtl, excluded.epoch, excluded.ver)";

/// What the batch is going to replace gives up what it claims, so that rows may trade it among each other.
const YIELD: &str = "UPDATE purlin.fenced_row AS r SET uniq = NULL \
     FROM UNNEST($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS u (key, gtl, epoch, ver) \
     WHERE r.tbl = $1 AND r.key = u.key AND r.uniq IS NOT NULL AND (r.gtl, r.epoch, r.ver) < (u.gtl, u.epoch, u.ver)";

/// Who has what the batch wants: rows that the batch does not replace.
const HOLDER: &str = "WITH u AS (SELECT * FROM UNNEST($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[]) \
       AS u (key, gtl, epoch, ver, uniq)) \
     SELECT u.key, r.key AS by FROM u JOIN purlin.fenced_row AS r ON r.tbl = $1 AND r.uniq = u.uniq AND r.key <> u.key \
     WHERE NOT EXISTS (SELECT FROM u AS own \
         WHERE own.key = r.key AND (r.gtl, r.epoch, r.ver) < (own.gtl, own.epoch, own.ver)) \
     ORDER BY u.key";

pub(super) struct Batch<'a> {
    table: &'a str,
    held: &'a [(Slot, Epoch)],
    pieces: Vec<Columns<'a>>,
}

/// The claims of a batch, ready to ask for.
struct Claims {
    keys: Vec<String>,
    timelines: Vec<i64>,
    counters: Vec<i64>,
}

impl<'a> Batch<'a> {
    /// # Errors
    /// When a row's slot is not named in `held`, or two of the rows claim the same.
    pub(super) fn new(
        table: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Result<Self, FenceFault> {
        let rows = newest(held, rows)?;
        Ok(Self {
            table,
            held,
            pieces: rows.chunks(ROWS).map(Columns::of).collect(),
        })
    }

    pub(super) fn table(&self) -> &'a str {
        self.table
    }

    pub(super) fn held(&self) -> &'a [(Slot, Epoch)] {
        self.held
    }

    /// The rows, when one statement takes them.
    pub(super) fn only_piece(&self) -> Option<&Columns<'a>> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    fn claims(&self) -> Claims {
        let (slots, epochs) = (
            self.held.iter().map(|held| held.0),
            self.held.iter().map(|held| held.1),
        );
        Claims {
            keys: slots.map(|slot| key_text(&ClaimKey::Slot(slot))).collect(),
            timelines: epochs.clone().map(|epoch| i64::from(epoch.timeline)).collect(),
            counters: epochs.map(|epoch| epoch.counter.cast_signed()).collect(),
        }
    }

    /// The same batch, when the first try met a row that has what the batch wants.
    pub(super) fn second_try(&self) -> SecondTry<'_, 'a> {
        SecondTry(self)
    }

    /// All pieces as one.
    fn whole(&self) -> Columns<'a> {
        let mut whole = Columns::default();
        for piece in &self.pieces {
            whole.keys.extend(&piece.keys);
            whole.timelines.extend(&piece.timelines);
            whole.counters.extend(&piece.counters);
            whole.versions.extend(&piece.versions);
            whole.uniques.extend(&piece.uniques);
        }
        whole
    }

    /// Opens the transaction; the slots that are not held.
    async fn fence(&self, session: &Session) -> Result<Vec<Slot>, Failure> {
        let claims = self.claims();
        let held: Params<'_> = &[&claims.keys, &claims.timelines, &claims.counters];
        let (begun, fenced) = tokio::join!(biased; session.run("BEGIN"), session.query(FENCE, held));
        begun?;
        self.lost(&claims, &fenced?)
    }

    /// Transaction, fence and the first piece in one flight; then the others.
    async fn fence_and_write(&self, session: &Session) -> Result<Vec<Slot>, Failure> {
        let Some((first, others)) = self.pieces.split_first() else {
            return self.fence(session).await;
        };
        let (lost, written) = tokio::join!(biased; self.fence(session), self.upsert(session, first));
        let lost = lost?;
        if lost.is_empty() {
            written?;
            for piece in others {
                self.upsert(session, piece).await?;
            }
        }
        Ok(lost)
    }

    fn lost(&self, claims: &Claims, fenced: &[tokio_postgres::Row]) -> Result<Vec<Slot>, Failure> {
        if fenced.len() == self.held.len() {
            return Ok(Vec::new());
        }
        let there = keys(fenced)?;
        let slots = self.held.iter().zip(&claims.keys);
        Ok(slots
            .filter(|(_, claim)| there.binary_search(claim).is_err())
            .map(|((slot, _), _)| *slot)
            .collect())
    }

    async fn upsert(&self, session: &Session, piece: &Columns<'_>) -> Result<(), Failure> {
        let Columns {
            keys,
            slots,
            timelines,
            counters,
            versions,
            uniques,
            bodies,
        } = piece;
        session
            .query(
                UPSERT,
                &[
                    &self.table,
                    keys,
                    slots,
                    timelines,
                    counters,
                    versions,
                    uniques,
                    bodies,
                ],
            )
            .await?;
        Ok(())
    }
}

impl Work for Batch<'_> {
    type Done = Result<Written, FenceFault>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            session.prepare(&[FENCE, UPSERT]).await?;
            let lost = self.fence_and_write(session).await?;
            self.end(session, lost).await
        })
    }
}

impl Batch<'_> {
    async fn end(&self, session: &Session, lost: Vec<Slot>) -> Result<Result<Written, FenceFault>, Failure> {
        if lost.is_empty() {
            session.commit().await?;
            return Ok(Ok(Written::default()));
        }
        session.run("ROLLBACK").await?;
        let probe = Look.on(session).await?;
        if probe.durability == Durability::Synced {
            return Ok(Err(FenceFault::Lost(lost)));
        }
        let claims = self.claims();
        let held: Params<'_> = &[&claims.keys, &claims.timelines, &claims.counters];
        let overtaken = keys(&session.query(OVERTAKEN, held).await?)?;
        let former = |slot: &Slot| {
            let mut of_slot = self.held.iter().zip(&claims.keys);
            of_slot.any(|((held, epoch), claim)| {
                held == slot && epoch.timeline < probe.timeline && overtaken.binary_search(claim).is_err()
            })
        };
        let (former, lost): (Vec<Slot>, Vec<Slot>) = lost.into_iter().partition(former);
        Ok(Err(if lost.is_empty() {
            FenceFault::Former(former)
        } else {
            FenceFault::Lost(lost)
        }))
    }
}

fn keys(rows: &[tokio_postgres::Row]) -> Result<Vec<String>, Failure> {
    rows.iter().map(|row| Ok(row.try_get("key")?)).collect()
}

/// Slower than the first try and right where that one failed without need: rows of the batch trade what they claim.
pub(super) struct SecondTry<'b, 'a>(&'b Batch<'a>);

impl Work for SecondTry<'_, '_> {
    type Done = Result<Written, FenceFault>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(self.again(session))
    }
}

impl SecondTry<'_, '_> {
    async fn again(&self, session: &Session) -> Result<Result<Written, FenceFault>, Failure> {
        let Self(batch) = self;
        session.prepare(&[FENCE, UPSERT, YIELD, HOLDER]).await?;
        let lost = batch.fence(session).await?;
        if !lost.is_empty() {
            return batch.end(session, lost).await;
        }
        for piece in &batch.pieces {
            session
                .query(
                    YIELD,
                    &[
                        &batch.table,
                        &piece.keys,
                        &piece.timelines,
                        &piece.counters,
                        &piece.versions,
                    ],
                )
                .await?;
        }
        for piece in &batch.pieces {
            match batch.upsert(session, piece).await {
                Err(failure) if failure.is_taken() => {
                    session.run("ROLLBACK").await?;
                    return self.holders(session, failure).await;
                }
                outcome => outcome?,
            }
        }
        batch.end(session, Vec::new()).await
    }

    /// Names all that stand in the way, and in whose. When the other rows have gone by now, nobody knows any more: the rows
    /// may be written again.
    async fn holders(
        &self,
        session: &Session,
        failure: Failure,
    ) -> Result<Result<Written, FenceFault>, Failure> {
        let whole = self.0.whole();
        let wanted: Params<'_> = &[
            &self.0.table,
            &whole.keys,
            &whole.timelines,
            &whole.counters,
            &whole.versions,
            &whole.uniques,
        ];
        let rows = session.query(HOLDER, wanted).await?;
        if rows.is_empty() {
            return Err(failure);
        }
        let rivals = rows.iter().map(|row| {
            Ok::<_, Failure>(Rival {
                key: column::key_of(row.try_get("key")?),
                by: column::key_of(row.try_get("by")?),
            })
        });
        Ok(Err(FenceFault::Taken(rivals.collect::<Result<_, _>>()?)))
    }
}
