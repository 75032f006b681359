//! The chain: blocks are executed on the head, checked, and committed. One writes, many read.
//!
//! ```text
//!   check(block)  ─ header rules ─ senders ─┐
//!                                           ├─ execute ─ root ─ compare ─> Prepared ─ commit(certificate) ─> watchers
//!   prepare(transactions) ─ header ─────────┘              (check)
//! ```
//!
//! `import` is check and commit in one, `produce` is prepare and commit. It knows no network, no pool and no consensus: which
//! block comes next is decided by who calls. Where the genesis names validators, a block needs the octets of their decision to
//! become the head; they are kept beside it. Nothing is half applied: until the store has committed, the chain is as it was.

mod constitution;
mod draft;
mod error;
mod import;
mod prepared;
mod produce;
mod senders;
mod view;

pub use constitution::ConstitutionFault;
pub use draft::Draft;
pub use error::{CommitError, CreateError, ImportError, ProduceError, ViewError};
pub use prepared::Prepared;
pub use produce::{Attributes, Produced};
pub use senders::SenderFault;
pub(crate) use senders::recover;
pub use view::{View, ViewDatabase};

use constitution::{Law, Unread};

use crate::state::{Account, Changes, StateRead};
use crate::store::{Head, StateSettings, Store, Stored};
use alloy_primitives::{KECCAK256_EMPTY, keccak256};
use purlin_chain_core::constitution::Constitution;
use purlin_chain_proto::{Address, B256, ChainSpec, GenesisAccount, Header, Receipt, U256, roots};
use std::{
    fmt,
    ops::Deref,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

/// A block that has become the head.
#[derive(Debug)]
pub struct NewHead {
    /// The store's own, as it keeps it for readers.
    pub stored: Arc<Stored>,
    /// One for each transaction.
    pub receipts: Arc<Vec<Receipt>>,
    /// Every account whose nonce, balance or code the block has changed, in order.
    pub changed: Vec<Address>,
    pub took: Steps,
}

impl Deref for NewHead {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}

/// How long each step of a block took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// Senders out of signatures; zero for a block made here, whose senders are known.
    pub recover: Duration,
    pub execute: Duration,
    /// State root, and the roots of the lists.
    pub root: Duration,
    pub commit: Duration,
}

/// What an import came to.
#[derive(Debug, Clone)]
pub enum Imported {
    /// It is the head now.
    New(Arc<NewHead>),
    /// The chain has it already; nothing was done.
    Known { number: u64, hash: B256 },
}

type Watcher = Box<dyn Fn(&Arc<NewHead>) + Send + Sync>;

/// A store with the rules of its chain. Clones are the same chain.
#[derive(Clone)]
pub struct Chain {
    inner: Arc<Inner>,
}

struct Inner {
    spec: ChainSpec,
    store: Store,
    /// Held while a block is executed, and while one is committed.
    writer: Mutex<()>,
    /// `None` where no validators decide.
    law: Option<Law>,
    watchers: RwLock<Vec<Watcher>>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl Chain {
    /// Makes a chain of one block, the genesis, in a file or (without a path) in memory. A file that holds this very chain
    /// already is opened as it is.
    ///
    /// # Errors
    ///
    /// What the store says, for example that the file holds another chain; a contract in the genesis document that is not the one
    /// which holds a chain's constitution, or says something else than `config.purlin`.
    pub fn create(
        path: Option<&Path>,
        spec: ChainSpec,
        settings: StateSettings,
    ) -> Result<Self, CreateError> {
        let alloc = alloc(&spec);
        let genesis = genesis(&spec);
        let store = match path {
            Some(path) => Store::create(path, settings, &genesis, alloc)?,
            None => Store::in_memory(settings, &genesis, alloc)?,
        };
        Self::over(store, spec)
    }

    /// Opens the chain in a file.
    ///
    /// # Errors
    ///
    /// What the store says; [`CreateError::OtherGenesis`] when the file does not begin as the spec says.
    pub fn open(path: &Path, spec: ChainSpec, settings: StateSettings) -> Result<Self, CreateError> {
        let store = Store::open(path, settings)?;
        let wanted = genesis(&spec).hash_slow();
        match store.header(0)? {
            Some(first) if first.hash == wanted => Self::over(store, spec),
            first => Err(CreateError::OtherGenesis {
                wanted,
                found: first.map(|first| first.hash),
            }),
        }
    }

    fn over(store: Store, spec: ChainSpec) -> Result<Self, CreateError> {
        let law = Law::open(&spec, &store)?;
        let (writer, watchers) = (Mutex::new(()), RwLock::new(Vec::new()));
        Ok(Self {
            inner: Arc::new(Inner {
                spec,
                store,
                writer,
                law,
                watchers,
            }),
        })
    }

    pub fn spec(&self) -> &ChainSpec {
        &self.inner.spec
    }

    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub fn head(&self) -> Arc<Head> {
        self.inner.store.head()
    }

    /// Calls `watcher` for every new head, in order, after it is durable. The next block waits for the watcher, so it must
    /// only pass the value on.
    pub fn on_head(&self, watcher: impl Fn(&Arc<NewHead>) + Send + Sync + 'static) {
        self.inner
            .watchers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Box::new(watcher));
    }

    fn tell(&self, head: &Arc<NewHead>) {
        let watchers = self.inner.watchers.read().unwrap_or_else(PoisonError::into_inner);
        watchers.iter().for_each(|watcher| watcher(head));
    }

    /// The gas limit that validators hold the block after the head to.
    fn gas_limit_wanted(&self, head: &Head) -> Option<u64> {
        let next = self.constitution(head.header.number + 1)?;
        Some(next.gas_limit)
    }

    /// What a block that was executed on this state appends to the constitution.
    fn appended(
        &self,
        number: u64,
        state: &impl StateRead,
        changes: &Changes,
    ) -> Result<Vec<Constitution>, Unread> {
        match &self.inner.law {
            Some(law) => law.appended(number, state, changes),
            None => Ok(Vec::new()),
        }
    }

    /// What is known of the constitution is the head's.
    fn follow(&self) -> Result<(), Unread> {
        match &self.inner.law {
            Some(law) => law.follow(self.store()),
            None => Ok(()),
        }
    }

    /// The lock guards no value: whoever panicked under it has committed a whole block or none.
    fn write(&self) -> MutexGuard<'_, ()> {
        self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The genesis block's header.
pub(crate) fn genesis(spec: &ChainSpec) -> Header {
    spec.genesis_header(roots::state(&spec.genesis().alloc))
}

/// The genesis state as changes of the empty one.
fn alloc(spec: &ChainSpec) -> Changes {
    let mut changes = Changes::default();
    for (address, given) in &spec.genesis().alloc {
        let code_hash = match given.non_empty_code() {
            None => KECCAK256_EMPTY,
            Some(code) => {
                let hash = keccak256(code);
                changes.codes.insert(hash, code.clone());
                hash
            }
        };
        let account = Account {
            nonce: given.nonce.unwrap_or(0),
            balance: given.balance,
            code_hash,
        };
        changes.accounts.insert(*address, Some(account));
        let slots = slots(given);
        if !slots.is_empty() {
            changes.storage.insert(*address, slots);
        }
    }
    changes
}

fn slots(account: &GenesisAccount) -> std::collections::BTreeMap<U256, U256> {
    let slots = account.storage_slots().filter(|(_, value)| !value.is_zero());
    slots.map(|(slot, value)| (slot.into(), value)).collect()
}
