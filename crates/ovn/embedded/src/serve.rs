//! The server on sockets.
//!
//! ```text
//!   connection ── messages ──► one task has the Server: takes all that waits, syncs once, then answers
//!              ◄── octets ────
//! ```
//!
//! So one look at the disk serves every client that asked meanwhile, and nothing is answered before it is there.

use crate::log::LogError;
use crate::server::{Server, SessionId};
use purlin_ovsdb::session::{Framer, Limits};
use serde_json::Value;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;

/// What a client may ask of our memory.
const LIMITS: Limits = Limits {
    message_max: 64 << 20,
    depth_max: 64,
};
/// Messages that wait for the server's task.
const WAITING: usize = 1024;
/// Answers that wait for a client that does not read; beyond, it is given up.
const UNREAD: usize = 4096;
/// Messages between two looks at the disk.
const TOGETHER: usize = 512;

enum Event {
    Came(mpsc::Sender<Vec<u8>>, tokio::sync::oneshot::Sender<SessionId>),
    Said(SessionId, Value),
    Went(SessionId),
}

/// Takes connections for a server.
#[derive(Debug, Clone)]
pub struct Door(mpsc::Sender<Event>);

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

/// Serves until every [`Door`] is closed, or the disk fails.
pub fn serve(server: Server) -> (Door, impl Future<Output = Result<(), LogError>> + Send) {
    let (sender, events) = mpsc::channel(WAITING);
    (Door(sender), run(server, events))
}

impl Door {
    /// Takes connections at a path; one that is there from an earlier life is replaced.
    ///
    /// # Errors
    /// The path's, or the socket's.
    pub fn unix(&self, path: &Path) -> io::Result<()> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (listener, door) = (UnixListener::bind(path)?, self.clone());
        tokio::spawn(async move {
            loop {
                // A connection that ends before it is taken is nobody's fault; without room for another one, wait.
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(door.clone().talk(stream))),
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Ok(())
    }

    /// Takes connections at an address; which it is, for port 0.
    ///
    /// # Errors
    /// The socket's.
    pub async fn tcp(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let (listener, door) = (TcpListener::bind(address).await?, self.clone());
        let local = listener.local_addr()?;
        tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        // Answers are small and awaited.
                        let _ = stream.set_nodelay(true);
                        drop(tokio::spawn(door.clone().talk(stream)));
                    }
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        Ok(local)
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Send) {
        let (answers, mut unread) = mpsc::channel(UNREAD);
        let (named, name) = tokio::sync::oneshot::channel();
        if self.0.send(Event::Came(answers, named)).await.is_err() {
            return;
        }
        let Ok(session) = name.await else { return };
        let (mut reader, mut writer) = tokio::io::split(stream);
        let hear = async {
            let mut framer = Framer::new(LIMITS);
            loop {
                match framer.take_frame() {
                    Ok(Some(frame)) => {
                        let Ok(message) = serde_json::from_slice(&frame) else {
                            return;
                        };
                        if self.0.send(Event::Said(session, message)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None)
                        if reader
                            .read_buf(framer.buffer())
                            .await
                            .is_ok_and(|count| count > 0) => {}
                    // The client has gone, or sends something else.
                    Ok(None) | Err(_) => return,
                }
            }
        };
        let tell = async {
            while let Some(octets) = unread.recv().await {
                if writer.write_all(&octets).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = hear => {}
            () = tell => {}
        }
        // A server that is gone has forgotten it already.
        let _ = self.0.send(Event::Went(session)).await;
    }
}

struct Shell {
    server: Server,
    clients: HashMap<SessionId, mpsc::Sender<Vec<u8>>>,
    start: Instant,
}

async fn run(server: Server, mut events: mpsc::Receiver<Event>) -> Result<(), LogError> {
    let mut shell = Shell {
        server,
        clients: HashMap::new(),
        start: Instant::now(),
    };
    loop {
        let event = match shell.server.deadline_ms() {
            None => events.recv().await,
            Some(deadline) => {
                let left = std::time::Duration::from_millis(deadline.saturating_sub(shell.now_ms()));
                match tokio::time::timeout(left, events.recv()).await {
                    Ok(event) => event,
                    Err(_) => {
                        shell.server.tick(shell.now_ms(), date_ms());
                        shell.answer()?;
                        continue;
                    }
                }
            }
        };
        let Some(event) = event else { return Ok(()) };
        shell.take(event);
        for _ in 1..TOGETHER {
            let Ok(event) = events.try_recv() else { break };
            shell.take(event);
        }
        shell.answer()?;
    }
}

impl Shell {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Came(answers, named) => {
                let session = self.server.connect();
                self.clients.insert(session, answers);
                if named.send(session).is_err() {
                    self.forget(session);
                }
            }
            Event::Said(session, message) => {
                let now = self.now_ms();
                if self.server.receive(session, &message, now, date_ms()).is_err() {
                    self.forget(session);
                }
            }
            Event::Went(session) => self.forget(session),
        }
    }

    /// The connection ends with its sender.
    fn forget(&mut self, session: SessionId) {
        self.clients.remove(&session);
        self.server.disconnect(session);
    }

    fn answer(&mut self) -> Result<(), LogError> {
        self.server.sync()?;
        for (session, messages) in self.server.outgoing() {
            let mut octets = Vec::new();
            for message in messages {
                octets.extend_from_slice(message.to_string().as_bytes());
            }
            let client = self.clients.get(&session);
            if client.is_none_or(|client| client.try_send(octets).is_err()) {
                // It does not read, or is gone.
                self.forget(session);
            }
        }
        Ok(())
    }
}

fn date_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
