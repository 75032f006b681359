//! A UDP proxy that harms datagrams on purpose, repeatable from a seed: for kernels without `netem`, and for tests.
//!
//! ```text
//!   client A ──┐                ┌── port a ──► server
//!              ├──► front port ─┤               (answers from any port: each client's is learnt and kept)
//!   client B ──┘                └── port b ──► server
//! ```
//!
//! Clients see one server at the front port; the server sees each client as a port of its own. One thread; payloads are
//! not looked at, so it serves any protocol of one request and its answers.

mod relay;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use purlin_netio::Waker;
use serde::Serialize;

use crate::faults::Faults;
use relay::Relay;

/// What the proxy does.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyOptions {
    /// Where clients are expected; port 0 takes a free one.
    pub listen: SocketAddr,
    pub server: SocketAddr,
    pub to_server: Faults,
    pub to_client: Faults,
    /// Every datagram takes this long, each way.
    pub delay: Duration,
    /// A reordered datagram takes this much longer. It passes behind what follows within that time.
    pub late: Duration,
    pub seed: u64,
    /// Clients at once; datagrams of further ones are dropped. A silent client is forgotten after `idle`.
    pub clients_max: usize,
    pub idle: Duration,
}

impl ProxyOptions {
    /// Listens on loopback and harms nothing; 10,000 clients, 30 s.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        let loopback = if server.is_ipv4() {
            "127.0.0.1:0"
        } else {
            "[::1]:0"
        };
        Self {
            listen: loopback.parse().expect("a constant address"),
            server,
            to_server: Faults::NONE,
            to_client: Faults::NONE,
            delay: Duration::ZERO,
            late: Duration::from_millis(2),
            seed: 1,
            clients_max: 10_000,
            idle: Duration::from_secs(30),
        }
    }
}

/// What became of the datagrams of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ProxyCount {
    pub received: u64,
    /// Passed on, copies included.
    pub passed: u64,
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
    pub corrupted: u64,
}

/// Counts of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ProxyCounts {
    pub to_server: ProxyCount,
    pub to_client: ProxyCount,
    pub clients: u64,
    /// Datagrams of clients beyond the limit.
    pub turned_away: u64,
}

/// One direction's counters.
#[derive(Debug, Default)]
struct Meter {
    received: AtomicU64,
    passed: AtomicU64,
    lost: AtomicU64,
    doubled: AtomicU64,
    reordered: AtomicU64,
    corrupted: AtomicU64,
}

impl Meter {
    fn read(&self) -> ProxyCount {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProxyCount {
            received: read(&self.received),
            passed: read(&self.passed),
            lost: read(&self.lost),
            doubled: read(&self.doubled),
            reordered: read(&self.reordered),
            corrupted: read(&self.corrupted),
        }
    }
}

/// What the proxy's thread and its owner share.
#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    waker: Waker,
    to_server: Meter,
    to_client: Meter,
    clients: AtomicU64,
    turned_away: AtomicU64,
}

/// A running proxy; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Binds and starts.
    ///
    /// # Errors
    /// When the address cannot be bound, or a share of the faults is not between 0.0 and 1.0.
    pub fn start(options: ProxyOptions) -> io::Result<Self> {
        for faults in [&options.to_server, &options.to_client] {
            if let Some((name, share)) = faults.bad_share() {
                let text = format!("the share of {name} is {share}; allowed is 0.0 to 1.0");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
        }
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            waker: Waker::new()?,
            to_server: Meter::default(),
            to_client: Meter::default(),
            clients: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
        });
        let relay = Relay::open(options, Arc::clone(&shared))?;
        let address = relay.address();
        let thread = std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(move || relay.run())?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// Where clients send to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> ProxyCounts {
        ProxyCounts {
            to_server: self.shared.to_server.read(),
            to_client: self.shared.to_client.read(),
            clients: self.shared.clients.load(Ordering::Relaxed),
            turned_away: self.shared.turned_away.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
