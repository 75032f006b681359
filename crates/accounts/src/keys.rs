//! Keys of tenants, for programs.

use crate::users::at;
use purlin_api::{Problem, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Scopes of one key at most.
const SCOPES_MAX: usize = 32;

/// One row of the table `api_keys`. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) digest: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) expires: Option<i64>,
    pub(crate) last_used: Option<i64>,
    pub(crate) created: i64,
    pub(crate) created_by: String,
}

impl Key {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "tenant_id": self.tenant,
            "name": self.name,
            "description": self.description,
            "prefix": format!("ovncp_{}", self.id),
            "scopes": self.scopes,
            "expires_at": self.expires.map(at),
            "last_used_at": self.last_used.map(at),
            "created_at": at(self.created),
            "created_by": self.created_by,
        })
    }

    pub(crate) fn ended(&self, now: i64) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// What it may do where its scopes allow it at all.
    pub(crate) fn role(&self) -> Role {
        let writes = |scope: &String| {
            let what = scope.rsplit(':').next().unwrap_or_default();
            matches!(what, "write" | "*")
        };
        match self.scopes.iter().any(writes) {
            true => Role::Operator,
            false => Role::Viewer,
        }
    }
}

/// `read`, `write`, `*`, or one of them for a part of the API: `switches:read`.
pub(crate) fn check_scopes(scopes: &[String]) -> Result<(), Problem> {
    if scopes.is_empty() || scopes.len() > SCOPES_MAX {
        let detail = format!("a key has 1 to {SCOPES_MAX} scopes: read, write, or like switches:read");
        return Err(Problem::wrong_shape(detail));
    }
    for scope in scopes {
        let (of, what) = scope.split_once(':').unwrap_or(("x", scope));
        let area = !of.is_empty()
            && of.len() <= 64
            && of
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !area || !matches!(what, "read" | "write" | "*") {
            let detail = format!(
                "{scope:?} is no scope: read, write, *, or one of these for a part, like switches:read"
            );
            return Err(Problem::wrong_shape(detail));
        }
    }
    Ok(())
}
