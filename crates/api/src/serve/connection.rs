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
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::patience::{Busy, Patient};
use super::{Conduct, Proxies, Shutdown, Tally};
use crate::gate::{Local, Peer};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest request line and headers together, in octets.
const HEAD_MAX: usize = 64 << 10;
/// How long accepting rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener gives to each of its connections.
pub(super) struct Connections {
    pub(super) router: Router,
    /// Places of all listeners together. A listener that waits for a client holds none.
    pub(super) room: Arc<Semaphore>,
    pub(super) shutdown: Shutdown,
    pub(super) conduct: Conduct,
    pub(super) proxies: Proxies,
    pub(super) tally: Arc<Tally>,
}

impl Connections {
    /// Accepts until shutdown, then waits for the connections to end.
    pub(super) async fn accept(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let mut open = JoinSet::new();
        loop {
            let (stream, peer) = tokio::select! {
                () = self.shutdown.wait() => break,
                next = next(&listener) => next,
            };
            // A client that is told at once can go elsewhere; one that waits in the queue learns nothing.
            let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
                self.tally.closed_full();
                continue;
            };
            let (router, shutdown) = (self.router.clone(), self.shutdown.clone());
            let ends = Ends {
                peer,
                local: stream.local_addr().ok().map(Local),
                proxies: self.proxies.clone(),
            };
            open.spawn(speak(
                stream,
                ends,
                permit,
                tls.clone(),
                router,
                shutdown,
                self.conduct,
            ));
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

async fn speak(
    stream: TcpStream,
    ends: Ends,
    permit: OwnedSemaphorePermit,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: Shutdown,
    conduct: Conduct,
) {
    conduct.apply(&stream);
    match tls {
        None => http(stream, ends, router, shutdown, conduct).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                http(stream, ends, router, shutdown, conduct).await;
            }
        }
    }
    drop(permit);
}

/// Both ends of a connection, for handlers.
struct Ends {
    peer: SocketAddr,
    local: Option<Local>,
    proxies: Proxies,
}

async fn http<T>(stream: T, ends: Ends, router: Router, shutdown: Shutdown, conduct: Conduct)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // What goes wrong on one connection is its client's affair: the next request tells.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.wait() => connection.as_mut().graceful_shutdown(),
        () = conduct.end_of_life() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
