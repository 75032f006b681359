//! Claims: taking them, giving them back, ending the doubt about them.

use std::collections::HashMap;

use purlin_fabric::port::{Candidate, Fence, Refusal, Wish};
use purlin_types::Epoch;

use super::{Answer, key_text};
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{of_this_history, timeline};
use crate::session::{Params, Session};

/// The claimant must be a life that the cluster knows.
const ALIVE: &str = "SELECT FROM purlin.node WHERE id = $1 AND incarnation = $2 AND state <> 'removed'";

/// Claims never claimed before get their row: at the default version, held by nobody.
const MAKE: &str = "INSERT INTO purlin.claim (key, gtl, epoch, step, suspect) \
     SELECT key, 0, 0, 0, false FROM UNNEST($1::text[]) AS w (key) ORDER BY key ON CONFLICT DO NOTHING";

/// In order of keys, so that claimants queue up. Waits for whoever writes rows under these claims.
const LOCK: &str = "SELECT FROM purlin.claim WHERE key = ANY ($1) ORDER BY key FOR NO KEY UPDATE";

/// `suspect` outlives a taking in order: only who has waited may clear it.
const TAKE: &str = concat!(
    "UPDATE purlin.claim AS c SET owner = $1, incarnation = $2, gtl = ",
    timeline!(),
    ", epoch = c.epoch + 1, step = 0, suspect = c.suspect OR w.force \
     FROM UNNEST($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[]) \
       AS w (key, gtl, epoch, step, force) \
     WHERE c.key = w.key AND (c.gtl, c.epoch, c.step) = (w.gtl, w.epoch, w.step) \
     RETURNING c.key, c.gtl, c.epoch"
);

pub(super) struct Take<'a> {
    pub(super) by: &'a Candidate,
    pub(super) wishes: &'a [Wish],
}

impl Work for Take<'_> {
    type Done = Answer<Vec<Option<Epoch>>>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(self.take(session))
    }
}

impl Take<'_> {
    async fn take(&self, session: &Session) -> Result<Answer<Vec<Option<Epoch>>>, Failure> {
        let (id, incarnation) = (self.by.id.as_str(), self.by.incarnation.0.cast_signed());
        // A key wished twice is won once, by its first wish.
        let mut wanted: HashMap<String, usize> = HashMap::with_capacity(self.wishes.len());
        for (index, wish) in self.wishes.iter().enumerate() {
            wanted.entry(key_text(&wish.key)).or_insert(index);
        }
        let (keys, indices): (Vec<&str>, Vec<usize>) =
            wanted.iter().map(|(key, &index)| (key.as_str(), index)).unzip();
        let seen = |of: fn(&Wish) -> i64| -> Vec<i64> {
            indices.iter().map(|&index| of(&self.wishes[index])).collect()
        };
        let timelines = seen(|wish| i64::from(wish.seen.epoch.timeline));
        let counters = seen(|wish| wish.seen.epoch.counter.cast_signed());
        let steps = seen(|wish| i64::from(wish.seen.step));
        let forced: Vec<bool> = indices.iter().map(|&index| self.wishes[index].by_force).collect();

        session.prepare(&[ALIVE, MAKE, LOCK, TAKE]).await?;
        let taking: Params<'_> = &[&id, &incarnation, &keys, &timelines, &counters, &steps, &forced];
        let (begun, alive, made, locked, taken) = tokio::join!(
            biased;
            session.run("BEGIN"),
            session.query(ALIVE, &taking[..2]),
            session.query(MAKE, &taking[2..3]),
            session.query(LOCK, &taking[2..3]),
            session.query(TAKE, taking),
        );
        begun?;
        if alive?.is_empty() {
            // Whatever came of the others goes with it.
            session.run("ROLLBACK").await?;
            return Ok(Err(Refusal::Superseded));
        }
        made?;
        locked?;
        let taken = taken?;
        session.commit().await?;
        let mut won = vec![None; self.wishes.len()];
        for row in &taken {
            let index = wanted.get(row.try_get::<_, &str>("key")?);
            won[*index.ok_or(Failure::Nonsense("a claim nobody wanted"))?] = Some(Epoch {
                timeline: u32::try_from(row.try_get::<_, i64>("gtl")?)
                    .map_err(|_| Failure::Nonsense("a timeline"))?,
                counter: row.try_get::<_, i64>("epoch")?.cast_unsigned(),
            });
        }
        Ok(Ok(won))
    }
}

/// What is held: the claims of these epochs that are still the candidate's.
macro_rules! held {
    () => {
        concat!(
            "FROM UNNEST($3::text[], $4::bigint[], $5::bigint[]) AS f (key, gtl, epoch) \
             WHERE c.key = f.key AND (c.gtl, c.epoch) = (f.gtl, f.epoch) AND c.owner = $1 AND c.incarnation = $2 AND ",
            of_this_history!()
        )
    };
}

const RELEASE: &str = concat!(
    "UPDATE purlin.claim AS c SET owner = NULL, incarnation = NULL, step = c.step + 1 ",
    held!()
);

const SETTLE: &str = concat!(
    "UPDATE purlin.claim AS c SET suspect = false, step = c.step + 1 ",
    held!(),
    " AND c.suspect"
);

/// Changes claims that are held; those that are not are passed over.
pub(super) struct Give<'a> {
    by: &'a Candidate,
    held: &'a [Fence],
    change: &'static str,
}

impl<'a> Give<'a> {
    /// Gives the claims themselves back.
    pub(super) fn back(by: &'a Candidate, held: &'a [Fence]) -> Self {
        let change = RELEASE;
        Self { by, held, change }
    }

    /// Gives up the doubt about them.
    pub(super) fn doubt(by: &'a Candidate, held: &'a [Fence]) -> Self {
        let change = SETTLE;
        Self { by, held, change }
    }
}

impl Work for Give<'_> {
    type Done = ();

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, ()> {
        Box::pin(async {
            let (id, incarnation) = (self.by.id.as_str(), self.by.incarnation.0.cast_signed());
            let keys: Vec<String> = self.held.iter().map(|fence| key_text(&fence.key)).collect();
            let timelines: Vec<i64> = self
                .held
                .iter()
                .map(|fence| i64::from(fence.epoch.timeline))
                .collect();
            let counters: Vec<i64> = self
                .held
                .iter()
                .map(|fence| fence.epoch.counter.cast_signed())
                .collect();
            session.prepare(&[LOCK, self.change]).await?;
            let giving: Params<'_> = &[&id, &incarnation, &keys, &timelines, &counters];
            let (begun, locked, given) = tokio::join!(
                biased;
                session.run("BEGIN"),
                session.query(LOCK, &giving[2..3]),
                session.query(self.change, giving),
            );
            begun?;
            locked?;
            given?;
            session.commit().await
        })
    }
}
