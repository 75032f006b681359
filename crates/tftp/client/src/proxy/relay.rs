//! The proxy's thread: who talks to whom, and what is on its way.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use purlin_netio::{BulkOptions, BulkPort, BulkRecv, Poller, Ready, Trigger};
use rustix::net::{SendFlags, sendto};

use super::{Meter, ProxyOptions, Shared};
use crate::faults::{Dice, Fate};

const FRONT: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;
const RECEIVE_BUFFER: u32 = 8 << 20;
const SLOT: usize = 1 << 16;
const SLOTS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    ToServer,
    ToClient,
}

/// One client and its port towards the server.
#[derive(Debug)]
struct Session {
    client: SocketAddr,
    /// Where its datagrams go: the server, and after an answer the port that answered.
    server: SocketAddr,
    port: BulkPort,
    used: Instant,
}

/// A datagram that is not yet due. Sorted by time, then by arrival.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    due: Instant,
    number: u64,
    way: Way,
    session: u64,
    octets: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Relay {
    options: ProxyOptions,
    shared: Arc<Shared>,
    front: BulkPort,
    poller: Poller,
    /// By number; a number is never used twice, so a parcel cannot reach a later client.
    sessions: HashMap<u64, Session>,
    by_client: HashMap<SocketAddr, u64>,
    next_session: u64,
    parcels: BinaryHeap<Reverse<Parcel>>,
    next_parcel: u64,
    dice: Dice,
    swept: Instant,
}

impl Relay {
    pub(super) fn open(options: ProxyOptions, shared: Arc<Shared>) -> io::Result<Self> {
        let front = port(options.listen)?;
        let poller = Poller::new()?;
        poller.add(&front, FRONT, Trigger::Level)?;
        poller.add(&shared.waker, WAKER, Trigger::Edge)?;
        Ok(Self {
            dice: Dice::new(options.seed),
            options,
            shared,
            front,
            poller,
            sessions: HashMap::new(),
            by_client: HashMap::new(),
            next_session: 0,
            parcels: BinaryHeap::new(),
            next_parcel: 0,
            swept: Instant::now(),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.front.local_address()
    }

    pub(super) fn run(mut self) {
        let mut ready = Ready::default();
        let mut batch = BulkRecv::new(SLOTS, SLOT);
        while !self.shared.stop.load(Ordering::Relaxed) {
            let timeout = self.timeout();
            if self.poller.wait(&mut ready, Some(timeout)).is_err() {
                return;
            }
            for &token in ready.tokens() {
                match token {
                    FRONT => self.hear_clients(&mut batch),
                    WAKER => {}
                    session => self.hear_server(session, &mut batch),
                }
            }
            self.deliver();
            self.sweep();
        }
    }

    fn timeout(&self) -> Duration {
        let next = self.parcels.peek().map(|Reverse(parcel)| parcel.due);
        let idle = self.options.idle.min(Duration::from_secs(1));
        next.map_or(idle, |due| {
            due.saturating_duration_since(Instant::now()).min(idle)
        })
    }

    fn hear_clients(&mut self, batch: &mut BulkRecv) {
        let received = batch.receive(&self.front).unwrap_or(0);
        for index in 0..received {
            let message = batch.get(index);
            let Some(session) = self.session_of(message.source) else {
                self.shared.turned_away.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            self.handle(Way::ToServer, session, message.payload);
        }
    }

    fn session_of(&mut self, client: SocketAddr) -> Option<u64> {
        let now = Instant::now();
        if let Some(&number) = self.by_client.get(&client) {
            self.sessions.get_mut(&number)?.used = now;
            return Some(number);
        }
        if self.sessions.len() >= self.options.clients_max {
            return None;
        }
        let any: IpAddr = if self.options.server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        let port = port(SocketAddr::new(any, 0)).ok()?;
        let number = self.next_session;
        self.poller.add(&port, number, Trigger::Level).ok()?;
        self.next_session += 1;
        let session = Session {
            client,
            server: self.options.server,
            port,
            used: now,
        };
        self.sessions.insert(number, session);
        self.by_client.insert(client, number);
        self.shared.clients.fetch_add(1, Ordering::Relaxed);
        Some(number)
    }

    fn hear_server(&mut self, number: u64, batch: &mut BulkRecv) {
        let Some(session) = self.sessions.get_mut(&number) else {
            return;
        };
        // An error is the server's ICMP answer to something passed on before; it has been taken by this.
        let received = batch.receive(&session.port).unwrap_or(0);
        session.used = Instant::now();
        for index in 0..received {
            let message = batch.get(index);
            if let Some(session) = self.sessions.get_mut(&number) {
                session.server = message.source;
            }
            self.handle(Way::ToClient, number, message.payload);
        }
    }

    fn handle(&mut self, way: Way, session: u64, octets: &[u8]) {
        let faults = match way {
            Way::ToServer => self.options.to_server,
            Way::ToClient => self.options.to_client,
        };
        let fate = self.dice.fate(&faults);
        let meter = self.meter(way);
        let count = |counter: &std::sync::atomic::AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        count(&meter.received);
        match fate {
            Fate::Arrives => self.send_after(Duration::ZERO, way, session, octets),
            Fate::Lost => {
                count(&meter.lost);
            }
            Fate::Twice => {
                count(&meter.doubled);
                self.send_after(Duration::ZERO, way, session, octets);
                self.send_after(Duration::ZERO, way, session, octets);
            }
            Fate::Late => {
                count(&meter.reordered);
                self.send_after(self.options.late, way, session, octets);
            }
            Fate::Corrupt => {
                count(&meter.corrupted);
                let mut changed = octets.to_vec();
                let at = self.dice.below(changed.len() as u64) as usize;
                if let Some(octet) = changed.get_mut(at) {
                    *octet ^= 1 << self.dice.below(8);
                }
                self.send_after(Duration::ZERO, way, session, &changed);
            }
        }
    }

    fn send_after(&mut self, extra: Duration, way: Way, session: u64, octets: &[u8]) {
        let wait = self.options.delay + extra;
        if wait.is_zero() {
            return self.send(way, session, octets);
        }
        self.next_parcel += 1;
        self.parcels.push(Reverse(Parcel {
            due: Instant::now() + wait,
            number: self.next_parcel,
            way,
            session,
            octets: octets.to_vec(),
        }));
    }

    fn deliver(&mut self) {
        let now = Instant::now();
        while self
            .parcels
            .peek()
            .is_some_and(|Reverse(parcel)| parcel.due <= now)
        {
            if let Some(Reverse(parcel)) = self.parcels.pop() {
                self.send(parcel.way, parcel.session, &parcel.octets);
            }
        }
    }

    /// A datagram that cannot be sent is lost, as on any network.
    fn send(&self, way: Way, session: u64, octets: &[u8]) {
        let Some(session) = self.sessions.get(&session) else {
            return;
        };
        let sent = match way {
            Way::ToServer => sendto(&session.port, octets, SendFlags::empty(), &session.server),
            Way::ToClient => sendto(&self.front, octets, SendFlags::empty(), &session.client),
        };
        if sent.is_ok() {
            self.meter(way).passed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn meter(&self, way: Way) -> &Meter {
        match way {
            Way::ToServer => &self.shared.to_server,
            Way::ToClient => &self.shared.to_client,
        }
    }

    /// Forgets who has been silent; closing the port ends its watch.
    fn sweep(&mut self) {
        let now = Instant::now();
        if now - self.swept < self.options.idle {
            return;
        }
        self.swept = now;
        let idle = self.options.idle;
        let by_client = &mut self.by_client;
        self.sessions.retain(|_, session| {
            let keep = now - session.used < idle;
            if !keep {
                by_client.remove(&session.client);
            }
            keep
        });
    }
}

fn port(address: SocketAddr) -> io::Result<BulkPort> {
    let options = BulkOptions {
        receive_buffer: Some(RECEIVE_BUFFER),
        ..BulkOptions::default()
    };
    BulkPort::bind(address, &options)
}
