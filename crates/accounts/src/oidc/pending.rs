//! Logins that were begun and not ended: in the store, so that any node may end them, each once.

use purlin_api::ledger::Ledger;
use purlin_api::{Problem, passwords};
use purlin_store::{Batch, Expectation};
use serde::{Deserialize, Serialize};

/// Carries what ties a login to the browser that began it.
pub(crate) const COOKIE: &str = "purlin-login";
/// How long one may take, in seconds.
pub(crate) const LOGIN_SECS: i64 = 600;

const TABLE: &str = "oidc_login";
/// Logins under way at most: whoever begins more without ending them has others wait.
const MOST: usize = 10_000;

/// One row of the table, under the digest of its state. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(super) provider: String,
    pub(super) nonce: String,
    /// RFC 7636, section 4.1.
    pub(super) verifier: String,
    /// Digest of the cookie.
    pub(super) cookie: String,
    pub(super) ends: i64,
}

/// A login that begins now: its row, its state, and the text of its cookie.
pub(super) fn new(provider: &str, now: i64) -> (Pending, String, String) {
    let (state, cookie) = (passwords::random_hex::<16>(), passwords::random_hex::<32>());
    let pending = Pending {
        provider: provider.to_owned(),
        nonce: passwords::random_hex::<16>(),
        verifier: passwords::random_hex::<32>(),
        cookie: passwords::digest(&cookie),
        ends: now + LOGIN_SECS,
    };
    (pending, state, cookie)
}

pub(super) async fn keep(ledger: &Ledger, state: &str, pending: &Pending, now: i64) -> Result<(), Problem> {
    let rows = ledger.scan(TABLE, Vec::new(), MOST + 1).await?;
    let over = |row: &[u8]| serde_json::from_slice::<Pending>(row).is_ok_and(|row| row.ends > now);
    let (alive, over): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, row)| over(row));
    if alive.len() >= MOST {
        return Err(Problem::not_ready(
            "too many logins are under way; try again in a while",
        ));
    }
    let mut batch = Batch::default().quietly();
    for (key, _) in over {
        batch = batch.delete(TABLE, key);
    }
    let row = serde_json::to_vec(pending).expect("a row has nothing that JSON cannot say");
    let key = passwords::digest(state);
    ledger.commit(batch.put(TABLE, key.as_bytes(), row)).await
}

/// Takes it out; `None` when there is none, or another request was faster.
pub(super) async fn take(ledger: &Ledger, state: &str) -> Result<Option<Pending>, Problem> {
    let key = passwords::digest(state).into_bytes();
    let Some(row) = ledger.get(TABLE, key.clone()).await? else {
        return Ok(None);
    };
    let pending = serde_json::from_slice(&row).ok();
    let batch = Batch::default().quietly();
    let batch = batch
        .expect(TABLE, key.clone(), Expectation::Value(row))
        .delete(TABLE, key);
    match ledger.commit(batch).await {
        Ok(()) => Ok(pending),
        Err(problem) if problem.status() == axum::http::StatusCode::CONFLICT => Ok(None),
        Err(problem) => Err(problem),
    }
}
