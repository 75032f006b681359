//! The login check: finds the bearer token of a request, and slows down whoever guesses.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

use crate::access::{Access, Caller, Role};
use crate::asked::Asked;
use crate::clock::Clock;
use crate::problem::Problem;
use crate::reasons;
use crate::route::Entry;
use crate::tenancy::{Accounts, Note, Tenancy};
use crate::tokens::{TokenView, Tokens};

/// Wrong passwords of known tokens that one source may send before it must wait. A token whose id nobody has is
/// refused without work and does not count.
const FAILURES_MAX: u32 = 10;
/// The same for this machine, from which scripts and tests come.
const FAILURES_MAX_LOOPBACK: u32 = 50;
/// How long failures count, and so how long it must wait, in seconds.
const FAILURES_WINDOW: i64 = 60;
/// Sources that are remembered; beyond them the oldest are forgotten.
const SOURCES_MAX: usize = 4096;

/// How the token comes where the route says so: browsers cannot set headers for streams.
const QUERY_TOKEN: &str = "access_token";

/// Where a request came from; put into its extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Which of our addresses a request came to; put into its extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Local(pub SocketAddr);

/// The login check of all routes.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gate({:?})", self.0.tokens)
    }
}

struct Inner {
    tokens: Tokens,
    clock: Clock,
    accounts: Option<Arc<dyn Accounts>>,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: i64,
    count: u32,
}

impl Gate {
    #[must_use]
    pub fn new(tokens: Tokens, clock: Clock, accounts: Option<Arc<dyn Accounts>>) -> Self {
        Self(Arc::new(Inner {
            tokens,
            clock,
            accounts,
            failures: Mutex::new(HashMap::new()),
        }))
    }

    /// Who the request is from, and for which tenant it is made.
    ///
    /// # Errors
    /// 401 without a valid token, 429 after too many wrong ones, 404 for a tenant that the caller is no member of, 403
    /// where whoever has a tenant has no business.
    pub(crate) async fn admit(&self, parts: &Parts, entry: &Entry) -> Result<Caller, Problem> {
        let caller = self.login(parts, entry).await?;
        let wanted = tenant_of(parts);
        if let Some(tenant) = &caller.tenant {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != tenant.id && *wanted != tenant.name) {
                return Err(Problem::no_such("tenant", &wanted));
            }
            if !entry.tenants {
                let detail = format!("this path is about more than the tenant {:?}", tenant.name);
                return Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    &reasons::BEYOND_TENANT,
                    detail,
                ));
            }
            return Ok(caller);
        }
        match (wanted.filter(|_| entry.tenants), &self.0.accounts) {
            (None, _) => Ok(caller),
            (Some(wanted), None) => Err(Problem::no_such("tenant", &wanted)),
            (Some(wanted), Some(accounts)) => {
                let tenancy = accounts.tenancy(&caller, &wanted)?;
                Ok(caller.within(tenancy))
            }
        }
    }

    /// What the caller of an earlier request may do now, by the same token, session or key.
    ///
    /// # Errors
    /// As [`Gate::admit`], and 409 where it may see something else now.
    pub(crate) fn again(&self, before: &Caller, entry: &Entry) -> Result<(), Problem> {
        let own = self
            .0
            .tokens
            .still(&before.token)
            .map(|token| caller(token, before.source));
        let accounts = self.0.accounts.as_ref();
        let now = own.or_else(|| accounts?.again(before)).ok_or_else(|| {
            let detail = "the token, session or key is not a valid one any more";
            Problem::new(StatusCode::UNAUTHORIZED, &reasons::BAD_TOKEN, detail)
        })?;
        let wanted = before.tenant.as_ref().filter(|_| now.tenant.is_none());
        let now = match (wanted, accounts) {
            (Some(tenant), Some(accounts)) => {
                let tenancy = accounts.tenancy(&now, &tenant.id)?;
                now.within(tenancy)
            }
            _ => now,
        };
        let sees = |caller: &Caller| {
            let tenant = caller.tenant.as_ref();
            tenant.map(|tenant| (tenant.id.clone(), tenant.external))
        };
        if sees(before) != sees(&now) {
            let detail = "what the tenant may see has changed: come back and read it again";
            return Err(Problem::new(
                StatusCode::CONFLICT,
                &reasons::CHANGED_MEANWHILE,
                detail,
            ));
        }
        match entry.access {
            Access::Role(role) => now.must_have(role),
            Access::Open => Ok(()),
        }
    }

    /// Told when tokens, and when accounts have changed.
    pub(crate) fn changes(&self) -> Vec<watch::Receiver<u64>> {
        let tokens = std::iter::once(self.0.tokens.changes());
        tokens
            .chain(self.0.accounts.iter().map(|accounts| accounts.changes()))
            .collect()
    }

    async fn login(&self, parts: &Parts, entry: &Entry) -> Result<Caller, Problem> {
        let Some(text) = token_of(parts, entry) else {
            let detail = "the request has no Authorization header with a bearer token";
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                &reasons::NOT_LOGGED_IN,
                detail,
            ));
        };
        let source = parts
            .extensions
            .get::<Peer>()
            .map(|peer| peer.0.ip().to_canonical());
        if let Some(accounts) = self
            .0
            .accounts
            .as_ref()
            .filter(|accounts| accounts.recognises(&text))
        {
            let found = accounts.login(&text).await?;
            let found = found.map(|caller| Caller { source, ..caller });
            return found.ok_or_else(|| {
                let detail = "the session or key is not a valid one";
                Problem::new(StatusCode::UNAUTHORIZED, &reasons::BAD_TOKEN, detail)
            });
        }
        // A token that was right before passes always: a guesser behind the same address must not lock it out.
        if let Some(token) = self.0.tokens.recognise(&text) {
            return Ok(caller(token, source));
        }
        let known = self.0.tokens.knows(&text);
        if known {
            self.refuse_guessers(source)?;
        }
        match self.0.tokens.verify(&text).await? {
            Some(token) => Ok(caller(token, source)),
            None => {
                if known {
                    self.note_failure(source);
                }
                let detail = "the bearer token is not a valid one";
                Err(Problem::new(
                    StatusCode::UNAUTHORIZED,
                    &reasons::BAD_TOKEN,
                    detail,
                ))
            }
        }
    }

    fn refuse_guessers(&self, source: Option<IpAddr>) -> Result<(), Problem> {
        let now = self.0.clock.secs();
        let failures = self
            .0
            .failures
            .lock()
            .expect("no code panics while it holds the failures");
        let Some((source, found)) = source.and_then(|source| Some((source, failures.get(&source)?))) else {
            return Ok(());
        };
        let most = if source.is_loopback() {
            FAILURES_MAX_LOOPBACK
        } else {
            FAILURES_MAX
        };
        let wait = found.since + FAILURES_WINDOW - now;
        if found.count < most || wait <= 0 {
            return Ok(());
        }
        let detail = format!(
            "{} wrong tokens came from this address; wait {wait} s",
            found.count
        );
        Err(
            Problem::new(StatusCode::TOO_MANY_REQUESTS, &reasons::TOO_MANY_FAILURES, detail)
                .header(header::RETRY_AFTER, HeaderValue::from(wait)),
        )
    }

    fn note_failure(&self, source: Option<IpAddr>) {
        let Some(source) = source else { return };
        let now = self.0.clock.secs();
        let mut failures = self
            .0
            .failures
            .lock()
            .expect("no code panics while it holds the failures");
        if failures.len() >= SOURCES_MAX && !failures.contains_key(&source) {
            failures.retain(|_, found| found.since + FAILURES_WINDOW > now);
            if failures.len() >= SOURCES_MAX {
                // Thousands of sources guess at once: remembering the newest is worth more than the rest.
                failures.clear();
            }
        }
        let found = failures
            .entry(source)
            .or_insert(Failures { since: now, count: 0 });
        if found.since + FAILURES_WINDOW <= now {
            *found = Failures { since: now, count: 0 };
        }
        found.count += 1;
    }
}

fn caller(token: TokenView, source: Option<IpAddr>) -> Caller {
    Caller {
        token: token.id,
        name: token.name,
        role: token.role,
        own_role: token.role,
        tenant: None,
        note: Note::default(),
        source,
        request: String::new(),
    }
}

impl Caller {
    /// The same caller where the request is made for a tenant: nothing that is beyond it is allowed any more.
    #[must_use]
    pub fn within(self, tenancy: Arc<Tenancy>) -> Self {
        Self {
            role: tenancy.role.min(Role::Operator),
            tenant: Some(tenancy),
            ..self
        }
    }
}

/// The tenant that the request names: `X-Tenant-ID`, or `?tenant_id=`.
fn tenant_of(parts: &Parts) -> Option<String> {
    if let Some(value) = parts.headers.get("x-tenant-id") {
        // A name that is no text is nobody's.
        return Some(value.to_str().unwrap_or("?").to_owned());
    }
    let asked = Asked::of(&parts.uri).ok()?;
    asked.text("tenant_id").map(str::to_owned)
}

fn token_of(parts: &Parts, entry: &Entry) -> Option<String> {
    if let Some(value) = parts.headers.get("x-api-key") {
        return value.to_str().ok().map(|key| key.trim().to_owned());
    }
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned());
    }
    if !entry.params.iter().any(|param| param.name == QUERY_TOKEN) {
        return None;
    }
    let asked = Asked::of(&parts.uri).ok()?;
    asked.text(QUERY_TOKEN).map(str::to_owned)
}
