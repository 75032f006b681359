//! New blocks as a server announces them over a WebSocket (`eth_subscribe`, `newHeads`).
//!
//! Only wakes the follower up earlier than its next question would: without it, or while it is broken, nothing is lost.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;
use tungstenite::{Error, Message, WebSocket};

/// How long the thread may be deaf to its end.
const READ_PATIENCE: Duration = Duration::from_millis(200);
const RETRY_AFTER: Duration = Duration::from_millis(500);
const SUBSCRIBE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;

/// Listens until it is dropped; its thread ends a moment later.
#[derive(Debug)]
pub(crate) struct Heads {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Heads {
    /// Wakes `news` at each announcement. `url` is `ws://HOST[:PORT][/PATH]`.
    pub(crate) fn listen(url: &str, news: Arc<Notify>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (url, ends) = (url.to_owned(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                // Whatever it was, the follower goes on by itself.
                let _ = follow(&url, &news, &ends);
                if !ends.load(Ordering::Relaxed) {
                    thread::park_timeout(RETRY_AFTER);
                }
            }
        });
        Self { over, thread }
    }
}

impl Drop for Heads {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

fn follow(url: &str, news: &Notify, over: &AtomicBool) -> Result<(), Error> {
    let mut socket = open(url)?;
    socket.send(Message::text(SUBSCRIBE))?;
    while !over.load(Ordering::Relaxed) {
        match socket.read() {
            Ok(Message::Text(_)) => news.notify_one(),
            Ok(Message::Close(_)) => return Ok(()),
            Ok(_) => {}
            Err(Error::Io(cause)) if is_silence(&cause) => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(())
}

fn open(url: &str) -> Result<WebSocket<TcpStream>, Error> {
    let rest = url.strip_prefix("ws://").unwrap_or(url);
    let authority = rest.split('/').next().unwrap_or_default();
    let stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(READ_PATIENCE))?;
    let socket = tungstenite::client(format!("ws://{rest}"), stream);
    let (socket, _) = socket.map_err(|cause| Error::Io(io::Error::other(cause.to_string())))?;
    Ok(socket)
}

fn is_silence(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
