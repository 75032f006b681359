//! The front for connections.

use crate::Clock;
mod head;
mod sticky;

use crate::pool::{Pool, PoolSettings};
use crate::splice::splice;
use crate::{Counters, check, proxy};
use purlin_fabric::balance::{BackendId, Outcome};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sticky::Sticky;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// After an accept that failed for want of file descriptors the next would fail too.
const PAUSE: Duration = Duration::from_millis(100);

/// What a front for connections is.
#[derive(Debug, Clone)]
pub struct TcpSettings {
    pub listen: SocketAddr,
    pub pool: PoolSettings,
    /// A backend that has not accepted within this is passed over for another one.
    pub connect_timeout: Duration,
    /// A connection without an octet either way for so long is cut; an hour suits WebSockets that ping.
    pub idle: Duration,
    /// Backends tried for one connection; at least 1.
    pub attempts: u8,
    /// Connections open at a time; more wait in the kernel's queue. Each costs two sockets and 16 kB.
    pub connections_max: u32,
    /// Whether backends get a PROXY version 1 line first. They must expect it.
    pub proxy_protocol: bool,
    pub key: TcpKey,
    /// How long a client goes to the backend that it had last, whatever the algorithm; zero for not at all.
    pub stickiness: Duration,
}

/// What tells clients apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TcpKey {
    #[default]
    ClientIp,
    /// The value of a header of the first request on a connection (HTTP/1); the address where there is none. All of a
    /// connection goes to one backend.
    Header(String),
}

/// A running front. Dropping it ends listening and checks; open connections go on for as long as the runtime does.
#[derive(Debug)]
pub struct TcpFront {
    local: SocketAddr,
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: TcpSettings,
    pool: Arc<Pool>,
    counters: Arc<Counters>,
    room: Arc<Semaphore>,
    sticky: Sticky,
}

impl TcpFront {
    /// Listens and begins to check backends.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(settings: TcpSettings, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let local = listener.local_addr()?;
        let shared = Arc::new(Shared {
            pool: Pool::new(&settings.pool, clock),
            counters: Arc::new(Counters::default()),
            sticky: Sticky::new(settings.stickiness, settings.connections_max as usize),
            room: Arc::new(Semaphore::new(settings.connections_max as usize)),
            settings,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(check::watch(Arc::clone(&shared.pool)));
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            local,
            shared,
            tasks: Mutex::new(tasks),
        })
    }

    /// Where it listens: the port that was given to port 0.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    #[must_use]
    pub fn pool(&self) -> &Arc<Pool> {
        &self.shared.pool
    }

    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    /// Accepts no more and waits for open connections to end, `grace` at most. How many were left then: they are not cut,
    /// but the process may end now.
    pub async fn close(&self, grace: Duration) -> usize {
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        { tasks }.shutdown().await;
        let all = self.shared.settings.connections_max;
        // An error would mean a closed semaphore, which nobody closes.
        let _ = tokio::time::timeout(grace, self.shared.room.acquire_many(all)).await;
        all as usize - self.shared.room.available_permits()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok(permit) = Arc::clone(&shared.room).acquire_owned().await else {
            return;
        };
        let Ok((client, from)) = listener.accept().await else {
            shared.counters.full.add();
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        shared.counters.taken.add();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            serve(&shared, client, from).await;
            drop(permit);
        });
    }
}

/// One connection, from its first octet to its last.
async fn serve(shared: &Shared, mut client: TcpStream, from: SocketAddr) {
    let (key, head) = head::key(&mut client, from.ip(), &shared.settings.key).await;
    let Some((id, mut backend)) = connect(shared, key).await else {
        // Dropping the socket refuses the client.
        shared.counters.refused.add();
        return;
    };
    let open = Open {
        pool: &shared.pool,
        id,
    };
    // Small requests and answers are the rule here; waiting for more to send gains nothing.
    let _ = (client.set_nodelay(true), backend.set_nodelay(true));
    if shared.settings.proxy_protocol {
        let Ok(to) = client.local_addr() else {
            return;
        };
        if backend
            .write_all(proxy::header(from, to).as_bytes())
            .await
            .is_err()
        {
            shared.pool.report(id, Outcome::Failed);
            return;
        }
    }
    if !head.is_empty() && backend.write_all(&head).await.is_err() {
        shared.pool.report(id, Outcome::Failed);
        return;
    }
    splice(&mut client, &mut backend, shared.settings.idle).await;
    shared.sticky.heard(key, shared.pool.now());
    drop(open);
}

/// Ends the work also when its task is cut.
struct Open<'a> {
    pool: &'a Pool,
    id: BackendId,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.pool.finish(self.id, Outcome::Unknown);
    }
}

async fn connect(shared: &Shared, key: u64) -> Option<(BackendId, TcpStream)> {
    let mut tried = Vec::new();
    for _ in 0..shared.settings.attempts.max(1) {
        let known = shared.sticky.get(key, shared.pool.now());
        let known = known.filter(|(id, _)| shared.pool.keeps(*id) && !tried.contains(id));
        let (id, address) = match known {
            Some(known) => {
                shared.pool.open(known.0);
                known
            }
            None => shared.pool.choose(key, &tried)?,
        };
        if !tried.is_empty() {
            shared.counters.retried.add();
        }
        match tokio::time::timeout(shared.settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                shared.pool.report(id, Outcome::Succeeded);
                shared.sticky.put(key, id, address, shared.pool.now());
                return Some((id, stream));
            }
            Ok(Err(_)) | Err(_) => {
                shared.pool.finish(id, Outcome::Failed);
                tried.push(id);
            }
        }
    }
    None
}
