//! Accounts on their way from one node's store into a cluster's.

use crate::Desk;
use crate::shelf::ROWS_MAX;
use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_store::Batch;
use std::collections::HashSet;

/// Makes the accounts of `to` those of `from`; how many rows there are. It can be done again.
///
/// # Errors
/// When a store does not answer.
pub async fn copy_accounts(from: &Ledger, to: &Ledger) -> Result<usize, Problem> {
    let mut count = 0;
    for table in Desk::TABLES {
        let rows = from.scan(table, Vec::new(), ROWS_MAX).await?;
        let there = to.scan(table, Vec::new(), ROWS_MAX).await?;
        let wanted: HashSet<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
        let mut batch = Batch::default();
        for (key, _) in there.iter().filter(|(key, _)| !wanted.contains(key.as_slice())) {
            batch = batch.delete(table, key.clone());
        }
        for (key, row) in &rows {
            batch = batch.put(table, key.clone(), row.clone());
        }
        count += rows.len();
        to.commit(batch).await?;
    }
    Ok(count)
}
