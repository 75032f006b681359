//! A sign of life of ovn-northd and every hypervisor, asked for and waited for.

use crate::platform::Platform;
use crate::realised::{self, Until};
use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovsdb::Transaction;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Raises the count, as `ovn-nbctl sync` does, and says who came so far in time.
pub(crate) async fn sync(platform: &Platform, until: Until, limit: Duration) -> Result<Value, Problem> {
    if let Some(told) = realised::unattended(platform, until) {
        return Ok(told);
    }
    let began = Instant::now();
    let mut transaction = Transaction::new();
    transaction.comment("purlin: sync");
    // Its last operation tells the count.
    realised::count(&mut transaction);
    // Twice would be once more, and harmless.
    let transaction = transaction.repeatable();
    let committed = platform
        .north()
        .client
        .commit(transaction)
        .await
        .map_err(|error| {
            Problem::new(
                StatusCode::GATEWAY_TIMEOUT,
                &reasons::NO_LEADER,
                error.to_string(),
            )
        })?;
    Ok(realised::follow(platform, &committed, until, began, limit).await)
}
