//! The tables of the file. `docs/formats/chain.md` describes every row.

use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, TableError};

/// Grows when a program of before could not read the file.
pub(super) const FORMAT: u64 = 1;

pub(super) type Definition<K, V> = TableDefinition<'static, K, V>;
type Open<K> = ReadOnlyTable<K, &'static [u8]>;

pub(super) const META: Definition<&str, &[u8]> = TableDefinition::new("meta");
pub(super) const ACCOUNTS: Definition<&[u8; 20], &[u8]> = TableDefinition::new("accounts");
pub(super) const STORAGE: Definition<&[u8; 52], &[u8]> = TableDefinition::new("storage");
pub(super) const CODES: Definition<&[u8; 32], &[u8]> = TableDefinition::new("codes");
pub(super) const ACCOUNT_CHANGES: Definition<&[u8; 28], &[u8]> = TableDefinition::new("account_changes");
pub(super) const STORAGE_CHANGES: Definition<&[u8; 60], &[u8]> = TableDefinition::new("storage_changes");
pub(super) const BLOCK_CHANGES: Definition<u64, &[u8]> = TableDefinition::new("block_changes");
pub(super) const ACCOUNT_TRIE: Definition<&[u8], &[u8]> = TableDefinition::new("account_trie");
pub(super) const STORAGE_TRIES: Definition<&[u8], &[u8]> = TableDefinition::new("storage_tries");
pub(super) const HEADERS: Definition<u64, &[u8]> = TableDefinition::new("headers");
pub(super) const BODIES: Definition<u64, &[u8]> = TableDefinition::new("bodies");
pub(super) const SENDERS: Definition<u64, &[u8]> = TableDefinition::new("senders");
pub(super) const RECEIPTS: Definition<u64, &[u8]> = TableDefinition::new("receipts");
pub(super) const NUMBERS: Definition<&[u8; 32], u64> = TableDefinition::new("numbers");
pub(super) const TRANSACTIONS: Definition<&[u8; 32], (u64, u32)> = TableDefinition::new("transactions");
/// Made by the first block with a certificate: files of before, and of chains without validators, do not have it.
pub(super) const CERTIFICATES: Definition<u64, &[u8]> = TableDefinition::new("certificates");

/// Keys of the table `meta`.
pub(super) mod meta {
    pub(in crate::store) const FORMAT: &str = "format";
    pub(in crate::store) const GENESIS: &str = "genesis";
    pub(in crate::store) const HEAD: &str = "head";
    pub(in crate::store) const OLDEST: &str = "oldest";
}

/// All tables as they were after one commit.
pub(super) struct Tables {
    pub(super) meta: Open<&'static str>,
    pub(super) accounts: Open<&'static [u8; 20]>,
    pub(super) storage: Open<&'static [u8; 52]>,
    pub(super) codes: Open<&'static [u8; 32]>,
    pub(super) account_changes: Open<&'static [u8; 28]>,
    pub(super) storage_changes: Open<&'static [u8; 60]>,
    pub(super) block_changes: Open<u64>,
    pub(super) account_trie: Open<&'static [u8]>,
    pub(super) storage_tries: Open<&'static [u8]>,
    pub(super) headers: Open<u64>,
    pub(super) bodies: Open<u64>,
    pub(super) senders: Open<u64>,
    pub(super) receipts: Open<u64>,
    pub(super) numbers: ReadOnlyTable<&'static [u8; 32], u64>,
    pub(super) transactions: ReadOnlyTable<&'static [u8; 32], (u64, u32)>,
    pub(super) certificates: Option<Open<u64>>,
}

impl Tables {
    /// # Errors
    /// `TableDoesNotExist` when no chain was ever written.
    pub(super) fn open(reading: &ReadTransaction) -> Result<Self, TableError> {
        Ok(Self {
            meta: reading.open_table(META)?,
            accounts: reading.open_table(ACCOUNTS)?,
            storage: reading.open_table(STORAGE)?,
            codes: reading.open_table(CODES)?,
            account_changes: reading.open_table(ACCOUNT_CHANGES)?,
            storage_changes: reading.open_table(STORAGE_CHANGES)?,
            block_changes: reading.open_table(BLOCK_CHANGES)?,
            account_trie: reading.open_table(ACCOUNT_TRIE)?,
            storage_tries: reading.open_table(STORAGE_TRIES)?,
            headers: reading.open_table(HEADERS)?,
            bodies: reading.open_table(BODIES)?,
            senders: reading.open_table(SENDERS)?,
            receipts: reading.open_table(RECEIPTS)?,
            numbers: reading.open_table(NUMBERS)?,
            transactions: reading.open_table(TRANSACTIONS)?,
            certificates: match reading.open_table(CERTIFICATES) {
                Err(TableError::TableDoesNotExist(_)) => None,
                other => Some(other?),
            },
        })
    }
}
