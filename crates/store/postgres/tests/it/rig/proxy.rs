//! A line between store and server that can be cut, be muted, or say something else than was said.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// What the server says does not arrive, for now.
    Mute,
    /// Everything is cut off, and nothing gets through.
    Cut,
}

/// Texts in statements and what stands there instead when they arrive.
pub(crate) type Rewrite = &'static [(&'static str, &'static str)];

#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    mode: watch::Sender<Mode>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(server: u16) -> Self {
        Self::rewriting(server, &[]).await
    }

    pub(crate) async fn rewriting(server: u16, rewrite: Rewrite) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let (mode, seen) = watch::channel(Mode::Pass);
        let task = tokio::spawn(accept(listener, server, seen, rewrite));
        Self { port, mode, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, mode: watch::Receiver<Mode>, rewrite: Rewrite) {
    while let Ok((client, _)) = listener.accept().await {
        if *mode.borrow() == Mode::Cut {
            continue;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
            continue;
        };
        // Small messages in both directions: waiting for more of them would cost forty milliseconds each time.
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (mut cut, mute) = (mode.clone(), mode.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = say(from_client, to_server, rewrite) => {}
                _ = answer(from_server, to_client, mute) => {}
                _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
            }
        });
    }
}

/// Messages of the client: a length and its rest first, then each with a letter before them.
async fn say(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, rewrite: Rewrite) -> std::io::Result<()> {
    let mut letter = None;
    loop {
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        // A statement to prepare, or to run at once.
        if let Some(b'P' | b'Q') = letter {
            for (text, other) in rewrite {
                body = replace(&body, text.as_bytes(), other.as_bytes());
            }
        }
        let mut message: Vec<u8> = letter.into_iter().collect();
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        to.write_all(&message).await?;
        letter = Some(from.read_u8().await?);
    }
}

fn replace(body: &[u8], text: &[u8], other: &[u8]) -> Vec<u8> {
    match body.windows(text.len()).position(|window| window == text) {
        Some(at) => [&body[..at], other, &body[at + text.len()..]].concat(),
        None => body.to_vec(),
    }
}

async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 || mode.wait_for(|mode| *mode != Mode::Mute).await.is_err() {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}
