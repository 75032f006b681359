//! What the server is: its history, its clock, its standby.

use purlin_fabric::port::{Durability, Probe};
use purlin_types::WallTime;
use tokio_postgres::Row;

use crate::failure::Failure;
use crate::postgres::{Doing, Postgres, Work};
use crate::session::Session;

/// The timeline as a number: the first eight hexadecimal digits of the name of the segment being written. Not from
/// `pg_control_checkpoint()`, which follows the checkpoint and names the former timeline for a while after a promotion.
macro_rules! timeline {
    () => {
        "('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
    };
}

/// Whether commits wait for a standby that is there. A role without `pg_read_all_stats` sees no state of standbys, which
/// counts as none: what cannot be seen is not relied on.
macro_rules! synced {
    () => {
        "(current_setting('synchronous_standby_names') <> '' \
          AND current_setting('synchronous_commit') IN ('on', 'remote_apply') \
          AND EXISTS (SELECT FROM pg_stat_replication \
                      WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')))"
    };
}

/// Below which history claims may be of one whose end is missing: the mark in `purlin.standby` says of the last history
/// that nodes wrote on whether its commits waited for a standby, and of those before it what they knew. Another history
/// than the next, or no mark: nobody knows. The first has none before it.
macro_rules! parted {
    () => {
        concat!(
            "CASE WHEN ",
            $crate::probe::timeline!(),
            " = 1 THEN 0 ELSE coalesce((SELECT CASE WHEN m.gtl = ",
            $crate::probe::timeline!(),
            " OR (m.synced AND m.gtl = ",
            $crate::probe::timeline!(),
            " - 1) THEN m.parted END FROM purlin.standby AS m), ",
            $crate::probe::timeline!(),
            ") END"
        )
    };
}

/// The columns of a [`Probe`].
macro_rules! probe {
    () => {
        concat!(
            $crate::probe::timeline!(),
            " AS timeline, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS wall, ",
            $crate::probe::synced!(),
            " AS synced, ",
            $crate::probe::parted!(),
            " AS parted"
        )
    };
}

/// Whether the claim `c` may be relied on: it is of the history that the server is on, or histories cannot have
/// parted because every commit was on the standby. Otherwise a failover may have brought back a claim that had been
/// taken over, and its holder must claim anew. Asked once per statement, not per claim: hence the inner SELECTs.
macro_rules! of_this_history {
    () => {
        concat!(
            "(CASE WHEN c.gtl = (SELECT ",
            $crate::probe::timeline!(),
            ") THEN true ELSE (SELECT ",
            $crate::probe::synced!(),
            ") END)"
        )
    };
}

pub(crate) use {of_this_history, parted, probe, synced, timeline};

pub(crate) const PROBE: &str = concat!("SELECT ", probe!());

/// Reads the columns of `probe!`.
pub(crate) fn probe_of(row: &Row) -> Result<Probe, Failure> {
    let timeline: i64 = row.try_get("timeline")?;
    let wall: i64 = row.try_get("wall")?;
    let synced: bool = row.try_get("synced")?;
    let parted: i64 = row.try_get("parted")?;
    Ok(Probe {
        timeline: u32::try_from(timeline).map_err(|_| Failure::Nonsense("a timeline"))?,
        parted_below: u32::try_from(parted).map_err(|_| Failure::Nonsense("a timeline"))?,
        wall: WallTime(wall.unsigned_abs()),
        durability: if synced {
            Durability::Synced
        } else {
            Durability::Single
        },
    })
}

pub(crate) struct Look;

impl Work for Look {
    type Done = Probe;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Probe> {
        Box::pin(async {
            let rows = session.query(PROBE, &[]).await?;
            probe_of(rows.first().ok_or(Failure::Nonsense("no answer to a question"))?)
        })
    }
}

/// What an operator should know of the server (`doctor`, `status`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// As in `SHOW server_version`.
    pub version: String,
    pub probe: Probe,
    /// `synchronous_standby_names` as set.
    pub standby_names: String,
    /// Standbys connected now; 0 also when `sees_standbys` is false.
    pub standbys: u32,
    /// Whether our role may see the state of standbys. If not, durability is taken for `Single`:
    /// `GRANT pg_read_all_stats` to it.
    pub sees_standbys: bool,
    /// Whether the server syncs its disk. Without, a crash of its machine may lose or damage anything.
    pub fsync: bool,
}

const FACTS: &str = concat!(
    "SELECT current_setting('server_version') AS version, \
     current_setting('synchronous_standby_names') AS names, \
     (SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming') AS standbys, \
     NOT EXISTS (SELECT FROM pg_stat_replication WHERE state IS NULL) AS sees, \
     current_setting('fsync')::boolean AS fsync, ",
    probe!()
);

struct Ask;

impl Work for Ask {
    type Done = ServerFacts;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, ServerFacts> {
        Box::pin(async {
            let rows = session.query(FACTS, &[]).await?;
            let row = rows.first().ok_or(Failure::Nonsense("no answer to a question"))?;
            Ok(ServerFacts {
                version: row.try_get("version")?,
                probe: probe_of(row)?,
                standby_names: row.try_get("names")?,
                standbys: u32::try_from(row.try_get::<_, i64>("standbys")?).unwrap_or(u32::MAX),
                sees_standbys: row.try_get("sees")?,
                fsync: row.try_get("fsync")?,
            })
        })
    }
}

impl Postgres {
    /// What the primary says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn facts(&self) -> Result<ServerFacts, purlin_fabric::port::Fault> {
        Ok(self.call(&Ask).await?)
    }
}
