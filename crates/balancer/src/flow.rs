//! The datagrams of one client between a front and one backend.

use crate::pool::Pool;
use purlin_fabric::balance::{BackendId, Outcome};
use purlin_types::BootTime;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// The longest datagram of UDP over IPv4.
pub(crate) const DATAGRAM_MAX: usize = 65_507;

/// One client at one backend. Ends its task and its open work when dropped.
#[derive(Debug)]
pub(crate) struct Flow {
    pool: Arc<Pool>,
    pub(crate) backend: BackendId,
    /// Last datagram of the client.
    pub(crate) heard: BootTime,
    /// First datagram of the client that no answer has followed, and how many there are by now.
    asked: Option<(BootTime, u32)>,
    line: Line,
}

#[derive(Debug)]
enum Line {
    /// Answers do not come here.
    Direct {
        to: SocketAddr,
    },
    Through {
        wire: Arc<Wire>,
        answers: AbortHandle,
    },
}

/// A socket of the flow's own, which is how answers find their client.
#[derive(Debug)]
struct Wire {
    socket: UdpSocket,
    /// Where the client's next datagram goes.
    peer: Mutex<SocketAddr>,
    /// When the backend last answered, nanoseconds of [`BootTime`]; 0 for never.
    answered: AtomicU64,
    /// The kernel said that nobody listens there.
    refused: AtomicBool,
}

impl Flow {
    /// A flow whose answers go past the front.
    pub(crate) fn direct(pool: &Arc<Pool>, backend: BackendId, to: SocketAddr) -> Self {
        Self {
            pool: Arc::clone(pool),
            backend,
            heard: pool.now(),
            asked: None,
            line: Line::Direct { to },
        }
    }

    /// A flow whose answers leave from `front` to `client`. With `follow_port` they may come from any port of the backend,
    /// and the client's next datagrams go to that port.
    pub(crate) async fn through(
        pool: &Arc<Pool>,
        backend: BackendId,
        to: SocketAddr,
        client: SocketAddr,
        front: &Arc<UdpSocket>,
        follow_port: bool,
    ) -> io::Result<Self> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        if !follow_port {
            // A connected socket hears only its peer, and learns at once when that has no such port open.
            socket.connect(to).await?;
        }
        let wire = Arc::new(Wire {
            socket,
            peer: Mutex::new(to),
            answered: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        });
        let task = answers(
            Arc::clone(pool),
            backend,
            Arc::clone(&wire),
            client,
            Arc::clone(front),
        );
        Ok(Self {
            pool: Arc::clone(pool),
            backend,
            heard: pool.now(),
            asked: None,
            line: Line::Through {
                wire,
                answers: tokio::spawn(task).abort_handle(),
            },
        })
    }

    /// Sends a datagram of the client's on. Datagrams of one client leave in the order in which they came.
    pub(crate) async fn send(&mut self, datagram: &[u8], front: &UdpSocket, now: BootTime) -> io::Result<()> {
        self.heard = now;
        match &self.line {
            Line::Direct { to } => front.send_to(datagram, to).await.map(drop),
            Line::Through { wire, .. } => {
                let answered = wire.answered();
                let open = self.asked.filter(|(first, _)| answered < *first);
                self.asked = Some(open.map_or((now, 1), |(first, count)| (first, count.saturating_add(1))));
                let peer = wire.peer();
                if wire.socket.peer_addr().is_ok() {
                    wire.socket.send(datagram).await.map(drop)
                } else {
                    wire.socket.send_to(datagram, peer).await.map(drop)
                }
            }
        }
    }

    /// Whether the kernel said that nobody listens at the backend's port. The backend's record has it already.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(&self.line, Line::Through { wire, .. } if wire.refused.load(Ordering::Relaxed))
    }

    /// Whether a client that asks once more has been left without an answer for `patience`. The last word of a
    /// conversation needs none: where there were answers before, one open question is not held against the backend.
    pub(crate) fn is_unanswered(&self, patience: Duration, now: BootTime) -> bool {
        let (Line::Through { wire, .. }, Some((first, count))) = (&self.line, self.asked) else {
            return false;
        };
        let answered = wire.answered();
        let enough = if answered == BootTime(0) { 1 } else { 2 };
        answered < first && count >= enough && now.millis_since(first) >= patience.as_millis() as u64
    }

    /// Says that the backend failed this client.
    pub(crate) fn fail(self) {
        self.pool.report(self.backend, Outcome::Failed);
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        if let Line::Through { answers, .. } = &self.line {
            answers.abort();
        }
        self.pool.finish(self.backend, Outcome::Unknown);
    }
}

impl Wire {
    fn answered(&self) -> BootTime {
        BootTime(self.answered.load(Ordering::Relaxed))
    }

    /// Whether a datagram is the backend's; the client's next ones go where it came from.
    fn follow(&self, from: SocketAddr) -> bool {
        let mut peer = self.peer.lock().unwrap_or_else(PoisonError::into_inner);
        let is_ours = from.ip() == peer.ip();
        if is_ours {
            *peer = from;
        }
        is_ours
    }

    fn peer(&self) -> SocketAddr {
        *self.peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries answers to the client for as long as the flow lives.
async fn answers(
    pool: Arc<Pool>,
    backend: BackendId,
    wire: Arc<Wire>,
    client: SocketAddr,
    front: Arc<UdpSocket>,
) {
    loop {
        // Room for the longest datagram only while there is one: most flows wait most of the time.
        let readable = wire.socket.readable().await;
        let mut buffer = vec![0; DATAGRAM_MAX];
        let received = readable.and_then(|()| wire.socket.try_recv_from(&mut buffer));
        let (length, from) = match received {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => {
                wire.refused.store(true, Ordering::Relaxed);
                pool.report(backend, Outcome::Failed);
                return;
            }
        };
        if !wire.follow(from) {
            continue;
        }
        if wire.answered.swap(pool.now().0, Ordering::Relaxed) == 0 {
            pool.report(backend, Outcome::Succeeded);
        }
        // A client that cannot be reached any more asks no more: the flow lapses.
        let _ = front.send_to(&buffer[..length], client).await;
    }
}
