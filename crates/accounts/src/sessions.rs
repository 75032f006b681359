//! Sessions: an access token for minutes, a refresh token for days, each used refresh token remembered.
//!
//! A refresh token works once and brings the next. One that comes a second time was copied: whoever has it and whoever
//! has its successor are not told apart, and the session ends for both.

use serde::{Deserialize, Serialize};

/// How long an access token is valid, in seconds.
pub(crate) const ACCESS_SECS: i64 = 15 * 60;
/// How long a refresh token is valid, in seconds.
pub(crate) const REFRESH_SECS: i64 = 7 * 24 * 3600;
/// Used refresh tokens that are remembered of a session; beyond them the session ends and one logs in again.
pub(crate) const SPENT_MAX: usize = 1000;
/// Sessions that one user may have; the oldest go first.
pub(crate) const PER_USER_MAX: usize = 32;

/// One row of the table `sessions`. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) access: String,
    pub(crate) access_ends: i64,
    pub(crate) refresh: String,
    pub(crate) refresh_ends: i64,
    /// Digests of refresh tokens that were used.
    pub(crate) spent: Vec<String>,
    pub(crate) created: i64,
}

impl Session {
    /// Whether it has nothing left that is valid at `now`.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        self.refresh_ends <= now && self.access_ends <= now
    }
}
