//! What a write waits for, and what its answer says of that.

use crate::operations::sync;
use crate::platform::Platform;
use crate::realised::{self, Until};
use purlin_api::Problem;
use purlin_ovsdb::Transaction;
use purlin_ovsdb::client::Committed;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Since the write was asked for.
pub(super) struct Wait {
    began: Instant,
    kind: Kind,
}

enum Kind {
    /// The answer says nothing of flows.
    Nobody,
    /// The answer says at once why nobody makes any.
    InVain(Value),
    /// For so long at most.
    For(Until, Duration),
}

impl Wait {
    pub(super) fn of(platform: &Platform, asked: Option<(Until, Duration)>) -> Self {
        let kind = asked.map_or(Kind::Nobody, |(until, limit)| {
            realised::unattended(platform, until).map_or(Kind::For(until, limit), Kind::InVain)
        });
        let began = Instant::now();
        Self { began, kind }
    }

    /// Lets the transaction raise the count by which it is followed.
    pub(super) async fn count(&self, platform: &Platform, transaction: &mut Transaction) {
        if let Kind::For(_, limit) = self.kind {
            realised::countable(platform, limit).await;
            realised::count(transaction);
        }
    }

    /// Who has taken over what was committed.
    pub(super) async fn follow(self, platform: &Platform, committed: &Committed) -> Value {
        match self.kind {
            Kind::Nobody => Value::Null,
            Kind::InVain(told) => told,
            Kind::For(until, limit) => realised::follow(platform, committed, until, self.began, limit).await,
        }
    }

    /// Whoever repeats a write after a wait that took too long asks whether what is there has come so far.
    pub(super) async fn unchanged(self, platform: &Platform) -> Result<Value, Problem> {
        match self.kind {
            Kind::Nobody => Ok(Value::Null),
            Kind::InVain(told) => Ok(told),
            Kind::For(until, limit) => {
                realised::countable(platform, limit).await;
                sync(platform, until, limit.saturating_sub(self.began.elapsed())).await
            }
        }
    }
}
