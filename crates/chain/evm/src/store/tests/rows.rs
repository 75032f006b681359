//! The rows of a state, to compare two files.

use std::collections::BTreeMap;

use crate::store::Store;

/// Table and key, and the value.
pub(crate) type Rows = BTreeMap<(&'static str, Vec<u8>), Vec<u8>>;

/// Everything that the newest state is in the file.
pub(crate) fn rows(store: &Store) -> Rows {
    let snapshot = store.snapshot();
    let tables = &snapshot.tables;
    let mut rows = Rows::new();
    macro_rules! all {
        ($($table:ident),*) => {$(
            for row in redb::ReadableTable::iter(&tables.$table).unwrap() {
                let (key, value) = row.unwrap();
                rows.insert((stringify!($table), key.value().to_vec()), value.value().to_vec());
            }
        )*};
    }
    all!(accounts, storage, codes, account_trie, storage_tries);
    rows
}
