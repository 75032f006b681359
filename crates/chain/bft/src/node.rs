//! A node of the network, pure: what happened comes in, what is to be done comes out.
//!
//! ```text
//!             decided by votes                    period over
//!   Running ───────────────────► Deciding ─────► Waiting ─────► Running (next height)
//!      │                            ▲   │                          ▲
//!      └── a peer has it decided ───┘   └─► Catching: more to come ┘ nothing more, or nobody answers
//! ```
//!
//! Without a key the node is always Following: it takes what validators have decided, and votes never. With a key that is
//! not in the set of a height it goes the same way as a validator and counts the votes of the others, but signs and logs
//! nothing; so it is in step when the set takes it in, and goes on when the set lets it go.
//!
//! **The period.** Blocks are due a period after the block before was decided, an event that all validators see at almost the
//! same moment. How long agreement takes, from the sight of the proposal to the decision, is taken off: a height begins so
//! much earlier. A validator that began late sees the same two events, and so is in step at the next height.

mod act;
mod courtesy;
mod future;
mod hear;
mod pace;
mod watch;

use crate::engine::{Engine, Fatal, Signer};
use crate::log::{Logged, Record};
use crate::message::{Ask, Message, Status};
use crate::standing::{Standing, Step};
use crate::sync::Sync;
use crate::timeouts::Timeouts;
use alloy_primitives::{Address, B256, Bytes};
use courtesy::Courtesy;
use future::Future;
use pace::Pace;
use purlin_chain_core::agreement::News;
use purlin_chain_core::consensus::signed::Network;
use purlin_chain_core::consensus::{Decided, HeightSettings, Proposal};
use std::time::Duration;
use watch::Watch;

/// How often a node tells its head without having a new one: a message may be lost.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A peer is connected.
    Up(Address),
    /// A peer is gone.
    Down(Address),
    /// Octets from a peer.
    Message { from: Address, octets: Bytes },
    /// Time has passed.
    Tick,
    /// The application's block, in answer to [`Action::Propose`].
    Proposed(Proposal),
    /// The application's verdict, in answer to [`Action::Validate`]: what speaks against the block, if anything does.
    Validated {
        proposal: Proposal,
        refused: Option<String>,
    },
    /// The next height, in answer to [`Action::Decide`].
    Began(HeightSettings),
}

/// What is to be done, in the order in which it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The log begins anew with this height.
    Begin(u64),
    /// The log takes a record.
    Append(Record),
    /// The log is durable before anything that follows is done.
    Flush,
    Broadcast(Bytes),
    Send {
        to: Address,
        message: Bytes,
    },
    /// The application makes a block.
    Propose {
        height: u64,
        round: u32,
        budget: Duration,
    },
    /// The application judges a block.
    Validate(Proposal),
    /// The application makes a block durable.
    Decide(Decided),
    /// A peer wants decided blocks.
    Serve {
        to: Address,
        ask: Ask,
    },
}

/// Where the node is, see the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Following,
    Running,
    Deciding { synced: Option<Address> },
    Waiting { until: Duration },
    Catching,
}

/// A node.
#[derive(Debug)]
pub struct Node {
    network: Network,
    phase: Phase,
    engine: Option<Engine>,
    settings: HeightSettings,
    /// What the log held at the start, until its height begins. Before that the node does not vote: the application was
    /// brought back to an older state, and what was signed in between is not known.
    logged: Option<Logged>,
    future: Future,
    sync: Sync,
    courtesy: Courtesy,
    pace: Pace,
    watch: Watch,
    status_at: Duration,
    decided_at: Option<Duration>,
    standing: Standing,
    actions: Vec<Action>,
}

impl Node {
    /// A node that begins with `settings`. `logged` is what its log holds.
    #[must_use]
    pub fn new(
        network: B256,
        key: Option<Box<dyn Signer>>,
        timeouts: Timeouts,
        settings: HeightSettings,
        logged: Option<Logged>,
    ) -> Self {
        let network = Network(network);
        let engine = key.map(|key| Engine::new(network, key, timeouts, &settings));
        Self {
            network,
            phase: Phase::Following,
            engine,
            logged: logged.filter(|logged| logged.height >= settings.height),
            settings,
            future: Future::default(),
            sync: Sync::default(),
            courtesy: Courtesy::default(),
            pace: Pace::default(),
            watch: Watch::default(),
            status_at: Duration::ZERO,
            decided_at: None,
            standing: Standing::default(),
            actions: Vec::new(),
        }
    }

    /// The first step: what the log holds is read again, and the height begins.
    ///
    /// # Errors
    /// The log leads to something else than what it says was signed.
    pub fn begin(&mut self, now: Duration) -> Result<Vec<Action>, Halt> {
        self.status_at = now.saturating_add(STATUS_EVERY);
        self.begin_height(now)?;
        Ok(self.finish(now))
    }

    /// Something happened.
    ///
    /// # Errors
    /// The node would contradict what it signed before. It must stop.
    pub fn step(&mut self, now: Duration, event: Event) -> Result<Vec<Action>, Halt> {
        match event {
            Event::Up(peer) => self.up(peer),
            Event::Down(peer) => {
                self.sync.down(peer);
                self.courtesy.forget(peer);
                self.future.forget(peer);
                self.resume(now)?;
            }
            Event::Message { from, octets } => self.hear(now, from, &octets)?,
            Event::Tick => self.tick(now)?,
            Event::Proposed(proposal) => {
                self.watch.judged(proposal.round, proposal.hash, None);
                self.run(now, |engine| engine.proposed(now, proposal))?;
            }
            Event::Validated { proposal, refused } => {
                let valid = refused.is_none();
                self.watch.judged(proposal.round, proposal.hash, refused);
                self.run(now, |engine| engine.validated(now, proposal, valid))?;
            }
            Event::Began(settings) => self.began(now, settings)?,
        }
        Ok(self.finish(now))
    }

    /// When to give an [`Event::Tick`], if nothing happens before.
    #[must_use]
    pub fn next_timer(&self) -> Duration {
        let engine = match self.phase {
            Phase::Running => self.engine.as_ref().and_then(Engine::next_timer),
            Phase::Waiting { until } => Some(until),
            Phase::Following | Phase::Deciding { .. } | Phase::Catching => None,
        };
        let sync = self.sync.next_timer(self.settings.height);
        [engine, sync]
            .into_iter()
            .flatten()
            .fold(self.status_at, Duration::min)
    }

    /// How the node stands. Times of day are the driver's: [`Standing::decided_at`] is not set.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What happened between the validators since the last time this was asked, in its order.
    #[must_use]
    pub fn take_news(&mut self) -> Vec<News> {
        self.watch.take()
    }

    /// When the head was decided, on the clock of `now`; `None` before the first decision since the start.
    #[must_use]
    pub fn decided_at(&self) -> Option<Duration> {
        self.decided_at
    }

    fn up(&mut self, peer: Address) {
        self.sync.up(peer);
        let status = self.status();
        self.send(peer, &status);
        if self.phase == Phase::Running {
            let said = self.engine.iter().flat_map(Engine::said);
            let said: Vec<_> = said.map(Message::encode).collect();
            let send = said.into_iter().map(|message| Action::Send { to: peer, message });
            self.actions.extend(send);
        }
    }

    fn tick(&mut self, now: Duration) -> Result<(), Halt> {
        if self.status_at <= now {
            self.tell(now);
        }
        match self.phase {
            Phase::Running => self.run(now, |engine| engine.tick(now)),
            Phase::Waiting { until } if until <= now => self.begin_height(now),
            Phase::Catching => self.resume(now),
            _ => Ok(()),
        }
    }

    /// Tells the head to all.
    fn tell(&mut self, now: Duration) {
        self.status_at = now.saturating_add(STATUS_EVERY);
        let status = self.status().encode();
        self.actions.push(Action::Broadcast(status));
    }

    fn status(&self) -> Message {
        Message::Status(Status {
            height: self.settings.height.saturating_sub(1),
            hash: self.standing.hash.unwrap_or_default(),
        })
    }

    fn send(&mut self, to: Address, message: &Message) {
        let message = message.encode();
        self.actions.push(Action::Send { to, message });
    }

    /// What is the same after every step: somebody may have to be asked, and the standing is told.
    fn finish(&mut self, now: Duration) -> Vec<Action> {
        self.ask(now);
        self.stand();
        std::mem::take(&mut self.actions)
    }

    fn ask(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Deciding { .. }) {
            return;
        }
        let votes = matches!(self.phase, Phase::Running | Phase::Waiting { .. });
        if let Some((peer, ask)) = self.sync.poll(now, self.settings.height, votes) {
            self.send(peer, &Message::Ask(ask));
        }
    }

    fn stand(&mut self) {
        let next = self.settings.height;
        let behind = self.sync.best().saturating_sub(next.saturating_sub(1));
        let standing = &mut self.standing;
        standing.height = next;
        standing.head = next.saturating_sub(1);
        standing.peers = self.sync.heads();
        let logged = self.logged.as_ref().map(|logged| logged.height);
        standing.votes_from = logged.filter(|from| *from > next && self.engine.is_some());
        standing.voices = match &self.engine {
            Some(_) => self.watch.voices(),
            None => Vec::new(),
        };
        // One block ahead is what every validator is for a moment.
        standing.behind = (behind > 1).then_some(behind);
        let member = |engine: &&Engine| self.settings.validators.power(&engine.address()).is_some();
        standing.step = match (self.phase, self.engine.as_ref().filter(member)) {
            (Phase::Running, Some(engine)) if engine.votes() => engine.step(),
            (Phase::Deciding { .. }, _) => Step::Commit,
            (Phase::Waiting { .. }, Some(_)) => Step::Waiting,
            _ => Step::Following,
        };
    }
}

/// The node would contradict what it signed before, or what its log says. It must stop; a second signature cannot be taken
/// back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Halt(pub(crate) String);

impl From<Fatal> for Halt {
    fn from(Fatal(why): Fatal) -> Self {
        Self(why)
    }
}
