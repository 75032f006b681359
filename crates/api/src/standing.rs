//! What an answer that goes on rests on: a token, a session or a key that is still good, and what it still allows.
//!
//! ```text
//!   guard ─► handler takes Standing ─► its stream waits for over() beside its messages ─► says why, and ends
//! ```

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, select_all};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::access::{Caller, Known};
use crate::events::SessionKeeper;
use crate::gate::Gate;
use crate::problem::Problem;
use crate::route::Entry;
use crate::serve::Shutdown;

/// How often it is looked whether something has lapsed by itself.
const LAPSE_EVERY: Duration = Duration::from_secs(2);
/// Octets that the reason of a close may have (RFC 6455, section 5.5).
const REASON_MAX: usize = 123;

/// The right of a caller to an answer that goes on.
#[derive(Debug)]
pub struct Standing {
    caller: Caller,
    gate: Gate,
    entry: Arc<Entry>,
    changes: Vec<watch::Receiver<u64>>,
    ticks: Interval,
}

impl<S: Sync> FromRequestParts<S> for Standing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(Known { caller, gate, entry }) = parts.extensions.get::<Known>().cloned() else {
            return Err(Problem::broken("the route was mounted without a login check"));
        };
        let mut ticks = interval(LAPSE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            changes: gate.changes(),
            caller,
            gate,
            entry,
            ticks,
        })
    }
}

impl Standing {
    /// Returns why, when the caller may have no more of it.
    pub async fn over(mut self) -> Over {
        loop {
            let changed = self.changes.iter_mut().map(|changes| Box::pin(changes.changed()));
            let mute = tokio::select! {
                (told, at, _) = select_all(changed) => told.is_err().then_some(at),
                // The first tick is at once: for what has changed since the request was let in.
                _ = self.ticks.tick() => None,
            };
            // Tokens tell for as long as the gate is there.
            if let Some(at) = mute {
                self.changes.remove(at);
            }
            if let Err(problem) = self.gate.again(&self.caller, &self.entry) {
                return Over(problem);
            }
        }
    }
}

/// Who keeps the sessions of clients; put into requests by the shell.
#[derive(Clone)]
pub(crate) struct Sessions(pub(crate) Arc<dyn SessionKeeper>);

/// What a handler needs whose answer does not end by itself.
pub struct Lasting {
    standing: Standing,
    shutdown: Shutdown,
    /// Who keeps a client's place, where somebody does.
    pub sessions: Option<Arc<dyn SessionKeeper>>,
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting")
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for Lasting {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            standing: Standing::from_request_parts(parts, state).await?,
            // Without listeners there is nobody who ends.
            shutdown: parts.extensions.get::<Shutdown>().cloned().unwrap_or_default(),
            sessions: parts
                .extensions
                .get::<Sessions>()
                .map(|sessions| Arc::clone(&sessions.0)),
        })
    }
}

impl Lasting {
    /// When the answer must end. Made once for each answer, not for each of its messages.
    #[must_use]
    pub fn ending(self) -> BoxFuture<'static, Ending> {
        async move {
            tokio::select! {
                () = self.shutdown.wait() => Ending::Node,
                over = self.standing.over() => Ending::Over(over),
            }
        }
        .boxed()
    }
}

/// Why an answer must end.
#[derive(Debug)]
pub enum Ending {
    /// The node ends.
    Node,
    /// The caller may have no more of it.
    Over(Over),
}

/// Why somebody may have no more of an answer.
#[derive(Debug)]
pub struct Over(Problem);

impl Over {
    /// For WebSockets: 4401 when one must log in again, 4403 when one may not see this any more, 4409 when one may see
    /// something else.
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self.0.status() {
            StatusCode::UNAUTHORIZED => 4401,
            StatusCode::CONFLICT => 4409,
            _ => 4403,
        }
    }

    /// In few words, with the code of the reason first.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut reason = format!("{}: {}", self.0.reason().code, self.0.detail());
        while reason.len() > REASON_MAX {
            reason.pop();
        }
        reason
    }

    /// For streams without close codes.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "status": self.close_code() - 4000,
            "code": self.0.reason().code.to_string(),
            "detail": self.0.detail(),
        })
    }
}
