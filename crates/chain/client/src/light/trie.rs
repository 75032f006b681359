//! Merkle-Patricia proofs of an account and of its slots (yellow paper, appendix D).

use super::{AccountProof, LightFault, SlotProof};
use alloy_primitives::{Address, B256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{KECCAK_EMPTY, Nibbles, TrieAccount};

/// Whether the account is in the state of this root, with exactly what is said of it.
///
/// An account without anything may be there or not (EIP-161 removes such accounts, a genesis may hold some); its proof
/// shows which. That an account is not there is believed only of one that is said to have nothing.
pub(super) fn account(said: &AccountProof, root: B256) -> Result<bool, LightFault> {
    let key = Nibbles::unpack(keccak256(said.address));
    let account = TrieAccount {
        nonce: said.nonce.to(),
        balance: said.balance,
        storage_root: said.storage_hash,
        code_hash: said.code_hash,
    };
    let proof = &said.account_proof;
    let there = verify_proof(root, key, Some(alloy_rlp::encode(account)), proof);
    let nothing = said.nonce.is_zero()
        && said.balance.is_zero()
        && (said.code_hash == KECCAK_EMPTY || said.code_hash.is_zero());
    match there {
        Ok(()) => Ok(true),
        Err(_) if nothing && verify_proof(root, key, None, proof).is_ok() => Ok(false),
        Err(cause) => Err(LightFault::Account {
            address: said.address,
            root,
            cause: cause.to_string(),
        }),
    }
}

/// Whether the slot holds its value in the storage of this root. A slot that holds 0 is not in the trie.
pub(super) fn slot(address: Address, said: &SlotProof, root: B256) -> Result<(), LightFault> {
    let key = Nibbles::unpack(keccak256(said.key));
    let value = (!said.value.is_zero()).then(|| alloy_rlp::encode(said.value));
    verify_proof(root, key, value, &said.proof).map_err(|cause| LightFault::Slot {
        address,
        slot: said.key,
        value: said.value,
        cause: cause.to_string(),
    })
}
