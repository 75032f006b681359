//! Sizes and counts of a store.

use redb::{ReadableTableMetadata, StorageError};

use super::error::StoreError;
use super::values::{StoreFigures, TableFigures, TableSize};
use super::{Snapshot, Store};

type Each<'a> = &'a mut dyn FnMut(&'static str, &dyn ReadableTableMetadata) -> Result<(), StorageError>;

impl Store {
    /// Counts; cheap.
    ///
    /// # Errors
    /// When the store cannot read.
    pub fn figures(&self) -> Result<StoreFigures, StoreError> {
        let snapshot = self.snapshot();
        let mut tables = Vec::new();
        each_table(&snapshot, &mut |name, table| {
            tables.push(TableFigures {
                name,
                rows: table.len()?,
            });
            Ok(())
        })?;
        let (cache_hits, cache_misses) = self.inner.cache.counts();
        let path = self.inner.source.path.as_ref();
        let length = path.and_then(|path| std::fs::metadata(path).ok());
        let hot = self.inner.hot.read().expect("no thread panics with it locked");
        Ok(StoreFigures {
            file_bytes: length.map_or(0, |file| file.len()),
            accounts: snapshot.tables.accounts.len()?,
            slots: snapshot.tables.storage.len()?,
            head: snapshot.number(),
            oldest: snapshot.oldest,
            cache_hits,
            cache_misses,
            trie_bytes: hot.estimate as u64,
            tables,
        })
    }

    /// Octets by table. Reads every page of the file: for people and reports, not for a scrape.
    ///
    /// # Errors
    /// When the store cannot read.
    pub fn table_sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let mut sizes = Vec::new();
        each_table(&self.snapshot(), &mut |name, table| {
            let stats = table.stats()?;
            sizes.push(TableSize {
                name,
                stored_bytes: stats.stored_bytes(),
                overhead_bytes: stats.metadata_bytes() + stats.fragmented_bytes(),
            });
            Ok(())
        })?;
        Ok(sizes)
    }
}

fn each_table(snapshot: &Snapshot, each: Each<'_>) -> Result<(), StorageError> {
    let tables = &snapshot.tables;
    each("accounts", &tables.accounts)?;
    each("storage", &tables.storage)?;
    each("codes", &tables.codes)?;
    each("account_changes", &tables.account_changes)?;
    each("storage_changes", &tables.storage_changes)?;
    each("block_changes", &tables.block_changes)?;
    each("account_trie", &tables.account_trie)?;
    each("storage_tries", &tables.storage_tries)?;
    each("headers", &tables.headers)?;
    each("bodies", &tables.bodies)?;
    each("senders", &tables.senders)?;
    each("receipts", &tables.receipts)?;
    each("numbers", &tables.numbers)?;
    each("transactions", &tables.transactions)?;
    match &tables.certificates {
        Some(table) => each("certificates", table),
        None => Ok(()),
    }
}
