//! What payloads hold: RLP, of which each value has one form. Decoding is pure and takes any octets.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use crate::state::Account;

/// What is wrong with a payload, in words.
pub(super) type Fault = String;

/// A slot and its value, which is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct Slot {
    pub(super) slot: U256,
    pub(super) value: U256,
}

/// An account and its first slots; what it has more comes in frames of slots behind it.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct AccountRecord {
    pub(super) address: Address,
    pub(super) nonce: u64,
    pub(super) balance: U256,
    /// 32 octets, or none where there is no code.
    code: Bytes,
    pub(super) slots: Vec<Slot>,
}

impl AccountRecord {
    pub(super) fn new(address: Address, account: &Account, slots: Vec<Slot>) -> Self {
        let code = account.has_code().then(|| account.code_hash.to_vec());
        Self {
            address,
            nonce: account.nonce,
            balance: account.balance,
            code: code.unwrap_or_default().into(),
            slots,
        }
    }

    pub(super) fn account(&self) -> Result<Account, Fault> {
        let code_hash = match self.code.len() {
            0 => KECCAK256_EMPTY,
            _ => B256::try_from(self.code.as_ref()).map_err(|_| {
                format!(
                    "the account {} names a code with a hash of {} octets",
                    self.address,
                    self.code.len()
                )
            })?,
        };
        if !self.code.is_empty() && code_hash == KECCAK256_EMPTY {
            return Err(format!("the account {} names the empty code", self.address));
        }
        Ok(Account {
            nonce: self.nonce,
            balance: self.balance,
            code_hash,
        })
    }
}

/// What the whole stream held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(super) struct Totals {
    pub(super) accounts: u64,
    pub(super) slots: u64,
}

/// RLP and nothing after it.
pub(super) fn decode<T: Decodable>(mut octets: &[u8]) -> Result<T, Fault> {
    let value = T::decode(&mut octets).map_err(|error| format!("no RLP of what must be here ({error})"))?;
    match octets.len() {
        0 => Ok(value),
        more => Err(format!("{more} octets too many")),
    }
}
