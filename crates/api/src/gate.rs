//! The login check: finds the bearer token of a request, and slows down whoever guesses.

use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use crate::access::Caller;
use crate::clock::Clock;
use crate::problem::Problem;
use crate::reasons;
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

/// Paths on which the token may come as `?access_token=`: browsers cannot set headers for these two.
const QUERY_TOKEN_PATHS: [&str; 2] = ["/ws", "/api/v1/events"];

/// Where a request came from; put into its extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Which of our addresses a request came to; put into its extensions by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Local(pub SocketAddr);

/// The login check of all routes.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: Tokens,
    clock: Clock,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    since: i64,
    count: u32,
}

impl Gate {
    #[must_use]
    pub fn new(tokens: Tokens, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            tokens,
            clock,
            failures: Mutex::new(HashMap::new()),
        }))
    }

    /// Who the request is from.
    ///
    /// # Errors
    /// 401 without a valid token, 429 after too many wrong ones.
    pub(crate) async fn login(&self, parts: &Parts) -> Result<Caller, Problem> {
        let Some(text) = token_of(parts) else {
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
        source,
    }
}

fn token_of(parts: &Parts) -> Option<String> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim().to_owned());
    }
    if !QUERY_TOKEN_PATHS.contains(&parts.uri.path()) {
        return None;
    }
    let query = parts.uri.query()?;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("access_token="))
        .map(str::to_owned)
}
