//! A token as it lies in the store, and as it is shown.

use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::clock::rfc3339_secs;
use crate::problem::Problem;

/// A token as people see it: everything but the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    pub role: Role,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339; `null` is never.
    pub expires: Option<String>,
    /// RFC 3339; after a restart at most five minutes too early.
    pub last_used: Option<String>,
}

/// One row of the table `tokens`. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: Role,
    /// Argon2id in PHC form.
    pub(super) hash: String,
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    pub(super) last_used: Option<i64>,
}

impl Stored {
    pub(super) fn read(row: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(row)
            .map_err(|cause| Problem::broken(format!("a row of the table tokens is damaged: {cause}")))
    }

    pub(super) fn row(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a token has nothing that JSON cannot say")
    }

    /// Whether it is over at `now`.
    pub(super) fn ended(&self, now: i64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    pub(super) fn view(&self, last_used: Option<i64>) -> TokenView {
        let text =
            |secs: i64| rfc3339_secs(u32::try_from(secs).unwrap_or(if secs < 0 { 0 } else { u32::MAX }));
        TokenView {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            created: text(self.created),
            expires: self.expires.map(text),
            last_used: last_used.map(text),
        }
    }
}
