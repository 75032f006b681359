//! A node among others: it decides blocks with them, or follows what they decide.
//!
//! ```text
//!  peers (sockets) ─► message ─► engine's thread ⇄ application (application.rs) ─► Chain ─► heads, pool, RPC
//!                       │              └─► log of what was signed
//!                       └► transactions (gossip.rs) ─► pool
//! ```
//!
//! The engine has a thread of its own, because it executes blocks and waits for the disk. When the application or the log
//! fails it stops (it must not vote about what it cannot keep), says why, and begins again from its log a little later.
//! What was final before stays readable all the while.

mod application;
mod door;
mod gossip;
mod key;
pub(crate) mod report;
mod rules;
mod steps;

pub use key::{NodeKey, NodeKeyError};

pub(crate) use gossip::Gossip;
pub(crate) use rules::{Rules, differences};
pub use steps::{StepMissing, forget_steps, keep_steps};
pub(crate) use steps::{kept as kept_step, steps_up_to};

use crate::agreement::{self, Agreement};
use crate::error::StartError;
use crate::node::Node;
use alloy_primitives::{Address, B256, Bytes};
use application::ChainApplication;
use door::Door;
use purlin_chain_bft::{FileLog, Inbound, Mark, Net, Setup, Signer, Standing, Stopped, Timeouts, run};
use purlin_chain_core::constitution::Constitution;
use purlin_chain_peers::{Event, Network, PeerInfo, Peers, Refused};
use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Messages that wait for the engine. One too many is dropped: whoever sent it says it again.
const INBOX: usize = 1_024;
/// After a failure, until the engine begins again.
const REST: Duration = Duration::from_secs(5);

/// Failed meetings that are remembered.
const REFUSALS_MAX: usize = 16;

/// What the node is to its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It votes and proposes, once its address is in the set.
    Validator,
    /// It follows what is decided, and takes transactions for those who decide.
    Follower,
}

impl Role {
    /// The word of configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::Follower => "blockchain",
        }
    }
}

/// Who may connect, besides validators and those whom this node dials by their address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guests {
    Anybody,
    These(BTreeSet<Address>),
}

/// What a node needs to be one of several.
#[derive(Debug, Clone)]
pub struct ConsensusSettings {
    pub role: Role,
    pub key: NodeKey,
    pub peers: purlin_chain_peers::Settings,
    pub guests: Guests,
    pub timeouts: Timeouts,
    /// The directory of the engine's log.
    pub data_dir: PathBuf,
    /// Where it is kept at which height the key signed last, beside the key; none where nothing can be written there.
    pub mark: Option<PathBuf>,
}

/// The running part: cheap to share.
#[derive(Debug)]
pub(crate) struct Shared {
    node: Arc<Node>,
    role: Role,
    me: Address,
    rules: Rules,
    standing: Arc<Mutex<Standing>>,
    peers: Mutex<Option<Arc<Peers>>>,
    inbox: Mutex<Option<SyncSender<Inbound>>>,
    refusals: Mutex<VecDeque<Refused>>,
    agreement: Arc<Agreement>,
    /// Why the engine stands still, when it does.
    trouble: Mutex<Option<String>>,
    stopping: AtomicBool,
}

/// What its owner holds.
#[derive(Debug)]
pub(crate) struct Running {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects the node and starts its engine.
///
/// # Errors
/// A chain without validators, a listener that is taken, a log that cannot be opened.
pub(crate) async fn start(node: Arc<Node>, settings: ConsensusSettings) -> Result<Running, StartError> {
    let rules = rules(&node)?;
    let network = Network {
        genesis: node.source.0.store().genesis_hash(),
        chain_id: node.source.spec().chain_id(),
    };
    let me = settings.key.address();
    let (gossip, ends) = gossip::new();
    let shared = Arc::new(Shared {
        role: settings.role,
        me,
        rules,
        standing: Arc::default(),
        peers: Mutex::default(),
        inbox: Mutex::default(),
        refusals: Mutex::default(),
        agreement: Arc::new(Agreement::new(Arc::clone(&node.story))),
        trouble: Mutex::default(),
        stopping: AtomicBool::new(false),
        node: Arc::clone(&node),
    });
    node.join(&shared, gossip);
    let door = Arc::new(Door {
        rules: shared.rules.clone(),
        dialled: settings.peers.dial.iter().filter_map(|peer| peer.id).collect(),
        guests: settings.guests.clone(),
    });
    let hearer = Arc::downgrade(&shared);
    let hear = move |event| {
        if let Some(shared) = hearer.upgrade() {
            shared.hear(event);
        }
    };
    let identity = Arc::new(settings.key.clone());
    let peers = Peers::start(
        settings.peers.clone(),
        network,
        identity,
        Arc::clone(&door) as _,
        Arc::new(hear),
    )
    .await
    .map_err(|error| StartError::Consensus(error.to_string()))?;
    *lock(&shared.peers) = Some(Arc::new(peers));
    let system = |source| StartError::System {
        what: "starting a thread",
        source,
    };
    tokio::spawn(door::watch(door, node.heads.subscribe(), Arc::downgrade(&shared)));
    ends.work(&shared).map_err(system)?;
    tokio::spawn(agreement::watch(Arc::downgrade(&shared)));
    let engine = Arc::clone(&shared);
    let thread = std::thread::Builder::new()
        .name("chain-consensus".to_owned())
        .spawn(move || engine.keep_running(&settings, network.genesis))
        .map_err(system)?;
    Ok(Running { shared, thread })
}

fn rules(node: &Node) -> Result<Rules, StartError> {
    Rules::of(&node.source.0).ok_or_else(|| {
        StartError::Consensus("its genesis document names no validators (config.purlin)".to_owned())
    })
}

/// The engine's way to the peers.
struct Wire(Arc<Peers>);

impl Net for Wire {
    fn broadcast(&self, message: Bytes) {
        let _ = self.0.broadcast(message.0);
    }

    fn send(&self, to: Address, message: Bytes) {
        // Who is gone asks again when it is back.
        let _ = self.0.send(to, message.0);
    }
}

impl Shared {
    /// Whether this node decides about the next block with the others.
    pub(crate) fn is_validator(&self) -> bool {
        self.role == Role::Validator && self.rules.now().validators.power(&self.me).is_some()
    }

    /// Whether this is the key of a validator, or of one that is about to be.
    fn is_validators(&self, id: &Address) -> bool {
        self.rules.has(id)
    }

    /// What somebody who looks at a node that should vote has to know about its key.
    pub(crate) fn note(&self) -> Option<String> {
        let voter = self.role == Role::Validator;
        voter.then(|| self.rules.about(&self.me)).flatten()
    }

    /// Name, help and value of what the constitution says.
    pub(crate) fn gauges(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            (
                "purlin_chain_constitution_version",
                "The version of the constitution that counts; 0 is the genesis document's.",
                self.rules.next_version(),
            ),
            (
                "purlin_chain_validators",
                "How many validators decide about the next block.",
                self.rules.now().validators.len() as u64,
            ),
            (
                "purlin_chain_validator",
                "1 while this node is one of them.",
                u64::from(self.is_validator()),
            ),
        ]
    }

    pub(crate) fn standing(&self) -> Standing {
        lock(&self.standing).clone()
    }

    /// The key by which others know this node.
    pub(crate) const fn me(&self) -> Address {
        self.me
    }

    /// How it agrees with others.
    pub(crate) fn agreement(&self) -> &Arc<Agreement> {
        &self.agreement
    }

    /// What counts at the height that is decided next.
    pub(crate) fn now_in_force(&self) -> Arc<Constitution> {
        self.rules.now()
    }

    /// The number of the last block that is durable here.
    pub(crate) fn node_head(&self) -> u64 {
        self.node.head().header.number
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(crate) fn peers(&self) -> Vec<PeerInfo> {
        let peers = lock(&self.peers).clone();
        peers.map_or_else(Vec::new, |peers| peers.list())
    }

    pub(crate) fn listens(&self) -> Option<std::net::SocketAddr> {
        lock(&self.peers).as_ref()?.local_addr()
    }

    fn disconnect(&self, id: Address, why: &str) {
        if let Some(peers) = lock(&self.peers).clone() {
            peers.disconnect(id, why);
        }
    }

    /// To every validator that is connected; to everybody when none is.
    fn to_validators(&self, message: &Bytes) {
        let Some(peers) = lock(&self.peers).clone() else {
            return;
        };
        let connected = peers.list();
        let any = connected.iter().any(|peer| self.is_validators(&peer.id));
        for peer in connected {
            if !any || self.is_validators(&peer.id) {
                let _ = peers.send(peer.id, message.0.clone());
            }
        }
    }

    fn hear(&self, event: Event) {
        let inbound = match event {
            Event::Message { from, octets } if octets.first() == Some(&gossip::KIND) => {
                if let Some(gossip) = self.node.gossip_line() {
                    gossip.hear(from, octets.into());
                }
                return;
            }
            Event::Message { from, octets } => Inbound::Message {
                from,
                octets: octets.into(),
            },
            Event::Up(peer) => {
                self.agreement.peer_up(&peer);
                Inbound::Up(peer.id)
            }
            Event::Down { id, why } => {
                self.agreement.peer_down(&id, &why);
                Inbound::Down(id)
            }
            Event::Refused(refused) => return self.refused(refused),
        };
        if let Some(inbox) = &*lock(&self.inbox) {
            let _ = inbox.try_send(inbound);
        }
    }

    fn refused(&self, refused: Refused) {
        self.agreement.peer_refused(&refused);
        let mut kept = lock(&self.refusals);
        if kept.len() == REFUSALS_MAX {
            kept.pop_front();
        }
        kept.push_back(refused);
    }

    /// The last meetings that failed, oldest first.
    pub(crate) fn refusals(&self) -> Vec<Refused> {
        lock(&self.refusals).iter().cloned().collect()
    }

    /// Runs the engine, again after every failure, until the node stops.
    fn keep_running(self: &Arc<Self>, settings: &ConsensusSettings, genesis: B256) {
        while !self.stopping.load(Ordering::Acquire) {
            let ended = self.run_once(settings, genesis);
            let Err(why) = ended else {
                return;
            };
            *lock(&self.trouble) = Some(why);
            let again = Instant::now() + REST;
            while Instant::now() < again && !self.stopping.load(Ordering::Acquire) {
                std::thread::park_timeout(again.saturating_duration_since(Instant::now()));
            }
        }
    }

    fn run_once(self: &Arc<Self>, settings: &ConsensusSettings, genesis: B256) -> Result<(), String> {
        let Some(peers) = lock(&self.peers).clone() else {
            return Ok(());
        };
        // Looked at before it begins: an engine that cannot keep what is decided must sign nothing.
        self.node.storage.room()?;
        let (sender, inbox) = sync_channel(INBOX);
        // Open before it is looked who is there: a peer that comes meanwhile is told of twice, not never. And before it is
        // looked whether the node stops: whoever stops it finds the inbox, or is seen here.
        *lock(&self.inbox) = Some(sender.clone());
        if self.stopping.load(Ordering::Acquire) {
            return Ok(());
        }
        for peer in peers.list() {
            let _ = sender.try_send(Inbound::Up(peer.id));
        }
        drop(sender);
        let signs = settings.role == Role::Validator;
        let mut log = FileLog::open(&settings.data_dir.join(LOG)).map_err(|fault| words(&fault))?;
        if let Some(path) = settings.mark.as_ref().filter(|_| signs) {
            log = log.with_mark(Mark::open(path).map_err(|fault| words(&fault))?);
        }
        *lock(&self.trouble) = None;
        let setup = Setup {
            network: genesis,
            key: signs.then(|| Box::new(settings.key.clone()) as Box<dyn Signer>),
            timeouts: settings.timeouts,
        };
        let application = ChainApplication::new(Arc::clone(&self.node), self.rules.clone(), self.me);
        let (standing, agreement) = (Arc::clone(&self.standing), Arc::clone(&self.agreement));
        let tell = |news| agreement.hear(news);
        run(setup, application, log, Wire(peers), inbox, standing, tell).map_err(|stopped| match stopped {
            Stopped::Application(trouble) => words(&trouble),
            stopped => words(&stopped),
        })
    }
}

/// An error with its causes, in one line.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut told: Vec<String> = causes.map(ToString::to_string).collect();
    // Where an error repeats its cause, it is said once.
    told.dedup();
    told.join(": ")
}

/// The file of the engine's log.
const LOG: &str = "consensus.log";

impl Running {
    /// Ends the engine, then the connections.
    pub(crate) async fn stop(self) {
        let Self { shared, thread } = self;
        shared.stopping.store(true, Ordering::Release);
        let inbox = lock(&shared.inbox).take();
        let _ = tokio::task::spawn_blocking(move || {
            if let Some(inbox) = inbox {
                let _ = inbox.send(Inbound::Stop);
            }
            thread.thread().unpark();
            thread.join()
        })
        .await;
        let peers = lock(&shared.peers).take();
        if let Some(peers) = peers {
            peers.stop().await;
        }
    }
}
