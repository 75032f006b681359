//! The handle: a node's certificate, kept fresh; calls; the listener.

use crate::authority::{Authority, Csr};
use crate::books::Books;
use crate::call::{CallError, Lines, PATIENCE, Question};
use crate::certificate::{Renewal, renewal};
use crate::clock::Clock;
use crate::files::Identity;
use crate::gates::{RevokedList, is_revoked};
use crate::tls::Live;
use crate::tokens::Tokens;
use purlin_store::{RecordError, Records};
use purlin_types::{Incarnation, NodeId, WallTime};
use rcgen::KeyPair;
use serde_json::Value;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use thiserror::Error;

/// What a node needs to take part in the mesh.
#[derive(Clone)]
pub struct Setup {
    pub id: NodeId,
    pub incarnation: Incarnation,
    /// Of this program, for display.
    pub version: &'static str,
    /// The cluster's own, shared by all nodes.
    pub records: Arc<dyn Records>,
    /// `cluster.secret`: opens the authority's key.
    pub secret: Vec<u8>,
    /// Where the certificate lies: `<data_dir>/mesh`.
    pub folder: PathBuf,
    pub clock: Clock,
    /// Told what people may want to read in the log.
    pub told: Arc<dyn Fn(&Notice) + Send + Sync>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// This node made the cluster's authority.
    Founded,
    /// This node has a new certificate, valid until then.
    Issued { until: WallTime },
    /// A caller was sent away.
    Refused { from: SocketAddr, why: String },
    /// A machine joined with a token.
    Joined {
        node: NodeId,
        from: SocketAddr,
        token: String,
    },
    /// This node's certificate is revoked: the node was removed.
    Revoked,
    /// The store does not answer; the list of revoked certificates and renewals wait.
    Trouble(String),
}

/// Why a node cannot take part in the mesh.
#[derive(Debug, Error)]
pub enum MeshError {
    #[error("the cluster's store did not do what the mesh needs: {0}")]
    Store(#[source] RecordError),
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("a certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    #[error(
        "the cluster's authority does not open with this node's cluster.secret: the other nodes have another one"
    )]
    OtherSecret,
    #[error("{0} is damaged")]
    Damaged(&'static str),
    #[error("{} could not be written: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("a thread of the store died")]
    Died,
}

impl From<RecordError> for MeshError {
    fn from(cause: RecordError) -> Self {
        Self::Store(cause)
    }
}

/// A node's place in the mesh. Clones share it.
#[derive(Clone)]
pub struct Mesh(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) setup: Setup,
    pub(crate) books: Books,
    pub(crate) tokens: Tokens,
    pub(crate) revoked: RevokedList,
    live: RwLock<Arc<Live>>,
    lines: Lines,
}

impl Mesh {
    /// Takes part: reads or makes the authority, loads this node's certificate or issues one.
    ///
    /// # Errors
    /// When the store does not answer, the secret is not the cluster's, or files cannot be written.
    pub async fn open(setup: Setup) -> Result<Self, MeshError> {
        let books = Books::new(Arc::clone(&setup.records));
        let now = setup.clock.now();
        let (authority, made) = books.authority(setup.secret.clone(), now).await?;
        if made {
            (setup.told)(&Notice::Founded);
        }
        let revoked: RevokedList = Arc::new(RwLock::new(books.revoked().await?));
        let found = Identity::load(&setup.folder).filter(|found| {
            found.id == setup.id
                && found.authority == authority.pem()
                && renewal(&found.validity, now) != Renewal::Invalid
                && !is_revoked(&revoked, &found.serial)
        });
        let live = found.and_then(|found| Live::new(found, &revoked, &setup.clock).ok());
        let live = match live {
            Some(live) => live,
            None => Live::new(fresh(&setup, &books, &authority).await?, &revoked, &setup.clock)?,
        };
        Ok(Self(Arc::new(Inner {
            tokens: Tokens::new(books.clone(), setup.clock.clone(), setup.id.clone()),
            setup,
            books,
            revoked,
            live: RwLock::new(Arc::new(live)),
            lines: Lines::default(),
        })))
    }

    /// Asks another node: `POST path` with a JSON body; its JSON answer. Waits 10 s at most.
    ///
    /// # Errors
    /// See [`CallError`]. The answer comes from `node` and nobody else, or there is none.
    pub async fn call(
        &self,
        at: SocketAddr,
        node: &NodeId,
        path: &str,
        body: &Value,
    ) -> Result<Value, CallError> {
        self.call_within(at, node, path, body, PATIENCE).await
    }

    /// As [`Self::call`], waiting for `patience` at most.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_within(
        &self,
        at: SocketAddr,
        node: &NodeId,
        path: &str,
        body: &Value,
        patience: Duration,
    ) -> Result<Value, CallError> {
        let question = Question {
            at,
            node,
            path,
            body,
            patience,
        };
        let tls = |live: &Live| live.client(node, &self.0.revoked);
        self.0.lines.ask(&self.live(), tls, &question).await
    }

    /// The cluster's join tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// SHA-256 of the authority's certificate.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn pin(&self) -> Result<[u8; 32], MeshError> {
        Ok(self.authority().await?.pin())
    }

    /// Revokes the certificates of a node that was removed; how many. Other nodes refuse them within seconds.
    ///
    /// # Errors
    /// When the store does not answer: nothing was revoked.
    pub async fn revoke(&self, node: &NodeId) -> Result<usize, MeshError> {
        let (books, setup) = (&self.0.books, &self.0.setup);
        let count = books.revoke(node, &setup.id, setup.clock.now()).await?;
        self.refresh().await?;
        Ok(count)
    }

    /// This node's certificate as it is now.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.live().identity.clone()
    }

    /// Looks after everything that time changes: the list of revoked certificates, and this node's own. Called every
    /// few seconds while the mesh is served.
    ///
    /// # Errors
    /// When the store does not answer; what was known goes on to hold.
    pub async fn tend(&self) -> Result<(), MeshError> {
        self.refresh().await?;
        let identity = self.identity();
        let (setup, books) = (&self.0.setup, &self.0.books);
        // A node that was removed does not help itself to a new certificate: it is started anew for that.
        if is_revoked(&self.0.revoked, &identity.serial) {
            return Ok(());
        }
        let now = setup.clock.now();
        if matches!(renewal(&identity.validity, now), Renewal::NotBefore(_)) {
            return Ok(());
        }
        let identity = fresh(setup, books, &self.authority().await?).await?;
        let live = Arc::new(Live::new(identity, &self.0.revoked, &setup.clock)?);
        *self.0.live.write().expect("no thread panics with it") = live;
        self.0.lines.forget();
        books.forget_ended(now).await
    }

    /// Whether this node's certificate is revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        is_revoked(&self.0.revoked, &self.live().identity.serial)
    }

    async fn refresh(&self) -> Result<(), MeshError> {
        let list = self.0.books.revoked().await?;
        let own = self.live().identity.serial.clone();
        let news = list.contains(&own) && !self.is_revoked();
        let mut known = self.0.revoked.write().expect("no thread panics with it");
        let more = !list.is_subset(&known);
        *known = list;
        drop(known);
        if more {
            // Connections that are kept may lead to a node that was removed.
            self.0.lines.forget();
        }
        if news {
            (self.0.setup.told)(&Notice::Revoked);
        }
        Ok(())
    }

    pub(crate) async fn authority(&self) -> Result<Authority, MeshError> {
        let setup = &self.0.setup;
        let (authority, _) = self
            .0
            .books
            .authority(setup.secret.clone(), setup.clock.now())
            .await?;
        Ok(authority)
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.0.live.read().expect("no thread panics with it"))
    }
}

/// A new certificate for this node, noted in the store and written beside its data.
async fn fresh(setup: &Setup, books: &Books, authority: &Authority) -> Result<Identity, MeshError> {
    let now = setup.clock.now();
    let key = KeyPair::generate()?;
    let csr = Csr::read(&Csr::text(&key)?)?;
    let issued = authority.issue(&setup.id, &csr, now)?;
    books.issued(&setup.id, &issued, &setup.id, now).await?;
    let identity = Identity::new(&setup.id, key.serialize_pem(), &issued, authority.pem());
    identity.save(&setup.folder)?;
    let until = WallTime(issued.validity.not_after * 1000);
    (setup.told)(&Notice::Issued { until });
    Ok(identity)
}

impl fmt::Debug for Mesh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mesh").field(&self.0.setup.id).finish()
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("id", &self.id)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
