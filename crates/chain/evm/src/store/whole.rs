//! All of the state after the head, in the order of the trie: what a stream of it is made from.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use purlin_chain_proto::Header;
use redb::ReadableTableMetadata;

use super::blocks::{certificate, read_block};
use super::codec::{self, damaged};
use super::error::{StateError, StoreError};
use super::roots::AccountRows;
use super::values::{Head, Stored};
use super::{Snapshot, State};
use crate::state::Account;
use crate::trie::{cold, subtrees};

/// Reads beside the caches: nobody asks for most of it again soon.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<'a>(&'a Snapshot);

impl State {
    /// The newest block when this state was taken: its own, unless the state is of an older one.
    #[must_use]
    pub fn head(&self) -> &Arc<Head> {
        &self.snapshot.head
    }

    /// `None` for the state of an older block than the head that it was taken at: the trie has no rows of it.
    pub(crate) fn whole(&self) -> Option<Whole<'_>> {
        (self.number == self.snapshot.number()).then_some(Whole(&self.snapshot))
    }
}

impl<'a> Whole<'a> {
    pub(crate) fn genesis(self) -> B256 {
        self.0.genesis
    }

    /// The newest headers, at most `count`, the oldest first.
    pub(crate) fn headers(self, count: u64) -> Result<Vec<Header>, StoreError> {
        let head = self.0.number();
        let header = |number| -> Result<Header, StoreError> {
            let row = self.0.header(number)?.ok_or_else(|| damaged("a header"))?;
            Ok(row.header)
        };
        ((head + 1).saturating_sub(count)..=head).map(header).collect()
    }

    pub(crate) fn block(self) -> Result<Stored, StoreError> {
        read_block(self.0, self.0.number())
    }

    /// Of the head, as their row has them.
    pub(crate) fn receipts(self) -> Result<Vec<u8>, StoreError> {
        let row = self.0.tables.receipts.get(self.0.number())?;
        let row = row.ok_or_else(|| damaged("the receipts of a block"))?;
        Ok(row.value().to_vec())
    }

    pub(crate) fn certificate(self) -> Result<Option<Bytes>, StoreError> {
        certificate(self.0, self.0.number())
    }

    /// How many accounts and slots there are.
    pub(crate) fn counts(self) -> Result<(u64, u64), StoreError> {
        Ok((self.0.tables.accounts.len()?, self.0.tables.storage.len()?))
    }

    /// See [`subtrees`].
    pub(crate) fn subtrees(self, depth: usize) -> Result<Option<Vec<B256>>, StoreError> {
        let root = self.0.head.header.state_root;
        match cold(root) {
            Some(node) => Ok(subtrees(&node, &AccountRows(&self.0.tables), depth)?),
            None => Ok((depth == 0).then(|| vec![root])),
        }
    }

    /// The accounts whose hashed address passes, with it, sorted by it: 52 octets of memory for each.
    pub(crate) fn addresses(self, keep: impl Fn(&B256) -> bool) -> Result<Vec<(B256, Address)>, StoreError> {
        let mut found = Vec::new();
        for row in self.0.tables.accounts.range::<&[u8; 20]>(..)? {
            let address = Address::from(row?.0.value());
            let hash = keccak256(address);
            if keep(&hash) {
                found.push((hash, address));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    pub(crate) fn account(self, address: Address) -> Result<Account, StateError> {
        let row = self.0.tables.accounts.get(&address.0.0)?;
        codec::decode_account(row.ok_or_else(|| damaged("an account"))?.value())
    }

    /// Those that are not zero, sorted.
    pub(crate) fn slots(
        self,
        address: Address,
    ) -> Result<impl Iterator<Item = Result<(U256, U256), StateError>> + 'a, StateError> {
        let (first, last) = (
            codec::slot_key(address, U256::ZERO),
            codec::slot_key(address, U256::MAX),
        );
        let rows = self.0.tables.storage.range::<&[u8; 52]>(&first..=&last)?;
        Ok(rows.map(|row| {
            let (key, value) = row?;
            Ok((codec::slot_of(key.value()), codec::decode_word(value.value())?))
        }))
    }

    pub(crate) fn code(self, hash: B256) -> Result<Bytes, StateError> {
        self.0.code(hash)
    }
}
