//! Tenants as the shell sees them: who a request is made for, what bounds that, and who knows about it.
//!
//! The shell decides nothing about tenants. It asks [`Accounts`] who a key or a session belongs to and whether a caller
//! is a member, lets callers that are bound to a tenant only through to routes that say [`crate::route::Draft::tenants`],
//! and hands those routes a state that was narrowed to the tenant ([`crate::route::Routes::narrowed`]).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;

use crate::access::{Caller, Role};
use crate::problem::Problem;

/// The tenant that a request is made for, as its member may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenancy {
    /// The tenant's id: the mark of what it has.
    pub id: String,
    pub name: String,
    /// What the caller may do in the tenant.
    pub role: Role,
    /// How names of its networks begin.
    pub prefix: String,
    /// Whether it may use what is shared between tenants.
    pub external: bool,
    /// Whether only its admins write.
    pub approval: bool,
    /// Whether the audit says what its writes changed, not only that they were.
    pub audited: bool,
    /// Its own quotas, and those of the tenants above it.
    pub bounds: Vec<Bound>,
    /// Id of the top of its tree.
    pub root: String,
    /// What an API key is good for; `None` for people.
    pub scopes: Option<Vec<String>>,
}

/// Quotas over a tenant and all tenants below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Name of the tenant whose quotas they are.
    pub of: String,
    /// Ids of the tenants that count together.
    pub tenants: Vec<String>,
    /// Most by quota; -1 bounds nothing.
    pub quotas: BTreeMap<String, i64>,
}

impl Tenancy {
    /// Whether a key of these scopes may be used on a path: `read`, `write`, `*`, or one of these after the first part
    /// of the path, such as `switches:read`. Who may write may read.
    #[must_use]
    pub fn allows(&self, path: &str, writes: bool) -> bool {
        let Some(scopes) = &self.scopes else {
            return true;
        };
        let path = path.strip_prefix("/api/v1/").unwrap_or(path);
        let path = path.strip_prefix("ovn/").unwrap_or(path);
        let area = path.split('/').next().unwrap_or_default();
        scopes.iter().any(|scope| {
            let (of, what) = scope.split_once(':').unwrap_or((area, scope));
            of == area && (matches!(what, "*" | "write") || (what == "read" && !writes))
        })
    }
}

/// Who knows users, their sessions, tenants and the keys of tenants.
pub trait Accounts: Send + Sync {
    /// Whether a text has the form of one of its secrets, so that it is asked about it.
    fn recognises(&self, text: &str) -> bool;

    /// Whose session or key it is; `None` for every reason not to be one.
    ///
    /// # Errors
    /// When that cannot be told now.
    fn login<'a>(&'a self, text: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Problem>>;

    /// The tenant of this id or name, when the caller is a member of it.
    ///
    /// # Errors
    /// 404 when there is none, or the caller is no member: nobody learns which of these. 403 when it is suspended.
    fn tenancy(&self, caller: &Caller, wanted: &str) -> Result<Arc<Tenancy>, Problem>;

    /// The caller of an earlier request as it is now, as far as its session or key is still good.
    fn again(&self, caller: &Caller) -> Option<Caller>;

    /// Told whenever one of these answers may have become another, but for the passing of time.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// What a handler leaves for the audit: what was changed, in few words and without secrets. Copies are the same one.
#[derive(Clone, Default)]
pub struct Note(Arc<Mutex<Option<Value>>>);

impl Note {
    /// Leaves it; the last one counts.
    pub fn leave(&self, what: Value) {
        *self.0.lock().expect("no code panics while it holds a note") = Some(what);
    }

    pub(crate) fn take(&self) -> Option<Value> {
        self.0
            .lock()
            .expect("no code panics while it holds a note")
            .take()
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Note")
    }
}

/// Notes say nothing about who somebody is.
impl PartialEq for Note {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Note {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scopes: &[&str]) -> Tenancy {
        Tenancy {
            id: "t".into(),
            name: "acme".into(),
            role: Role::Operator,
            prefix: String::new(),
            external: false,
            approval: false,
            audited: true,
            bounds: Vec::new(),
            root: "t".into(),
            scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        }
    }

    #[test]
    fn scopes_bound_what_a_key_reaches() {
        let may = |scopes: &[&str], path: &str, writes| key(scopes).allows(path, writes);
        assert!(may(&["read"], "/api/v1/switches", false) && !may(&["read"], "/api/v1/switches", true));
        assert!(may(&["write"], "/api/v1/ovn/nb/ACL", true) && may(&["write"], "/api/v1/ports/x", false));
        assert!(may(&["switches:write"], "/api/v1/switches/x/ports", true));
        assert!(!may(&["switches:write"], "/api/v1/routers", false));
        assert!(may(&["nb:*"], "/api/v1/ovn/nb/ACL", true) && !may(&[], "/api/v1/switches", false));
        assert!(!may(&["admin"], "/api/v1/switches", false));
    }
}
