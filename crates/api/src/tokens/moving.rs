//! Tokens on their way from one node's store into a cluster's.

use super::{TABLE, TOKENS_MAX};
use crate::ledger::Ledger;
use crate::problem::Problem;
use purlin_store::{Batch, Row};
use std::collections::HashSet;

/// Makes the tokens of `to` those of `from`; how many there are. It can be done again.
///
/// # Errors
/// When a store does not answer.
pub async fn copy_tokens(from: &Ledger, to: &Ledger) -> Result<usize, Problem> {
    let rows = from.scan(TABLE, Vec::new(), TOKENS_MAX).await?;
    let there: Vec<Row> = to.scan(TABLE, Vec::new(), TOKENS_MAX).await?;
    let wanted: HashSet<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
    let mut batch = Batch::default();
    for (key, _) in there.iter().filter(|(key, _)| !wanted.contains(key.as_slice())) {
        batch = batch.delete(TABLE, key.clone());
    }
    for (key, row) in &rows {
        batch = batch.put(TABLE, key.clone(), row.clone());
    }
    to.commit(batch).await?;
    Ok(rows.len())
}
