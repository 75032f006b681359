//! The port over Redis.

mod beats;
mod locks;
mod messages;
mod sessions;

use crate::calls::Calls;
use crate::dial::Dial;
use crate::ear::Ear;
use crate::forget;
use crate::keys::Keys;
use crate::line::{Line, Pace};
use crate::pool::Commands;
use crate::settings::{SettingFault, Settings};
use crate::state::State;
use purlin_fabric::port::{Heartbeat, HintFault, Hints, Later, SessionRow, Subscription, Token};
use purlin_types::{Incarnation, NodeId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Hints in Redis. Clones share connections; with the last clone and subscription gone, they are closed.
#[derive(Debug, Clone)]
pub struct RedisHints {
    calls: Arc<Calls>,
    ear: Arc<Ear>,
    keys: Keys,
    _tasks: Arc<Tasks>,
}

/// Ends the tasks that tend the lines.
#[derive(Debug)]
struct Tasks([AbortHandle; 2]);

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

impl RedisHints {
    /// Begins to connect and returns at once; [`Self::state`] tells how it goes. Needs a tokio runtime.
    ///
    /// # Errors
    /// Settings that cannot work with any server.
    pub fn connect(settings: Settings) -> Result<Self, Vec<SettingFault>> {
        let keys = Keys::new(&settings.key_prefix);
        let pace = Pace {
            probe_every: settings.probe_every,
            back_off: settings.back_off,
        };
        let (timeout, retries) = (settings.timeout, settings.max_retries);
        let dial = Arc::new(Dial::new(settings)?);
        let calls = Arc::new(Calls {
            line: Line::new(),
            timeout,
            retries,
        });
        let ear = Arc::new(Ear::new(Arc::clone(&dial), keys.clone()));
        let commands = Commands { dial };
        let tended = Arc::clone(&calls);
        let tend_calls = tokio::spawn(async move { tended.line.keep(&commands, pace).await });
        let tended = Arc::clone(&ear);
        let tend_ear = tokio::spawn(async move { tended.line.keep(&*tended, pace).await });
        Ok(Self {
            calls,
            ear,
            keys,
            _tasks: Arc::new(Tasks([tend_calls.abort_handle(), tend_ear.abort_handle()])),
        })
    }

    /// How the line for commands stands.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.calls.line.state()
    }

    /// How the line for messages stands. While it is not ready, nothing that is published is heard.
    #[must_use]
    pub fn listening(&self) -> watch::Receiver<State> {
        self.ear.line.state()
    }
}

impl Hints for RedisHints {
    fn beat<'a>(&'a self, beat: &'a Heartbeat, lasting: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.say(beat, lasting))
    }

    fn beats(&self) -> Later<'_, Result<Vec<Heartbeat>, HintFault>> {
        Box::pin(self.said())
    }

    fn hush<'a>(&'a self, node: &'a NodeId, incarnation: Incarnation) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.take_back(node, incarnation))
    }

    fn put_session<'a>(&'a self, session: &'a SessionRow, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.register(session, ttl))
    }

    fn session<'a>(&'a self, id: &'a str) -> Later<'a, Result<Option<SessionRow>, HintFault>> {
        Box::pin(self.find(id))
    }

    fn move_session<'a>(
        &'a self,
        id: &'a str,
        seen: u64,
        node: &'a NodeId,
        new_id: &'a str,
        ttl: Duration,
    ) -> Later<'a, Result<SessionRow, HintFault>> {
        Box::pin(self.migrate(id, seen, node, new_id, ttl))
    }

    fn end_session<'a>(&'a self, id: &'a str, generation: u64) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.end(id, generation))
    }

    fn sessions<'a>(&'a self, after: &'a str, limit: usize) -> Later<'a, Result<Vec<SessionRow>, HintFault>> {
        Box::pin(self.page(after, limit))
    }

    fn lock<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<bool, HintFault>> {
        Box::pin(self.take(name, token, ttl))
    }

    fn extend<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.hold_on(name, token, ttl))
    }

    fn unlock<'a>(&'a self, name: &'a str, token: Token) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.give_back(name, token))
    }

    fn locks(&self) -> Later<'_, Result<Vec<(String, Duration)>, HintFault>> {
        Box::pin(self.held())
    }

    fn publish<'a>(&'a self, channel: &'a str, body: &'a [u8]) -> Later<'a, Result<(), HintFault>> {
        Box::pin(self.tell(channel, body))
    }

    fn subscribe<'a>(
        &'a self,
        channels: &'a [&'a str],
    ) -> Later<'a, Result<Box<dyn Subscription>, HintFault>> {
        Box::pin(self.listen(channels))
    }

    fn keep<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        Box::pin(async move {
            let mut set = redis::cmd("SET");
            set.arg(self.keys.kept(key)).arg(value).arg("PX").arg(millis(ttl));
            Ok(self.calls.send(&set).await?)
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Vec<u8>>, HintFault>> {
        Box::pin(async move {
            let mut get = redis::cmd("GET");
            get.arg(self.keys.kept(key));
            Ok(self.calls.send(&get).await?)
        })
    }

    fn forget<'a>(&'a self, pattern: &'a str) -> Later<'a, Result<u64, HintFault>> {
        Box::pin(async move {
            let pattern = self.keys.kept_pattern(pattern);
            Ok(forget::forget(&self.calls, &pattern).await?)
        })
    }
}

/// A time to live in the unit of the scripts: at least 1, because nothing may be kept without lapsing, and at most
/// a century, because Redis adds it to the time of day.
fn millis(ttl: Duration) -> String {
    const CENTURY: u128 = 100 * 365 * 86_400_000;
    ttl.as_millis().clamp(1, CENTURY).to_string()
}

/// What a script says about a compare-and-set.
fn agreed(answer: u8) -> Result<(), HintFault> {
    if answer == 1 {
        Ok(())
    } else {
        Err(HintFault::Conflict)
    }
}
