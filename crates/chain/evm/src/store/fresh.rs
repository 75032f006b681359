//! The file of a chain that begins with a state from elsewhere: what is older than its head never was in it.

use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{Nibbles, TrieAccount};
use purlin_chain_proto::{Header, Receipt};
use redb::{ReadableTable, Table, WriteTransaction};

use super::codec;
use super::create::{block_zero, make, there};
use super::error::{StateError, StoreError};
use super::roots::SlotValues;
use super::snapshot::storage_path;
use super::values::{StateSettings, Stored};
use super::write::{self, BlockRows, put};
use super::{Store, tables};
use crate::state::Account;
use crate::trie::{Batch, Child, NodeSource, RowChange, Values, cold, root_hash};

/// The one transaction that makes the file.
pub(crate) struct Fresh<'t> {
    writing: &'t WriteTransaction,
}

/// An account whose slots are written.
#[derive(Debug)]
pub(crate) struct FreshAccount {
    pub(crate) address: Address,
    /// Keccak-256 of the address.
    pub(crate) hash: B256,
    pub(crate) account: Account,
    pub(crate) storage_root: B256,
}

/// Everything but the state.
pub(crate) struct FreshBlocks<'a> {
    pub(crate) genesis: &'a Header,
    /// With their hashes; the last is the head.
    pub(crate) headers: &'a [(B256, Header)],
    pub(crate) head: &'a Stored,
    pub(crate) receipts: &'a [Receipt],
    pub(crate) certificate: Option<&'a Bytes>,
}

impl fmt::Debug for Fresh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").finish_non_exhaustive()
    }
}

impl Store {
    /// Whether there is a file at `path`.
    pub(crate) fn is_there(path: &Path) -> Result<bool, StoreError> {
        there(path)
    }

    /// Makes the file at `path` of what `work` writes; as [`Store::create`], it gets its name when all of it is on the disk.
    pub(crate) fn fresh<E: From<StoreError>>(
        path: &Path,
        settings: StateSettings,
        work: impl FnOnce(&Fresh<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Nothing else is in memory: all of it is for pages.
        make(path, settings.bytes(), |writing| work(&Fresh { writing }))
    }

    /// The same without a file.
    #[cfg(test)]
    pub(crate) fn fresh_in_memory<E: From<StoreError>>(
        settings: StateSettings,
        work: impl FnOnce(&Fresh<'_>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let source = super::backend::Source::memory(settings.bytes());
        let database = source.open()?;
        let writing = database.begin_write().map_err(StoreError::from)?;
        work(&Fresh { writing: &writing })?;
        writing.commit().map_err(StoreError::from)?;
        Ok(Self::with_database(source, database, settings)?)
    }
}

impl Fresh<'_> {
    pub(crate) fn code(&self, hash: B256, code: &[u8]) -> Result<(), StoreError> {
        let mut table = self.writing.open_table(tables::CODES)?;
        if table.get(&hash.0)?.is_none() {
            table.insert(&hash.0, code)?;
        }
        Ok(())
    }

    /// Adds slots, sorted and none of them zero, to an account's storage with this root, and gives the new root. What is in
    /// memory for it is gone afterwards, so that an account may have more slots than memory.
    pub(crate) fn slots(
        &self,
        address: Address,
        root: B256,
        slots: &[(U256, U256)],
    ) -> Result<B256, StoreError> {
        let mut table = self.writing.open_table(tables::STORAGE)?;
        let mut edits = Vec::with_capacity(slots.len());
        for (slot, value) in slots {
            let key = codec::slot_key(address, *slot);
            table.insert(&key, codec::encode_word(*value).as_slice())?;
            edits.push((Nibbles::unpack(keccak256(slot.to_be_bytes::<32>())), *value));
        }
        edits.sort_unstable_by_key(|edit| edit.0);
        let rows = Written {
            table: Mutex::new(self.writing.open_table(tables::STORAGE_TRIES)?),
            owner: keccak256(address),
        };
        let batch = Batch {
            source: &rows,
            values: &SlotValues,
            stamp: 0,
        };
        let outcome = batch.apply(cold(root).as_ref(), &edits)?;
        let Written { table, owner } = rows;
        let mut table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (path, row) in outcome.rows {
            put(&mut table, storage_path(&owner, &path).as_slice(), row.as_deref())?;
        }
        Ok(root_hash(outcome.root.as_ref()))
    }

    /// Writes all accounts whose hashed addresses begin with `path`, sorted by these, and gives their part of the trie.
    pub(crate) fn accounts(
        &self,
        path: Nibbles,
        accounts: &[FreshAccount],
    ) -> Result<Option<Child>, StoreError> {
        let mut rows: Vec<_> = accounts.iter().map(|one| (one.address, &one.account)).collect();
        rows.sort_unstable_by_key(|row| row.0);
        let mut table = self.writing.open_table(tables::ACCOUNTS)?;
        for (address, account) in rows {
            table.insert(&address.0.0, codec::encode_account(account).as_slice())?;
        }
        let batch = Batch {
            source: &Nothing,
            values: &AccountLeaves(PhantomData),
            stamp: 0,
        };
        let edits: Vec<_> = accounts
            .iter()
            .map(|one| (Nibbles::unpack(one.hash), one))
            .collect();
        let outcome = batch.part(path, &edits)?;
        self.account_trie(&outcome.rows)?;
        Ok(outcome.root)
    }

    pub(crate) fn account_trie(&self, rows: &[RowChange]) -> Result<(), StoreError> {
        let mut table = self.writing.open_table(tables::ACCOUNT_TRIE)?;
        for (path, row) in rows {
            put(&mut table, path.to_vec().as_slice(), row.as_deref())?;
        }
        Ok(())
    }

    /// Block 0, which is always there, the head, and the headers between that are known.
    pub(crate) fn blocks(&self, blocks: &FreshBlocks<'_>) -> Result<(), StoreError> {
        let zero = block_zero(blocks.genesis);
        write::beginning(self.writing, zero.hash)?;
        self.every_table()?;
        let head = blocks.head.block.header.number;
        if head > 0 {
            let rows = BlockRows {
                stored: &zero,
                receipts: &[],
                certificate: None,
            };
            write::block(self.writing, &rows)?;
        }
        for (hash, header) in blocks.headers {
            write::header(self.writing, *hash, header)?;
        }
        let rows = BlockRows {
            stored: blocks.head,
            receipts: blocks.receipts,
            certificate: blocks.certificate,
        };
        write::block(self.writing, &rows)?;
        write::oldest(self.writing, head)
    }

    /// A state without any row has these tables too.
    fn every_table(&self) -> Result<(), StoreError> {
        self.writing.open_table(tables::ACCOUNTS)?;
        self.writing.open_table(tables::STORAGE)?;
        self.writing.open_table(tables::CODES)?;
        self.writing.open_table(tables::ACCOUNT_TRIE)?;
        self.writing.open_table(tables::STORAGE_TRIES)?;
        Ok(())
    }
}

/// The rows of one storage trie, as far as they are written.
struct Written<'t> {
    table: Mutex<Table<'t, &'static [u8], &'static [u8]>>,
    owner: B256,
}

impl NodeSource for Written<'_> {
    fn row(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        let table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let row = table.get(storage_path(&self.owner, path).as_slice())?;
        Ok(row.map(|row| row.value().to_vec()))
    }
}

/// A part of the trie that is made at once asks for no row.
struct Nothing;

impl NodeSource for Nothing {
    fn row(&self, _: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// Accounts as the trie has them.
struct AccountLeaves<'a>(PhantomData<&'a FreshAccount>);

impl<'a> Values for AccountLeaves<'a> {
    type Edit = &'a FreshAccount;
    type Beside = ();

    fn value(
        &self,
        edit: &Self::Edit,
        _: Option<&[u8]>,
        _: &mut Vec<()>,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let Account {
            nonce,
            balance,
            code_hash,
        } = edit.account;
        let leaf = TrieAccount::new(nonce, balance, edit.storage_root, code_hash);
        Ok(Some(alloy_rlp::encode(leaf)))
    }
}
