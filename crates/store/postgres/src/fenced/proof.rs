//! What is known of the claims of the node that writes, so that a batch need not ask for each of its slots.
//!
//! ```text
//!   purlin.claim   changed by anybody ──trigger──► purlin.writer of its owner: changes + 1, same transaction
//!   proof          all claims of an owner, and `changes`, read as of one instant
//!   batch          writer FOR SHARE with that very number ─► nothing has changed since, nor will before the commit
//! ```
//!
//! The lock is what the one on each claim would be: whoever takes a claim over counts it in the row that the batch has
//! locked, so it waits for the batch, and sees all its rows when it is done.

use purlin_fabric::port::ClaimKey;
use purlin_types::{Epoch, SLOTS, Slot};
use tokio_postgres::Row;

use crate::claims::{key_parse, key_text};
use crate::failure::Failure;
use crate::postgres::{Doing, Work};
use crate::probe::{of_this_history, timeline};
use crate::session::Session;

/// All claims that may be relied on of whoever owns the one named.
const PROOF: &str = concat!(
    "SELECT c.key, c.gtl, c.epoch, w.id, w.changes, f.incarnation, (SELECT ",
    timeline!(),
    ") AS timeline FROM purlin.claim AS f JOIN purlin.writer AS w ON w.id = f.owner \
     JOIN purlin.claim AS c ON c.owner = f.owner AND c.incarnation = f.incarnation \
     WHERE f.key = $1 AND ",
    of_this_history!()
);

/// The claims of a node as they were, and by what to tell that they still are.
pub(crate) struct Proof {
    pub(super) owner: String,
    pub(super) incarnation: i64,
    pub(super) changes: i64,
    pub(super) timeline: i64,
    /// Every claim is of that timeline; else they count as long as commits wait for a standby.
    pub(super) current: bool,
    epochs: Box<[Option<Epoch>]>,
}

impl Proof {
    pub(super) fn covers(&self, held: &[(Slot, Epoch)]) -> bool {
        held.iter()
            .all(|&(slot, epoch)| self.epochs[usize::from(slot.index())] == Some(epoch))
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof")
            .field("owner", &self.owner)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// Looks at the claims of whoever holds this slot; `None` when nobody does.
pub(super) struct Find(pub(super) Slot);

impl Work for Find {
    type Done = Option<Proof>;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done> {
        Box::pin(async {
            let key = key_text(&ClaimKey::Slot(self.0));
            let rows = session.query(PROOF, &[&key]).await?;
            rows.first().map(|first| proof(first, &rows)).transpose()
        })
    }
}

fn proof(first: &Row, rows: &[Row]) -> Result<Proof, Failure> {
    let timeline: i64 = first.try_get("timeline")?;
    let mut proof = Proof {
        owner: first.try_get("id")?,
        incarnation: first.try_get("incarnation")?,
        changes: first.try_get("changes")?,
        timeline,
        current: true,
        epochs: vec![None; usize::from(SLOTS)].into(),
    };
    for row in rows {
        if let Some(ClaimKey::Slot(slot)) = key_parse(row.try_get("key")?) {
            let gtl: i64 = row.try_get("gtl")?;
            proof.current &= gtl == timeline;
            proof.epochs[usize::from(slot.index())] = Some(Epoch {
                timeline: u32::try_from(gtl).map_err(|_| Failure::Nonsense("a timeline"))?,
                counter: row.try_get::<_, i64>("epoch")?.cast_unsigned(),
            });
        }
    }
    Ok(proof)
}
