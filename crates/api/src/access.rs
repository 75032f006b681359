//! Who may do what: requirements as arguments.
//!
//! A handler takes [`Open`], [`Viewer`], [`Operator`] or [`Admin`] as its first argument. Only the login check can
//! make the last three, and the route table ([`crate::route`]) does not accept a handler without one of the four:
//! forgetting the check does not compile. What the OpenAPI document says about a route's role comes from the
//! same type, so it cannot differ.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use crate::gate::Gate;
use crate::problem::Problem;
use crate::reasons;
use crate::route::Entry;
use crate::tenancy::{Note, Tenancy};

/// What a token allows. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Nothing by itself: a person who only has what tenants give.
    Member,
    /// Reads everything but tokens and the audit.
    Viewer,
    /// Also changes leases and configuration.
    Operator,
    /// Also manages tokens, reads the audit, makes backups.
    Admin,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who is calling, as the login check found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the token.
    pub token: String,
    /// Name that the token was given, or of the user whose session it is.
    pub name: String,
    /// What it may do here: in the tenant, where the request is made for one.
    pub role: Role,
    /// What it may do in the whole installation.
    pub own_role: Role,
    /// The tenant that the request is made for. Whoever has one sees and writes nothing else.
    pub tenant: Option<Arc<Tenancy>>,
    /// For the audit.
    pub note: Note,
    /// Where the request came from; `None` when it did not come over a socket.
    pub source: Option<IpAddr>,
    /// The request's id, as `X-Request-Id` has it; the guard of the route fills it in.
    pub request: String,
}

impl Caller {
    pub(crate) fn must_have(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let place = match &self.tenant {
            Some(tenant) => format!(" in the tenant {:?}", tenant.name),
            None => String::new(),
        };
        let detail = format!(
            "the token {:?} has the role {}{place}, this needs {role}",
            self.name, self.role
        );
        let forbidden = Problem::new(StatusCode::FORBIDDEN, &reasons::ROLE_TOO_LOW, detail);
        Err(forbidden)
    }
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: health checks and documents without secrets.
    Open,
    Role(Role),
}

/// A type that stands for what a route asks of its caller.
pub trait Requirement {
    const ACCESS: Access;
}

/// Anybody may call this.
#[derive(Debug, Clone, Copy)]
pub struct Open;

/// The caller is somebody: what else it may, the handler finds out.
#[derive(Debug, Clone)]
pub struct Member(pub Caller);

/// The caller may read.
#[derive(Debug, Clone)]
pub struct Viewer(pub Caller);

/// The caller may change addresses and configuration.
#[derive(Debug, Clone)]
pub struct Operator(pub Caller);

/// The caller may do everything.
#[derive(Debug, Clone)]
pub struct Admin(pub Caller);

impl Requirement for Open {
    const ACCESS: Access = Access::Open;
}

impl<S: Sync> FromRequestParts<S> for Open {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self)
    }
}

macro_rules! role_requirement {
    ($($name:ident),*) => {$(
        impl Requirement for $name {
            const ACCESS: Access = Access::Role(Role::$name);
        }

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                at_least(parts, Role::$name).await.map(Self)
            }
        }
    )*};
}

role_requirement!(Member, Viewer, Operator, Admin);

/// Left in the extensions of its response by a route that anybody may call, once it knows who called: who has logged in is
/// in the audit.
#[derive(Debug, Clone)]
pub struct Entered(pub Caller);

/// Where the login check leaves the caller, for the audit and the idempotency memory around the handler.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallerSlot(pub(crate) Arc<OnceLock<Caller>>);

/// Whose request it is, as the guard of the route has found out, and by which route's rules.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) caller: Caller,
    pub(crate) gate: Gate,
    pub(crate) entry: Arc<Entry>,
}

async fn at_least(parts: &Parts, role: Role) -> Result<Caller, Problem> {
    let Some(Known { caller, .. }) = parts.extensions.get::<Known>() else {
        return Err(Problem::broken("the route was mounted without a login check"));
    };
    caller.must_have(role)?;
    if let Some(slot) = parts.extensions.get::<CallerSlot>() {
        slot.0.get_or_init(|| caller.clone());
    }
    Ok(caller.clone())
}
