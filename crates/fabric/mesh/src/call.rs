//! Calling another node: one JSON question, one JSON answer, over a connection that is used again.

use crate::mesh::MeshError;
use crate::refusal::Refusal;
use crate::tls::Live;
use crate::words::words;
use axum::body::{Body, to_bytes};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use purlin_types::NodeId;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// For a connection to be made, certificates included.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);
/// For an answer, unless the caller says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer, in octets.
pub(crate) const ANSWER_MAX: usize = 8 << 20;
/// Connections to one node that are kept while nobody uses them.
const KEPT: usize = 4;
/// A connection is not used again after this, so that certificates are looked at now and then.
const LIFE: Duration = Duration::from_secs(600);

/// Why a call did not give an answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// Nobody answers there.
    #[error("{node} is not reached at {at}: {cause}")]
    Unreachable {
        node: NodeId,
        at: SocketAddr,
        cause: String,
    },
    /// Somebody answers who is not believed, or who does not believe this node.
    #[error("the node at {at} is not {node} for sure: {cause}")]
    Untrusted {
        node: NodeId,
        at: SocketAddr,
        cause: String,
    },
    /// It did not answer in time. Whether it did what was asked is not known.
    #[error("{node} did not answer within {} s", .after.as_secs())]
    Late { node: NodeId, after: Duration },
    /// It understood and declined.
    #[error("{node}: {refusal}")]
    Refused { node: NodeId, refusal: Refusal },
    /// The connection broke, or the answer is none. Whether it did what was asked is not known.
    #[error("{node} answered nothing that can be read: {cause}")]
    Broken { node: NodeId, cause: String },
    /// This node's own certificate cannot be used.
    #[error(transparent)]
    Own(#[from] MeshError),
}

struct Kept {
    sender: SendRequest<Body>,
    born: Instant,
}

/// Connections that wait to be used again.
#[derive(Default)]
pub(crate) struct Lines(Mutex<HashMap<(SocketAddr, NodeId), Vec<Kept>>>);

/// Whom to ask what.
pub(crate) struct Question<'a> {
    pub(crate) at: SocketAddr,
    pub(crate) node: &'a NodeId,
    pub(crate) path: &'a str,
    pub(crate) body: &'a Value,
    pub(crate) patience: Duration,
}

impl Lines {
    /// Forgets all connections: the certificates they were made with have changed.
    pub(crate) fn forget(&self) {
        self.0.lock().expect("no thread panics with it").clear();
    }

    fn take(&self, key: &(SocketAddr, NodeId)) -> Option<Kept> {
        let mut all = self.0.lock().expect("no thread panics with it");
        let kept = all.get_mut(key)?;
        while let Some(one) = kept.pop() {
            if !one.sender.is_closed() && one.sender.is_ready() && one.born.elapsed() < LIFE {
                return Some(one);
            }
        }
        None
    }

    fn keep(&self, key: (SocketAddr, NodeId), one: Kept) {
        let mut all = self.0.lock().expect("no thread panics with it");
        let kept = all.entry(key).or_default();
        if kept.len() < KEPT {
            kept.push(one);
        }
    }

    pub(crate) async fn ask(
        &self,
        live: &Live,
        tls: impl Fn(&Live) -> Result<Arc<ClientConfig>, MeshError>,
        question: &Question<'_>,
    ) -> Result<Value, CallError> {
        let late = || CallError::Late {
            node: question.node.clone(),
            after: question.patience,
        };
        let whole = self.ask_untimed(live, tls, question);
        tokio::time::timeout(question.patience, whole)
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    async fn ask_untimed(
        &self,
        live: &Live,
        tls: impl Fn(&Live) -> Result<Arc<ClientConfig>, MeshError>,
        question: &Question<'_>,
    ) -> Result<Value, CallError> {
        let key = (question.at, question.node.clone());
        let mut request = request(question)?;
        // A kept connection may have been closed meanwhile. What was not sent on it goes out on a new one.
        while let Some(mut kept) = self.take(&key) {
            match kept.sender.try_send_request(request).await {
                Ok(response) => return self.answered(key, kept, response, question).await,
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(broken(question, &failed.into_error())),
                },
            }
        }
        let sender = connect(question, tls(live)?).await?;
        let mut fresh = Kept {
            sender,
            born: Instant::now(),
        };
        // A server that refuses the certificate says so only now: in TLS 1.3 the client is through before it is judged.
        let response = fresh.sender.send_request(request).await;
        let response = response.map_err(|cause| first_answer(question, &cause))?;
        self.answered(key, fresh, response, question).await
    }

    async fn answered(
        &self,
        key: (SocketAddr, NodeId),
        kept: Kept,
        response: Response<Incoming>,
        question: &Question<'_>,
    ) -> Result<Value, CallError> {
        let (status, body) = read(response).await.map_err(|cause| CallError::Broken {
            node: question.node.clone(),
            cause,
        })?;
        self.keep(key, kept);
        if status >= 400 {
            return Err(CallError::Refused {
                node: question.node.clone(),
                refusal: Refusal::read(status, &body),
            });
        }
        parse(&body).map_err(|cause| CallError::Broken {
            node: question.node.clone(),
            cause,
        })
    }
}

fn parse(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|cause| format!("no JSON: {cause}"))
}

/// Status and body of an answer, whole.
pub(crate) async fn read(response: Response<Incoming>) -> Result<(u16, Vec<u8>), String> {
    let status = response.status().as_u16();
    let body = to_bytes(Body::new(response.into_body()), ANSWER_MAX).await;
    body.map(|octets| (status, octets.to_vec()))
        .map_err(|cause| format!("the answer broke off, or is longer than {ANSWER_MAX} octets: {cause}"))
}

fn request(question: &Question<'_>) -> Result<Request<Body>, CallError> {
    post(question.at, question.path, question.body).map_err(|cause| CallError::Broken {
        node: question.node.clone(),
        cause: format!("{} is no path: {cause}", question.path),
    })
}

pub(crate) fn post(at: SocketAddr, path: &str, body: &Value) -> Result<Request<Body>, hyper::http::Error> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, at.to_string())
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
}

async fn connect(question: &Question<'_>, tls: Arc<ClientConfig>) -> Result<SendRequest<Body>, CallError> {
    let (node, at) = (question.node, question.at);
    match dial(at, tls).await {
        Ok((sender, _)) => Ok(sender),
        Err(Dial::Away(cause)) => Err(CallError::Unreachable {
            node: node.clone(),
            at,
            cause,
        }),
        Err(Dial::Untrusted(cause)) => Err(CallError::Untrusted {
            node: node.clone(),
            at,
            cause,
        }),
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Dial {
    Away(String),
    Untrusted(String),
}

/// A connection, and this machine's own address on it.
pub(crate) async fn dial(
    at: SocketAddr,
    tls: Arc<ClientConfig>,
) -> Result<(SendRequest<Body>, IpAddr), Dial> {
    tokio::time::timeout(CONNECT, dial_untimed(at, tls))
        .await
        .unwrap_or_else(|_| Err(Dial::Away(format!("no answer within {} s", CONNECT.as_secs()))))
}

async fn dial_untimed(at: SocketAddr, tls: Arc<ClientConfig>) -> Result<(SendRequest<Body>, IpAddr), Dial> {
    let away = |cause: std::io::Error| Dial::Away(cause.to_string());
    let stream = TcpStream::connect(at).await.map_err(away)?;
    // Questions are small and waited for.
    let _ = stream.set_nodelay(true);
    let own = stream.local_addr().map_err(away)?.ip();
    let name = ServerName::IpAddress(at.ip().into());
    let stream = TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .map_err(|cause| Dial::Untrusted(words(&cause)))?;
    let (sender, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|cause| Dial::Away(words(&cause)))?;
    // What goes wrong on it reaches whoever waits for an answer.
    tokio::spawn(connection);
    Ok((sender, own))
}

/// The first request on a connection failed: mostly because the other side did not take the certificate.
fn first_answer(question: &Question<'_>, cause: &hyper::Error) -> CallError {
    CallError::Untrusted {
        node: question.node.clone(),
        at: question.at,
        cause: words(cause),
    }
}

fn broken(question: &Question<'_>, cause: &hyper::Error) -> CallError {
    CallError::Broken {
        node: question.node.clone(),
        cause: words(cause),
    }
}
