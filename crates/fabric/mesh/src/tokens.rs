//! Join tokens in the cluster's store: made, listed, revoked, used up once.

use crate::authority::{Authority, Csr, Issued};
use crate::books::{self, Books, TOKEN};
use crate::clock::Clock;
use crate::mesh::MeshError;
use crate::octets;
use crate::refusal::Refusal;
use crate::token::JoinToken;
use axum::http::StatusCode;
use purlin_store::{Batch, Expectation, RecordError, Records};
use purlin_types::{NodeId, WallTime};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a token that is over is remembered, so that its holder is told what happened: a week.
const REMEMBERED: u64 = 7 * 86_400;

/// The tokens of a cluster. Clones share them.
#[derive(Debug, Clone)]
pub struct Tokens {
    books: Books,
    pub(crate) clock: Clock,
    me: NodeId,
}

/// What a token is made for.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The only node that may use it; any, when there is none.
    pub node: Option<NodeId>,
    pub lasting: Duration,
    /// Members that can be asked, the best first.
    pub addresses: Vec<SocketAddr>,
}

/// A token as people see it: everything but the secret. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenView {
    pub id: String,
    /// `open`, `used`, `expired` or `revoked`.
    pub state: &'static str,
    /// The only node that may use it.
    pub node: Option<String>,
    pub created: u64,
    pub expires: u64,
    /// The node that used it.
    pub used_by: Option<String>,
}

/// A row of `mesh.token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    /// SHA-256 of the secret. It has 160 random bits: nothing slower is needed.
    hash: String,
    node: Option<String>,
    created: u64,
    expires: u64,
    /// The node that made it.
    by: String,
    used_by: Option<String>,
    revoked: bool,
}

/// What somebody shows who wants to join.
struct Claim<'a> {
    secret: &'a str,
    node: Option<&'a NodeId>,
}

impl Tokens {
    pub(crate) fn new(books: Books, clock: Clock, me: NodeId) -> Self {
        Self { books, clock, me }
    }

    /// Makes a token that works once. An open one for the same node ends with that.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn create(&self, pin: [u8; 32], offer: Offer) -> Result<(JoinToken, TokenView), MeshError> {
        let now = secs(self.clock.now());
        let token = JoinToken::make(pin, offer.addresses);
        let stored = Stored {
            hash: octets::hex(&octets::sha256(&token.secret)),
            node: offer.node.as_ref().map(NodeId::to_string),
            created: now,
            expires: now + offer.lasting.as_secs(),
            by: self.me.to_string(),
            used_by: None,
            revoked: false,
        };
        let view = stored.view(&token.id, now);
        let key = token.id.clone().into_bytes();
        self.books
            .with(move |records| {
                let mut batch = Batch::default();
                for (other, row) in books::all(records, TOKEN, b"")? {
                    let old: Stored = books::read(&row, TOKEN)?;
                    if old.expires + REMEMBERED < now {
                        batch = batch.delete(TOKEN, other);
                    } else if stored.node.is_some() && old.node == stored.node && old.is_open(now) {
                        let ended = Stored { revoked: true, ..old };
                        batch = batch.put(TOKEN, other, books::json(&ended));
                    }
                }
                records.commit(batch.put(TOKEN, key, books::json(&stored)))?;
                Ok(())
            })
            .await?;
        Ok((token, view))
    }

    /// All that are remembered, by id.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self) -> Result<Vec<TokenView>, MeshError> {
        let now = secs(self.clock.now());
        self.books
            .with(move |records| {
                let rows = books::all(records, TOKEN, b"")?;
                rows.iter()
                    .map(|(key, row)| {
                        let stored: Stored = books::read(row, TOKEN)?;
                        Ok(stored.view(&String::from_utf8_lossy(key), now))
                    })
                    .collect()
            })
            .await
    }

    /// Ends a token; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn revoke(&self, id: &str) -> Result<Option<TokenView>, MeshError> {
        let (id, now) = (id.to_owned(), secs(self.clock.now()));
        self.books
            .with(move |records| {
                let Some((stored, row)) = find(records, &id)? else {
                    return Ok(None);
                };
                let ended = Stored {
                    revoked: stored.used_by.is_none(),
                    ..stored
                };
                let batch = Batch::default()
                    .expect(TOKEN, id.as_bytes(), Expectation::Value(row))
                    .put(TOKEN, id.as_bytes(), books::json(&ended));
                records.commit(batch)?;
                Ok(Some(ended.view(&id, now)))
            })
            .await
    }

    /// Which node a token would make of its holder, without using it up.
    pub(crate) async fn check(
        &self,
        id: &str,
        secret: &str,
        node: Option<NodeId>,
    ) -> Result<Result<NodeId, Refusal>, MeshError> {
        let (id, secret, now) = (id.to_owned(), secret.to_owned(), secs(self.clock.now()));
        self.books
            .with(move |records| {
                let claim = Claim {
                    secret: &secret,
                    node: node.as_ref(),
                };
                let found = find(records, &id)?;
                Ok(found.map_or_else(|| Err(unknown()), |(stored, _)| stored.judge(&claim, now)))
            })
            .await
    }

    /// Uses a token up and issues the certificate that it stands for, both in one transaction.
    pub(crate) async fn redeem(
        &self,
        authority: Authority,
        id: String,
        secret: String,
        node: Option<NodeId>,
        csr: Csr,
    ) -> Result<Result<(NodeId, Issued), Refusal>, MeshError> {
        let (now, me) = (self.clock.now(), self.me.clone());
        self.books
            .with(move |records| {
                let claim = Claim {
                    secret: &secret,
                    node: node.as_ref(),
                };
                let found = find(records, &id)?;
                let (stored, row, node) = match found {
                    None => return Ok(Err(unknown())),
                    Some((stored, row)) => match stored.judge(&claim, secs(now)) {
                        Ok(node) => (stored, row, node),
                        Err(refusal) => return Ok(Err(refusal)),
                    },
                };
                let issued = authority.issue(&node, &csr, now)?;
                let used = Stored {
                    used_by: Some(node.to_string()),
                    ..stored
                };
                let batch = Batch::default()
                    .expect(TOKEN, id.as_bytes(), Expectation::Value(row))
                    .put(TOKEN, id.as_bytes(), books::json(&used));
                match records.commit(books::note_issued(batch, &node, &issued, &me, now)) {
                    Ok(()) => Ok(Ok((node, issued))),
                    // Somebody else was faster with it.
                    Err(RecordError::Conflict { .. }) => Ok(Err(spent("by another machine just now"))),
                    Err(other) => Err(other.into()),
                }
            })
            .await
    }
}

fn find(records: &dyn Records, id: &str) -> Result<Option<(Stored, Vec<u8>)>, MeshError> {
    let row = records.get(TOKEN, id.as_bytes())?;
    row.map(|row| Ok((books::read(&row, TOKEN)?, row))).transpose()
}

impl Stored {
    fn is_open(&self, now: u64) -> bool {
        self.used_by.is_none() && !self.revoked && now < self.expires
    }

    fn view(&self, id: &str, now: u64) -> TokenView {
        let state = if self.used_by.is_some() {
            "used"
        } else if self.revoked {
            "revoked"
        } else if now >= self.expires {
            "expired"
        } else {
            "open"
        };
        TokenView {
            id: id.to_owned(),
            state,
            node: self.node.clone(),
            created: self.created,
            expires: self.expires,
            used_by: self.used_by.clone(),
        }
    }

    /// Which node the claim makes, or why it is refused. Without the secret nobody learns what the token's state is.
    fn judge(&self, claim: &Claim<'_>, now: u64) -> Result<NodeId, Refusal> {
        let hash = octets::unhex(claim.secret).map(|secret| octets::sha256(&secret));
        let wanted = octets::unhex(&self.hash);
        let (Some(hash), Some(wanted)) = (hash, wanted) else {
            return Err(unknown());
        };
        // Both are digests: how long the comparison takes says nothing about the secret.
        if hash[..] != wanted[..] {
            return Err(unknown());
        }
        if let Some(by) = &self.used_by {
            return Err(spent(&format!("by {by}")));
        }
        if self.revoked {
            return Err(ended("the token was revoked or replaced by a newer one"));
        }
        if now >= self.expires {
            let ago = now - self.expires;
            return Err(ended(&format!("the token expired {ago} s ago")));
        }
        let named = self.node.as_deref().map(NodeId::parse).transpose();
        let named = named.map_err(|_| unknown())?;
        match (named, claim.node) {
            (Some(named), Some(wish)) if named != *wish => Err(Refusal::new(
                StatusCode::CONFLICT,
                format!("the token is for {named}, not for {wish}"),
                format!(
                    "leave --node-id out, or make a token for it: purlin cluster token create --for {wish}"
                ),
            )),
            (Some(named), _) => Ok(named),
            (None, Some(wish)) => Ok(wish.clone()),
            (None, None) => Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "the token is for any node, so the node must be named",
                "purlin join TOKEN --node-id NODE",
            )),
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "the cluster does not know this token",
        "make one on a member: purlin cluster token create --for NODE",
    )
}

fn spent(by: &str) -> Refusal {
    Refusal::new(
        StatusCode::GONE,
        format!("the token was used already, {by}; it works once"),
        "make another one: purlin cluster token create --for NODE. If nobody of yours has used it, remove that node",
    )
}

fn ended(what: &str) -> Refusal {
    Refusal::new(
        StatusCode::GONE,
        what,
        "make another one on a member: purlin cluster token create --for NODE --ttl 1h",
    )
}

fn secs(now: WallTime) -> u64 {
    now.0 / 1000
}
