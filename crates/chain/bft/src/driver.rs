//! The thread that drives a node: it receives, steps, does what the node says, and repeats.

use crate::engine::Signer;
use crate::log::{Journal, LogFault};
use crate::message::{Ask, Message, decided};
use crate::node::{Action, Event, Halt, Node};
use crate::standing::Standing;
use crate::sync::BATCH_OCTETS;
use crate::timeouts::Timeouts;
use alloy_primitives::{Address, B256, Bytes};
use purlin_chain_core::agreement::News;
use purlin_chain_core::consensus::{Application, Decided};
use std::collections::VecDeque;
use std::fmt::{self, Debug};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who this node is.
pub struct Setup {
    /// The hash of the chain's first block.
    pub network: B256,
    /// The validator's key; `None` for a node that only follows.
    pub key: Option<Box<dyn Signer>>,
    pub timeouts: Timeouts,
}

impl Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("network", &self.network)
            .field("validator", &self.key.as_ref().map(|key| key.address()))
            .field("timeouts", &self.timeouts)
            .finish()
    }
}

/// The way to other nodes. Neither call waits, and either may lose its message: whatever matters is repeated.
pub trait Net: Send {
    /// To every peer that is connected.
    fn broadcast(&self, message: Bytes);
    /// To one peer, named by the address of its node key.
    fn send(&self, to: Address, message: Bytes);
}

/// What comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbound {
    /// Octets from a peer, named by the address of its node key. A validator's node key is its validator key.
    Message { from: Address, octets: Bytes },
    /// A peer is connected.
    Up(Address),
    /// A peer is gone.
    Down(Address),
    /// The node shall stop.
    Stop,
}

/// Why a node stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Stopped<F> {
    /// The application could not do what it must.
    #[error("the application failed")]
    Application(F),
    #[error(transparent)]
    Log(#[from] LogFault),
    /// The engine found itself about to contradict what this node signed before.
    #[error("consensus stopped: {0}")]
    Engine(String),
}

impl<F> From<Halt> for Stopped<F> {
    fn from(Halt(why): Halt) -> Self {
        Self::Engine(why)
    }
}

/// Runs the node on this thread until it is told to stop, or all senders of `inbox` are gone.
///
/// `tell` hears how agreement goes, on this thread; it must not block for long.
///
/// # Errors
/// A failure of the application or of the log, or an engine that would contradict itself: the node says nothing more.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the thread that runs the node owns its ends"
)]
pub fn run<A: Application>(
    setup: Setup,
    app: A,
    log: impl Journal,
    net: impl Net,
    inbox: Receiver<Inbound>,
    standing: Arc<Mutex<Standing>>,
    mut tell: impl FnMut(News),
) -> Result<(), Stopped<A::Failure>> {
    let mut hands = Hands { app, log, net };
    let logged = hands.log.read()?;
    let settings = hands.app.next_height().map_err(Stopped::Application)?;
    let mut node = Node::new(setup.network, setup.key, setup.timeouts, settings, logged);
    let start = Instant::now();
    let first = node.begin(start.elapsed())?;
    hands.work(&mut node, start, first)?;
    loop {
        node.take_news().into_iter().for_each(&mut tell);
        publish(&node, start, &standing);
        let Some(event) = next(&inbox, node.next_timer().saturating_sub(start.elapsed())) else {
            return Ok(());
        };
        let actions = node.step(start.elapsed(), event)?;
        hands.work(&mut node, start, actions)?;
    }
}

/// What happens next; `None` for the end.
fn next(inbox: &Receiver<Inbound>, wait: Duration) -> Option<Event> {
    // Timers go first: a peer that never stops talking must not stop the clock.
    if wait.is_zero() {
        return Some(Event::Tick);
    }
    match inbox.recv_timeout(wait) {
        Ok(Inbound::Message { from, octets }) => Some(Event::Message { from, octets }),
        Ok(Inbound::Up(peer)) => Some(Event::Up(peer)),
        Ok(Inbound::Down(peer)) => Some(Event::Down(peer)),
        Err(RecvTimeoutError::Timeout) => Some(Event::Tick),
        Ok(Inbound::Stop) | Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn publish(node: &Node, start: Instant, standing: &Mutex<Standing>) {
    let mut told = node.standing().clone();
    told.decided_at = node.decided_at().map(|at| start + at);
    *standing.lock().unwrap_or_else(PoisonError::into_inner) = told;
}

/// What the node acts with.
struct Hands<A, L, N> {
    app: A,
    log: L,
    net: N,
}

impl<A: Application, L: Journal, N: Net> Hands<A, L, N> {
    /// Does everything in its order, and what follows from the answers after it.
    fn work(
        &mut self,
        node: &mut Node,
        start: Instant,
        actions: Vec<Action>,
    ) -> Result<(), Stopped<A::Failure>> {
        let mut work = VecDeque::from(actions);
        while let Some(action) = work.pop_front() {
            if let Some(answer) = self.act(action)? {
                work.extend(node.step(start.elapsed(), answer)?);
            }
        }
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<Option<Event>, Stopped<A::Failure>> {
        match action {
            Action::Begin(height) => self.log.begin(height)?,
            Action::Append(record) => self.log.append(&record)?,
            Action::Flush => self.log.flush()?,
            Action::Broadcast(message) => self.net.broadcast(message),
            Action::Send { to, message } => self.net.send(to, message),
            Action::Serve { to, ask } => {
                let batch = self.batch(ask).map_err(Stopped::Application)?;
                self.net.send(to, Message::Decided(batch).encode());
            }
            question => return self.ask(question).map_err(Stopped::Application),
        }
        Ok(None)
    }

    /// Questions to the application.
    fn ask(&mut self, question: Action) -> Result<Option<Event>, A::Failure> {
        Ok(match question {
            Action::Propose {
                height,
                round,
                budget,
            } => Some(Event::Proposed(self.app.propose(height, round, budget)?)),
            Action::Validate(proposal) => {
                let refused = self.app.validate(&proposal)?.err().map(|why| why.to_string());
                Some(Event::Validated { proposal, refused })
            }
            Action::Decide(decided) => Some(Event::Began(self.app.decide(decided)?)),
            _ => None,
        })
    }

    /// Decided blocks for a peer: consecutive, and no more than a message carries.
    fn batch(&self, ask: Ask) -> Result<Vec<Decided>, A::Failure> {
        let (mut batch, mut octets) = (Vec::new(), 0);
        for height in ask.from..ask.from.saturating_add(ask.count) {
            let Some(decided) = self.app.decided(height)? else {
                break;
            };
            octets += decided::length(&decided);
            if octets > BATCH_OCTETS && !batch.is_empty() {
                break;
            }
            batch.push(decided);
        }
        Ok(batch)
    }
}
