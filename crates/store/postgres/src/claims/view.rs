//! Everything, as of one instant: one snapshot, read in one flight.

use purlin_fabric::port::{ClaimRow, Version, View};
use purlin_types::{Epoch, Incarnation, NodeId};
use tokio_postgres::Row;

use super::key;
use super::node::node;
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{PROBE, probe_of};
use crate::session::Session;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const NODES: &str = "SELECT id, incarnation, seq, state, facts FROM purlin.node ORDER BY id";
/// Rows of claims that somebody tried for and nobody ever won are as good as none.
const CLAIMS: &str = "SELECT key, owner, incarnation, gtl, epoch, step, suspect FROM purlin.claim \
     WHERE epoch > 0 ORDER BY key";
const PLAN: &str = "SELECT number, body FROM purlin.plan";

pub(super) struct Everything;

impl Work for Everything {
    type Done = View;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, View> {
        Box::pin(async {
            session.prepare(&[PROBE, NODES, CLAIMS, PLAN]).await?;
            let (begun, probe, nodes, claims, plan, ended) = tokio::join!(
                biased;
                session.run(BEGIN),
                session.query(PROBE, &[]),
                session.query(NODES, &[]),
                session.query(CLAIMS, &[]),
                session.query(PLAN, &[]),
                session.run("COMMIT"),
            );
            begun?;
            let (probe, nodes, claims, plan) = (probe?, nodes?, claims?, plan?);
            ended?;
            Ok(View {
                probe: probe_of(
                    probe
                        .first()
                        .ok_or(Failure::Nonsense("no answer to a question"))?,
                )?,
                nodes: nodes.iter().map(node).collect::<Result<_, _>>()?,
                claims: claims.iter().map(claim).collect::<Result<_, _>>()?,
                plan: plan.first().map_or(Ok((0, Vec::new())), |row| {
                    Ok::<_, Failure>((
                        row.try_get::<_, i64>("number")?.cast_unsigned(),
                        row.try_get("body")?,
                    ))
                })?,
            })
        })
    }
}

fn claim(row: &Row) -> Result<ClaimRow, Failure> {
    let owner: Option<&str> = row.try_get("owner")?;
    let incarnation: Option<i64> = row.try_get("incarnation")?;
    let number = |column| -> Result<u32, Failure> {
        u32::try_from(row.try_get::<_, i64>(column)?).map_err(|_| Failure::Nonsense("a claim's version"))
    };
    Ok(ClaimRow {
        key: key::parse(row.try_get("key")?).ok_or(Failure::Nonsense("a claim's key"))?,
        version: Version {
            epoch: Epoch {
                timeline: number("gtl")?,
                counter: row.try_get::<_, i64>("epoch")?.cast_unsigned(),
            },
            step: number("step")?,
        },
        owner: match (owner, incarnation) {
            (Some(id), Some(incarnation)) => Some((
                NodeId::parse(id).map_err(|_| Failure::Nonsense("a claim's owner"))?,
                Incarnation(incarnation.cast_unsigned()),
            )),
            _ => None,
        },
        suspect: row.try_get("suspect")?,
    })
}
