//! The front for datagrams.
//!
//! One thread reads the listening socket in batches and owns the table of clients, so that a client's datagrams are
//! forwarded in their order and nothing is locked over a send.
//!
//! ```text
//!   wait ─► recvmmsg, up to 64 ─► Table (DHCP) | Flows (others) ─► Pool::choose ─► sendmmsg
//!    ▲                                └─ answers ─► their clients, from the address that was asked
//!    └── once a second: who was silent is forgotten
//! ```

mod dhcp;
mod flow;
mod flows;
mod transfer;
mod worker;

pub use dhcp::DhcpKey;

use crate::pool::{Pool, PoolSettings};
use crate::{Clock, Counters, check};
use purlin_netio::{BulkOptions, BulkPort, Waker};
use purlin_types::BootTime;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::task::JoinSet;

/// Octets of receive buffer that are asked for: half a second of 5000 datagrams a second, as the kernel counts them.
const RECEIVE_BUFFER: u32 = 4 << 20;

/// What is spoken through a front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdpService {
    /// Clients are told apart by their messages; answers may go past the front.
    Dhcp { key: DhcpKey },
    /// Clients are told apart by their address; a server may answer from a new port for each transfer, and the client sees
    /// the front's port all the time.
    Tftp { key: TftpKey },
    /// Anything else that is answered from the port that was asked.
    Other,
}

/// What decides, of the algorithms that look at it, which node a transfer goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TftpKey {
    /// The client's address: a machine stays with its node.
    #[default]
    ClientIp,
    /// The file's name: a file is in one node's cache.
    File,
}

/// What a front for datagrams is.
#[derive(Debug, Clone)]
pub struct UdpSettings {
    /// With an unspecified address, answers leave from the address that was asked.
    pub listen: SocketAddr,
    pub pool: PoolSettings,
    pub service: UdpService,
    /// A client silent for so long is forgotten.
    pub affinity: Duration,
    /// A backend that leaves a client's questions unanswered for so long loses it; `None` when silence is an answer.
    pub patience: Option<Duration>,
    /// Clients known at a time. Others are turned away, or with DHCP served and not remembered. But with DHCP each costs
    /// a socket.
    pub flows_max: usize,
}

/// A running front. Dropping it ends it.
#[derive(Debug)]
pub struct UdpFront {
    local: SocketAddr,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    stop: Arc<Stop>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    thread: JoinHandle<()>,
    _checks: JoinSet<()>,
}

#[derive(Debug)]
struct Stop {
    asked: AtomicBool,
    waker: Waker,
}

/// Whom a datagram came from, and at which of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    from: SocketAddr,
    local: Option<IpAddr>,
    interface: u32,
}

/// What one look at a datagram needs.
struct Turn<'a> {
    pool: &'a Pool,
    counters: &'a Counters,
    now: BootTime,
}

impl UdpFront {
    /// Listens and begins to check backends. Within a tokio runtime, for the checks.
    ///
    /// # Errors
    /// When the address cannot be bound, or no thread is to be had.
    pub fn bind(settings: &UdpSettings, clock: Clock) -> io::Result<Self> {
        let options = BulkOptions {
            packet_info: settings.listen.ip().is_unspecified(),
            receive_buffer: Some(RECEIVE_BUFFER),
            ..BulkOptions::default()
        };
        let port = BulkPort::bind(settings.listen, &options)?;
        let local = port.local_address();
        let pool = Pool::new(&settings.pool, clock);
        let counters = Arc::new(Counters::default());
        let stop = Arc::new(Stop {
            asked: AtomicBool::new(false),
            waker: Waker::new()?,
        });
        let worker = worker::Worker::new(settings, port, &pool, &counters, &stop)?;
        let thread = std::thread::Builder::new().name("purlin-front".to_owned());
        let thread = thread.spawn(move || worker.run())?;
        let mut checks = JoinSet::new();
        checks.spawn(check::watch(Arc::clone(&pool)));
        Ok(Self {
            local,
            pool,
            counters,
            stop,
            running: Mutex::new(Some(Running {
                thread,
                _checks: checks,
            })),
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
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}

impl UdpFront {
    /// Takes no more datagrams, of clients or of backends.
    pub fn close(&self) {
        self.stop.asked.store(true, Ordering::Relaxed);
        self.stop.waker.wake();
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            // It may have panicked: that was told then.
            let _ = running.thread.join();
        }
    }
}

impl Drop for UdpFront {
    fn drop(&mut self) {
        self.close();
    }
}
