//! The tries of a chain: one of accounts, one of storage for each account that has some.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::thread;

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};

use super::codec::rlp;
use super::error::StateError;
use super::values::{StorageUpdate, TrieUpdate};
use crate::state::{Account, Changes};
use crate::trie::{Batch, Child, NodeSource, Values, cold, root_hash};

/// From this many addresses on they are hashed by several threads.
const PARALLEL: usize = 512;

/// Rows of all the tries.
pub(super) trait TrieRows: Sync {
    fn of_accounts(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError>;
    fn of_storage(&self, owner: &B256, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError>;
}

/// The rows of a state that is empty.
pub(super) struct NoRows;

impl TrieRows for NoRows {
    fn of_accounts(&self, _: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }

    fn of_storage(&self, _: &B256, _: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
}

/// Rows of the trie of accounts.
pub(super) struct AccountRows<'a, R>(pub(super) &'a R);

impl<R: TrieRows> NodeSource for AccountRows<'_, R> {
    fn row(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        self.0.of_accounts(path)
    }
}

/// Rows of one storage trie.
pub(super) struct StorageRows<'a, R>(pub(super) &'a R, pub(super) B256);

impl<R: TrieRows> NodeSource for StorageRows<'_, R> {
    fn row(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError> {
        self.0.of_storage(&self.1, path)
    }
}

/// The tries of a head: their rows, and what of them is in memory.
pub(super) struct Tries<'a, R> {
    pub(super) rows: &'a R,
    pub(super) number: u64,
    pub(super) accounts: Option<&'a Child>,
    pub(super) storages: &'a HashMap<B256, (Child, u64)>,
}

impl<R: TrieRows> Tries<'_, R> {
    /// The tries after these changes.
    pub(super) fn after(&self, changes: &Changes) -> Result<TrieUpdate, StateError> {
        let values = AccountValues { tries: self };
        let batch = Batch {
            source: &AccountRows(self.rows),
            values: &values,
            stamp: self.number + 1,
        };
        let mut outcome = batch.apply(self.accounts, &edits(changes))?;
        outcome.beside.sort_by_key(|storage| storage.owner);
        Ok(TrieUpdate {
            base: self.number,
            root: root_hash(outcome.root.as_ref()),
            accounts: outcome.root,
            rows: outcome.rows,
            storages: outcome.beside,
        })
    }
}

/// The root of a state that is these changes of an empty one: a genesis document's `alloc`.
///
/// # Panics
/// Never: nothing is read.
#[must_use]
pub fn genesis_root(alloc: &Changes) -> B256 {
    of_nothing(alloc).root
}

/// The tries of an empty state after these changes.
pub(super) fn of_nothing(alloc: &Changes) -> TrieUpdate {
    let tries = Tries {
        rows: &NoRows,
        number: 0,
        accounts: None,
        storages: &HashMap::default(),
    };
    tries.after(alloc).expect("nothing is read")
}

/// What becomes of one account.
struct AccountEdit<'a> {
    owner: B256,
    after: After,
    /// Nothing of its earlier storage is left.
    wiped: bool,
    slots: Option<&'a BTreeMap<U256, U256>>,
}

enum After {
    /// Only its storage changes.
    Same,
    Is(Account),
    Gone,
}

/// Sorted by hashed address.
fn edits(changes: &Changes) -> Vec<(Nibbles, AccountEdit<'_>)> {
    let touched = changes.accounts.keys();
    let wiped = changes
        .wiped
        .iter()
        .filter(|address| !changes.accounts.contains_key(*address));
    let stored = changes
        .storage
        .keys()
        .filter(|address| !changes.accounts.contains_key(*address) && !changes.wiped.contains(*address));
    let addresses: Vec<Address> = touched.chain(wiped).chain(stored).copied().collect();
    let owners = hashed(&addresses);
    let edit = |(address, owner): (&Address, B256)| {
        let after = match changes.accounts.get(address) {
            None => After::Same,
            Some(Some(account)) => After::Is(*account),
            Some(None) => After::Gone,
        };
        let edit = AccountEdit {
            owner,
            after,
            wiped: changes.wipes(address),
            slots: changes.storage.get(address),
        };
        (Nibbles::unpack(owner), edit)
    };
    let mut edits: Vec<_> = addresses.iter().zip(owners).map(edit).collect();
    edits.sort_unstable_by_key(|edit| edit.0);
    edits
}

fn hashed(addresses: &[Address]) -> Vec<B256> {
    let hash = |part: &[Address]| part.iter().map(keccak256).collect::<Vec<_>>();
    if addresses.len() < PARALLEL {
        return hash(addresses);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(16);
    thread::scope(|scope| {
        let parts = addresses.chunks(addresses.len().div_ceil(threads));
        let running: Vec<_> = parts.map(|part| scope.spawn(move || hash(part))).collect();
        running
            .into_iter()
            .flat_map(|handle| handle.join().expect("hashing does not panic"))
            .collect()
    })
}

/// Accounts as the trie has them, with their storage roots.
struct AccountValues<'a, R> {
    tries: &'a Tries<'a, R>,
}

impl<'a, R: TrieRows> Values for AccountValues<'a, R> {
    type Edit = AccountEdit<'a>;
    type Beside = StorageUpdate;

    fn value(
        &self,
        edit: &Self::Edit,
        old: Option<&[u8]>,
        beside: &mut Vec<StorageUpdate>,
    ) -> Result<Option<Vec<u8>>, StateError> {
        let old = old
            .map(|old| rlp::<TrieAccount>(old, "an account's leaf"))
            .transpose()?;
        let old_root = old.map_or(EMPTY_ROOT_HASH, |old| old.storage_root);
        let account = match (&edit.after, old) {
            (After::Is(account), _) => *account,
            (After::Same, Some(old)) => Account {
                nonce: old.nonce,
                balance: old.balance,
                code_hash: old.code_hash,
            },
            (After::Gone, _) | (After::Same, None) => {
                if old_root != EMPTY_ROOT_HASH {
                    beside.push(StorageUpdate {
                        owner: edit.owner,
                        wiped: true,
                        root: None,
                        rows: Vec::new(),
                    });
                }
                return Ok(None);
            }
        };
        let after = TrieAccount::new(
            account.nonce,
            account.balance,
            self.storage_root(edit, old_root, beside)?,
            account.code_hash,
        );
        Ok(Some(alloy_rlp::encode(after)))
    }
}

impl<R: TrieRows> AccountValues<'_, R> {
    fn storage_root(
        &self,
        edit: &AccountEdit<'_>,
        old_root: B256,
        beside: &mut Vec<StorageUpdate>,
    ) -> Result<B256, StateError> {
        let wiped = edit.wiped && old_root != EMPTY_ROOT_HASH;
        let none = BTreeMap::new();
        let slots = edit.slots.unwrap_or(&none);
        if slots.is_empty() && !wiped {
            return Ok(old_root);
        }
        let hot = self.tries.storages.get(&edit.owner).map(|hot| hot.0.clone());
        let before = if edit.wiped {
            None
        } else {
            hot.or_else(|| cold(old_root))
        };
        let mut edits: Vec<(Nibbles, U256)> = slots
            .iter()
            .map(|(slot, value)| (Nibbles::unpack(keccak256(slot.to_be_bytes::<32>())), *value))
            .collect();
        edits.sort_unstable_by_key(|edit| edit.0);
        let batch = Batch {
            source: &StorageRows(self.tries.rows, edit.owner),
            values: &SlotValues,
            stamp: self.tries.number + 1,
        };
        let outcome = batch.apply(before.as_ref(), &edits)?;
        let root = root_hash(outcome.root.as_ref());
        beside.push(StorageUpdate {
            owner: edit.owner,
            wiped,
            root: outcome.root,
            rows: outcome.rows,
        });
        Ok(root)
    }
}

/// Slots as the trie has them.
pub(super) struct SlotValues;

impl Values for SlotValues {
    type Edit = U256;
    type Beside = ();

    fn value(&self, value: &U256, _: Option<&[u8]>, _: &mut Vec<()>) -> Result<Option<Vec<u8>>, StateError> {
        Ok((!value.is_zero()).then(|| alloy_rlp::encode(value)))
    }
}
