//! How far the server's standbys are: what a failover could lose of what is written.
//!
//! A standby is one that streams. One that does not at the moment may still take the primary's place: it is known by its
//! replication slot, or because it was seen lately; that is noted in a table, for nodes that start after it went away.
//!
//! The same row marks whether commits wait for a standby. Who finds the next history without having seen how this one
//! ended learns from it whether the end may be missing. The mark of a commit that waits is on the standby with all that
//! was committed before it.

use purlin_store::{Copies, Standing};

use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{parted, synced, timeline};
use crate::session::Session;

/// Standbys that stream now, with how far their disks are: whoever ships its log to be replayed says so, readers of
/// changes (logical decoding) and base backups do not count. A role that does not see the states of standbys sees the
/// places of replication slots.
const STANDING: &str = concat!(
    "WITH seen AS (SELECT r.flush_lsn AS place FROM pg_stat_replication AS r \
       WHERE r.state = 'streaming' AND r.flush_lsn IS NOT NULL AND NOT EXISTS (SELECT FROM pg_replication_slots AS s \
         WHERE s.active_pid = r.pid AND s.slot_type = 'logical') \
     UNION ALL SELECT s.restart_lsn FROM pg_replication_slots AS s \
       WHERE s.slot_type = 'physical' AND s.active AND s.restart_lsn IS NOT NULL \
         AND EXISTS (SELECT FROM pg_stat_replication WHERE state IS NULL)) \
     SELECT ",
    timeline!(),
    " AS timeline, (pg_current_wal_insert_lsn() - '0/0')::bigint AS written, ",
    synced!(),
    " AS synced, (SELECT count(*) FROM seen) AS following, \
       (SELECT coalesce(min(place) - '0/0', 0)::bigint FROM seen) AS upto, \
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT temporary \
         AND restart_lsn IS NOT NULL) AS slots, \
       EXISTS (SELECT FROM pg_stat_replication WHERE state IS NULL) AS hidden, \
       EXISTS (SELECT FROM purlin.standby WHERE gtl = ",
    timeline!(),
    " AND seen > clock_timestamp() - interval '1 hour') AS lately, \
       EXISTS (SELECT FROM purlin.standby WHERE gtl = ",
    timeline!(),
    " AND seen > clock_timestamp() - interval '5 minutes') AS noted, \
       EXISTS (SELECT FROM purlin.standby WHERE gtl = ",
    timeline!(),
    " AND synced = ",
    synced!(),
    ") AS marked"
);

const NOTE: &str = concat!(
    "UPDATE purlin.standby SET seen = clock_timestamp() WHERE gtl = ",
    timeline!()
);

/// Only at the start of a history, and when commits begin or cease to wait.
const MARK: &str = concat!(
    "INSERT INTO purlin.standby AS m (gtl, seen, synced, parted) VALUES (",
    timeline!(),
    ", '-infinity', ",
    synced!(),
    ", ",
    parted!(),
    ") ON CONFLICT (one) DO UPDATE SET gtl = excluded.gtl, synced = excluded.synced, parted = excluded.parted, \
       seen = CASE WHEN m.gtl = excluded.gtl THEN m.seen ELSE excluded.seen END"
);

/// Asks how far the standbys are.
pub(super) struct Ask;

impl Work for Ask {
    type Done = Standing;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Standing> {
        Box::pin(async {
            let rows = session.query(STANDING, &[]).await?;
            let row = rows.first().ok_or(Failure::Nonsense("no answer to a question"))?;
            let follows = row.try_get::<_, i64>("following")? > 0;
            let synced: bool = row.try_get("synced")?;
            let known = ["slots", "hidden", "lately"]
                .into_iter()
                .try_fold(follows, |known, column| {
                    Ok::<_, Failure>(known | row.try_get::<_, bool>(column)?)
                })?;
            if !row.try_get::<_, bool>("marked")? {
                session.query(MARK, &[]).await?;
            }
            if follows && !synced && !row.try_get::<_, bool>("noted")? {
                session.query(NOTE, &[]).await?;
            }
            let upto = row.try_get::<_, i64>("upto")?.cast_unsigned();
            Ok(Standing {
                timeline: u32::try_from(row.try_get::<_, i64>("timeline")?)
                    .map_err(|_| Failure::Nonsense("a timeline"))?,
                written: row.try_get::<_, i64>("written")?.cast_unsigned(),
                copies: match (synced, known) {
                    (true, _) => Copies::Synced { upto },
                    (false, true) => Copies::Behind { upto, follows },
                    (false, false) => Copies::None,
                },
            })
        })
    }
}
