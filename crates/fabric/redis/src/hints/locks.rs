//! Advisory locks: a random token under a name, for a while.

use super::{RedisHints, agreed, millis};
use crate::{keys, script};
use purlin_fabric::port::{HintFault, Token};
use std::time::Duration;

impl RedisHints {
    /// Asking again with the same token succeeds, so that an answer that got lost can be asked for again.
    pub(super) async fn take(&self, name: &str, token: Token, ttl: Duration) -> Result<bool, HintFault> {
        let index = self.keys.locks();
        let lock = keys::row(&index, name);
        let taken: u8 = self
            .run(
                &script::LOCK,
                &[&lock, &index],
                &[name, &text(token), &millis(ttl)],
            )
            .await?;
        Ok(taken == 1)
    }

    pub(super) async fn hold_on(&self, name: &str, token: Token, ttl: Duration) -> Result<(), HintFault> {
        let index = self.keys.locks();
        let lock = keys::row(&index, name);
        let held = self
            .run(
                &script::EXTEND,
                &[&lock, &index],
                &[name, &text(token), &millis(ttl)],
            )
            .await?;
        agreed(held)
    }

    pub(super) async fn give_back(&self, name: &str, token: Token) -> Result<(), HintFault> {
        let index = self.keys.locks();
        let lock = keys::row(&index, name);
        let given = self
            .run(&script::UNLOCK, &[&lock, &index], &[name, &text(token)])
            .await?;
        agreed(given)
    }

    /// In the order of their names.
    pub(super) async fn held(&self) -> Result<Vec<(String, Duration)>, HintFault> {
        let index = self.keys.locks();
        let held: Vec<(String, u64)> = self.run(&script::LOCKS, &[&index], &[]).await?;
        let mut held: Vec<(String, Duration)> = held
            .into_iter()
            .map(|(name, left)| (name, Duration::from_millis(left)))
            .collect();
        held.sort();
        Ok(held)
    }
}

fn text(token: Token) -> String {
    format!("{:032x}", token.0)
}
