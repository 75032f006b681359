//! A stream as a session of the cluster: its client has a name that every node knows, and goes on at another one.
//!
//! The place of such a session is the transaction that was told last. That is all a node has to hand over: what followed,
//! any node of a clustered database knows.

use futures_util::future::BoxFuture;
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_api::events::SessionKeeper;
use purlin_api::events::keeper::{Opened, Over};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The registry need not hear of every message.
const TOUCH_EVERY: Duration = Duration::from_secs(1);

/// A client's session here. It ends when this is dropped, unless it was let go.
pub(super) struct Seat {
    keeper: Arc<dyn SessionKeeper>,
    /// Whether it is over when this is dropped.
    ends: bool,
    id: String,
    node: String,
    generation: u64,
    ttl: Duration,
    over: BoxFuture<'static, Over>,
    part_at: Option<Instant>,
    touched: Instant,
    rotated: Instant,
}

/// What becomes of a session.
pub(super) enum Fate {
    /// It has ended, or lives elsewhere.
    Gone,
    /// Its client is to go on elsewhere.
    Part,
}

impl Seat {
    /// The session that a client asks for, the one it had or a new one; and the transaction that it was told last, where
    /// the former node said so.
    pub(super) async fn take(
        keeper: Arc<dyn SessionKeeper>,
        user: &str,
        asked: &Asked,
    ) -> Result<(Self, String), Problem> {
        let opened = match (asked.text("resume"), asked.text("session")) {
            (Some(token), _) => keeper.resume(user, token, 0).await?,
            (None, Some(id)) => come_back(&*keeper, user, id).await?,
            (None, None) => keeper.begin(user).await?,
        };
        let (over, now) = (keeper.over(&opened.id, opened.generation), Instant::now());
        let seat = Self {
            keeper,
            ends: true,
            id: opened.id,
            node: opened.node,
            generation: opened.generation,
            ttl: opened.ttl,
            over,
            part_at: None,
            touched: now,
            rotated: now,
        };
        Ok((seat, opened.place))
    }

    /// Under which name the client comes back.
    pub(super) fn introduction(&self) -> Value {
        json!({
            "id": self.id,
            "node": self.node,
            "generation": self.generation,
            "ttl_seconds": self.ttl.as_secs(),
        })
    }

    pub(super) fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Returns when the connection must end. Cancel-safe.
    pub(super) async fn fate(&mut self) -> Fate {
        if self.part_at.is_none() {
            match (&mut self.over).await {
                Over::Gone => return Fate::Gone,
                Over::Draining(delay) => self.part_at = Some(Instant::now() + delay),
            }
        }
        if let Some(at) = self.part_at {
            sleep_until(at).await;
        }
        Fate::Part
    }

    /// Something was heard of the client; false when the session lives elsewhere.
    pub(super) async fn touch(&mut self) -> bool {
        if self.touched.elapsed() < TOUCH_EVERY {
            return true;
        }
        self.touched = Instant::now();
        self.keeper.touch(&self.id).await
    }

    /// Gives it another id when it is time to, so that one that leaked is worth little; whether it has one.
    pub(super) async fn rotate(&mut self) -> bool {
        if self.part_at.is_some() || self.rotated.elapsed() < self.keeper.rotate_every() {
            return false;
        }
        self.rotated = Instant::now();
        let Some((id, generation)) = self.keeper.rotate(&self.id).await else {
            return false;
        };
        self.over = self.keeper.over(&id, generation);
        (self.id, self.generation) = (id, generation);
        true
    }

    /// Lets the session go behind this transaction: a one-time token for its client, `None` when no other node could take
    /// it.
    pub(super) async fn part(&mut self, place: &str) -> Option<String> {
        let token = self.keeper.part(&self.id, place).await;
        self.ends = token.is_none();
        token
    }

    /// The session is over.
    pub(super) async fn end(&mut self) {
        self.ends = false;
        self.keeper.end(&self.id).await;
    }

    /// Leaves the session as it is: its client may come back, until it lapses.
    pub(super) fn leave(&mut self) {
        self.ends = false;
    }
}

/// A client whose connection broke. Where the former one has not noticed yet, it does now: the session has another id.
async fn come_back(keeper: &dyn SessionKeeper, user: &str, id: &str) -> Result<Opened, Problem> {
    let (opened, stayed) = keeper.come_back(user, id, 0).await?;
    if !stayed {
        return Ok(opened);
    }
    match keeper.rotate(&opened.id).await {
        Some((id, generation)) => Ok(Opened {
            id,
            generation,
            ..opened
        }),
        None => Err(Problem::not_possible("the session has moved on")),
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let (true, Ok(runtime)) = (self.ends, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let (keeper, id) = (Arc::clone(&self.keeper), std::mem::take(&mut self.id));
        runtime.spawn(async move { keeper.end(&id).await });
    }
}
