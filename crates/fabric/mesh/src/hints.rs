//! Hints that only this cluster's nodes can read.
//!
//! ```text
//!   node ─► SealedHints ─► Redis: ids, names, numbers, times as they are; who a client is, what is said, what is kept: sealed
//! ```
//!
//! Whoever can read the service behind it learns that there are sessions, not whose, and hears messages, not what they
//! say. Whoever can write to it can still make it forget: that costs speed and nothing else, as with any hints. What this
//! cluster's secret does not open is as if it were not there, and is counted: two clusters share a key prefix, or a node
//! has another secret.

mod sealed;

use crate::octets;
use crate::seal::SealKey;
use purlin_fabric::port::{Heartbeat, HintFault, Hints, Later, SessionRow, Subscription, Token};
use purlin_types::{Incarnation, NodeId};
use sealed::Opening;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The use of this key of the secret.
const PURPOSE: &[u8] = b"purlin mesh: hints, 1";

/// What sealed things are bound to, so that one kind is not taken for another.
const USER: &str = "user";
const BEAT: &str = "beat";
const SAID: &str = "said";
const KEPT: &str = "kept";

/// Hints over others, sealed with the cluster's secret.
#[derive(Clone)]
pub struct SealedHints {
    under: Arc<dyn Hints>,
    sealer: Arc<Sealer>,
}

struct Sealer {
    key: SealKey,
    strange: AtomicU64,
}

impl SealedHints {
    /// Over `under`, for everybody who has this secret.
    #[must_use]
    pub fn new(secret: &[u8], under: Arc<dyn Hints>) -> Self {
        let sealer = Arc::new(Sealer {
            key: SealKey::derive(secret, &[], PURPOSE),
            strange: AtomicU64::new(0),
        });
        Self { under, sealer }
    }

    /// How often something was met that the secret does not open, since the start.
    #[must_use]
    pub fn strange(&self) -> u64 {
        self.sealer.strange.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for SealedHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedHints")
            .field("under", &self.under)
            .field("strange", &self.strange())
            .finish_non_exhaustive()
    }
}

impl Sealer {
    fn seal(&self, kind: &str, of: &str, plain: &[u8]) -> Vec<u8> {
        self.key.seal(&bound(kind, of), plain)
    }

    fn open(&self, kind: &str, of: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let opened = self.key.open(&bound(kind, of), sealed);
        if opened.is_none() {
            self.strange.fetch_add(1, Ordering::Relaxed);
        }
        opened
    }

    /// The same for what must be a text: in hexadecimal digits.
    fn seal_text(&self, kind: &str, of: &str, plain: &str) -> String {
        octets::hex(&self.seal(kind, of, plain.as_bytes()))
    }

    fn open_text(&self, kind: &str, of: &str, sealed: &str) -> Option<String> {
        // No digits: not sealed by anybody.
        let octets = octets::unhex(sealed).unwrap_or_default();
        String::from_utf8(self.open(kind, of, &octets)?).ok()
    }

    fn open_session(&self, row: SessionRow) -> Option<SessionRow> {
        // Not bound to the id: a session gets another one where it is kept, and nobody opens it there.
        let user = self.open_text(USER, "", &row.user)?;
        Some(SessionRow { user, ..row })
    }
}

fn bound(kind: &str, of: &str) -> Vec<u8> {
    [kind.as_bytes(), b"\0", of.as_bytes()].concat()
}

impl Hints for SealedHints {
    fn beat<'a>(&'a self, beat: &'a Heartbeat, lasting: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(async move {
            let body = self.sealer.seal_text(BEAT, &beat.node, &beat.body);
            let (node, incarnation) = (beat.node.clone(), beat.incarnation);
            let sealed = Heartbeat {
                node,
                incarnation,
                body,
            };
            self.under.beat(&sealed, lasting).await
        })
    }

    fn beats(&self) -> Later<'_, Result<Vec<Heartbeat>, HintFault>> {
        Box::pin(async {
            let opened = |beat: Heartbeat| {
                let body = self.sealer.open_text(BEAT, &beat.node, &beat.body)?;
                Some(Heartbeat { body, ..beat })
            };
            Ok(self.under.beats().await?.into_iter().filter_map(opened).collect())
        })
    }

    fn hush<'a>(&'a self, node: &'a NodeId, incarnation: Incarnation) -> Later<'a, Result<(), HintFault>> {
        self.under.hush(node, incarnation)
    }

    fn put_session<'a>(&'a self, session: &'a SessionRow, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(async move {
            let user = self.sealer.seal_text(USER, "", &session.user);
            let sealed = SessionRow {
                user,
                ..session.clone()
            };
            self.under.put_session(&sealed, ttl).await
        })
    }

    fn session<'a>(&'a self, id: &'a str) -> Later<'a, Result<Option<SessionRow>, HintFault>> {
        Box::pin(async move {
            let found = self.under.session(id).await?;
            Ok(found.and_then(|row| self.sealer.open_session(row)))
        })
    }

    fn move_session<'a>(
        &'a self,
        id: &'a str,
        seen: u64,
        node: &'a NodeId,
        new_id: &'a str,
        ttl: Duration,
    ) -> Later<'a, Result<SessionRow, HintFault>> {
        Box::pin(async move {
            let moved = self.under.move_session(id, seen, node, new_id, ttl).await?;
            self.sealer.open_session(moved).ok_or(HintFault::Conflict)
        })
    }

    fn end_session<'a>(&'a self, id: &'a str, generation: u64) -> Later<'a, Result<(), HintFault>> {
        self.under.end_session(id, generation)
    }

    fn sessions<'a>(&'a self, after: &'a str, limit: usize) -> Later<'a, Result<Vec<SessionRow>, HintFault>> {
        Box::pin(async move {
            let rows = self.under.sessions(after, limit).await?.into_iter();
            // Listed all the same: who goes on after the last row of a page must find it.
            let opened = rows.map(|row| {
                self.sealer.open_session(row.clone()).unwrap_or(SessionRow {
                    user: String::new(),
                    ..row
                })
            });
            Ok(opened.collect())
        })
    }

    fn lock<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<bool, HintFault>> {
        self.under.lock(name, token, ttl)
    }

    fn extend<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        self.under.extend(name, token, ttl)
    }

    fn unlock<'a>(&'a self, name: &'a str, token: Token) -> Later<'a, Result<(), HintFault>> {
        self.under.unlock(name, token)
    }

    fn locks(&self) -> Later<'_, Result<Vec<(String, Duration)>, HintFault>> {
        self.under.locks()
    }

    fn publish<'a>(&'a self, channel: &'a str, body: &'a [u8]) -> Later<'a, Result<(), HintFault>> {
        Box::pin(async move {
            let sealed = self.sealer.seal(SAID, channel, body);
            self.under.publish(channel, &sealed).await
        })
    }

    fn subscribe<'a>(
        &'a self,
        channels: &'a [&'a str],
    ) -> Later<'a, Result<Box<dyn Subscription>, HintFault>> {
        Box::pin(async move {
            let under = self.under.subscribe(channels).await?;
            let sealer = Arc::clone(&self.sealer);
            Ok(Box::new(Opening { under, sealer }) as Box<dyn Subscription>)
        })
    }

    fn keep<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(async move {
            let sealed = self.sealer.seal(KEPT, key, value);
            self.under.keep(key, &sealed, ttl).await
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Vec<u8>>, HintFault>> {
        Box::pin(async move {
            let found = self.under.recall(key).await?;
            Ok(found.and_then(|sealed| self.sealer.open(KEPT, key, &sealed)))
        })
    }

    fn forget<'a>(&'a self, pattern: &'a str) -> Later<'a, Result<u64, HintFault>> {
        self.under.forget(pattern)
    }
}
