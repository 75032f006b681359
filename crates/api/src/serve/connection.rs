//! Accepting connections and speaking HTTP/1.1 on them.

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::handshake::{self, HandshakeFailure};
use super::patience::{Busy, Patient};
use super::refusal::Refusals;
use super::room::{Full, Place, Room};
use super::{Conduct, Proxies, Shutdown, Tally};
use crate::gate::{Local, Peer};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest request line and headers together, in octets.
const HEAD_MAX: usize = 64 << 10;
/// How long accepting rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener gives to each of its connections.
#[derive(Clone)]
pub(super) struct Manner {
    pub(super) router: Router,
    pub(super) shutdown: Shutdown,
    /// As it is when a connection comes.
    pub(super) conduct: Arc<RwLock<Conduct>>,
    pub(super) tally: Arc<Tally>,
    pub(super) deaf: handshake::Listener,
}

/// The connections of one listener.
pub(super) struct Connections {
    /// Of all listeners together.
    pub(super) room: Arc<Room>,
    pub(super) proxies: Proxies,
    pub(super) manner: Manner,
}

impl Connections {
    /// Accepts until shutdown, then waits for the connections to end.
    pub(super) async fn accept(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let mut open = JoinSet::new();
        let mut refusals = Refusals::default();
        loop {
            let (stream, peer) = tokio::select! {
                () = self.manner.shutdown.wait() => break,
                next = next(&listener) => next,
            };
            // A client that is told at once can go elsewhere; one that waits in the queue learns nothing.
            let place = match self.room.enter(peer.ip()) {
                Ok(place) => place,
                Err(full) => {
                    match full {
                        Full::All => self.manner.tally.closed_full(),
                        Full::Address => self.manner.tally.closed_crowded(),
                    }
                    // Telling it over TLS would take a handshake, which costs more than many a request.
                    if tls.is_none() {
                        refusals.tell(stream);
                    }
                    continue;
                }
            };
            let ends = Ends {
                peer,
                local: stream.local_addr().ok().map(Local),
                proxies: self.proxies.clone(),
            };
            open.spawn(speak(stream, ends, place, tls.clone(), self.manner.clone()));
            while open.try_join_next().is_some() {}
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }
}

/// The next connection.
async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(next) => return next,
            // Out of descriptors, or the peer went away already: neither ends the listener.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn speak(stream: TcpStream, ends: Ends, place: Place, tls: Option<TlsAcceptor>, manner: Manner) {
    let conduct = *manner.conduct.read().unwrap_or_else(PoisonError::into_inner);
    conduct.apply(&stream);
    match tls {
        None => http(stream, ends, manner, conduct).await,
        Some(tls) => {
            let why = match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    http(stream, ends, manner, conduct).await;
                    return drop(place);
                }
                Ok(Err(cause)) => HandshakeFailure::of(&cause),
                Err(_) => HandshakeFailure::Other,
            };
            manner.tally.failed_handshake();
            manner.deaf.tell(ends.peer, why);
        }
    }
    drop(place);
}

/// Both ends of a connection, for handlers.
struct Ends {
    peer: SocketAddr,
    local: Option<Local>,
    proxies: Proxies,
}

async fn http<T>(stream: T, ends: Ends, manner: Manner, conduct: Conduct)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Manner {
        router,
        shutdown,
        tally,
        ..
    } = manner;
    let busy = Busy::default();
    let stream = Patient::new(stream, conduct, busy.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        busy.begin();
        let mut request = request.map(Body::new);
        let client = ends.proxies.client(ends.peer, request.headers());
        request.extensions_mut().insert(Peer(client));
        if let Some(local) = ends.local {
            request.extensions_mut().insert(local);
        }
        let (answer, busy) = (router.clone().oneshot(request), busy.clone());
        async move { answer.await.map(|answer| busy.until_sent(answer)) }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        // Names of headers have no case (RFC 9110, section 5.1), but GRUB and the like look for `Content-Length` letter by letter.
        .title_case_headers(true)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ending(shutdown, conduct) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // What goes wrong on one connection is its client's affair; what was refused below the router is counted nowhere else.
    if ended.is_err_and(|cause| cause.is_parse()) {
        tally.refused_garbled();
    }
}

/// Returns when a connection shall take no further request.
async fn ending(shutdown: Shutdown, conduct: Conduct) {
    tokio::select! {
        () = shutdown.wait() => {}
        () = conduct.end_of_life() => {}
    }
}
