//! One transaction in the pool, with what is asked of it again and again worked out once.

use super::settings::slots_of;
use crate::Recovered;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use std::time::Duration;

/// Where a transaction came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Over this node's own RPC, or from its journal.
    Local,
    /// From a peer.
    External,
}

/// What the pool must know of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountState {
    /// The nonce that its next transaction must have.
    pub nonce: u64,
    /// Its balance in wei.
    pub balance: U256,
    /// Whether it has code. One that sends transactions can only have delegated it (EIP-3607, EIP-7702).
    pub delegated: bool,
}

/// A transaction that the pool holds.
#[derive(Debug, Clone)]
pub struct Pooled {
    transaction: Recovered,
    hash: B256,
    cost: U256,
    bytes: usize,
    origin: Origin,
    arrival: u64,
    added: Duration,
    authorities: Vec<Address>,
}

impl Pooled {
    pub(super) fn new(
        transaction: Recovered,
        cost: U256,
        origin: Origin,
        arrival: u64,
        added: Duration,
    ) -> Self {
        Self {
            hash: *transaction.tx_hash(),
            bytes: transaction.eip2718_encoded_length(),
            transaction,
            cost,
            origin,
            arrival,
            added,
            authorities: Vec::new(),
        }
    }

    /// With those who have signed its authorizations.
    pub(super) fn for_authorities(self, authorities: Vec<Address>) -> Self {
        Self { authorities, ..self }
    }

    pub(super) fn authorities(&self) -> &[Address] {
        &self.authorities
    }

    /// The signed transaction with its sender.
    #[must_use]
    pub const fn transaction(&self) -> &Recovered {
        &self.transaction
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Who signed it.
    #[must_use]
    pub const fn sender(&self) -> Address {
        self.transaction.signer()
    }

    /// Its nonce.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        self.transaction.nonce()
    }

    /// Gas limit.
    #[must_use]
    pub fn gas_limit(&self) -> u64 {
        self.transaction.gas_limit()
    }

    /// `maxFeePerGas`, or the gas price of an older type, in wei.
    #[must_use]
    pub fn fee_cap(&self) -> u128 {
        self.transaction.max_fee_per_gas()
    }

    /// `maxPriorityFeePerGas`, or the gas price of an older type, in wei.
    #[must_use]
    pub fn tip_cap(&self) -> u128 {
        self.transaction.priority_fee_or_price()
    }

    /// What a block with this base fee would pay its producer per gas; nothing when the fee cap is below the base fee.
    #[must_use]
    pub fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        let over = self.fee_cap().checked_sub(u128::from(base_fee))?;
        Some(over.min(self.tip_cap()))
    }

    /// The most it can take from its sender: gas limit times fee cap, and the value.
    #[must_use]
    pub const fn cost(&self) -> U256 {
        self.cost
    }

    /// Octets of its EIP-2718 encoding.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it takes of the pool's limits.
    #[must_use]
    pub fn slots(&self) -> usize {
        slots_of(self.bytes)
    }

    /// Where it came from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Its place in the order of arrival.
    #[must_use]
    pub const fn arrival(&self) -> u64 {
        self.arrival
    }

    /// When it came, on the clock that the pool's callers use.
    #[must_use]
    pub const fn added(&self) -> Duration {
        self.added
    }
}
