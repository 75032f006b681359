//! Who belongs to a tenant, and who is invited to.

use crate::users::at;
use purlin_api::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long an invitation holds, in seconds.
pub(crate) const INVITATION_SECS: i64 = 7 * 24 * 3600;

/// One row of the table `members`, under `<tenant>/<user>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Membership {
    pub(crate) tenant: String,
    /// Id of a user, or of a token of the API.
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) created: i64,
    pub(crate) created_by: String,
}

impl Membership {
    pub(crate) fn id(tenant: &str, user: &str) -> String {
        format!("{tenant}/{user}")
    }

    pub(crate) fn view(&self, name: Option<&str>) -> Value {
        json!({
            "tenant_id": self.tenant,
            "user_id": self.user,
            "name": name,
            "role": self.role,
            "created_at": at(self.created),
            "created_by": self.created_by,
        })
    }
}

/// One row of the table `invitations`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invitation {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) digest: String,
    pub(crate) expires: i64,
    pub(crate) accepted: Option<i64>,
    pub(crate) created: i64,
    pub(crate) created_by: String,
}

impl Invitation {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "tenant_id": self.tenant,
            "email": self.email,
            "role": self.role,
            "expires_at": at(self.expires),
            "accepted_at": self.accepted.map(at),
            "created_at": at(self.created),
            "created_by": self.created_by,
        })
    }
}
