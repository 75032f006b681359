//! What every request works on: the chain, the pool beside it, and who follows them.
//!
//! ```text
//! eth_sendRawTransaction ─► insert ─► Pool ─► produce (produce.rs) ─► Chain ─┐
//!                              └► arrivals, journal                          │ new head
//!          subscriptions ◄─ heads ◄──────────── Pool::on_block ◄─────────────┘
//! ```

use crate::arrivals::Arrivals;
use crate::consensus::{self, Gossip};
use crate::fault::Fault;
use crate::fees::Fees;
use crate::filters::Filters;
use crate::journal::{APPENDED_MAX, Journal};
use crate::metrics::RpcMetrics;
use crate::pending::Pending;
use crate::settings::Settings;
use crate::source::{Account, NewHead, Source, StateRead as _};
use crate::storage::Storage;
use crate::story::Story;
use alloy_primitives::KECCAK256_EMPTY;
use purlin_chain_core::pool::journal::encode;
use purlin_chain_core::pool::{
    self, AccountState, Event, NewBlock, Origin, Place, Pool, Pooled, Refusal, Status, Why,
};
use purlin_chain_evm::Head;
use purlin_chain_proto::{Address, B256, Recovered};
use purlin_chain_signatures::PublicKey;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, Semaphore, broadcast};

/// Heads that a slow subscriber may be behind.
const HEADS_BEHIND: usize = 256;

/// The chain as a running service.
#[derive(Debug)]
pub(crate) struct Node {
    pub source: Source,
    pub settings: Settings,
    pub pool: Mutex<Pool>,
    pub heads: broadcast::Sender<Arc<NewHead>>,
    pub arrivals: Arrivals,
    pub pending: Pending,
    pub filters: Filters,
    pub fees: Fees,
    pub rpc: Arc<RpcMetrics>,
    /// There is something to make a block of.
    pub wake: Notify,
    pub reading: Arc<Semaphore>,
    pub executing: Arc<Semaphore>,
    pub snapshots: Arc<Semaphore>,
    pub counts: Counts,
    /// What the last try to make a block said, when it failed.
    pub trouble: Mutex<Option<String>>,
    /// What was told of the node and those around it.
    pub story: Arc<Story>,
    pub storage: Storage,
    journal: Mutex<Option<Journal>>,
    appended: AtomicUsize,
    started: Instant,
    among: OnceLock<Among>,
}

/// The node as one of several.
#[derive(Debug)]
struct Among {
    consensus: Weak<consensus::Shared>,
    gossip: Gossip,
}

/// What has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub blocks: AtomicU64,
    pub mined: AtomicU64,
    pub gas: AtomicU64,
    pub accepted: AtomicU64,
    pub refused: AtomicU64,
    pub dropped: AtomicU64,
}

impl Counts {
    /// Name, help and value of each.
    pub(crate) fn each(&self) -> [(&'static str, &'static str, u64); 6] {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            (
                "purlin_chain_blocks_total",
                "Blocks that became the head.",
                load(&self.blocks),
            ),
            (
                "purlin_chain_transactions_total",
                "Transactions in them.",
                load(&self.mined),
            ),
            ("purlin_chain_gas_total", "Gas that they used.", load(&self.gas)),
            (
                "purlin_chain_pool_accepted_total",
                "Transactions taken into the pool.",
                load(&self.accepted),
            ),
            (
                "purlin_chain_pool_refused_total",
                "Transactions that the pool refused.",
                load(&self.refused),
            ),
            (
                "purlin_chain_pool_dropped_total",
                "Transactions that left the pool without being mined.",
                load(&self.dropped),
            ),
        ]
    }
}

impl Node {
    pub(crate) fn new(
        source: Source,
        settings: Settings,
        rpc: Arc<RpcMetrics>,
        journal: Option<Journal>,
    ) -> Self {
        let head = next_block(&source, &source.head());
        let limits = &settings.rpc;
        let story = Arc::new(Story::new());
        Self {
            pool: Mutex::new(Pool::new(settings.pool.clone(), head)),
            heads: broadcast::Sender::new(HEADS_BEHIND),
            arrivals: Arrivals::new(limits.filter_items),
            pending: Pending::default(),
            filters: Filters::new(limits.filters, limits.filter_lapse),
            fees: Fees::new(),
            rpc,
            wake: Notify::new(),
            reading: Arc::new(Semaphore::new(limits.reading.max(1))),
            executing: Arc::new(Semaphore::new(limits.executing.max(1))),
            snapshots: Arc::new(Semaphore::new(1)),
            counts: Counts::default(),
            trouble: Mutex::default(),
            storage: Storage::new(
                settings.data_dir.clone(),
                settings.storage_max,
                Arc::clone(&story),
            ),
            story,
            journal: Mutex::new(journal),
            appended: AtomicUsize::new(0),
            started: Instant::now(),
            among: OnceLock::new(),
            source,
            settings,
        }
    }

    /// The node is one of several from now on.
    pub(crate) fn join(&self, consensus: &Arc<consensus::Shared>, gossip: Gossip) {
        let consensus = Arc::downgrade(consensus);
        // A node joins once.
        let _ = self.among.set(Among { consensus, gossip });
    }

    /// The engine and the peers; `None` for a node that makes blocks alone, and for one that has stopped.
    pub(crate) fn consensus(&self) -> Option<Arc<consensus::Shared>> {
        self.among.get()?.consensus.upgrade()
    }

    pub(crate) fn gossip_line(&self) -> Option<&Gossip> {
        self.among.get().map(|among| &among.gossip)
    }

    /// Tells those who make blocks of a transaction in the pool, with the key that signed it where that is known.
    pub(crate) fn gossip(&self, hash: &B256, key: Option<PublicKey>) {
        if let Some(gossip) = self.gossip_line()
            && let Some(pooled) = self.waiting(*hash)
        {
            gossip.tell(&pooled, key);
        }
    }

    pub(crate) fn head(&self) -> Arc<Head> {
        self.source.head()
    }

    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool's clock: the time since the service began.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn pool_sizes(&self) -> Status {
        self.pool().status()
    }

    /// Whether the next block could take something: 1 or 0.
    pub(crate) fn ready(&self) -> usize {
        let pool = self.pool();
        usize::from(pool.is_ready(self.settings.pool.tip_min))
    }

    pub(crate) fn waiting(&self, hash: B256) -> Option<Arc<Pooled>> {
        self.pool().get(&hash).map(Arc::clone)
    }

    /// The nonce after a sender's pending transactions, when it has any.
    pub(crate) fn next_nonce(&self, address: Address) -> Option<u64> {
        self.pool().next_nonce(&address)
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn why(&self, hash: B256) -> Option<Why> {
        self.pool().why(&hash)
    }

    /// Takes a transaction into the pool.
    ///
    /// # Errors
    /// -32000 in geth's words, or when the state cannot be read.
    pub(crate) fn insert(&self, transaction: Recovered, key: Option<PublicKey>) -> Result<B256, Fault> {
        let inserted = self.insert_as(transaction, Origin::Local, true)?;
        let hash = inserted.map_err(|refusal| Fault::server(refusal.to_string()))?;
        self.gossip(&hash, key);
        Ok(hash)
    }

    /// Takes a transaction into the pool; `noted`: also into its journal. What comes out of that (and is not noted again)
    /// was taken in while there was room, and is kept when there is none.
    pub(crate) fn insert_as(
        &self,
        transaction: Recovered,
        origin: Origin,
        noted: bool,
    ) -> Result<Result<B256, Refusal>, Fault> {
        if noted && let Some(full) = self.storage.full() {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Fault::limit(full));
        }
        let sender = transaction.signer();
        let mut pool = self.pool();
        // Under the pool's lock: a block that comes now is told to the pool after this.
        let state = account_state(self.source.latest()?.account(sender)?);
        let inserted = pool.insert(self.now(), transaction, state, origin);
        drop(pool);
        Ok(match inserted {
            Ok(inserted) => {
                self.counts.accepted.fetch_add(1, Ordering::Relaxed);
                self.tell(&inserted.events, noted);
                self.wake.notify_one();
                Ok(inserted.hash)
            }
            Err(refusal) => {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                Err(refusal)
            }
        })
    }

    /// Tells followers and the journal what happened in the pool.
    pub(crate) fn tell(&self, events: &[Event], noted: bool) {
        let mut entries = Vec::new();
        for event in events {
            match event {
                Event::Added { transaction, place } => {
                    if *place == Place::Pending {
                        self.arrivals.add(transaction.hash());
                    }
                    encode(transaction, &mut entries);
                }
                Event::Promoted { transaction } => self.arrivals.add(transaction.hash()),
                Event::Replaced { .. } | Event::Dropped { .. } => {
                    self.counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
                Event::Demoted { .. } | Event::Mined { .. } => {}
            }
        }
        if noted && !entries.is_empty() {
            self.appended.fetch_add(entries.len(), Ordering::Relaxed);
            let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            if journal.as_ref().is_some_and(|journal| !journal.append(entries)) {
                self.appended.store(APPENDED_MAX + 1, Ordering::Relaxed);
            }
        }
    }

    /// A block became the head: the pool follows, then everybody is told.
    pub(crate) fn on_head(&self, new: &Arc<NewHead>) {
        let header = &new.block.header;
        let count = |count: &AtomicU64, by: u64| count.fetch_add(by, Ordering::Relaxed);
        count(&self.counts.blocks, 1);
        count(&self.counts.gas, header.gas_used);
        count(&self.counts.mined, new.block.body.transactions.len() as u64);
        if let Err(fault) = self.follow(new) {
            let words = format!(
                "the pool could not follow block {}: {}",
                header.number,
                fault.message()
            );
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
        }
        if self.appended.load(Ordering::Relaxed) > APPENDED_MAX {
            self.write_journal();
        }
        // Nobody may be listening.
        let _ = self.heads.send(Arc::clone(new));
    }

    fn follow(&self, new: &Arc<NewHead>) -> Result<(), Fault> {
        let transactions = &new.block.body.transactions;
        let mined: Vec<B256> = transactions.iter().map(|one| *one.tx_hash()).collect();
        let mut pool = self.pool();
        let waiting = |address: &&Address| pool.next_nonce(address).is_some();
        let changed: Vec<Address> = new.changed.iter().filter(waiting).copied().collect();
        let state = self.source.latest()?;
        let mut accounts = Vec::with_capacity(changed.len());
        for address in changed {
            accounts.push((address, account_state(state.account(address)?)));
        }
        let block = NewBlock {
            head: next_block(&self.source, &self.source.head()),
            mined: &mined,
            accounts: &accounts,
        };
        let events = pool.on_block(self.now(), &block);
        drop(pool);
        self.tell(&events, false);
        Ok(())
    }

    /// Writes the journal anew from what is in the pool.
    pub(crate) fn write_journal(&self) {
        let journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &*journal {
            // What the disk has no time for is tried again at the next block.
            let written = journal.rewrite(self.pool().journal());
            let appended = if written { 0 } else { APPENDED_MAX + 1 };
            self.appended.store(appended, Ordering::Relaxed);
        }
    }

    /// Ends the journal's thread once it has written everything.
    pub(crate) fn close_journal(&self) {
        self.write_journal();
        drop(self.journal.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// What the pool must know of an account.
fn account_state(account: Option<Account>) -> AccountState {
    let account = account.unwrap_or_default();
    AccountState {
        nonce: account.nonce,
        balance: account.balance,
        delegated: account.code_hash != KECCAK256_EMPTY,
    }
}

/// What the pool must know of the block after this one.
pub(crate) fn next_block(source: &Source, head: &Head) -> pool::Head {
    let spec = source.spec();
    let header = &head.header;
    let timestamp = unix_now().max(header.timestamp + 1);
    pool::Head {
        chain_id: spec.chain_id(),
        fork: spec.fork_at(header.number + 1, timestamp),
        base_fee: spec.next_base_fee(header, timestamp).unwrap_or(0),
        gas_limit: header.gas_limit,
    }
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
