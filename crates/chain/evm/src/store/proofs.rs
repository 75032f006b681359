//! Proofs against the state root of any block that is kept.
//!
//! The rows are those of the head's tries. For an older block what came later is taken back in memory: the values
//! that accounts and slots had then are applied to the tries as if a block wrote them, and the root that comes out must be
//! the one in that block's header. The cost is that of everything that changed since.

use std::collections::btree_map::Entry;
use std::sync::Arc;

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};

use super::codec::{Touched, damaged, rlp};
use super::error::StoreError;
use super::roots::{AccountRows, StorageRows, Tries};
use super::values::{AccountProof, SlotProof, TrieUpdate};
use super::{Snapshot, Store};
use crate::state::{Account, Changes};
use crate::trie::{Child, cold, prove};

impl Store {
    /// The root of the state after a block and then these changes: of blocks that might have followed it. The cost
    /// is that of everything that changed since.
    ///
    /// # Errors
    /// [`StoreError::Pruned`], [`StoreError::Ahead`]; when the store cannot read.
    pub fn root_at(&self, number: u64, changes: &Changes) -> Result<B256, StoreError> {
        self.healthy()?;
        let (snapshot, root) = self.with_hot_accounts();
        snapshot.within(number)?;
        let mut all = back_to(&snapshot, number)?;
        all.then(changes.clone());
        Ok(tries_after(&snapshot, root.as_ref(), &all)?.root())
    }

    /// What the head is, and what of its trie of accounts is in memory.
    fn with_hot_accounts(&self) -> (Arc<Snapshot>, Option<Child>) {
        // As long as this is locked, both are of the same head.
        let hot = self.inner.hot.read().expect("no thread panics with it locked");
        (self.snapshot(), hot.accounts.clone())
    }

    /// Proof of an account and of slots of its storage after a block (EIP-1186).
    ///
    /// # Errors
    /// [`StoreError::Pruned`], [`StoreError::Ahead`]; when the store cannot read.
    pub fn proof(&self, number: u64, address: Address, slots: &[B256]) -> Result<AccountProof, StoreError> {
        self.healthy()?;
        let (snapshot, root) = self.with_hot_accounts();
        snapshot.within(number)?;
        let tries = tries_at(&snapshot, root.as_ref(), number)?;
        let owner = keccak256(address);
        let rows = AccountRows(&snapshot.tables);
        let (proof, leaf) = prove(tries.accounts.as_ref(), &rows, &Nibbles::unpack(owner))?;
        let leaf = leaf
            .map(|leaf| rlp::<TrieAccount>(&leaf, "an account's leaf"))
            .transpose()?;
        let storage_root = leaf.map_or(EMPTY_ROOT_HASH, |leaf| leaf.storage_root);
        // Only tries that had to be taken back are in memory; without its account none of them counts.
        let taken_back = tries.storages.into_iter().find(|storage| storage.owner == owner);
        let root = match taken_back {
            Some(storage) if leaf.is_some() => storage.root,
            _ => cold(storage_root),
        };
        let rows = StorageRows(&snapshot.tables, owner);
        let one = |slot: &B256| -> Result<SlotProof, StoreError> {
            let (proof, value) = prove(root.as_ref(), &rows, &Nibbles::unpack(keccak256(slot)))?;
            let value = value
                .map(|value| rlp::<U256>(&value, "a slot's leaf"))
                .transpose()?;
            Ok(SlotProof {
                slot: *slot,
                value: value.unwrap_or_default(),
                proof,
            })
        };
        Ok(AccountProof {
            address,
            account: leaf.map(|leaf| Account {
                nonce: leaf.nonce,
                balance: leaf.balance,
                code_hash: leaf.code_hash,
            }),
            storage_root,
            proof,
            storage: slots.iter().map(one).collect::<Result<_, _>>()?,
        })
    }
}

/// The tries after these changes of the head's; storage tries come from their rows.
fn tries_after(
    snapshot: &Snapshot,
    root: Option<&Child>,
    changes: &Changes,
) -> Result<TrieUpdate, StoreError> {
    let tries = Tries {
        rows: &snapshot.tables,
        number: snapshot.number(),
        accounts: root,
        storages: &HashMap::default(),
    };
    Ok(tries.after(changes)?)
}

/// The tries after a block: what of them is not in memory lies in the snapshot's rows.
fn tries_at(snapshot: &Snapshot, root: Option<&Child>, number: u64) -> Result<TrieUpdate, StoreError> {
    let update = tries_after(snapshot, root, &back_to(snapshot, number)?)?;
    let header = snapshot.header(number)?.ok_or_else(|| damaged("a header"))?;
    if update.root() != header.header.state_root {
        return Err(StoreError::Damaged(format!(
            "the changes since block {number} give state root {}, its header says {}",
            update.root(),
            header.header.state_root
        )));
    }
    Ok(update)
}

/// What leads from the head's state back to that of an older block.
fn back_to(snapshot: &Snapshot, number: u64) -> Result<Changes, StoreError> {
    let mut back = Changes::default();
    for later in number + 1..=snapshot.number() {
        let row = snapshot.tables.block_changes.get(later)?;
        let row = row.ok_or_else(|| damaged("a block's list of changes"))?;
        let touched = Touched::decode(row.value())?;
        for address in touched.accounts {
            if let Entry::Vacant(vacant) = back.accounts.entry(address) {
                vacant.insert(snapshot.account_at(address, number)?);
            }
        }
        for (address, slot) in touched.slots {
            let slots = back.storage.entry(address).or_default();
            if let Entry::Vacant(vacant) = slots.entry(slot) {
                vacant.insert(snapshot.slot_at(address, slot, number)?);
            }
        }
    }
    Ok(back)
}
