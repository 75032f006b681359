//! Advisory locks: hints with a token.

use super::Asked;
use super::guard::Held;
use purlin_fabric::lock::{LockName, LockToken};
use purlin_fabric::port::{HintFault, Hints, Token};
use purlin_types::BootTime;
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Advisory(pub(super) Arc<dyn Hints>);

impl Advisory {
    pub(super) async fn ask(&self, name: &LockName, token: u128, ttl: Duration) -> Asked {
        let token = Token(token);
        match self.0.lock(name.as_str(), token, ttl).await {
            Ok(true) => Asked::Granted(LockToken::Advisory(token)),
            Ok(false) | Err(HintFault::Conflict) => Asked::Busy,
            Err(HintFault::Away(_)) => Asked::Away,
        }
    }

    pub(super) async fn renew(&self, held: &Held, token: Token, asked: BootTime) -> bool {
        let ttl = held.hold().options().ttl;
        let outcome = self.0.extend(held.name.as_str(), token, ttl).await;
        let answered = !matches!(outcome, Err(HintFault::Away(_)));
        let mut hold = held.hold();
        match outcome {
            Ok(()) => hold.renewed(asked),
            Err(HintFault::Conflict) => hold.taken(),
            Err(HintFault::Away(_)) => hold.unanswered(asked),
        }
        answered
    }

    /// One that has lapsed, is somebody else's, or cannot be reached is left to its ttl.
    pub(super) async fn give_back(&self, name: &LockName, token: Token) {
        let _left_to_its_ttl = self.0.unlock(name.as_str(), token).await;
    }
}
