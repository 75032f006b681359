//! Listening: plain HTTP on loopback, HTTPS anywhere, metrics on a port of their own, and a graceful end.
//!
//! ```text
//!   Plan ─bind()─► Bound (addresses are known, nothing is answered) ─start(routers)─► Running ─stop(grace)─► end
//! ```

mod conduct;
mod connection;
mod handshake;
mod listen;
mod patience;
mod proxies;
mod refusal;
mod room;
mod shutdown;
mod switch;
mod tally;

pub use conduct::Conduct;
pub use handshake::HandshakeFailure;
pub use proxies::{Proxies, Proxy};
pub use shutdown::Shutdown;
pub use switch::Switch;
pub use tally::Tally;

pub use axum::Router;

use rustls::ServerConfig;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use connection::{Connections, Manner};
use listen::listen;
use room::Room;

/// Connections of all listeners together unless [`Bound::connections_max`] says otherwise; a further one is refused at once.
pub const CONNECTIONS_MAX: usize = 1024;

/// Where to listen.
#[derive(Clone, Default)]
pub struct Plan {
    /// Plain HTTP.
    pub http: Vec<SocketAddr>,
    /// HTTPS.
    pub https: Vec<SocketAddr>,
    /// Metrics without login.
    pub metrics: Vec<SocketAddr>,
    /// Allows plain HTTP on addresses that others can reach: tokens then travel in clear.
    pub allow_remote_http: bool,
    /// Needed when `https` is not empty.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Why a listener does not listen.
#[derive(Debug, Error)]
pub enum BindError {
    #[error(
        "plain HTTP on {0} would send tokens in clear; use 127.0.0.1, HTTPS, or set api.allow_remote_http = true"
    )]
    RemoteHttp(SocketAddr),
    #[error("HTTPS on {0} needs a certificate")]
    NoCertificate(SocketAddr),
    #[error("cannot listen on {what} {address}")]
    Listen {
        what: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
}

/// Sockets that are bound; clients can connect, but nobody answers yet.
#[derive(Debug)]
pub struct Bound {
    http: Vec<TcpListener>,
    https: Vec<TcpListener>,
    metrics: Vec<TcpListener>,
    tls: Option<Acceptor>,
    room: usize,
    each: usize,
    conduct: Conduct,
    proxies: Proxies,
    tally: Arc<Tally>,
    deaf: handshake::Listener,
}

/// An acceptor that can be printed.
#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("http", &self.http)
            .field("https", &self.https)
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// Binds every socket.
    ///
    /// # Errors
    /// When one of them cannot be bound or must not be; none stays bound then.
    pub async fn bind(&self) -> Result<Bound, BindError> {
        if !self.allow_remote_http
            && let Some(&open) = self
                .http
                .iter()
                .find(|address| !address.ip().to_canonical().is_loopback())
        {
            return Err(BindError::RemoteHttp(open));
        }
        if let (Some(&address), None) = (self.https.first(), &self.tls) {
            return Err(BindError::NoCertificate(address));
        }
        Ok(Bound {
            http: listen("HTTP", &self.http)?,
            https: listen("HTTPS", &self.https)?,
            metrics: listen("metrics", &self.metrics)?,
            tls: self.tls.clone().map(|config| Acceptor(config.into())),
            room: CONNECTIONS_MAX,
            each: 0,
            conduct: Conduct::default(),
            proxies: Proxies::default(),
            tally: Arc::default(),
            deaf: handshake::Listener::default(),
        })
    }
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect()
}

impl Bound {
    /// Addresses of plain HTTP, with the real ports.
    #[must_use]
    pub fn http(&self) -> Vec<SocketAddr> {
        addresses(&self.http)
    }

    /// Addresses of HTTPS, with the real ports.
    #[must_use]
    pub fn https(&self) -> Vec<SocketAddr> {
        addresses(&self.https)
    }

    /// Addresses of the metrics, with the real ports.
    #[must_use]
    pub fn metrics(&self) -> Vec<SocketAddr> {
        addresses(&self.metrics)
    }

    /// Another bound on open connections than [`CONNECTIONS_MAX`]; at least 1.
    #[must_use]
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.room = connections.max(1);
        self
    }

    /// Most open connections from one address; 0 is no limit.
    #[must_use]
    pub const fn connections_each(mut self, connections: usize) -> Self {
        self.each = connections;
        self
    }

    /// Another treatment of connections than the default.
    #[must_use]
    pub fn conduct(mut self, conduct: Conduct) -> Self {
        self.conduct = conduct;
        self
    }

    /// Whose word about clients counts.
    #[must_use]
    pub fn trust(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Where refusals are counted.
    #[must_use]
    pub fn count(mut self, tally: Arc<Tally>) -> Self {
        self.tally = tally;
        self
    }

    /// Who is told of TLS connections that did not come to be.
    #[must_use]
    pub fn failed_handshakes(
        mut self,
        told: impl Fn(SocketAddr, HandshakeFailure) + Send + Sync + 'static,
    ) -> Self {
        self.deaf = handshake::Listener::new(told);
        self
    }

    /// Begins to answer. `shutdown` is the one that event streams were given.
    #[must_use]
    pub fn start(self, api: &Router, metrics: &Router, shutdown: Shutdown) -> Running {
        // Handlers whose answers do not end by themselves ask for it.
        let api = &api.clone().layer(axum::Extension(shutdown.clone()));
        let room = Arc::new(Room::new(self.room, self.each));
        let conduct = Arc::new(RwLock::new(self.conduct));
        let mut listeners = JoinSet::new();
        let connections = |router: &Router| Connections {
            room: Arc::clone(&room),
            proxies: self.proxies.clone(),
            manner: Manner {
                router: router.clone(),
                shutdown: shutdown.clone(),
                conduct: Arc::clone(&conduct),
                tally: Arc::clone(&self.tally),
                deaf: self.deaf.clone(),
            },
        };
        for listener in self.http {
            listeners.spawn(connections(api).accept(listener, None));
        }
        for listener in self.https {
            listeners.spawn(connections(api).accept(listener, self.tls.clone().map(|tls| tls.0)));
        }
        for listener in self.metrics {
            listeners.spawn(connections(metrics).accept(listener, None));
        }
        Running {
            listeners,
            shutdown,
            room,
            conduct,
        }
    }
}

impl Bound {
    /// Begins to answer on HTTP and HTTPS alone, for listeners that were bound without metrics.
    #[must_use]
    pub fn start_site(self, site: &Router, shutdown: Shutdown) -> Running {
        self.start(site, &Router::new(), shutdown)
    }
}

/// Listeners that answer. Dropping it ends everything at once.
#[derive(Debug)]
pub struct Running {
    listeners: JoinSet<()>,
    shutdown: Shutdown,
    room: Arc<Room>,
    conduct: Arc<RwLock<Conduct>>,
}

impl Running {
    /// Treats connections that come from now on so, and bounds them anew as [`Bound::connections_max`] and
    /// [`Bound::connections_each`] do. Those that are open stay as they are.
    pub fn change(&self, conduct: Conduct, connections_max: usize, connections_each: usize) {
        *self.conduct.write().unwrap_or_else(PoisonError::into_inner) = conduct;
        self.room.resize(connections_max.max(1), connections_each);
    }

    /// Stops accepting, lets requests on their way finish for at most `grace`, then closes what is left.
    /// Says whether everything ended by itself.
    pub async fn stop(mut self, grace: Duration) -> bool {
        self.shutdown.begin();
        let drained = async { while self.listeners.join_next().await.is_some() {} };
        tokio::time::timeout(grace, drained).await.is_ok()
    }
}
