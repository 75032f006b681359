//! Hints within one process.

use super::lapsing::Lapsing;
use super::{ReadClock, Unreachable};
use purlin_fabric::glob;
use purlin_fabric::port::{Heartbeat, HintFault, Hints, Later, Message, SessionRow, Subscription, Token};
use purlin_types::{BootTime, Incarnation, NodeId};
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

/// Messages that a subscriber may be behind before it is told that it missed some.
const BACKLOG: usize = 1024;

/// Kept values at most; beyond it, some are forgotten early.
const VALUES_MAX: usize = 65_536;

/// Hints of one process.
pub struct LocalHints {
    clock: ReadClock,
    state: Mutex<State>,
    line: broadcast::Sender<Said>,
    down: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    away: bool,
    slow: Duration,
    beats: Lapsing<(String, u64), Heartbeat>,
    sessions: Lapsing<String, Session>,
    locks: Lapsing<String, Token>,
    values: Lapsing<String, Vec<u8>>,
}

/// A session, or the mark that it has moved on: the former id stays taken until it would have lapsed.
#[derive(Debug)]
enum Session {
    Here(SessionRow),
    Moved,
}

#[derive(Debug, Clone)]
enum Said {
    Message(Arc<Message>),
    Cut,
}

/// Whole seconds, rounded up, so that a live session never shows 0.
fn seconds(left: BootTime, now: BootTime) -> u64 {
    left.millis_since(now).div_ceil(1000)
}

impl LocalHints {
    /// Empty; `clock` says when something lapses.
    #[must_use]
    pub fn new(clock: ReadClock) -> Self {
        Self {
            clock,
            state: Mutex::default(),
            line: broadcast::Sender::new(BACKLOG),
            down: watch::Sender::new(false),
        }
    }

    /// Fault: every subscriber hears that it may have missed something.
    pub fn cut(&self) {
        // Without a subscriber there is nobody to tell.
        let _ = self.line.send(Said::Cut);
    }

    /// Fault: lines are down until called with `false`, and only then subscribers hear of a cut, as over a network.
    pub fn drop_lines(&self, down: bool) {
        self.down.send_replace(down);
        if !down {
            self.cut();
        }
    }

    /// Fault: everything kept is forgotten.
    pub fn flush(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.beats.clear();
        state.sessions.clear();
        state.locks.clear();
        state.values.clear();
    }

    /// Fault: every call from now on takes effect so much later, in tokio's time.
    pub fn slow(&self, by: Duration) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).slow = by;
    }

    /// Fault: every call finds nobody there until called with `false`.
    pub fn away(&self, away: bool) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).away = away;
        if away {
            self.cut();
        }
    }

    /// One step, made when it is first polled.
    fn act<'a, T>(
        &'a self,
        act: impl FnOnce(&mut State, BootTime) -> Result<T, HintFault> + Send + 'a,
    ) -> Later<'a, Result<T, HintFault>> {
        Box::pin(async move {
            let slow = self.state.lock().unwrap_or_else(PoisonError::into_inner).slow;
            if !slow.is_zero() {
                tokio::time::sleep(slow).await;
            }
            let now = (self.clock)().boot;
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.away {
                return Err(HintFault::Away(Box::new(Unreachable)));
            }
            act(&mut state, now)
        })
    }
}

/// `after` from `now`, saturating.
fn until(now: BootTime, after: Duration) -> BootTime {
    now.plus_millis(u64::try_from(after.as_millis()).unwrap_or(u64::MAX))
}

impl State {
    fn session(&self, now: BootTime, id: &str) -> Option<SessionRow> {
        match self.sessions.get(now, id) {
            Some((Session::Here(row), until)) => Some(SessionRow {
                ttl: seconds(until, now),
                ..row.clone()
            }),
            _ => None,
        }
    }

    fn move_session(
        &mut self,
        now: BootTime,
        (id, seen): (&str, u64),
        (node, new_id): (&NodeId, &str),
        ttl: Duration,
    ) -> Result<SessionRow, HintFault> {
        let Some((Session::Here(row), former_until)) = self.sessions.get(now, id) else {
            return Err(HintFault::Conflict);
        };
        let taken = new_id != id && self.sessions.get(now, new_id).is_some();
        if row.generation != seen || taken {
            return Err(HintFault::Conflict);
        }
        let moved = SessionRow {
            id: new_id.to_owned(),
            node: node.as_str().to_owned(),
            generation: seen + 1,
            ttl: seconds(until(now, ttl), now),
            ..row.clone()
        };
        let mark_until = former_until.max(until(now, ttl));
        self.sessions.put(now, id.to_owned(), Session::Moved, mark_until);
        let here = Session::Here(moved.clone());
        self.sessions.put(now, new_id.to_owned(), here, until(now, ttl));
        Ok(moved)
    }

    /// Proof that the lock is held with this token.
    fn owns(&self, now: BootTime, name: &str, token: Token) -> Result<(), HintFault> {
        match self.locks.get(now, name) {
            Some((holder, _)) if *holder == token => Ok(()),
            _ => Err(HintFault::Conflict),
        }
    }
}

impl Hints for LocalHints {
    fn beat<'a>(&'a self, beat: &'a Heartbeat, lasting: Duration) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            let key = (beat.node.clone(), beat.incarnation);
            state.beats.put(now, key, beat.clone(), until(now, lasting));
            Ok(())
        })
    }

    fn beats(&self) -> Later<'_, Result<Vec<Heartbeat>, HintFault>> {
        self.act(move |state, now| Ok(state.beats.iter(now).map(|(_, beat, _)| beat.clone()).collect()))
    }

    fn hush<'a>(&'a self, node: &'a NodeId, incarnation: Incarnation) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, _| {
            state.beats.remove(&(node.as_str().to_owned(), incarnation.0));
            Ok(())
        })
    }

    fn put_session<'a>(&'a self, session: &'a SessionRow, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            let same = match state.sessions.get(now, &session.id) {
                None => true,
                Some((Session::Here(row), _)) => {
                    row.node == session.node && row.generation == session.generation
                }
                Some((Session::Moved, _)) => false,
            };
            if !same {
                return Err(HintFault::Conflict);
            }
            let here = Session::Here(session.clone());
            state.sessions.put(now, session.id.clone(), here, until(now, ttl));
            Ok(())
        })
    }

    fn session<'a>(&'a self, id: &'a str) -> Later<'a, Result<Option<SessionRow>, HintFault>> {
        self.act(move |state, now| Ok(state.session(now, id)))
    }

    fn move_session<'a>(
        &'a self,
        id: &'a str,
        seen: u64,
        node: &'a NodeId,
        new_id: &'a str,
        ttl: Duration,
    ) -> Later<'a, Result<SessionRow, HintFault>> {
        self.act(move |state, now| state.move_session(now, (id, seen), (node, new_id), ttl))
    }

    fn end_session<'a>(&'a self, id: &'a str, generation: u64) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            match state.session(now, id) {
                Some(row) if row.generation > generation => return Err(HintFault::Conflict),
                Some(_) => state.sessions.remove(id),
                None => {}
            }
            Ok(())
        })
    }

    fn sessions<'a>(&'a self, after: &'a str, limit: usize) -> Later<'a, Result<Vec<SessionRow>, HintFault>> {
        self.act(move |state, now| {
            let here = state.sessions.iter(now).filter_map(|(id, session, until)| {
                let Session::Here(row) = session else { return None };
                let ttl = seconds(until, now);
                (id.as_str() > after).then(|| SessionRow { ttl, ..row.clone() })
            });
            Ok(here.take(limit).collect())
        })
    }

    fn lock<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<bool, HintFault>> {
        self.act(move |state, now| {
            let free = state.locks.get(now, name).is_none_or(|(held, _)| *held == token);
            if free {
                state.locks.put(now, name.to_owned(), token, until(now, ttl));
            }
            Ok(free)
        })
    }

    fn extend<'a>(&'a self, name: &'a str, token: Token, ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            state.owns(now, name, token)?;
            state.locks.put(now, name.to_owned(), token, until(now, ttl));
            Ok(())
        })
    }

    fn unlock<'a>(&'a self, name: &'a str, token: Token) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            state.owns(now, name, token)?;
            state.locks.remove(name);
            Ok(())
        })
    }

    fn locks(&self) -> Later<'_, Result<Vec<(String, Duration)>, HintFault>> {
        self.act(move |state, now| {
            let left = |until: BootTime| Duration::from_millis(until.millis_since(now));
            let held = state.locks.iter(now);
            Ok(held.map(|(name, _, until)| (name.clone(), left(until))).collect())
        })
    }

    fn publish<'a>(&'a self, channel: &'a str, body: &'a [u8]) -> Later<'a, Result<(), HintFault>> {
        self.act(move |_, _| {
            let message = Message {
                channel: channel.to_owned(),
                body: body.to_vec(),
            };
            if !*self.down.borrow() {
                // Without a subscriber there is nobody to tell.
                let _ = self.line.send(Said::Message(Arc::new(message)));
            }
            Ok(())
        })
    }

    fn subscribe<'a>(
        &'a self,
        channels: &'a [&'a str],
    ) -> Later<'a, Result<Box<dyn Subscription>, HintFault>> {
        self.act(move |_, _| {
            if *self.down.borrow() {
                return Err(HintFault::Away(Box::new(Unreachable)));
            }
            let listening = Listening {
                channels: channels.iter().map(ToString::to_string).collect(),
                line: self.line.subscribe(),
                down: self.down.subscribe(),
                over: false,
            };
            Ok(Box::new(listening) as Box<dyn Subscription>)
        })
    }

    fn keep<'a>(&'a self, key: &'a str, value: &'a [u8], ttl: Duration) -> Later<'a, Result<(), HintFault>> {
        self.act(move |state, now| {
            state.values.bound(now, VALUES_MAX);
            state
                .values
                .put(now, key.to_owned(), value.to_vec(), until(now, ttl));
            Ok(())
        })
    }

    fn recall<'a>(&'a self, key: &'a str) -> Later<'a, Result<Option<Vec<u8>>, HintFault>> {
        self.act(move |state, now| Ok(state.values.get(now, key).map(|(value, _)| value.clone())))
    }

    fn forget<'a>(&'a self, pattern: &'a str) -> Later<'a, Result<u64, HintFault>> {
        self.act(move |state, now| Ok(state.values.forget(now, |key| glob::matches(pattern, key))))
    }
}

/// One subscriber.
#[derive(Debug)]
struct Listening {
    channels: Vec<String>,
    line: broadcast::Receiver<Said>,
    down: watch::Receiver<bool>,
    /// The engine is gone and the subscriber has been told so: nothing will ever come.
    over: bool,
}

impl Subscription for Listening {
    fn next(&mut self) -> Later<'_, Option<Message>> {
        Box::pin(async {
            loop {
                if self.over {
                    pending::<()>().await;
                }
                match self.line.recv().await {
                    Ok(Said::Message(message)) if self.channels.contains(&message.channel) => {
                        return Some(Message::clone(&message));
                    }
                    Ok(Said::Message(_)) => {}
                    // Cut, or too far behind to have heard everything.
                    Ok(Said::Cut) | Err(RecvError::Lagged(_)) => return None,
                    Err(RecvError::Closed) => {
                        self.over = true;
                        return None;
                    }
                }
            }
        })
    }

    fn down(&self) -> Later<'static, ()> {
        let mut down = self.down.clone();
        Box::pin(async move {
            // An error: the engine is gone.
            let _down = down.wait_for(|down| *down).await;
        })
    }
}

impl fmt::Debug for LocalHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHints")
            .field("subscribers", &self.line.receiver_count())
            .finish_non_exhaustive()
    }
}
