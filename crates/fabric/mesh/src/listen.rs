//! The listener: who calls, in which language, with which certificate; then HTTP/1.1.
//!
//! Whoever is sent away is told why, in the language that he began with: a plain HTTP client gets an HTTP answer, an
//! older node one that it can read.

use crate::call::ANSWER_MAX;
use crate::gates::is_revoked;
use crate::join::{self, Admission};
use crate::mesh::{Inner, Mesh, Notice};
use crate::peer::Peer;
use crate::protocol::{MESH, Wanted, wanted};
use crate::refusal::Refusal;
use crate::words::words;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Json, Router};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::{StartHandshake, TlsStream};
use tower::ServiceExt;

/// Connections at once; a further one waits until another ends.
const CONNECTIONS_MAX: usize = 256;
/// For a caller to show who it is.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// A connection without a request for so long ends.
const IDLE: Duration = Duration::from_secs(120);
/// How long accepting rests after an error such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often the list of revoked certificates is read and the own certificate is looked at.
const TEND: Duration = Duration::from_secs(5);
/// The first octet of a TLS handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// A listener that answers. Dropping it ends everything at once.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

impl Serving {
    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Mesh {
    /// Answers other nodes with `routes`, whose handlers get the caller as `Extension<Peer>`, and machines with a
    /// join token as `admission` says. `/mesh/v1/hello` is there already. Also keeps the own certificate fresh.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn serve(
        &self,
        listener: std::net::TcpListener,
        routes: Router,
        admission: Arc<dyn Admission>,
    ) -> io::Result<Serving> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let doors = Doors {
            mesh: self.clone(),
            nodes: routes
                .merge(hello(self.clone()))
                .fallback(no_such_call)
                .layer(DefaultBodyLimit::max(ANSWER_MAX)),
            newcomers: join::routes(self.clone(), admission),
        };
        let tasks = [
            tokio::spawn(accept(listener, doors)),
            tokio::spawn(tend(self.clone())),
        ];
        Ok(Serving { address, tasks })
    }
}

/// Looks after certificates for as long as it is served; says once that the store is away.
async fn tend(mesh: Mesh) {
    let mut ticks = tokio::time::interval(TEND);
    let mut troubled = false;
    loop {
        ticks.tick().await;
        let outcome = mesh.tend().await;
        if let (Err(cause), false) = (&outcome, troubled) {
            (mesh.0.setup.told)(&Notice::Trouble(cause.to_string()));
        }
        troubled = outcome.is_err();
    }
}

fn hello(mesh: Mesh) -> Router {
    let route = post(async |State(mesh): State<Mesh>| -> Json<Value> {
        let Inner { setup, .. } = &*mesh.0;
        Json(json!({
            "node": setup.id.as_str(),
            "incarnation": format!("{:016x}", setup.incarnation.0),
            "version": setup.version,
            "protocol": MESH,
        }))
    });
    Router::new().route("/mesh/v1/hello", route).with_state(mesh)
}

async fn no_such_call(request: axum::extract::Request) -> Refusal {
    let what = format!("this node knows no call {}", request.uri().path());
    let fix = format!("upgrade it: it runs Purlin {}", env!("CARGO_PKG_VERSION"));
    Refusal::new(StatusCode::NOT_FOUND, what, fix)
}

/// What is behind the listener, by who calls.
#[derive(Clone)]
struct Doors {
    mesh: Mesh,
    nodes: Router,
    newcomers: Router,
}

async fn accept(listener: TcpListener, doors: Doors) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut open = JoinSet::new();
    loop {
        let permit = Arc::clone(&room).acquire_owned().await;
        let Ok((stream, from)) = listener.accept().await else {
            // Out of descriptors, or the caller went away already: neither ends the listener.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let doors = doors.clone();
        open.spawn(async move {
            doors.meet(stream, from).await;
            drop(permit);
        });
        while open.try_join_next().is_some() {}
    }
}

impl Doors {
    /// One connection from its first octet to its last.
    async fn meet(&self, stream: TcpStream, from: SocketAddr) {
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let met = timeout(HANDSHAKE, self.recognise(stream, from)).await;
        match met {
            Ok(Ok(Some((stream, router)))) => http(stream, router).await,
            Ok(Ok(None)) => {}
            Ok(Err(why)) => self.tell(from, why),
            Err(_) => self.tell(from, format!("nothing within {} s", HANDSHAKE.as_secs())),
        }
    }

    fn tell(&self, from: SocketAddr, why: String) {
        (self.mesh.0.setup.told)(&Notice::Refused { from, why });
    }

    /// Finds out who it is; `None` when there was nobody.
    async fn recognise(
        &self,
        stream: TcpStream,
        from: SocketAddr,
    ) -> Result<Option<(TlsStream<TcpStream>, Router)>, String> {
        let mut first = [0];
        if stream.peek(&mut first).await.map_err(|cause| cause.to_string())? == 0 {
            // A look whether the port is open.
            return Ok(None);
        }
        if first[0] != TLS_HANDSHAKE {
            return Err(plain(stream).await);
        }
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream)
            .await
            .map_err(|cause| words(&cause))?;
        let live = self.mesh.live();
        let offered = begun.client_hello().alpn().map(Iterator::collect::<Vec<_>>);
        match wanted(offered.unwrap_or_default().into_iter()) {
            Wanted::Mesh => {
                let stream = finish(begun, Arc::clone(&live.mesh)).await?;
                let peer = peer_of(&stream).ok_or("its certificate names no node")?;
                Ok(Some((stream, self.for_node(peer))))
            }
            Wanted::Join => {
                let stream = finish(begun, Arc::clone(&live.open)).await?;
                let router = self.newcomers.clone().layer(axum::Extension(from));
                Ok(Some((stream, router)))
            }
            Wanted::Other(version) => {
                self.tell(from, format!("it speaks {version}, this node {MESH}"));
                let stream = finish(begun, live.in_words(Some(&version))).await?;
                Ok(Some((stream, says(other_version(&version)))))
            }
            Wanted::Stranger(offered) => {
                self.tell(from, "it is no node: it offers no language of nodes".to_owned());
                let stream = finish(begun, live.in_words(offered.as_deref())).await?;
                Ok(Some((stream, says(stranger()))))
            }
        }
    }

    /// The routes for one node, as long as its certificate is not revoked.
    fn for_node(&self, peer: Peer) -> Router {
        let (mesh, serial) = (self.mesh.clone(), peer.serial.clone());
        let still = axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                let revoked = is_revoked(&mesh.0.revoked, &serial);
                async move {
                    if revoked {
                        removed().into_response()
                    } else {
                        next.run(request).await
                    }
                }
            },
        );
        self.nodes.clone().layer(still).layer(axum::Extension(peer))
    }
}

async fn finish(
    begun: StartHandshake<TcpStream>,
    config: Arc<ServerConfig>,
) -> Result<TlsStream<TcpStream>, String> {
    begun.into_stream(config).await.map_err(|cause| words(&cause))
}

fn peer_of(stream: &TlsStream<TcpStream>) -> Option<Peer> {
    Peer::read(stream.get_ref().1.peer_certificates()?.first()?)
}

/// Answers every request in the same words.
fn says(refusal: Refusal) -> Router {
    Router::new().fallback(move || {
        let refusal = refusal.clone();
        async move { refusal }
    })
}

fn other_version(theirs: &str) -> Refusal {
    Refusal::new(
        StatusCode::UPGRADE_REQUIRED,
        format!("this node speaks {MESH}, the caller {theirs}"),
        format!(
            "run the same version of Purlin on all nodes; this one runs {}",
            env!("CARGO_PKG_VERSION")
        ),
    )
}

fn stranger() -> Refusal {
    Refusal::new(
        StatusCode::MISDIRECTED_REQUEST,
        "on this port nodes of a Purlin cluster call each other",
        "ask the node's API instead: api.https, 8081 by default",
    )
}

fn removed() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "this node's certificate is revoked: the node was removed from the cluster",
        "start the node again to join anew",
    )
}

/// Answers somebody who does not speak TLS, in HTTP, which most do.
async fn plain(mut stream: TcpStream) -> String {
    let body = stranger().text();
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // What was said is taken in first: closing with it unread would cut the answer off.
    let mut said = vec![0; 4096];
    let _ = stream.try_read(&mut said);
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    "it does not speak TLS".to_owned()
}

async fn http(stream: TlsStream<TcpStream>, router: Router) {
    let service =
        service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .serve_connection(TokioIo::new(stream), service);
    // What goes wrong on one connection is its caller's affair.
    let _ = connection.await;
}
