//! Backups in the node's records: a head that says what it is, and pieces with what it has.

use super::shelf::{bounded, everybodys};
use super::{HEADS, Head, Shelf, checksum, one, refused};
use crate::history::History;
use purlin_api::Problem;
use purlin_ovsdb::Uuid;
use purlin_store::Batch;

const PIECES: &str = "ovn_backup_data";
const PIECE: usize = 256 << 10;
/// Backups of the installation, or of one tenant, at most; the next one is refused.
const MOST: usize = 200;
/// Octets of one backup as it is kept.
const SIZE_MAX: usize = 256 << 20;

/// Keeps a backup.
pub(crate) async fn keep(shelf: Shelf<'_>, head: &Head, stored: &[u8]) -> Result<(), Problem> {
    if stored.len() > SIZE_MAX {
        let detail = format!(
            "the backup has {} octets; {SIZE_MAX} are kept at most: say compress, or select",
            stored.len()
        );
        return Err(Problem::not_possible(detail));
    }
    let history = shelf.history;
    let heads = everybodys(history).await?;
    if shelf.beside(&heads) >= MOST {
        return Err(Problem::not_possible(format!(
            "there are {MOST} backups already; delete one first"
        )));
    }
    for bound in shelf.tenant.iter().flat_map(|tenant| &tenant.bounds) {
        bounded(bound, &heads)?;
    }
    let id = Uuid::parse(&head.id).ok_or_else(|| Problem::broken("a backup without an id"))?;
    for (number, piece) in stored.chunks(PIECE).enumerate() {
        history
            .ledger
            .commit(
                Batch::default()
                    .quietly()
                    .put(PIECES, piece_key(id, number), piece),
            )
            .await?;
    }
    // Last: what has no head is no backup.
    let row = serde_json::to_vec(head).map_err(|cause| Problem::broken(format!("a backup: {cause}")))?;
    history
        .ledger
        .commit(Batch::default().quietly().put(HEADS, *id.as_bytes(), row))
        .await
}

fn piece_key(id: Uuid, number: usize) -> Vec<u8> {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    [&id.as_bytes()[..], &number.to_be_bytes()].concat()
}

/// What is kept, checked.
pub(crate) async fn stored(history: &History, head: &Head) -> Result<Vec<u8>, Problem> {
    let id = Uuid::parse(&head.id).ok_or_else(|| Problem::broken("a backup without an id"))?;
    let mut octets = Vec::with_capacity(head.size);
    for number in 0.. {
        match history.ledger.get(PIECES, piece_key(id, number)).await? {
            Some(piece) => octets.extend_from_slice(&piece),
            None => break,
        }
    }
    match checksum(&octets) == head.checksum {
        true => Ok(octets),
        false => Err(refused(format!(
            "the backup {} is damaged: its checksum is another one",
            head.name
        ))),
    }
}

/// Forgets a backup.
pub(crate) async fn delete(shelf: Shelf<'_>, id: &str, dry: bool) -> Result<(), Problem> {
    let head = one(shelf, id).await?;
    let heir = everybodys(shelf.history)
        .await?
        .into_iter()
        .find(|other| other.base.as_deref() == Some(id));
    if let Some(heir) = heir {
        return Err(Problem::not_possible(format!(
            "the incremental backup {} builds on it: delete that first",
            heir.name
        )));
    }
    let key = Uuid::parse(id).ok_or_else(|| Problem::no_such("backup", id))?;
    if dry {
        return Ok(());
    }
    let mut batch = Batch::default().quietly().delete(HEADS, *key.as_bytes());
    for number in 0..head.size.div_ceil(PIECE) {
        batch = batch.delete(PIECES, piece_key(key, number));
    }
    shelf.history.ledger.commit(batch).await
}
