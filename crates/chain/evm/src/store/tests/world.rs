//! A chain beside its model: every state as maps, every root by a builder over the sorted whole.

use std::collections::BTreeMap;

use alloy_consensus::{Eip658Value, Receipt as Body, SignableTransaction, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Log, Signature, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount};
use proptest::prelude::*;
use purlin_chain_proto::{Block, Header, Receipt, Transaction};

use crate::state::{Account, Changes, StateRead};
use crate::store::{Mode, Sealed, StateSettings, Store};

pub(super) const ADDRESSES: u8 = 6;
pub(super) const SLOTS: u64 = 5;

/// A state as maps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) storage: BTreeMap<Address, BTreeMap<U256, U256>>,
}

impl World {
    pub(super) fn apply(&mut self, changes: &Changes) {
        for address in &changes.wiped {
            self.storage.remove(address);
        }
        for (address, account) in &changes.accounts {
            match account {
                Some(account) => drop(self.accounts.insert(*address, *account)),
                None => drop(self.accounts.remove(address)),
            }
        }
        for (address, slots) in &changes.storage {
            self.storage.entry(*address).or_default().extend(slots);
        }
        let accounts = &self.accounts;
        self.storage.retain(|address, slots| {
            slots.retain(|_, value| !value.is_zero());
            accounts.contains_key(address) && !slots.is_empty()
        });
    }

    pub(super) fn root(&self) -> B256 {
        let leaf = |(address, account): (&Address, &Account)| {
            let root = self.storage.get(address).map_or(EMPTY_ROOT_HASH, storage_root);
            let account = TrieAccount::new(account.nonce, account.balance, root, account.code_hash);
            (keccak256(address), alloy_rlp::encode(account))
        };
        root_of(self.accounts.iter().map(leaf).collect())
    }

    pub(super) fn check(&self, state: &impl StateRead) {
        for address in (0..=ADDRESSES).map(address) {
            assert_eq!(
                state.account(address).unwrap(),
                self.accounts.get(&address).copied()
            );
            for slot in (0..=SLOTS).map(U256::from) {
                let slots = self.storage.get(&address);
                let wanted = slots.and_then(|slots| slots.get(&slot)).copied();
                assert_eq!(state.storage(address, slot).unwrap(), wanted.unwrap_or_default());
            }
        }
    }
}

pub(super) fn storage_root(slots: &BTreeMap<U256, U256>) -> B256 {
    let leaf = |(slot, value): (&U256, &U256)| (keccak256(B256::from(*slot)), alloy_rlp::encode(value));
    root_of(slots.iter().map(leaf).collect())
}

fn root_of(leaves: BTreeMap<B256, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), &value);
    }
    builder.root()
}

pub(super) fn address(number: u8) -> Address {
    Address::repeat_byte(number + 1)
}

pub(super) fn account(nonce: u64, balance: u64) -> Account {
    Account {
        nonce,
        balance: U256::from(balance),
        code_hash: KECCAK256_EMPTY,
    }
}

/// Changes of one account.
pub(super) fn sets(number: u8, nonce: u64) -> Changes {
    Changes {
        accounts: BTreeMap::from([(address(number), Some(account(nonce, nonce * 1_000)))]),
        ..Changes::default()
    }
}

/// A slot of one account.
pub(super) fn stores(number: u8, slot: u64, value: u64) -> Changes {
    let slots = BTreeMap::from([(U256::from(slot), U256::from(value))]);
    Changes {
        storage: BTreeMap::from([(address(number), slots)]),
        ..Changes::default()
    }
}

pub(super) fn removes(number: u8) -> Changes {
    Changes {
        accounts: BTreeMap::from([(address(number), None)]),
        ..Changes::default()
    }
}

/// One change after the other, with every way an account can go and come back.
pub(super) fn changes() -> impl Strategy<Value = Changes> {
    let who = 0..ADDRESSES;
    let code = Bytes::from_static(b"\x60\x00");
    let step = prop_oneof![
        4 => (who.clone(), 0_u64..4).prop_map(|(who, nonce)| sets(who, nonce)),
        4 => (who.clone(), 0..SLOTS, 0_u64..3).prop_map(|(who, slot, value)| stores(who, slot, value)),
        1 => who.clone().prop_map(removes),
        1 => who.clone().prop_map(|who| Changes { wiped: [address(who)].into(), ..Changes::default() }),
        1 => who.prop_map(move |who| Changes {
            accounts: [(address(who), Some(Account { code_hash: keccak256(&code), ..account(1, 0) }))].into(),
            codes: [(keccak256(&code), code.clone())].into(),
            ..Changes::default()
        }),
    ];
    proptest::collection::vec(step, 0..8).prop_map(|steps| {
        let mut all = Changes::default();
        steps.into_iter().for_each(|step| all.then(step));
        all
    })
}

pub(super) const ARCHIVE: StateSettings = StateSettings {
    mode: Mode::Archive,
    cache_bytes: 0,
};

pub(super) fn full(blocks: u64) -> StateSettings {
    StateSettings {
        mode: Mode::Full { blocks },
        cache_bytes: 0,
    }
}

/// The genesis of every chain here.
pub(super) fn alloc() -> Changes {
    let mut alloc = sets(0, 1);
    alloc.then(sets(1, 2));
    alloc.then(stores(1, 3, 7));
    alloc
}

pub(super) fn genesis() -> Header {
    let mut world = World::default();
    world.apply(&alloc());
    Header {
        state_root: world.root(),
        ..Header::default()
    }
}

/// A store with the model of each of its states.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) store: Store,
    pub(super) worlds: Vec<World>,
}

impl Rig {
    pub(super) fn in_memory(settings: StateSettings) -> Self {
        Self::over(Store::in_memory(settings, &genesis(), alloc()).unwrap())
    }

    pub(super) fn over(store: Store) -> Self {
        let mut world = World::default();
        world.apply(&alloc());
        Self {
            store,
            worlds: vec![world],
        }
    }

    pub(super) fn now(&self) -> &World {
        self.worlds.last().expect("there is a genesis")
    }

    pub(super) fn commit(&mut self, changes: &Changes) {
        let mut world = self.now().clone();
        world.apply(changes);
        let sealed = seal(&self.store, changes, 2);
        assert_eq!(sealed.block.header.state_root, world.root());
        self.store.commit(sealed).unwrap();
        self.worlds.push(world);
    }

    /// Every state that is kept is the model's.
    pub(super) fn check_all(&self) {
        let states = self.worlds.iter().enumerate();
        for (number, world) in states.skip(self.store.oldest() as usize) {
            world.check(&self.store.state_at(number as u64).unwrap());
        }
    }
}

/// A block of these changes on the head, with some transactions in it.
pub(super) fn seal(store: &Store, changes: &Changes, transactions: u64) -> Sealed {
    let head = store.head();
    let (state_root, trie) = store.root_after(changes).unwrap();
    let number = head.header.number + 1;
    let header = Header {
        number,
        parent_hash: head.hash,
        state_root,
        ..Header::default()
    };
    let mut block = Block::uncle(header);
    block.body.transactions = (0..transactions)
        .map(|index| transaction(number * 1_000 + index))
        .collect();
    Sealed {
        hash: block.header.hash_slow(),
        senders: (0..transactions)
            .map(|index| address((index % 200) as u8))
            .collect(),
        receipts: (0..transactions)
            .map(|index| receipt(21_000 * (index + 1)))
            .collect(),
        block,
        changes: changes.clone(),
        trie,
        certificate: None,
    }
}

/// What the validators of these tests give to a block: other octets for each, and more than a page for some.
pub(super) fn certificate(number: u64) -> Bytes {
    let length = if number.is_multiple_of(2) { 9_000 } else { 300 };
    vec![number as u8; length].into()
}

/// [`seal`] with its certificate.
pub(super) fn decided(store: &Store, changes: &Changes, transactions: u64) -> Sealed {
    let sealed = seal(store, changes, transactions);
    Sealed {
        certificate: Some(certificate(sealed.block.header.number)),
        ..sealed
    }
}

pub(super) fn transaction(nonce: u64) -> Transaction {
    let plain = TxLegacy {
        nonce,
        ..TxLegacy::default()
    };
    plain.into_signed(Signature::test_signature()).into()
}

fn receipt(cumulative_gas_used: u64) -> Receipt {
    let body = Body {
        status: Eip658Value::Eip658(true),
        cumulative_gas_used,
        logs: vec![Log::new_unchecked(
            address(0),
            vec![B256::repeat_byte(9)],
            Bytes::new(),
        )],
    };
    Receipt::Legacy(body.with_bloom())
}
