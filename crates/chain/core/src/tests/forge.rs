//! Transactions for tests: signed by nobody, sent by whom the test says.

use crate::pool::{AccountState, Event, Head, Inserted, Origin, Pool, Refusal, Settings};
use crate::{Recovered, Transaction};
use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use purlin_chain_proto::Fork;
use std::time::Duration;

pub(super) const CHAIN: u64 = 1337;
pub(super) const GWEI: u128 = 1_000_000_000;
/// What one transfer of the forge costs at most: 21,000 gas at 10 gwei, and 1 wei.
pub(super) const COST: u128 = 21_000 * 10 * GWEI + 1;

pub(super) fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// A transaction to be; `to` is the sender, so that different senders' have different hashes.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kind: u8,
    pub(super) sender: Address,
    pub(super) nonce: u64,
    pub(super) fee_cap: u128,
    pub(super) tip: u128,
    pub(super) gas: u64,
    pub(super) value: U256,
    pub(super) input: Bytes,
    pub(super) to: TxKind,
    pub(super) chain_id: Option<u64>,
    pub(super) access_list: AccessList,
    pub(super) authorizations: Vec<SignedAuthorization>,
}

/// A transfer of 1 wei at 10 gwei, 1 gwei of it tip.
pub(super) fn draft(sender: u8, nonce: u64) -> Draft {
    Draft {
        kind: 2,
        sender: who(sender),
        nonce,
        fee_cap: 10 * GWEI,
        tip: GWEI,
        gas: 21_000,
        value: U256::ONE,
        input: Bytes::new(),
        to: TxKind::Call(who(sender)),
        chain_id: Some(CHAIN),
        access_list: AccessList::default(),
        authorizations: Vec::new(),
    }
}

pub(super) fn transfer(sender: u8, nonce: u64) -> Recovered {
    draft(sender, nonce).sign()
}

/// A transfer with these fees in gwei.
pub(super) fn paying(sender: u8, nonce: u64, fee_cap: u128, tip: u128) -> Recovered {
    Draft {
        fee_cap: fee_cap * GWEI,
        tip: tip * GWEI,
        ..draft(sender, nonce)
    }
    .sign()
}

impl Draft {
    pub(super) fn sign(self) -> Recovered {
        let sender = self.sender;
        Recovered::new_unchecked(self.envelope(), sender)
    }

    fn envelope(self) -> Transaction {
        let signature = Signature::test_signature();
        let chain_id = self.chain_id.unwrap_or_default();
        let (nonce, gas_limit, value, input) = (self.nonce, self.gas, self.value, self.input);
        let (max_fee_per_gas, max_priority_fee_per_gas) = (self.fee_cap, self.tip);
        let to = self.to.to().copied().unwrap_or_default();
        let access_list = self.access_list;
        match self.kind {
            0 => {
                let (chain_id, gas_price, to) = (self.chain_id, self.fee_cap, self.to);
                TxLegacy {
                    chain_id,
                    nonce,
                    gas_price,
                    gas_limit,
                    to,
                    value,
                    input,
                }
                .into_signed(signature)
                .into()
            }
            1 => {
                let (gas_price, to) = (self.fee_cap, self.to);
                let one = TxEip2930 {
                    chain_id,
                    nonce,
                    gas_price,
                    gas_limit,
                    to,
                    value,
                    access_list,
                    input,
                };
                one.into_signed(signature).into()
            }
            2 => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to: self.to,
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into(),
            3 => TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                blob_versioned_hashes: vec![B256::ZERO],
                max_fee_per_blob_gas: 1,
                input,
            }
            .into_signed(signature)
            .into(),
            _ => TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                authorization_list: self.authorizations,
                input,
            }
            .into_signed(signature)
            .into(),
        }
    }
}

pub(super) fn head() -> Head {
    Head {
        chain_id: CHAIN,
        fork: Fork::Osaka,
        base_fee: 2_000_000_000,
        gas_limit: 30_000_000,
    }
}

/// An account that can pay for `transfers` of the forge's transfers, and a little less than one more.
pub(super) fn account(nonce: u64, transfers: u128) -> AccountState {
    AccountState {
        nonce,
        balance: U256::from(COST * transfers + COST / 2),
        delegated: false,
    }
}

pub(super) fn rich(nonce: u64) -> AccountState {
    account(nonce, 1_000_000_000)
}

pub(super) fn pool() -> Pool {
    Pool::new(Settings::default(), head())
}

/// Puts a transaction of a rich sender in, and audits.
pub(super) fn put(pool: &mut Pool, transaction: Recovered) -> Result<Inserted, Refusal> {
    put_with(pool, transaction, rich(0))
}

pub(super) fn put_with(
    pool: &mut Pool,
    transaction: Recovered,
    state: AccountState,
) -> Result<Inserted, Refusal> {
    let result = pool.insert(Duration::ZERO, transaction, state, Origin::External);
    pool.audit();
    result
}

/// Events as words: `added 1/0 pending`, with sender and nonce.
pub(super) fn words(events: &[Event]) -> Vec<String> {
    events.iter().map(word).collect()
}

fn word(event: &Event) -> String {
    let one = event.transaction();
    let name = format!("{}/{}", one.sender()[0], one.nonce());
    match event {
        Event::Added { place, .. } => format!("added {name} {place:?}").to_lowercase(),
        Event::Promoted { .. } => format!("promoted {name}"),
        Event::Demoted { .. } => format!("demoted {name}"),
        Event::Replaced { .. } => format!("replaced {name}"),
        Event::Dropped { reason, .. } => format!("dropped {name}: {reason}"),
        Event::Mined { .. } => format!("mined {name}"),
    }
}
