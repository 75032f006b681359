//! Accounts whose code is delegated (EIP-7702): one transaction in flight.
//!
//! A plain account's nonce and balance change only by its own transactions. Once its code is another's, any transaction of
//! anybody can empty it, and an authorization counts its nonce up: a chain of pending transactions that all become
//! worthless at once would be held for nothing. So such an account, and one for which an authorization is waiting here, has
//! one transaction in flight, as in geth. It may be replaced.

use super::Pool;
use super::pooled::{AccountState, Pooled};
use super::refusal::Refusal;
use super::sender::Sender;
use crate::Recovered;
use alloy_consensus::Transaction as _;
use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, U256};
use std::collections::BTreeMap;

/// For whom authorizations wait here, and in how many transactions.
pub(super) type Authorities = BTreeMap<Address, usize>;

/// Who has signed the authorizations of this transaction, each once, in order. One for another chain, or with a signature
/// that names nobody, has no effect here and binds nobody.
///
/// A signature each: ask for this when all that costs less is in order.
pub(super) fn authorities(transaction: &Recovered, chain_id: u64) -> Vec<Address> {
    let list = transaction.authorization_list().unwrap_or_default();
    let here = |one: &&SignedAuthorization| one.chain_id.is_zero() || one.chain_id == U256::from(chain_id);
    let mut all: Vec<Address> = list.iter().filter(here).filter_map(authority).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn authority(authorization: &SignedAuthorization) -> Option<Address> {
    let signature = authorization.signature().ok()?;
    recover_signer(&signature, authorization.signature_hash()).ok()
}

impl Pool {
    /// Whether the sender, delegated or about to be, may have this one in flight.
    pub(super) fn within_delegation_limit(
        &self,
        transaction: &Recovered,
        state: AccountState,
    ) -> Result<(), Refusal> {
        let (address, nonce) = (transaction.signer(), transaction.nonce());
        if !state.delegated && !self.authorities.contains_key(&address) {
            return Ok(());
        }
        let sender = self.senders.get(&address);
        let next = sender.map_or(state.nonce, Sender::next);
        match sender.map_or(0, |sender| sender.pending().count()) {
            0 if nonce == next => Ok(()),
            0 => Err(Refusal::DelegatedGap { next, nonce }),
            _ if nonce < next => Ok(()),
            _ => Err(Refusal::DelegatedLimit),
        }
    }

    /// Whether those for whom `new` brings authorizations have no more than one here.
    pub(super) fn authorities_are_free(&self, new: &Pooled) -> Result<(), Refusal> {
        let busy = |address: &&Address| self.senders.get(*address).is_some_and(|sender| sender.len() > 1);
        match new.authorities().iter().find(busy) {
            Some(authority) => Err(Refusal::AuthorityReserved {
                authority: *authority,
            }),
            None => Ok(()),
        }
    }

    pub(super) fn bind(&mut self, transaction: &Pooled) {
        for authority in transaction.authorities() {
            *self.authorities.entry(*authority).or_default() += 1;
        }
    }

    pub(super) fn release(&mut self, transaction: &Pooled) {
        for authority in transaction.authorities() {
            if let Some(count) = self.authorities.get_mut(authority) {
                *count -= 1;
                if *count == 0 {
                    self.authorities.remove(authority);
                }
            }
        }
    }
}
