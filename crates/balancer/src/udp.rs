//! The front for datagrams.
//!
//! One task reads the listening socket and owns the table of flows, so that a client's datagrams are forwarded in their
//! order and no lock is held over a send. A flow stays with its backend until the client has been silent for
//! [`UdpSettings::affinity`], or the backend is down, ejected or gone, or it has not answered for
//! [`UdpSettings::patience`] while the client kept asking.

use crate::Clock;
use crate::flow::{DATAGRAM_MAX, Flow};
use crate::pool::{Pool, PoolSettings};
use crate::tcp::key_of;
use crate::{Counters, check};
use purlin_fabric::balance::{BackendId, Outcome, key};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// The way of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Through the front, from its listening address. With `follow_port` a backend may answer from another port than it
    /// was asked at, as TFTP servers do (RFC 1350, section 4); to the client it is one port all the time.
    Through { follow_port: bool },
    /// Past the front: backends know from the datagram whom to answer, as DHCP servers do. Nothing is learnt of
    /// backends from their silence, and a backend's open work is the clients that it was given lately.
    Direct,
}

/// What tells clients apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKey {
    /// Their address, without the port: a client's transfers go to one backend.
    Address,
    /// Octets of the datagram, as many as there are: DHCP's chaddr is 16 from 28 on (RFC 2131, section 2), which spreads
    /// the clients of one relay.
    Octets { offset: u16, length: u16 },
}

/// What a front for datagrams is.
#[derive(Debug, Clone)]
pub struct UdpSettings {
    /// A definite address on a machine with several: answers leave from it.
    pub listen: SocketAddr,
    pub pool: PoolSettings,
    pub answers: Answers,
    pub client_key: ClientKey,
    /// A client silent for so long is forgotten.
    pub affinity: Duration,
    /// A backend that leaves a client's questions unanswered for so long loses it; `None` when silence is an answer.
    pub patience: Option<Duration>,
    /// Clients known at a time; others are turned away. With [`Answers::Through`] each costs a socket.
    pub flows_max: usize,
}

/// A running front. Dropping it ends it.
#[derive(Debug)]
pub struct UdpFront {
    local: SocketAddr,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    _tasks: JoinSet<()>,
}

impl UdpFront {
    /// Listens and begins to check backends.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(settings: UdpSettings, clock: Clock) -> io::Result<Self> {
        let socket = UdpSocket::bind(settings.listen).await?;
        let local = socket.local_addr()?;
        let pool = Pool::new(&settings.pool, clock);
        let counters = Arc::new(Counters::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(check::watch(Arc::clone(&pool)));
        let front = Front {
            settings,
            socket: Arc::new(socket),
            pool: Arc::clone(&pool),
            counters: Arc::clone(&counters),
            flows: HashMap::new(),
        };
        tasks.spawn(front.run());
        Ok(Self {
            local,
            pool,
            counters,
            _tasks: tasks,
        })
    }

    /// Where it listens: the port that was given to port 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    #[must_use]
    pub const fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The task.
struct Front {
    settings: UdpSettings,
    socket: Arc<UdpSocket>,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    flows: HashMap<(SocketAddr, u64), Flow>,
}

impl Front {
    async fn run(mut self) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut sweep = tokio::time::interval(self.settings.affinity.clamp(SWEEP_MIN, SWEEP_MAX));
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => {
                    // An error here is an ICMP message about an earlier send: the next receive is about something else.
                    if let Ok((length, from)) = received {
                        self.take(from, &buffer[..length]).await;
                    }
                }
                _ = sweep.tick() => self.sweep(),
            }
        }
    }

    async fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        // What a backend sends to the listening port is no client's: forwarding it would go round in circles.
        if self.pool.is_backend(from) {
            return;
        }
        self.counters.taken.add();
        let key = self.key(from, datagram);
        let mut tried = Vec::new();
        self.leave_bad(from, key, &mut tried);
        loop {
            if !self.flows.contains_key(&(from, key)) && !self.begin(from, key, &tried).await {
                return;
            }
            let Some(flow) = self.flows.get_mut(&(from, key)) else {
                return;
            };
            if flow.send(datagram, &self.socket, self.pool.now()).await.is_ok() {
                return;
            }
            // The kernel knows that nobody is there: another one, now, before the client has to ask again.
            tried.push(flow.backend);
            self.end(from, key);
        }
    }

    /// Ends the client's flow if its backend can no longer be relied on. One that left it unanswered is not chosen again.
    fn leave_bad(&mut self, from: SocketAddr, key: u64, tried: &mut Vec<BackendId>) {
        let Some(flow) = self.flows.get(&(from, key)) else {
            return;
        };
        let now = self.pool.now();
        if flow.is_refused() {
            tried.push(flow.backend);
            self.flows.remove(&(from, key));
        } else if self
            .settings
            .patience
            .is_some_and(|patience| flow.is_unanswered(patience, now))
        {
            tried.push(flow.backend);
            self.end(from, key);
        } else if !self.pool.keeps(flow.backend) {
            self.flows.remove(&(from, key));
        }
    }

    fn end(&mut self, from: SocketAddr, key: u64) {
        if let Some(flow) = self.flows.remove(&(from, key)) {
            flow.fail();
        }
    }

    /// Begins a flow with a backend that was not tried for this datagram.
    async fn begin(&mut self, from: SocketAddr, key: u64, tried: &[BackendId]) -> bool {
        if self.flows.len() >= self.settings.flows_max {
            self.counters.full.add();
            return false;
        }
        let Some((id, to)) = self.pool.choose(key, tried) else {
            self.counters.refused.add();
            return false;
        };
        if !tried.is_empty() {
            self.counters.retried.add();
        }
        let flow = match self.settings.answers {
            Answers::Direct => Ok(Flow::direct(&self.pool, id, to)),
            Answers::Through { follow_port } => {
                Flow::through(&self.pool, id, to, from, &self.socket, follow_port).await
            }
        };
        match flow {
            Ok(flow) => {
                self.flows.insert((from, key), flow);
                true
            }
            Err(_) => {
                // No socket to be had: a limit of this machine, not the backend's fault.
                self.pool.finish(id, Outcome::Unknown);
                self.counters.full.add();
                false
            }
        }
    }

    fn key(&self, from: SocketAddr, datagram: &[u8]) -> u64 {
        match self.settings.client_key {
            ClientKey::Address => key_of(from.ip()),
            ClientKey::Octets { offset, length } => {
                let end = datagram.len().min(usize::from(offset) + usize::from(length));
                key(datagram.get(usize::from(offset)..end).unwrap_or_default())
            }
        }
    }

    fn sweep(&mut self) {
        let (now, affinity) = (self.pool.now(), self.settings.affinity.as_millis() as u64);
        self.flows
            .retain(|_, flow| now.millis_since(flow.heard) < affinity);
    }
}

/// Silent clients are looked for as often as they are forgotten, within reason.
const SWEEP_MIN: Duration = Duration::from_millis(10);
const SWEEP_MAX: Duration = Duration::from_secs(1);
