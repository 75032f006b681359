//! What goes into the store and what comes out of it, as plain values.

use alloy_primitives::{Address, B256, Bytes, U256};
use purlin_chain_proto::{Block, Header, Receipt};

use crate::state::{Account, Changes};
use crate::trie::{Child, RowChange};

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    Archive,
    /// Headers for ever; bodies, receipts and states of the newest `blocks` blocks, the head among them. At
    /// least 1; geth keeps 128 states.
    Full { blocks: u64 },
}

/// How a store is run. Nothing of it is on disk: it may differ at every opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSettings {
    pub mode: Mode,
    /// Octets of memory for what is hot, in all: half for trie nodes, a quarter for accounts and slots, a
    /// quarter for pages of the file. Below 4 MiB it counts as 4 MiB.
    pub cache_bytes: usize,
}

impl Default for StateSettings {
    fn default() -> Self {
        Self {
            mode: Mode::Full { blocks: 10_000 },
            cache_bytes: 256 << 20,
        }
    }
}

/// A header and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub header: Header,
    pub hash: B256,
}

/// A block that was executed: everything that one commit makes durable.
#[derive(Debug)]
pub struct Sealed {
    pub block: Block,
    /// Of the header.
    pub hash: B256,
    /// One for each transaction.
    pub senders: Vec<Address>,
    /// One for each transaction.
    pub receipts: Vec<Receipt>,
    /// What the block changes of its parent's state.
    pub changes: Changes,
    /// Of `root_after` with the same changes, on the parent.
    pub trie: TrieUpdate,
    /// What proves that the block was decided, as it is; `None` where nobody decides.
    pub certificate: Option<Bytes>,
}

/// What the trie becomes by changes of one head's state. Only of use to commit the very same changes.
#[derive(Debug)]
pub struct TrieUpdate {
    /// The head that the changes were applied to.
    pub(super) base: u64,
    pub(super) root: B256,
    pub(super) accounts: Option<Child>,
    /// Rows of the trie of accounts, sorted by path.
    pub(super) rows: Vec<RowChange>,
    /// Sorted by owner.
    pub(super) storages: Vec<StorageUpdate>,
}

/// What the storage trie of one account becomes.
#[derive(Debug)]
pub(crate) struct StorageUpdate {
    /// Keccak-256 of the address.
    pub(super) owner: B256,
    /// All its rows go first.
    pub(super) wiped: bool,
    pub(super) root: Option<Child>,
    /// Sorted by path.
    pub(super) rows: Vec<RowChange>,
}

impl TrieUpdate {
    /// The state root after the changes.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.root
    }
}

/// A block as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub block: Block,
    pub hash: B256,
    pub senders: Vec<Address>,
}

/// Proof of an account and of slots of its storage, or of their absence (EIP-1186).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountProof {
    pub address: Address,
    /// `None`: the proof is one of absence.
    pub account: Option<Account>,
    /// Of the empty trie when there is no account.
    pub storage_root: B256,
    /// RLP of the nodes from the state root down.
    pub proof: Vec<Bytes>,
    pub storage: Vec<SlotProof>,
}

/// Proof of one slot against the account's storage root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotProof {
    pub slot: B256,
    /// Zero: the proof is one of absence.
    pub value: U256,
    /// RLP of the nodes from the storage root down; none when the storage is empty.
    pub proof: Vec<Bytes>,
}

/// What one step of pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Blocks of which body, receipts and changes went.
    pub blocks: u64,
    /// Rows removed in all.
    pub rows: u64,
    /// The oldest block whose state can be asked now.
    pub oldest: u64,
    /// Whether there is more to prune: call again.
    pub more: bool,
}

/// What became of a file that was pruned and compacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shrunk {
    /// Length of the file in octets, before and after.
    pub before: u64,
    pub after: u64,
    /// Blocks of which body, receipts and changes went.
    pub blocks: u64,
    /// The oldest block whose state can be asked now.
    pub oldest: u64,
}

/// Sizes and counts, for metrics and for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreFigures {
    /// Rows by table.
    pub tables: Vec<TableFigures>,
    /// Length of the file in octets; 0 in memory.
    pub file_bytes: u64,
    pub accounts: u64,
    pub slots: u64,
    pub head: u64,
    pub oldest: u64,
    /// Reads of accounts and slots that memory answered, and that the file answered, since the opening.
    pub cache_hits: u64,
    pub cache_misses: u64,
    /// Trie nodes in memory, in octets, as last estimated.
    pub trie_bytes: u64,
}

/// One table of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFigures {
    pub name: &'static str,
    pub rows: u64,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    pub name: &'static str,
    /// Keys and values.
    pub stored_bytes: u64,
    /// Inner pages, page headers and unused room inside pages.
    pub overhead_bytes: u64,
}
