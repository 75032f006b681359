//! The outbox: notes to all nodes, numbered in the order in which they were committed.
//!
//! Numbers come from one row that stays locked until the commit. A sequence would be faster and would show number 8
//! before number 7; a reader that has gone on to 8 would never see 7.

use purlin_fabric::invalidate;
pub use purlin_fabric::invalidate::{Cursor, News, Note};
use purlin_fabric::port::{Fault, Later};
use tokio_postgres::Row;

use crate::failure::Failure;
use crate::postgres::{Doing, Postgres, Work};
use crate::probe::timeline;
use crate::session::{Params, Session};

const TURN: &str = concat!(
    "SELECT last, ",
    timeline!(),
    " AS timeline FROM purlin.outbox_state FOR UPDATE"
);
const LEAVE: &str = "INSERT INTO purlin.outbox (id, topic, body) \
     SELECT $1 + n, topic, body FROM UNNEST($2::text[], $3::bytea[]) WITH ORDINALITY AS u (topic, body, n)";
const COUNT: &str = "UPDATE purlin.outbox_state SET last = $1";

const STATE: &str = concat!(
    "SELECT last, trimmed, ",
    timeline!(),
    " AS timeline FROM purlin.outbox_state"
);
const SINCE: &str = "SELECT id, topic, body FROM purlin.outbox WHERE id > $1 ORDER BY id LIMIT $2";

const TRIM: &str = "DELETE FROM purlin.outbox WHERE made < now() - make_interval(secs => $1) RETURNING id";
const TRIMMED: &str = "UPDATE purlin.outbox_state SET trimmed = greatest(trimmed, $1)";

/// The notes of a cluster.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Postgres,
}

impl Postgres {
    /// The cluster's outbox.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox { store: self.clone() }
    }
}

impl Outbox {
    /// Leaves notes, `(topic, body)`, in a transaction of their own; where the last one is.
    ///
    /// # Errors
    /// When the store did not answer: they may have been left.
    pub async fn leave(&self, notes: &[(&str, &[u8])]) -> Result<Cursor, Fault> {
        Ok(self.store.call(&Leave(notes)).await?)
    }

    /// At most `limit` notes after `cursor`.
    ///
    /// # Errors
    /// When the store did not answer.
    pub async fn since(&self, cursor: Cursor, limit: usize) -> Result<News, Fault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.store.call(&Since { cursor, limit }).await?)
    }

    /// Where a reader that keeps nothing yet starts: after the last note there is.
    ///
    /// # Errors
    /// When the store did not answer.
    pub async fn now(&self) -> Result<Cursor, Fault> {
        Ok(self.store.call(&Here).await?)
    }

    /// Forgets notes older than `age`; how many they were.
    ///
    /// # Errors
    /// When the store did not answer.
    pub async fn trim(&self, age: std::time::Duration) -> Result<u64, Fault> {
        Ok(self.store.call(&Trim(age.as_secs_f64())).await?)
    }
}

impl invalidate::Outbox for Outbox {
    fn leave<'a>(&'a self, notes: &'a [(&'a str, &'a [u8])]) -> Later<'a, Result<Cursor, Fault>> {
        Box::pin(Self::leave(self, notes))
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Later<'_, Result<News, Fault>> {
        Box::pin(Self::since(self, cursor, limit))
    }

    fn now(&self) -> Later<'_, Result<Cursor, Fault>> {
        Box::pin(Self::now(self))
    }
}

/// Waits for one's turn; where the last note is. Until the transaction ends nobody else gets a number.
pub(crate) async fn take_turn(session: &Session) -> Result<Cursor, Failure> {
    let rows = session.query(TURN, &[]).await?;
    let row = state_row(&rows)?;
    Ok(Cursor {
        timeline: timeline_of(row)?,
        id: row.try_get::<_, i64>("last")?.cast_unsigned(),
    })
}

/// Leaves notes after the last one; where the last one is now.
pub(crate) async fn leave(
    session: &Session,
    last: Cursor,
    notes: &[(&str, &[u8])],
) -> Result<Cursor, Failure> {
    if notes.is_empty() {
        return Ok(last);
    }
    let before = last.id.cast_signed();
    let (topics, bodies): (Vec<&str>, Vec<&[u8]>) = notes.iter().copied().unzip();
    session.query(LEAVE, &[&before, &topics, &bodies]).await?;
    let id = before + i64::try_from(notes.len()).map_err(|_| Failure::Nonsense("too many notes"))?;
    session.query(COUNT, &[&id]).await?;
    Ok(Cursor {
        id: id.cast_unsigned(),
        ..last
    })
}

struct Leave<'a>(&'a [(&'a str, &'a [u8])]);

impl Work for Leave<'_> {
    type Done = Cursor;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Cursor> {
        Box::pin(async {
            session.run("BEGIN").await?;
            let last = take_turn(session).await?;
            let last = leave(session, last, self.0).await?;
            session.commit().await?;
            Ok(last)
        })
    }
}

struct Here;

impl Work for Here {
    type Done = Cursor;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Cursor> {
        Box::pin(async { Ok(State::of(&session.query(STATE, &[]).await?)?.end()) })
    }
}

/// The row of numbers.
struct State {
    timeline: u32,
    last: u64,
    trimmed: u64,
}

impl State {
    fn of(rows: &[Row]) -> Result<Self, Failure> {
        let row = state_row(rows)?;
        Ok(Self {
            timeline: timeline_of(row)?,
            last: row.try_get::<_, i64>("last")?.cast_unsigned(),
            trimmed: row.try_get::<_, i64>("trimmed")?.cast_unsigned(),
        })
    }

    fn end(&self) -> Cursor {
        Cursor {
            timeline: self.timeline,
            id: self.last,
        }
    }

    fn knows(&self, cursor: Cursor) -> bool {
        cursor.timeline == self.timeline && (self.trimmed..=self.last).contains(&cursor.id)
    }
}

fn state_row(rows: &[Row]) -> Result<&Row, Failure> {
    rows.first()
        .ok_or(Failure::Nonsense("purlin.outbox_state is empty"))
}

fn timeline_of(row: &Row) -> Result<u32, Failure> {
    let timeline: i64 = row.try_get("timeline")?;
    u32::try_from(timeline).map_err(|_| Failure::Nonsense("a timeline"))
}

struct Since {
    cursor: Cursor,
    limit: i64,
}

impl Work for Since {
    type Done = News;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, News> {
        Box::pin(async {
            session.prepare(&[STATE, SINCE]).await?;
            // The state last: it tells of everything that was trimmed before the notes were read.
            let after = self.cursor.id.cast_signed();
            let since: Params<'_> = &[&after, &self.limit];
            let (notes, state) = tokio::join!(
                biased;
                session.query(SINCE, since),
                session.query(STATE, &[]),
            );
            let (notes, state) = (notes?, State::of(&state?)?);
            if !state.knows(self.cursor) {
                return Ok(News::Missed { then: state.end() });
            }
            let notes = notes.iter().map(note).collect::<Result<Vec<_>, _>>()?;
            let id = notes.last().map_or(self.cursor.id, |note| note.id);
            let then = Cursor { id, ..self.cursor };
            Ok(News::Notes { notes, then })
        })
    }
}

fn note(row: &Row) -> Result<Note, Failure> {
    Ok(Note {
        id: row.try_get::<_, i64>("id")?.cast_unsigned(),
        topic: row.try_get("topic")?,
        body: row.try_get("body")?,
    })
}

struct Trim(f64);

impl Work for Trim {
    type Done = u64;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, u64> {
        Box::pin(async {
            session.run("BEGIN").await?;
            take_turn(session).await?;
            let rows = session.query(TRIM, &[&self.0]).await?;
            let ids = rows.iter().map(|row| Ok(row.try_get::<_, i64>("id")?));
            let ids = ids.collect::<Result<Vec<_>, Failure>>()?;
            if let Some(highest) = ids.iter().max() {
                session.query(TRIMMED, &[highest]).await?;
            }
            session.commit().await?;
            Ok(ids.len() as u64)
        })
    }
}
