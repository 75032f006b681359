//! The node's connections as its owner sees them.

use crate::dial::{GIVEN_UP, Keeper};
use crate::discovery::discover;
use crate::hello::Hello;
use crate::lanes::Pushed;
use crate::line::Line;
use crate::pending::Pending;
use crate::settings::{NAME_MAX, PIECE};
use crate::shared::{STOPS, Shared, Tally};
use crate::table::Table;
use crate::throttle::Throttle;
use crate::tls::Tls;
use crate::wish::Wishes;
use crate::{
    Admission, Counts, Direction, Events, Identity, Network, PeerAddress, PeerInfo, Settings, listen,
};
use alloy_primitives::Address;
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long [`Peers::stop`] waits for farewells.
const STOP: Duration = Duration::from_secs(5);
/// Of `message_max`: a length is told in 32 bits, and much less is wise.
const MESSAGE_MAX: usize = 1 << 30;

/// The connections of this node. Shared by reference; ends with [`Peers::stop`] or when it is dropped.
#[derive(Debug)]
pub struct Peers {
    shared: Arc<Shared>,
    address: Option<SocketAddr>,
}

/// Connections cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen for peers at {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the TLS certificate of this start cannot be made")]
    Certificate(#[from] rcgen::Error),
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    #[error("this machine gives no random numbers")]
    Random(#[from] getrandom::Error),
    #[error("{0}")]
    Setting(&'static str),
}

impl Peers {
    /// Listens and dials, within the calling tokio runtime. `events` may be called before this returns.
    ///
    /// # Errors
    /// When the port is taken, TLS cannot be set up, or a setting is out of its bounds.
    pub async fn start(
        settings: Settings,
        network: Network,
        identity: Arc<dyn Identity>,
        admission: Arc<dyn Admission>,
        events: Events,
    ) -> Result<Self, StartError> {
        check(&settings)?;
        let listener = match settings.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let address = listener.as_ref().map(|(_, address)| *address);
        let port = settings.told_port.or(address.map(|address| address.port()));
        let hello = Hello {
            id: identity.address(),
            instance: getrandom::u64()?,
            port,
            role: settings.role,
            name: settings.name.clone(),
        };
        let shared = Arc::new(Shared {
            table: Mutex::new(Table::new(hello.id, hello.instance, settings.limit)),
            pending: Pending::new(settings.pending),
            tls: Tls::new()?,
            wishes: Wishes::default(),
            tally: Tally::default(),
            changed: watch::Sender::new(()),
            stopping: watch::Sender::new(false),
            tasks: watch::Sender::new(0),
            runtime: Handle::current(),
            order: Mutex::new(()),
            throttle: Mutex::new(Throttle::new()),
            hello,
            settings,
            network,
            identity,
            admission,
            events,
        });
        let peers = Self { shared, address };
        peers.begin(listener.map(|(listener, _)| listener));
        Ok(peers)
    }

    fn begin(&self, listener: Option<TcpListener>) {
        let shared = &self.shared;
        if let Some(listener) = listener {
            shared.spawn(listen::listen(Arc::clone(shared), listener));
        }
        for address in shared.settings.dial.clone() {
            self.dial_more(address);
        }
        for name in shared.settings.discovery.clone() {
            shared.spawn(discover(Arc::clone(shared), name));
        }
    }

    /// Sends to all peers; returns how many queues took it.
    #[allow(clippy::needless_pass_by_value, reason = "the queues share the message")]
    pub fn broadcast(&self, message: Bytes) -> usize {
        let lines = self.lines();
        let sent = |line: &&Arc<Line>| self.fits(&message) && self.push(line, message.clone());
        lines.iter().filter(sent).count()
    }

    /// Sends to one peer. `false`: it is not up, its queue is full (it is being dropped), or the message is empty or
    /// longer than `message_max`.
    pub fn send(&self, id: Address, message: Bytes) -> bool {
        let line = self.shared.table().get(id).cloned();
        self.fits(&message) && line.is_some_and(|line| self.push(&line, message))
    }

    /// Sends to the peers that `chosen` picks; returns how many queues took it.
    #[allow(clippy::needless_pass_by_value, reason = "the queues share the message")]
    pub fn send_to(&self, chosen: impl Fn(&PeerInfo) -> bool, message: Bytes) -> usize {
        if !self.fits(&message) {
            return 0;
        }
        let lines = self.lines();
        let chosen = lines.iter().filter(|line| chosen(&line.info()));
        chosen.filter(|line| self.push(line, message.clone())).count()
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        self.shared.table().lines().cloned().collect()
    }

    fn fits(&self, message: &Bytes) -> bool {
        (1..=self.shared.settings.message_max).contains(&message.len())
    }

    fn push(&self, line: &Line, message: Bytes) -> bool {
        let pushed = line.send(message);
        if pushed == Pushed::Full {
            self.shared.tally.overrun.fetch_add(1, Relaxed);
        }
        pushed == Pushed::Waits
    }

    /// The peers that are up, by address.
    #[must_use]
    pub fn list(&self) -> Vec<PeerInfo> {
        self.shared.table().list()
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let tally = &self.shared.tally;
        Counts {
            met: tally.met.load(Relaxed),
            refused_inbound: tally.refused_inbound.load(Relaxed),
            refused_outbound: tally.refused_outbound.load(Relaxed),
            overrun: tally.overrun.load(Relaxed),
            pending: self.shared.pending.taken(),
        }
    }

    /// Where others are awaited, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Ends the connection with a peer, which is told why (at most 256 printable ASCII characters). It may come
    /// again: [`Admission`] is what keeps it away. `false`: it is not up.
    pub fn disconnect(&self, id: Address, why: &str) -> bool {
        let line = self.shared.table().get(id).cloned();
        line.inspect(|line| line.end(why)).is_some()
    }

    /// From now on connected with this node always, like those of [`Settings::dial`]. `false`: it is already, or the
    /// node is stopping.
    pub fn dial_more(&self, address: PeerAddress) -> bool {
        if *self.shared.stopping.borrow() {
            return false;
        }
        let Some(wish) = self.shared.wishes.add(address) else {
            return false;
        };
        let keeper = Keeper {
            shared: Arc::clone(&self.shared),
            wish,
            wished: true,
        };
        self.shared.spawn(keeper.keep());
        true
    }

    /// Dials this node no more and ends the connection that dialling it made. `false`: it was not dialled.
    pub fn forget(&self, address: &PeerAddress) -> bool {
        let Some(wish) = self.shared.wishes.remove(address) else {
            return false;
        };
        wish.give_up();
        let line = wish.id().and_then(|id| self.shared.table().get(id).cloned());
        if let Some(line) = line.filter(|line| line.direction == Direction::Outbound) {
            line.end(GIVEN_UP);
        }
        true
    }

    /// Changes [`Settings::limit`] and [`Settings::pending`]; the youngest peers over the limit are dropped.
    pub fn set_limits(&self, limit: usize, pending: usize) {
        let surplus = {
            let mut table = self.shared.table();
            table.limit = limit;
            table.surplus(|id| self.shared.wishes.have(id))
        };
        for line in surplus {
            line.end(&format!("the limit of peers is {limit} now"));
        }
        self.shared.pending.set_most(pending);
        self.shared.changed.send_replace(());
    }

    /// Ends all connections; peers are told. Returns when they have ended, after a few seconds at most.
    pub async fn stop(&self) {
        self.end();
        let mut tasks = self.shared.tasks.subscribe();
        // Whoever has not heard by then does not listen.
        let _ = timeout(STOP, tasks.wait_for(|running| *running == 0)).await;
    }

    fn end(&self) {
        self.shared.stopping.send_replace(true);
        let table = self.shared.table();
        table.lines().for_each(|line| line.end(STOPS));
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.end();
    }
}

fn check(settings: &Settings) -> Result<(), StartError> {
    let pace = &settings.pace;
    let printable = |c: char| c == ' ' || c.is_ascii_graphic();
    let faults = [
        (
            settings.name.len() > NAME_MAX || !settings.name.chars().all(printable),
            "the name of the software is at most 64 printable ASCII characters",
        ),
        (
            !(PIECE..=MESSAGE_MAX).contains(&settings.message_max),
            "message_max is between 64 KiB and 1 GiB",
        ),
        (
            settings.queue_octets < settings.message_max || settings.queue_messages == 0,
            "the queue of a peer holds at least one message of message_max octets",
        ),
        (
            pace.ping.is_zero() || pace.silence <= pace.ping,
            "the ping is above zero, and the silence that ends a connection is longer",
        ),
        (
            settings.connect_timeout.is_zero() || pace.redial_min.is_zero() || pace.discovery.is_zero(),
            "connect_timeout, redial_min and discovery are above zero",
        ),
    ];
    match faults.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, why)) => Err(StartError::Setting(why)),
        None => Ok(()),
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let fault = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let real = listener.local_addr().map_err(fault)?;
    Ok((listener, real))
}
