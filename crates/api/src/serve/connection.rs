//! Accepting connections and speaking HTTP/1.1 on them.

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
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

use super::Shutdown;
use crate::gate::Peer;

/// How long the headers of a request may take; also how long an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is silent before the peer is probed, how often then, and how many probes may stay
/// without an answer (RFC 9293, section 3.8.4).
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;
/// How long sent octets may stay unacknowledged, in milliseconds (RFC 5482).
const UNACKNOWLEDGED_MS: u32 = 60_000;
/// Longest request line and headers together, in octets.
const HEAD_MAX: usize = 64 << 10;
/// How long accepting rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listener gives to each of its connections.
pub(super) struct Connections {
    router: Router,
    room: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Connections {
    pub(super) fn new(router: Router, room: Arc<Semaphore>, shutdown: Shutdown) -> Self {
        Self {
            router,
            room,
            shutdown,
        }
    }

    /// Accepts until shutdown, then waits for the connections to end.
    pub(super) async fn accept(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let mut open = JoinSet::new();
        loop {
            let (stream, peer, permit) = tokio::select! {
                () = self.shutdown.wait() => break,
                next = self.next(&listener) => next,
            };
            open.spawn(speak(
                stream,
                peer,
                permit,
                tls.clone(),
                self.router.clone(),
                self.shutdown.clone(),
            ));
            while open.try_join_next().is_some() {}
        }
        drop(listener);
        while open.join_next().await.is_some() {}
    }

    /// The next connection, once there is room for it.
    async fn next(&self, listener: &TcpListener) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                // Out of descriptors, or the peer went away already: neither ends the listener.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

async fn speak(
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
    tls: Option<TlsAcceptor>,
    router: Router,
    shutdown: Shutdown,
) {
    // Answers are small; waiting for more octets would only add latency.
    let _ = stream.set_nodelay(true);
    notice_death(&stream);
    match tls {
        None => http(stream, peer, router, shutdown).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                http(stream, peer, router, shutdown).await;
            }
        }
    }
    drop(permit);
}

/// Lets the kernel end connections whose peer vanished, so that idle streams do not hold their place for ever.
/// Where an option is not to be had, the connection works without it.
fn notice_death(stream: &TcpStream) {
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE);
    let _ = sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY);
    let _ = sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES);
    let _ = sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED_MS);
}

async fn http<T>(stream: T, peer: SocketAddr, router: Router, shutdown: Shutdown)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // What goes wrong on one connection is its client's affair: the next request tells.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.wait() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn vanished_peers_are_noticed_within_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        notice_death(&stream);
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        let idle = sockopt::tcp_keepidle(&stream).unwrap();
        let probes = sockopt::tcp_keepcnt(&stream).unwrap();
        let whole = idle + sockopt::tcp_keepintvl(&stream).unwrap() * probes;
        assert_eq!(whole, Duration::from_secs(60));
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), UNACKNOWLEDGED_MS);
    }
}
