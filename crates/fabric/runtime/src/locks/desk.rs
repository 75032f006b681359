//! Locks that clients hold over the API: each for its ttl, renewed and released by whoever has its token.
//!
//! An advisory lock is renewed and released at any node; a fenced one rests on a node's lease, so that only the node
//! that gave it can do that. What is known of a client's lock is kept beside it in the hints, without its token.

mod card;

pub use card::Card;

use super::{LockGuard, LockManager};
use crate::entropy;
use crate::local::ReadClock;
use purlin_fabric::lock::{Class, LockError, LockName, LockOptions, LockToken, Loss};
use purlin_fabric::port::{HintFault, Hints, Token};
use purlin_types::{Epoch, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks that clients may hold through one node.
const LEASES_MAX: usize = 10_000;

/// Gives locks to clients. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    node: NodeId,
    manager: LockManager,
    hints: Arc<dyn Hints>,
    clock: ReadClock,
    leased: Mutex<BTreeMap<String, Leased>>,
}

struct Leased {
    guard: Arc<LockGuard>,
    proof: u128,
    card: Card,
}

/// A lock in the hands of a client.
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    /// 128 random bits: whoever has them may renew and release.
    pub proof: u128,
    /// Of a fenced lock: rises with every holder, and goes into what the lock protects.
    pub fence: Option<Epoch>,
    pub ttl: Duration,
    pub card: Card,
}

/// Why a client's lock was not given, renewed or released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeskError {
    Lock(LockError),
    /// Nobody holds a lock of this name.
    Unknown(String),
    /// The token is not that of the holder.
    NotYours(String),
    /// A fenced lock that another node gave.
    Elsewhere {
        name: String,
        node: String,
    },
    /// The hints do not answer.
    Away,
    Full {
        max: usize,
    },
}

impl Desk {
    #[must_use]
    pub fn new(node: NodeId, manager: LockManager, hints: Arc<dyn Hints>, clock: ReadClock) -> Self {
        Self(Arc::new(Inner {
            node,
            manager,
            hints,
            clock,
            leased: Mutex::default(),
        }))
    }

    #[must_use]
    pub fn manager(&self) -> &LockManager {
        &self.0.manager
    }

    /// Gives `owner` the lock, after as many tries as the options allow.
    ///
    /// # Errors
    /// [`DeskError::Lock`], [`DeskError::Full`].
    pub async fn acquire(&self, owner: &str, name: &str, options: LockOptions) -> Result<Lease, DeskError> {
        if self.leased().len() >= LEASES_MAX {
            return Err(DeskError::Full { max: LEASES_MAX });
        }
        let card = |since| Card {
            owner: owner.to_owned(),
            node: self.0.node.as_str().to_owned(),
            class: options.class,
            since,
            ttl: options.ttl,
            max_hold: options.max_hold,
        };
        let guard = self.0.manager.lease(name, options.clone()).await?;
        let (proof, fence) = match guard.token() {
            LockToken::Advisory(token) => (token.0, None),
            LockToken::Fenced(epoch) => (entropy::token(), Some(epoch)),
        };
        let card = card(self.wall());
        self.keep(name, &card).await;
        self.hold(name, proof, Arc::new(guard), card.clone());
        Ok(Lease {
            name: name.to_owned(),
            proof,
            fence,
            ttl: options.ttl,
            card,
        })
    }

    /// Makes the lock good for its ttl from now on.
    ///
    /// # Errors
    /// See [`DeskError`]. A lock that was held for too long is given back.
    pub async fn renew(&self, name: &str, proof: u128) -> Result<Lease, DeskError> {
        let name = LockName::parse(name)?;
        let Some((guard, card)) = self.mine(name.as_str(), proof)? else {
            return self.renew_elsewhere(&name, proof).await;
        };
        guard.renew().await?;
        self.keep(name.as_str(), &card).await;
        let fence = match guard.token() {
            LockToken::Fenced(epoch) => Some(epoch),
            LockToken::Advisory(_) => None,
        };
        Ok(lease(&name, proof, fence, card))
    }

    /// Gives the lock back; false when nobody held it any more.
    ///
    /// # Errors
    /// [`DeskError::NotYours`], [`DeskError::Elsewhere`], [`DeskError::Away`].
    pub async fn release(&self, name: &str, proof: u128) -> Result<bool, DeskError> {
        let name = LockName::parse(name)?;
        if let Some((guard, _)) = self.mine(name.as_str(), proof)? {
            guard.release().await;
            self.leased().remove(name.as_str());
            self.forget(name.as_str()).await;
            return Ok(true);
        }
        self.not_elsewhere(name.as_str()).await?;
        match self.0.hints.unlock(name.as_str(), Token(proof)).await {
            Ok(()) => {
                self.forget(name.as_str()).await;
                Ok(true)
            }
            Err(HintFault::Away(_)) => Err(DeskError::Away),
            Err(HintFault::Conflict) if self.is_held(name.as_str()).await? => {
                Err(DeskError::NotYours(name.to_string()))
            }
            Err(HintFault::Conflict) => Ok(false),
        }
    }

    /// What is known of a client's lock; `None` for one that a service of a node holds for itself.
    ///
    /// # Errors
    /// [`DeskError::Away`].
    pub async fn card(&self, name: &str) -> Result<Option<Card>, DeskError> {
        let kept = self.0.hints.recall(&card::key(name)).await;
        let kept = kept.map_err(|_| DeskError::Away)?;
        Ok(kept.as_deref().and_then(Card::decode))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn wall(&self) -> u64 {
        (self.0.clock)().wall.0
    }

    /// The guard of a lock that this node gave.
    fn mine(&self, name: &str, proof: u128) -> Result<Option<(Arc<LockGuard>, Card)>, DeskError> {
        let leased = self.leased();
        match leased.get(name) {
            Some(mine) if mine.proof == proof => Ok(Some((Arc::clone(&mine.guard), mine.card.clone()))),
            Some(mine) if mine.guard.check().is_ok() => Err(DeskError::NotYours(name.to_owned())),
            _ => Ok(None),
        }
    }

    async fn renew_elsewhere(&self, name: &LockName, proof: u128) -> Result<Lease, DeskError> {
        let card = self.not_elsewhere(name.as_str()).await?;
        let card = card.ok_or_else(|| DeskError::Unknown(name.to_string()))?;
        let held = Duration::from_millis(self.wall().saturating_sub(card.since));
        if held >= card.max_hold {
            let _or_it_lapses = self.0.hints.unlock(name.as_str(), Token(proof)).await;
            return Err(LockError::Lost(Loss::HeldTooLong).into());
        }
        match self.0.hints.extend(name.as_str(), Token(proof), card.ttl).await {
            Ok(()) => {
                self.keep(name.as_str(), &card).await;
                Ok(lease(name, proof, None, card))
            }
            Err(HintFault::Away(_)) => Err(DeskError::Away),
            Err(HintFault::Conflict) if self.is_held(name.as_str()).await? => {
                Err(DeskError::NotYours(name.to_string()))
            }
            Err(HintFault::Conflict) => Err(LockError::Lost(Loss::Lapsed).into()),
        }
    }

    /// The lock's card, unless it is a fenced one of another node.
    async fn not_elsewhere(&self, name: &str) -> Result<Option<Card>, DeskError> {
        match self.card(name).await? {
            Some(card) if card.class == Class::Fenced && card.node != self.0.node.as_str() => {
                Err(DeskError::Elsewhere {
                    name: name.to_owned(),
                    node: card.node,
                })
            }
            card => Ok(card),
        }
    }

    async fn is_held(&self, name: &str) -> Result<bool, DeskError> {
        let held = self.0.hints.locks().await.map_err(|_| DeskError::Away)?;
        Ok(held.iter().any(|(held, _)| held == name))
    }

    /// Until the guard has ended, however that comes.
    fn hold(&self, name: &str, proof: u128, guard: Arc<LockGuard>, card: Card) {
        let leased = Leased {
            guard: Arc::clone(&guard),
            proof,
            card,
        };
        self.leased().insert(name.to_owned(), leased);
        let (desk, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            guard.ended().await;
            let mut leased = desk.leased();
            if leased
                .get(&name)
                .is_some_and(|mine| Arc::ptr_eq(&mine.guard, &guard))
            {
                leased.remove(&name);
            }
        });
    }

    /// Without it others see the lock, and not whose it is.
    async fn keep(&self, name: &str, card: &Card) {
        let _shown_or_not = self
            .0
            .hints
            .keep(&card::key(name), &card.encode(), card.ttl)
            .await;
    }

    async fn forget(&self, name: &str) {
        let _lapses = self.0.hints.forget(&card::pattern(name)).await;
    }

    fn leased(&self) -> MutexGuard<'_, BTreeMap<String, Leased>> {
        self.0.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lease(name: &LockName, proof: u128, fence: Option<Epoch>, card: Card) -> Lease {
    Lease {
        name: name.to_string(),
        proof,
        fence,
        ttl: card.ttl,
        card,
    }
}

impl<E: Into<LockError>> From<E> for DeskError {
    fn from(error: E) -> Self {
        Self::Lock(error.into())
    }
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock(error) => error.fmt(f),
            Self::Unknown(name) => write!(f, "nobody holds the lock {name:?}"),
            Self::NotYours(name) => write!(f, "the lock {name:?} is held under another token"),
            Self::Elsewhere { name, node } => {
                write!(f, "the fenced lock {name:?} was given by {node}: ask that node")
            }
            Self::Away => f.write_str("the coordination service is not reachable"),
            Self::Full { max } => write!(
                f,
                "clients hold {max} locks through this node, which is its limit"
            ),
        }
    }
}

impl std::error::Error for DeskError {}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.name)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("leased", &self.leased().len())
            .finish_non_exhaustive()
    }
}
