//! The shell around all routes: request ids, problems, login, audit, idempotency, limits, security headers.
//!
//! ```text
//!   listener ─► finish ─► limits ─► router ─► guard (per route) ─► handler
//!               │ request id         │ 404/405  │ unknown parameters
//!               │ problem documents             │ Idempotency-Key
//!               │ security headers, 304         │ audit of writes
//!               └ panics become problems
//! ```
//!
//! It knows no service: routes come in tables ([`Routes`]).

mod cors;
mod finish;
mod guard;
mod idempotency;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use purlin_telemetry::Reason;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Audit;
use crate::clock::Clock;
use crate::events::SessionKeeper;
use crate::gate::Gate;
use crate::ledger::Ledger;
use crate::openapi;
use crate::rates::{Meter, Rates};
use crate::reasons::REASONS;
use crate::route::{Entry, Routes};
use crate::schema::{self, Schema};
use crate::standing::Sessions;
use crate::tenancy::Accounts;
use crate::tokens::{self, Tokens};
use cors::Origins;
use guard::Guard;
use idempotency::Memory;

/// Largest body of a request unless [`Limits`] says otherwise, in octets. A configuration with 100,000 reservations has about 12 MiB.
pub const BODY_MAX: usize = 32 << 20;

/// Bounds on requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest body, in octets.
    pub body_max: usize,
    /// How long a request that reads may take until its answer begins; writes run to their end.
    pub request_timeout: Duration,
    /// How many requests a caller may send.
    pub rates: Rates,
    /// Web origins whose scripts may call the API; empty allows none.
    pub origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_max: BODY_MAX,
            request_timeout: Duration::from_secs(30),
            rates: Rates::default(),
            origins: Vec::new(),
        }
    }
}

/// Puts the API together.
pub struct Shell {
    routes: Routes,
    reasons: Vec<&'static [Reason]>,
    tokens: Tokens,
    clock: Clock,
    accounts: Option<Arc<dyn Accounts>>,
    audit: Audit,
    limits: Limits,
    sessions: Option<Sessions>,
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell")
            .field("routes", &self.routes)
            .finish_non_exhaustive()
    }
}

impl Shell {
    /// A shell with the routes of tokens and audit.
    #[must_use]
    pub fn new(ledger: &Ledger, tokens: &Tokens, clock: &Clock) -> Self {
        let audit = Audit::new(ledger.clone(), clock.clone());
        let routes = tokens::routes::routes(tokens, clock).and(crate::audit::routes(&audit));
        Self {
            routes,
            reasons: vec![REASONS],
            tokens: tokens.clone(),
            clock: clock.clone(),
            accounts: None,
            audit,
            limits: Limits::default(),
            sessions: None,
        }
    }

    /// Who keeps the sessions of clients, for handlers whose answers go on; without, nobody does.
    #[must_use]
    pub fn sessions(mut self, keeper: Option<Arc<dyn SessionKeeper>>) -> Self {
        self.sessions = keeper.map(Sessions);
        self
    }

    /// Adds routes.
    #[must_use]
    pub fn mount(mut self, routes: Routes) -> Self {
        self.routes = self.routes.and(routes);
        self
    }

    /// Adds reasons that `/api/v1/explain` answers about.
    #[must_use]
    pub fn reasons(mut self, reasons: &'static [Reason]) -> Self {
        self.reasons.push(reasons);
        self
    }

    /// Who knows users and tenants; without them there are neither.
    #[must_use]
    pub fn accounts(mut self, accounts: Arc<dyn Accounts>) -> Self {
        self.accounts = Some(accounts);
        self
    }

    /// Other bounds than the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What is mounted so far.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.routes.entries()
    }

    /// The finished router.
    ///
    /// # Panics
    /// When two routes have one method and path: the tables are fixed when the program is built.
    pub fn router(self) -> Router {
        let routes = self.routes.and(crate::explain::routes(self.reasons));
        let routes = openapi::with_document(routes);
        let gate = Gate::new(self.tokens, self.clock.clone(), self.accounts);
        let meter = Meter::new(self.limits.rates, self.clock);
        let memory = Memory::new(self.limits.body_max);
        let components: HashMap<&str, Schema> = routes.components.into_iter().collect();
        let mut router = Router::new();
        let mut with_error_members = HashSet::new();
        for route in routes.routes {
            let entry = Arc::new(route.entry);
            if entry.error_members {
                with_error_members.extend(entry.paths());
            }
            let guard = Guard {
                entry: Arc::clone(&entry),
                fields: fields(&entry, &components).into(),
                audit: self.audit.clone(),
                gate: gate.clone(),
                meter: meter.clone(),
                memory: memory.clone(),
                timeout: self.limits.request_timeout,
            };
            let handler = route.handler.route_layer(from_fn_with_state(guard, guard::guard));
            for path in entry.paths() {
                router = router.route(path, handler.clone());
            }
        }
        router = router
            .layer(DefaultBodyLimit::max(self.limits.body_max))
            .layer(from_fn(guard::introduce))
            .layer(from_fn_with_state(
                finish::Manners::new(with_error_members),
                finish::finish,
            ));
        if let Some(sessions) = self.sessions {
            router = router.layer(Extension(sessions));
        }
        if self.limits.origins.is_empty() {
            return router;
        }
        router.layer(from_fn_with_state(
            Origins(self.limits.origins.into()),
            cors::cors,
        ))
    }
}

/// What `fields` may name: the members of the items that a list answers with.
fn fields(entry: &Entry, components: &HashMap<&str, Schema>) -> Vec<String> {
    let pages = entry.answers.iter().map(|answer| &answer.schema);
    pages
        .filter_map(|page| schema::members_of_page(page, |name| components.get(name)))
        .flatten()
        .collect()
}
