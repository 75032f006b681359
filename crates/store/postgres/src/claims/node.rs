//! Nodes: enrolling, renewing, moving on.

use purlin_fabric::port::{Candidate, Enrolment, NodeFacts, NodeRow, NodeState, Refusal, Renewal};
use purlin_types::{Incarnation, NodeId};
use tokio_postgres::Row;

use super::Answer;
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{probe, probe_of};
use crate::session::Session;

/// A new id, the id of a removed life, that of the former life as it was last seen, or this very life again, whose first
/// answer was lost: it is told what it is. Never back into a removed life; and whoever names a former life wants to replace
/// it, not to be new.
const ENROL: &str = concat!(
    "INSERT INTO purlin.node AS n (id, incarnation, seq, state, facts) \
     SELECT $1, $2, 0, 'joining', $3 \
     WHERE $4::bigint IS NULL OR EXISTS (SELECT FROM purlin.node WHERE id = $1) \
     ON CONFLICT (id) DO UPDATE SET \
       seq = CASE WHEN n.incarnation = excluded.incarnation THEN n.seq ELSE 0 END, \
       state = CASE WHEN n.incarnation = excluded.incarnation THEN n.state ELSE 'joining' END, \
       incarnation = excluded.incarnation, facts = excluded.facts \
     WHERE CASE WHEN n.incarnation = excluded.incarnation THEN n.state <> 'removed' \
       ELSE n.state = 'removed' OR (n.incarnation, n.seq) = ($4::bigint, $5::bigint) END \
     RETURNING n.seq, n.state, ",
    probe!()
);

const RENEW: &str = concat!(
    "UPDATE purlin.node AS n SET seq = seq + 1 WHERE id = $1 AND incarnation = $2 AND state <> 'removed' \
     RETURNING n.seq, n.state, ",
    probe!()
);

const ADVANCE: &str = "UPDATE purlin.node SET state = $4 \
     WHERE id = $1 AND incarnation = $2 AND state = $3 AND state <> 'removed' RETURNING state";

const LIFE: &str = "SELECT incarnation, state FROM purlin.node WHERE id = $1";

pub(super) struct Enrol<'a> {
    enrolment: &'a Enrolment,
    facts: String,
}

impl<'a> Enrol<'a> {
    pub(super) fn new(enrolment: &'a Enrolment) -> Result<Self, Failure> {
        let facts = serde_json::to_string(&enrolment.facts)
            .map_err(|_| Failure::Nonsense("facts that cannot be written"))?;
        Ok(Self { enrolment, facts })
    }
}

impl Work for Enrol<'_> {
    type Done = Answer<Renewal>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let id = self.enrolment.id.as_str();
            let own = self.enrolment.incarnation;
            let (life, seq) = match self.enrolment.replaces {
                Some((life, seq)) => (Some(life.0.cast_signed()), Some(seq.cast_signed())),
                None => (None, None),
            };
            let rows = session
                .write(ENROL, &[&id, &own.0.cast_signed(), &self.facts, &life, &seq])
                .await?;
            if let Some(row) = rows.first() {
                return Ok(Ok(renewal(row)?));
            }
            Ok(Err(match life_of(session, id).await? {
                Some((life, NodeState::Removed)) if life == own => Refusal::Superseded,
                Some((live, state)) if state != NodeState::Removed => Refusal::DuplicateId { live },
                // Nobody to replace, or it has changed between the two statements.
                _ => Refusal::Stale,
            }))
        })
    }
}

pub(super) struct Renew<'a>(pub(super) &'a Candidate);

impl Work for Renew<'_> {
    type Done = Answer<Renewal>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let (id, incarnation) = (self.0.id.as_str(), self.0.incarnation.0.cast_signed());
            let rows = session.write(RENEW, &[&id, &incarnation]).await?;
            match rows.first() {
                Some(row) => Ok(Ok(renewal(row)?)),
                None => Ok(Err(Refusal::Superseded)),
            }
        })
    }
}

pub(super) struct Advance<'a> {
    pub(super) node: &'a Candidate,
    pub(super) from: NodeState,
    pub(super) to: NodeState,
}

impl Work for Advance<'_> {
    type Done = Answer<()>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let (id, own) = (self.node.id.as_str(), self.node.incarnation);
            let (from, to) = (state_text(self.from), state_text(self.to));
            let rows = session
                .write(ADVANCE, &[&id, &own.0.cast_signed(), &from, &to])
                .await?;
            if !rows.is_empty() {
                return Ok(Ok(()));
            }
            Ok(Err(match life_of(session, id).await? {
                Some((life, state)) if life == own && state != NodeState::Removed => Refusal::Stale,
                _ => Refusal::Superseded,
            }))
        })
    }
}

async fn life_of(session: &Session, id: &str) -> Result<Option<(Incarnation, NodeState)>, Failure> {
    let rows = session.query(LIFE, &[&id]).await?;
    rows.first().map(life).transpose()
}

fn life(row: &Row) -> Result<(Incarnation, NodeState), Failure> {
    let incarnation: i64 = row.try_get("incarnation")?;
    Ok((Incarnation(incarnation.cast_unsigned()), state(row)?))
}

fn renewal(row: &Row) -> Result<Renewal, Failure> {
    Ok(Renewal {
        probe: probe_of(row)?,
        seq: row.try_get::<_, i64>("seq")?.cast_unsigned(),
        state: state(row)?,
    })
}

/// Reads a whole row.
pub(super) fn node(row: &Row) -> Result<NodeRow, Failure> {
    let (incarnation, state) = life(row)?;
    let facts: &str = row.try_get("facts")?;
    Ok(NodeRow {
        id: NodeId::parse(row.try_get("id")?).map_err(|_| Failure::Nonsense("a node id"))?,
        incarnation,
        seq: row.try_get::<_, i64>("seq")?.cast_unsigned(),
        state,
        // Facts are for display; a field that this version does not know how to read must not hide the node.
        facts: serde_json::from_str(facts).unwrap_or_else(|_| NodeFacts::default()),
    })
}

fn state(row: &Row) -> Result<NodeState, Failure> {
    Ok(match row.try_get("state")? {
        "joining" => NodeState::Joining,
        "active" => NodeState::Active,
        "draining" => NodeState::Draining,
        "removed" => NodeState::Removed,
        _ => return Err(Failure::Nonsense("a node's state")),
    })
}

pub(super) fn state_text(state: NodeState) -> &'static str {
    match state {
        NodeState::Joining => "joining",
        NodeState::Active => "active",
        NodeState::Draining => "draining",
        NodeState::Removed => "removed",
    }
}
