//! Joining: the member's side, which issues a certificate for a token, and the new machine's side.
//!
//! ```text
//!   new machine                                              member
//!     key, made here and kept
//!     TLS, purlin-join/1 ──────────────────────────────────► its certificate, the authority's
//!     SHA-256 of the authority = the token's pin?
//!     POST /join/v1 {token id, secret, node, request} ─────► hash, expiry, uses, whose name
//!     certificate, authority, configuration  ◄────────────── used up, issued, noted: one transaction
//! ```

use crate::authority::{Csr, Issued};
use crate::call::{Dial, dial, post, read};
use crate::certificate::Validity;
use crate::clock::Clock;
use crate::files::Identity;
use crate::mesh::{Mesh, MeshError, Notice};
use crate::octets;
use crate::peer::Serial;
use crate::refusal::Refusal;
use crate::tls;
use crate::token::JoinToken;
use crate::words::words;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json, Router};
use purlin_types::NodeId;
use rcgen::KeyPair;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const PATH: &str = "/join/v1";
/// For the member to answer: it asks the store twice.
const PATIENCE: Duration = Duration::from_secs(15);
/// Requests that are looked at together; everybody else waits.
const AT_ONCE: usize = 4;

/// What only the composition root knows about who may join, and as what.
pub trait Admission: Send + Sync + fmt::Debug {
    /// Why no node of this id can join now: one is alive, for instance.
    fn taken(&self, id: &NodeId) -> Option<Refusal>;

    /// The configuration that the new node runs with, at the address where others reach it.
    fn configuration(&self, id: &NodeId, address: IpAddr) -> Value;
}

/// What the new machine wishes.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Its node id; needed where the token is for any node.
    pub node: Option<NodeId>,
    /// Where other nodes reach it; else the address that it reaches the member from.
    pub address: Option<IpAddr>,
    pub clock: Clock,
}

/// What joining gave.
#[derive(Debug, Clone)]
pub struct Joined {
    pub identity: Identity,
    /// What the node runs with.
    pub configuration: Value,
    /// Where other nodes reach it.
    pub address: IpAddr,
    /// The member that let it in.
    pub member: SocketAddr,
}

/// Why a machine did not join.
#[derive(Debug, Error)]
pub enum JoinError {
    #[error("no member of the cluster is reached: {}", .0.join("; "))]
    Unreachable(Vec<String>),
    #[error("{at} is not trusted: {cause}")]
    Untrusted { at: SocketAddr, cause: String },
    #[error("{0}")]
    Refused(Refusal),
    #[error("{at} answered nothing that can be read: {cause}")]
    Broken { at: SocketAddr, cause: String },
    #[error(transparent)]
    Own(#[from] MeshError),
}

#[derive(Serialize, Deserialize)]
struct Request {
    token: String,
    secret: String,
    node: Option<String>,
    address: IpAddr,
    csr: String,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    node: String,
    certificate: String,
    authority: String,
    serial: String,
    validity: Validity,
    configuration: Value,
}

#[derive(Clone)]
struct Door {
    mesh: Mesh,
    admission: Arc<dyn Admission>,
    room: Arc<Semaphore>,
}

/// The member's side.
pub(crate) fn routes(mesh: Mesh, admission: Arc<dyn Admission>) -> Router {
    let door = Door {
        mesh,
        admission,
        room: Arc::new(Semaphore::new(AT_ONCE)),
    };
    Router::new()
        .route(PATH, axum::routing::post(admit))
        .with_state(door)
}

async fn admit(
    State(door): State<Door>,
    Extension(from): Extension<SocketAddr>,
    Json(request): Json<Request>,
) -> Result<Json<Answer>, Refusal> {
    let _permit = door.room.acquire().await;
    let told = &door.mesh.0.setup.told;
    let answer = door.judge(&request).await;
    match &answer {
        Ok(answer) => told(&Notice::Joined {
            node: NodeId::parse(&answer.node).expect("it was parsed before"),
            from,
            token: request.token,
        }),
        Err(refusal) => told(&Notice::Refused {
            from,
            why: format!("it cannot join: {refusal}"),
        }),
    }
    answer.map(Json)
}

impl Door {
    async fn judge(&self, request: &Request) -> Result<Answer, Refusal> {
        let node = request.node.as_deref().map(NodeId::parse).transpose();
        let node = node.map_err(|cause| bad(cause.to_string()))?;
        let csr =
            Csr::read(&request.csr).map_err(|cause| bad(format!("the request is unusable: {cause}")))?;
        let tokens = self.mesh.tokens();
        let (id, secret) = (request.token.clone(), request.secret.clone());
        // Before the token is used up: a name that is taken must not cost it.
        let named = tokens.check(&id, &secret, node.clone()).await.map_err(away)??;
        if let Some(refusal) = self.admission.taken(&named) {
            return Err(refusal);
        }
        let authority = self.mesh.authority().await.map_err(away)?;
        let pem = authority.pem().to_owned();
        let redeemed = tokens.redeem(authority, id, secret, node, csr).await;
        let (node, issued): (NodeId, Issued) = redeemed.map_err(away)??;
        Ok(Answer {
            configuration: self.admission.configuration(&node, request.address),
            node: node.to_string(),
            certificate: issued.pem,
            authority: pem,
            serial: issued.serial.to_string(),
            validity: issued.validity,
        })
    }
}

fn bad(what: String) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, what, "purlin join --help")
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function of map_err"
)]
fn away(cause: MeshError) -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        format!("the member cannot look after it now: {cause}"),
        "see that member's log, then try again: the token still works",
    )
}

/// The new machine's side: shows the token to the members it names, one after the other, until one answers.
///
/// # Errors
/// See [`JoinError`]. A refusal is final; whoever is not reached or not trusted is passed over.
pub async fn join(token: &JoinToken, wish: &Wish) -> Result<Joined, JoinError> {
    let key = KeyPair::generate().map_err(MeshError::from)?;
    let (mut tried, mut untrusted) = (Vec::new(), None);
    for &at in &token.addresses {
        match ask(at, token, wish, &key).await {
            Err(JoinError::Unreachable(why)) => tried.extend(why),
            Err(JoinError::Untrusted { at, cause }) => untrusted = Some((at, cause)),
            done => return done,
        }
    }
    match untrusted {
        Some((at, cause)) => Err(JoinError::Untrusted { at, cause }),
        None => Err(JoinError::Unreachable(tried)),
    }
}

async fn ask(at: SocketAddr, token: &JoinToken, wish: &Wish, key: &KeyPair) -> Result<Joined, JoinError> {
    let tls = tls::joiner(token.pin, &wish.clock)?;
    let (mut sender, own) = dial(at, tls).await.map_err(|failed| match failed {
        Dial::Away(cause) => JoinError::Unreachable(vec![format!("{at}: {cause}")]),
        Dial::Untrusted(cause) => JoinError::Untrusted { at, cause },
    })?;
    let broken = |cause: String| JoinError::Broken { at, cause };
    let address = wish.address.unwrap_or(own);
    let request = Request {
        token: token.id.clone(),
        secret: octets::hex(&token.secret),
        node: wish.node.as_ref().map(NodeId::to_string),
        address,
        csr: Csr::text(key).map_err(MeshError::from)?,
    };
    let body = serde_json::to_value(&request).expect("texts are JSON");
    let request = post(at, PATH, &body).map_err(|cause| broken(cause.to_string()))?;
    let answered = timeout(PATIENCE, async {
        let response = sender.send_request(request).await;
        read(response.map_err(|cause| words(&cause))?).await
    });
    let late = || broken(format!("no answer within {} s", PATIENCE.as_secs()));
    let (status, body) = answered.await.map_err(|_| late())?.map_err(broken)?;
    if status >= 400 {
        return Err(JoinError::Refused(Refusal::read(status, &body)));
    }
    let answer: Answer = serde_json::from_slice(&body).map_err(|cause| broken(cause.to_string()))?;
    let id = NodeId::parse(&answer.node).map_err(|cause| broken(cause.to_string()))?;
    Ok(Joined {
        identity: Identity {
            id,
            key: key.serialize_pem(),
            certificate: answer.certificate,
            authority: answer.authority,
            serial: Serial::read(&answer.serial),
            validity: answer.validity,
        },
        configuration: answer.configuration,
        address,
        member: at,
    })
}

impl JoinError {
    /// What helps.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Unreachable(_) => {
                "see whether the members run and their cluster.peer_port (TCP) is open to this machine".to_owned()
            }
            Self::Untrusted { .. } => {
                "make the token on the cluster that runs now; if it was, somebody else answers at that address"
                    .to_owned()
            }
            Self::Refused(refusal) => refusal.fix.clone(),
            Self::Broken { .. } => format!(
                "see the member's log, and whether it runs Purlin {}; the token may be used up",
                env!("CARGO_PKG_VERSION")
            ),
            Self::Own(_) => String::new(),
        }
    }
}
