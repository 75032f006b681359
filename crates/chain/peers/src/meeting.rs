//! How two nodes meet: TLS, then each shows who it is, then both agree to be connected.
//!
//! ```text
//!   who dialled                               the other
//!        ── TCP, TLS 1.3 (ALPN purlin-peer) ──►
//!        ── hello ───────────────────────────►   judges: chain, signature, itself, limit, admission, other connection
//!   judges ◄──────────────────────── hello ──
//!        ── welcome ─────────────────────────►   seats the peer
//!   seats the peer ◄────────────── welcome ──
//! ```
//!
//! In place of each of these a farewell with the reason may come. The side that dialled agrees first: so it can choose
//! between two connections that it made, and the other only replaces one by another that is really wanted.

use crate::frame::{Frame, tidy};
use crate::hello::{Hello, Session};
use crate::shared::{Seat, Shared};
use crate::unmet::{Unmet, Why};
use crate::{Direction, frame};
use alloy_primitives::Address;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

/// How long and how much is listened to after a farewell: closing with something unread would cut the farewell off.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: u64 = 1024 * 1024;

/// A peer that is up, and its connection.
pub(crate) type Met = (Seat, TlsStream<TcpStream>);

/// Meets whoever answers a dial.
pub(crate) async fn call(
    shared: &Arc<Shared>,
    stream: TcpStream,
    expected: Option<Address>,
    exempt: bool,
) -> Result<Met, Unmet> {
    let from = stream.peer_addr()?;
    let _ = stream.set_nodelay(true);
    let (mut stream, session) = shared.tls.dial(stream, shared.network).await?;
    match calling(shared, &mut stream, session, from, expected, exempt).await {
        Ok(seat) => Ok((seat, stream)),
        Err(fault) => Err(fault.tell(&mut stream).await),
    }
}

/// Meets somebody who has dialled this node.
pub(crate) async fn answer(shared: &Arc<Shared>, stream: TcpStream, from: SocketAddr) -> Result<Met, Unmet> {
    let _ = stream.set_nodelay(true);
    let (mut stream, session) = shared.tls.accept(stream, shared.network).await?;
    match answering(shared, &mut stream, session, from).await {
        Ok(seat) => Ok((seat, stream)),
        Err(fault) => Err(fault.tell(&mut stream).await),
    }
}

async fn calling(
    shared: &Arc<Shared>,
    stream: &mut TlsStream<TcpStream>,
    session: Session,
    from: SocketAddr,
    expected: Option<Address>,
    exempt: bool,
) -> Result<Seat, Fault> {
    say_hello(shared, stream, session).await?;
    let hello = hear_hello(shared, stream, session).await?;
    if let Some(expected) = expected.filter(|id| *id != hello.id) {
        let why = format!("{expected:#x} was expected here, and {:#x} answered", hello.id);
        return Err(Fault::ours(Unmet::of(hello.id, Why::Other(why))));
    }
    shared
        .judge(&hello, Direction::Outbound, exempt)
        .map_err(Fault::ours)?;
    let _calling = Calling::begin(shared, hello.id)?;
    Frame::Welcome.write(stream).await.map_err(Fault::io)?;
    hear_welcome(stream, hello.id).await?;
    shared
        .seat(hello, Direction::Outbound, from, exempt)
        .map_err(Fault::ours)
}

async fn answering(
    shared: &Arc<Shared>,
    stream: &mut TlsStream<TcpStream>,
    session: Session,
    from: SocketAddr,
) -> Result<Seat, Fault> {
    let hello = hear_hello(shared, stream, session).await?;
    let verdict = shared.judge(&hello, Direction::Inbound, false);
    // Whoever dials a node with which he is connected, or himself, learns whom he dialled, and need not try again.
    if !matches!(&verdict, Err(unmet) if matches!(unmet.why, Why::Other(_))) {
        say_hello(shared, stream, session).await?;
    }
    verdict.map_err(Fault::ours)?;
    hear_welcome(stream, hello.id).await?;
    let seat = shared
        .seat(hello, Direction::Inbound, from, false)
        .map_err(Fault::ours)?;
    Frame::Welcome.write(stream).await.map_err(Fault::io)?;
    Ok(seat)
}

async fn say_hello(
    shared: &Shared,
    stream: &mut TlsStream<TcpStream>,
    session: Session,
) -> Result<(), Fault> {
    let octets = shared.hello.sign(shared.network, session, &*shared.identity);
    Frame::Hello(octets).write(stream).await.map_err(Fault::io)
}

async fn hear_hello(
    shared: &Shared,
    stream: &mut TlsStream<TcpStream>,
    session: Session,
) -> Result<Hello, Fault> {
    match hear(stream).await? {
        Frame::Hello(octets) => Hello::verify(&octets, shared.network, session.other())
            .map_err(|why| Fault::ours(Unmet::other(why))),
        Frame::Farewell(why) => Err(Fault::theirs(None, &why)),
        _ => Err(Fault::ours(Unmet::other("a hello was expected"))),
    }
}

async fn hear_welcome(stream: &mut TlsStream<TcpStream>, id: Address) -> Result<(), Fault> {
    match hear(stream).await? {
        Frame::Welcome => Ok(()),
        Frame::Farewell(why) => Err(Fault::theirs(Some(id), &why)),
        _ => Err(Fault::ours(Unmet::other("a welcome was expected"))),
    }
}

async fn hear(stream: &mut TlsStream<TcpStream>) -> Result<Frame, Fault> {
    Frame::read(stream).await.map_err(|error| {
        let known = matches!(
            error,
            frame::FrameError::Kind(_) | frame::FrameError::Length { .. }
        );
        let unmet = Unmet::from(error);
        if known {
            Fault::ours(unmet)
        } else {
            Fault { unmet, told: true }
        }
    })
}

/// A meeting fails, and whether the other side knows why.
struct Fault {
    unmet: Unmet,
    told: bool,
}

impl Fault {
    /// Found here: the other side is told.
    fn ours(unmet: Unmet) -> Self {
        Self { unmet, told: false }
    }

    fn io(error: std::io::Error) -> Self {
        let unmet = error.into();
        Self { unmet, told: true }
    }

    fn theirs(id: Option<Address>, why: &str) -> Self {
        let already = why == Why::Already.to_string();
        let why = match already {
            true => Why::Already,
            false => Why::Other(format!("it refused: {why}")),
        };
        let unmet = Unmet { id, why };
        Self { unmet, told: true }
    }

    async fn tell(self, stream: &mut TlsStream<TcpStream>) -> Unmet {
        if !self.told {
            let told = async {
                let why = Frame::Farewell(self.unmet.why.to_string());
                if why.write(stream).await.is_ok() {
                    let _ = stream.shutdown().await;
                    linger(stream).await;
                }
            };
            let _ = timeout(LINGER, told).await;
        }
        self.unmet
    }
}

/// Reads on for a moment, so that what was said last arrives.
pub(crate) async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = stream.take(LINGER_OCTETS);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

/// Only one dial to a node is in agreement at a time, though its addresses may be many.
struct Calling<'a> {
    shared: &'a Shared,
    id: Address,
}

impl<'a> Calling<'a> {
    fn begin(shared: &'a Shared, id: Address) -> Result<Self, Fault> {
        if shared.table().call(id) {
            Ok(Self { shared, id })
        } else {
            Err(Fault::ours(Unmet::of(id, Why::Already)))
        }
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        self.shared.table().called(self.id);
    }
}

/// Words of the other side, as they are told here.
pub(crate) fn theirs(why: &str) -> String {
    match tidy(why.as_bytes(), frame::WHY_MAX) {
        empty if empty.is_empty() => "it ended the connection".to_owned(),
        why => format!("it ended the connection: {why}"),
    }
}
