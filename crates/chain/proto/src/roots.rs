//! What a header says about the lists of its block: roots of ordered tries, the bloom of the logs, the hash of requests.

use crate::{Address, B256, Bloom, GenesisAccount, Header, Log, Receipt, Transaction, Withdrawal};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, TxReceipt, proofs};
use alloy_eips::eip7685::Requests;
use std::collections::BTreeMap;

/// Root of the trie without entries.
pub const EMPTY: B256 = EMPTY_ROOT_HASH;

/// Hash of the list without ommers.
pub const EMPTY_OMMERS: B256 = EMPTY_OMMER_ROOT_HASH;

/// Root over the typed encodings (EIP-2718), keyed by the RLP of the index.
pub fn transactions(transactions: &[Transaction]) -> B256 {
    proofs::calculate_transaction_root(transactions)
}

/// Root over the typed encodings with their blooms.
pub fn receipts(receipts: &[Receipt]) -> B256 {
    proofs::calculate_receipt_root(receipts)
}

/// Root over the RLP of the withdrawals (EIP-4895).
pub fn withdrawals(withdrawals: &[Withdrawal]) -> B256 {
    proofs::calculate_withdrawals_root(withdrawals)
}

/// Keccak-256 of the RLP list of headers.
pub fn ommers(ommers: &[Header]) -> B256 {
    proofs::calculate_ommers_root(ommers)
}

/// The union of the receipts' blooms.
pub fn bloom(receipts: &[Receipt]) -> Bloom {
    receipts
        .iter()
        .fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom())
}

/// The bloom of these logs: three bits for each address and each topic (yellow paper, section 4.3.1).
pub fn logs_bloom<'a>(logs: impl IntoIterator<Item = &'a Log>) -> Bloom {
    alloy_primitives::logs_bloom(logs)
}

/// SHA-256 over the SHA-256 of each request list that is not empty (EIP-7685).
pub fn requests(requests: &Requests) -> B256 {
    requests.requests_hash()
}

/// Root of the state that a genesis document lays out: accounts keyed by the hash of their address.
pub fn state(alloc: &BTreeMap<Address, GenesisAccount>) -> B256 {
    alloy_trie::root::state_root_ref_unhashed(alloc)
}
