//! Making and opening the file.

use std::fs::{self, File};
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use alloy_primitives::B256;
use purlin_chain_proto::{Block, Body, Header, Withdrawals};
use redb::{Database, WriteTransaction};

use super::backend::Source;
use super::cache::FlatCache;
use super::codes::Codes;
use super::error::StoreError;
use super::hot::Hot;
use super::plan::Plan;
use super::recent::Recent;
use super::snapshot::Snapshot;
use super::values::{StateSettings, Stored};
use super::write::{self, BlockRows};
use super::{Inner, Store, roots};
use crate::state::Changes;
use crate::trie::{Child, NodeSource, cold};

const LEAST_CACHE: usize = 4 << 20;

impl StateSettings {
    pub(super) fn bytes(self) -> usize {
        self.cache_bytes.max(LEAST_CACHE)
    }

    /// For pages of the file.
    fn pages(self) -> usize {
        self.bytes() / 4
    }

    /// For tries.
    pub(super) fn nodes(self) -> usize {
        self.bytes() / 2
    }
}

impl Store {
    /// Opens the chain at `path`, or makes it there: block 0 with the state `alloc`. Its folder must exist.
    ///
    /// The file gets its name when all of block 0 is in it and synced; what a crash leaves before that has the
    /// ending `.new` and goes away at the next try.
    ///
    /// # Errors
    /// [`StoreError::OtherChain`] when another genesis is there; [`StoreError::WrongRoot`] when the header says
    /// another state root than `alloc` gives; when the file cannot be made.
    pub fn create(
        path: &Path,
        settings: StateSettings,
        genesis: &Header,
        alloc: Changes,
    ) -> Result<Self, StoreError> {
        if !there(path)? {
            make(path, settings.pages(), |writing| first(writing, genesis, alloc))?;
        }
        let store = Self::open(path, settings)?;
        let (found, wanted) = (store.genesis_hash(), genesis.hash_slow());
        if found != wanted {
            return Err(StoreError::OtherChain { found, wanted });
        }
        Ok(store)
    }

    /// Opens the chain at `path`.
    ///
    /// # Errors
    /// [`StoreError::NoChain`] when there is none; [`StoreError::InUse`]; when the file is damaged.
    pub fn open(path: &Path, settings: StateSettings) -> Result<Self, StoreError> {
        let no_chain = || StoreError::NoChain {
            path: path.display().to_string(),
        };
        let found = fs::metadata(path);
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_chain()),
            other => other.map_err(failed("looking for", path))?,
        };
        // The engine trusts its pages, and stumbles over rotten ones.
        let opened = catch_unwind(|| Self::from_source(Source::file(path, settings.pages()), settings));
        match opened {
            Err(_) => Err(StoreError::Damaged(format!("{} is rotten", path.display()))),
            Ok(Err(StoreError::NoChain { .. })) => Err(no_chain()),
            Ok(other) => other,
        }
    }

    /// A chain in memory: for tests, and for chains to throw away.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn in_memory(settings: StateSettings, genesis: &Header, alloc: Changes) -> Result<Self, StoreError> {
        let source = Source::memory(settings.pages());
        let database = source.open()?;
        begin(&database, genesis, alloc)?;
        Self::with_database(source, database, settings)
    }

    pub(super) fn from_source(source: Source, settings: StateSettings) -> Result<Self, StoreError> {
        let database = source.open()?;
        Self::with_database(source, database, settings)
    }

    pub(super) fn with_database(
        source: Source,
        database: Database,
        settings: StateSettings,
    ) -> Result<Self, StoreError> {
        let flat = settings.bytes() / 4;
        let cache = Arc::new(FlatCache::new(flat / 4 * 3, 0));
        let snapshot = Snapshot::take(&database, 0, cache.clone())?;
        check_root(&snapshot)?;
        let hot = Hot::new(snapshot.head.header.state_root, settings.nodes());
        Ok(Self {
            inner: Arc::new(Inner {
                source,
                settings,
                database: Mutex::new(Some(database)),
                hot: RwLock::new(hot),
                snapshot: RwLock::new(Arc::new(snapshot)),
                cache,
                codes: Arc::new(Codes::new(flat / 4)),
                blocks: Recent::new(),
                receipts: Recent::new(),
            }),
        })
    }
}

/// Whether there is a file with this name.
pub(super) fn there(path: &Path) -> Result<bool, StoreError> {
    path.try_exists().map_err(failed("looking for", path))
}

/// Of the file, in octets.
pub(super) fn length(path: &Path) -> Result<u64, StoreError> {
    let file = fs::metadata(path).map_err(failed("looking at", path))?;
    Ok(file.len())
}

/// Makes the file at `path` in one transaction, under another name until all of it is on the disk. Nothing is left of it
/// when that fails, and after a crash only the file with the other name, which the next try removes.
pub(super) fn make<E: From<StoreError>>(
    path: &Path,
    pages: usize,
    work: impl FnOnce(&WriteTransaction) -> Result<(), E>,
) -> Result<(), E> {
    let new = beside(path);
    not_in_use(&new)?;
    remove(&new)?;
    if let Err(error) = fill(&new, pages, work) {
        // The first error says what happened; what is left goes away at the next try.
        let _ = remove(&new);
        return Err(error);
    }
    fs::rename(&new, path).map_err(failed("naming", path))?;
    Ok(sync_folder(path)?)
}

/// What somebody makes at this moment is no leftover of a crash: it must not get the other's name.
fn not_in_use(new: &Path) -> Result<(), StoreError> {
    if !there(new)? {
        return Ok(());
    }
    // What is torn may be anything; only the lock counts.
    match catch_unwind(|| Source::file(new, LEAST_CACHE).open().map(drop)) {
        Ok(Err(in_use @ StoreError::InUse { .. })) => Err(in_use),
        _ => Ok(()),
    }
}

/// A database with one transaction, which must leave a chain in it.
fn fill<E: From<StoreError>>(
    path: &Path,
    pages: usize,
    work: impl FnOnce(&WriteTransaction) -> Result<(), E>,
) -> Result<(), E> {
    let database = Source::file(path, pages).open()?;
    let writing = database.begin_write().map_err(StoreError::from)?;
    work(&writing)?;
    writing.commit().map_err(StoreError::from)?;
    let snapshot = Snapshot::take(&database, 0, Arc::new(FlatCache::new(0, 0)))?;
    Ok(check_root(&snapshot)?)
}

/// Writes block 0 into an empty database.
pub(super) fn begin(database: &Database, genesis: &Header, alloc: Changes) -> Result<(), StoreError> {
    let writing = database.begin_write()?;
    first(&writing, genesis, alloc)?;
    writing.commit()?;
    Ok(())
}

fn first(writing: &WriteTransaction, genesis: &Header, alloc: Changes) -> Result<(), StoreError> {
    let update = roots::of_nothing(&alloc);
    if update.root() != genesis.state_root {
        return Err(StoreError::WrongRoot {
            number: genesis.number,
            header: genesis.state_root,
            computed: update.root(),
        });
    }
    let plan = Plan::of(None, &alloc)?;
    let stored = block_zero(genesis);
    let rows = BlockRows {
        stored: &stored,
        receipts: &[],
        certificate: None,
    };
    write::beginning(writing, stored.hash)?;
    write::block(writing, &rows)?;
    write::state(writing, &plan, alloc.codes)?;
    write::tries(writing, &update)
}

/// It has nothing but its header.
pub(super) fn block_zero(genesis: &Header) -> Stored {
    let body = Body {
        withdrawals: genesis.withdrawals_root.map(|_| Withdrawals::default()),
        ..Body::default()
    };
    Stored {
        block: Block::new(genesis.clone(), body),
        hash: genesis.hash_slow(),
        senders: Vec::new(),
    }
}

/// The node at the root must hash to what the head's header says.
fn check_root(snapshot: &Snapshot) -> Result<(), StoreError> {
    let root: B256 = snapshot.head.header.state_root;
    if let Some(root) = cold(root) {
        let rows = roots::AccountRows(&snapshot.tables);
        load_root(&root, &rows)?;
    }
    Ok(())
}

fn load_root(root: &Child, rows: &impl NodeSource) -> Result<(), StoreError> {
    crate::trie::prove(Some(root), rows, &alloy_trie::Nibbles::unpack(B256::ZERO))?;
    Ok(())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removing", path)(error)),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(failed("syncing the folder", folder))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io {
        what,
        path: path.display().to_string(),
        source,
    }
}
