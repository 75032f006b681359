//! What a transaction costs before anything of it runs.

use crate::Transaction;
use alloy_consensus::Transaction as _;
use alloy_eips::eip7623::{tokens_in_calldata, transaction_floor_cost};
use purlin_chain_proto::Fork;

const TRANSACTION: u64 = 21_000;
const CREATION: u64 = 32_000;
const ZERO_OCTET: u64 = 4;
const OCTET: u64 = 16;
const OCTET_BEFORE_ISTANBUL: u64 = 68;
const INIT_CODE_WORD: u64 = 2;
const ACCESS_LIST_ADDRESS: u64 = 2_400;
const ACCESS_LIST_SLOT: u64 = 1_900;
const AUTHORIZATION: u64 = 25_000;

/// Gas that is due before execution (yellow paper, section 6.2, g0; EIP-2, 2028, 2930, 3860, 7702).
///
/// The size of a transaction bounds every term, so that the sum stays far below 2^64.
#[must_use]
pub fn intrinsic(transaction: &Transaction, fork: Fork) -> u64 {
    let input = transaction.input();
    let zeroes = input.iter().filter(|octet| **octet == 0).count() as u64;
    let octet = if fork >= Fork::Istanbul {
        OCTET
    } else {
        OCTET_BEFORE_ISTANBUL
    };
    let mut gas = TRANSACTION + zeroes * ZERO_OCTET + (input.len() as u64 - zeroes) * octet;
    if transaction.is_create() {
        if fork >= Fork::Homestead {
            gas += CREATION;
        }
        if fork >= Fork::Shanghai {
            gas += input.len().div_ceil(32) as u64 * INIT_CODE_WORD;
        }
    }
    if let Some(list) = transaction.access_list() {
        gas += list.len() as u64 * ACCESS_LIST_ADDRESS + list.storage_keys_count() as u64 * ACCESS_LIST_SLOT;
    }
    gas + transaction.authorization_count().unwrap_or_default() * AUTHORIZATION
}

/// The least gas limit for so much data since Prague (EIP-7623).
#[must_use]
pub fn floor(transaction: &Transaction) -> u64 {
    transaction_floor_cost(tokens_in_calldata(transaction.input()))
}
