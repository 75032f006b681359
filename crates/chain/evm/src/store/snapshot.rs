//! The store as it was after one commit: what every reader holds.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::Nibbles;
use purlin_chain_proto::Header;
use redb::{Database, ReadableDatabase, TableError};

use super::cache::FlatCache;
use super::codec::{self, damaged};
use super::error::{StateError, StoreError};
use super::roots::TrieRows;
use super::tables::{FORMAT, Tables, meta};
use super::values::Head;
use crate::state::Account;

/// Tables and head of one commit; the engine keeps its pages as long as somebody holds it.
pub(super) struct Snapshot {
    pub(super) tables: Tables,
    pub(super) genesis: B256,
    pub(super) head: Arc<Head>,
    /// The oldest block whose state and body are there.
    pub(super) oldest: u64,
    /// Of the cache, for readers of this snapshot.
    pub(super) version: u64,
    pub(super) cache: Arc<FlatCache>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("head", &self.head.header.number)
            .field("oldest", &self.oldest)
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// What the database holds now.
    ///
    /// # Errors
    /// When there is no chain in it, it is of another format, or its head is not what its hash says.
    pub(super) fn take(database: &Database, version: u64, cache: Arc<FlatCache>) -> Result<Self, StoreError> {
        let reading = database.begin_read()?;
        let tables = match Tables::open(&reading) {
            Err(TableError::TableDoesNotExist(_)) => return Err(StoreError::NoChain { path: String::new() }),
            other => other?,
        };
        let number = |key| -> Result<u64, StoreError> {
            let row = tables.meta.get(key)?;
            let octets = row.as_ref().and_then(|row| row.value().try_into().ok());
            Ok(octets.map(u64::from_be_bytes).ok_or_else(|| damaged(key))?)
        };
        let found = number(meta::FORMAT)?;
        if found != FORMAT {
            return Err(StoreError::Format { found, known: FORMAT });
        }
        let (head, oldest) = (number(meta::HEAD)?, number(meta::OLDEST)?);
        let genesis = tables.meta.get(meta::GENESIS)?;
        let genesis = genesis.as_ref().and_then(|row| B256::try_from(row.value()).ok());
        let genesis = genesis.ok_or_else(|| damaged("the genesis hash"))?;
        let head = header_row(&tables, head)?.ok_or_else(|| damaged("the header of the head"))?;
        if head.header.hash_slow() != head.hash {
            return Err(damaged("the header of the head").into());
        }
        Ok(Self {
            tables,
            genesis,
            head: Arc::new(head),
            oldest,
            version,
            cache,
        })
    }

    pub(super) fn number(&self) -> u64 {
        self.head.header.number
    }

    pub(super) fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        if let Some(account) = self.cache.account(address, self.version) {
            return Ok(account);
        }
        let row = self.tables.accounts.get(&address.0.0)?;
        let account = row.map(|row| codec::decode_account(row.value())).transpose()?;
        self.cache.keep_account(address, account, self.version);
        Ok(account)
    }

    pub(super) fn slot(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        if let Some(value) = self.cache.slot(address, slot, self.version) {
            return Ok(value);
        }
        let row = self.tables.storage.get(&codec::slot_key(address, slot))?;
        let value = row.map_or(Ok(U256::ZERO), |row| codec::decode_word(row.value()))?;
        self.cache.keep_slot(address, slot, value, self.version);
        Ok(value)
    }

    /// All slots of an account that are not zero.
    pub(super) fn slots(&self, address: Address) -> Result<Vec<(U256, U256)>, StateError> {
        let (first, last) = (
            codec::slot_key(address, U256::ZERO),
            codec::slot_key(address, U256::MAX),
        );
        let mut slots = Vec::new();
        for row in self.tables.storage.range::<&[u8; 52]>(&first..=&last)? {
            let (key, value) = row?;
            slots.push((codec::slot_of(key.value()), codec::decode_word(value.value())?));
        }
        Ok(slots)
    }

    pub(super) fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        let row = self.tables.codes.get(&hash.0)?;
        let code = row.map(|row| Bytes::copy_from_slice(row.value()));
        let code = code.ok_or_else(|| StateError::Damaged(format!("the code {hash} is missing")))?;
        if keccak256(&code) == hash {
            Ok(code)
        } else {
            Err(StateError::Damaged(format!("the code {hash} is another")))
        }
    }

    /// What the account was at an older block: the value before the first change after it, or else the present.
    pub(super) fn account_at(&self, address: Address, number: u64) -> Result<Option<Account>, StateError> {
        if number < self.number() {
            let first = codec::account_change_key(address, number + 1);
            let last = codec::account_change_key(address, u64::MAX);
            if let Some(row) = self
                .tables
                .account_changes
                .range::<&[u8; 28]>(&first..=&last)?
                .next()
            {
                return codec::decode_before(row?.1.value());
            }
        }
        self.account(address)
    }

    /// As [`Self::account_at`].
    pub(super) fn slot_at(&self, address: Address, slot: U256, number: u64) -> Result<U256, StateError> {
        if number < self.number() {
            let first = codec::slot_change_key(address, slot, number + 1);
            let last = codec::slot_change_key(address, slot, u64::MAX);
            if let Some(row) = self
                .tables
                .storage_changes
                .range::<&[u8; 60]>(&first..=&last)?
                .next()
            {
                return codec::decode_word(row?.1.value());
            }
        }
        self.slot(address, slot)
    }

    pub(super) fn header(&self, number: u64) -> Result<Option<Head>, StateError> {
        header_row(&self.tables, number)
    }

    pub(super) fn block_hash(&self, number: u64) -> Result<Option<B256>, StateError> {
        let row = self.tables.headers.get(number)?;
        row.map(|row| split_header(row.value()).map(|(hash, _)| hash))
            .transpose()
    }

    /// Refuses a block that is pruned or has not come yet.
    pub(super) fn within(&self, wanted: u64) -> Result<(), StoreError> {
        let (oldest, head) = (self.oldest, self.number());
        match wanted {
            _ if wanted < oldest => Err(StoreError::Pruned { wanted, oldest }),
            _ if wanted > head => Err(StoreError::Ahead { wanted, head }),
            _ => Ok(()),
        }
    }
}

fn header_row(tables: &Tables, number: u64) -> Result<Option<Head>, StateError> {
    let Some(row) = tables.headers.get(number)? else {
        return Ok(None);
    };
    let (hash, octets) = split_header(row.value())?;
    let header: Header = codec::rlp(octets, "a header")?;
    Ok(Some(Head { header, hash }))
}

/// The hash, then RLP.
fn split_header(octets: &[u8]) -> Result<(B256, &[u8]), StateError> {
    let (hash, rlp) = octets
        .split_first_chunk::<32>()
        .ok_or_else(|| damaged("a header"))?;
    Ok((hash.into(), rlp))
}

impl TrieRows for Tables {
    fn of_accounts(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        let row = self.account_trie.get(path.to_vec().as_slice())?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn of_storage(&self, owner: &B256, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        let row = self.storage_tries.get(storage_path(owner, path).as_slice())?;
        Ok(row.map(|row| row.value().to_vec()))
    }
}

/// The owner's hashed address, then an octet for each nibble.
pub(super) fn storage_path(owner: &B256, path: &Nibbles) -> Vec<u8> {
    owner.0.iter().copied().chain(path.iter()).collect()
}
