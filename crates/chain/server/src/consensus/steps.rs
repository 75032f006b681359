//! Proofs of the constitution's versions, kept beside the chain: the state that they are made of is thrown away in time.
//!
//! ```text
//!   decide(block) ─► a new version? ─► its slots proven under the block's state root ─► DATA/chain/steps/VERSION.json
//! ```
//!
//! Every node makes them when it executes the block, and again at a start what is missing and can still be made. They are
//! for readers far away; nothing here depends on them, and one that cannot be written costs nobody a block.

use alloy_primitives::{B256, Bytes, U64, U256};
use purlin_chain_core::constitution::{ADDRESS, DELAY, read_from};
use purlin_chain_evm::{Chain, StateRead as _};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The directory of one chain's steps.
const FOLDER: &str = "steps";

/// The keeper.
#[derive(Debug)]
pub(super) struct Steps {
    folder: Option<PathBuf>,
    chain: Chain,
    /// Versions before this one have been looked at.
    next: usize,
}

impl Steps {
    /// Of a chain whose files are in `home`; without it nothing is kept.
    pub(super) fn of(chain: &Chain, home: Option<&Path>) -> Self {
        let mut steps = Self {
            folder: home.map(|home| home.join(FOLDER)),
            chain: chain.clone(),
            next: 1,
        };
        steps.keep();
        steps
    }

    /// Keeps the proofs of versions that are new.
    pub(super) fn keep(&mut self) {
        let count = self.chain.constitutions().map_or(0, |all| all.len());
        let Some(folder) = self.folder.as_ref().filter(|_| self.next < count) else {
            return;
        };
        for version in self.next..count {
            let file = file(folder, version as u64);
            if let (false, Some(step)) = (file.is_file(), make(&self.chain, version)) {
                // The next start tries again, and readers have other nodes.
                let _ = write(folder, &file, &step);
            }
        }
        self.next = count;
    }
}

/// The proof of a version, as it was kept.
pub(crate) fn kept(home: &Path, version: u64) -> Option<Value> {
    let text = fs::read(file(&home.join(FOLDER), version)).ok()?;
    serde_json::from_slice(&text).ok()
}

fn file(folder: &Path, version: u64) -> PathBuf {
    folder.join(format!("{version}.json"))
}

fn write(folder: &Path, file: &Path, step: &Value) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let fresh = file.with_extension("json.new");
    fs::write(&fresh, step.to_string())?;
    fs::rename(&fresh, file)
}

/// The header of the block that decided a version, its certificate, and the proof of the version's slots in the shape of
/// `eth_getProof`. `None` when the block's state is not kept any more.
fn make(chain: &Chain, version: usize) -> Option<Value> {
    let all = chain.constitutions()?;
    let number = all.iter().nth(version)?.from.checked_sub(DELAY)?;
    let store = chain.store();
    let state = store.state_at(number).ok()?;
    let mut slots = Vec::new();
    let read = read_from(version as u64, |slot: U256| {
        slots.push(B256::from(slot));
        state.storage(ADDRESS, slot)
    });
    read.ok()?;
    let (header, certificate) = (store.header(number).ok()??, chain.certificate(number).ok()??);
    let proof = store.proof(number, ADDRESS, &slots).ok()?;
    let account = proof.account?;
    let storage = proof.storage.iter();
    let storage: Vec<Value> = storage
        .map(|slot| json!({ "key": slot.slot, "value": slot.value, "proof": slot.proof }))
        .collect();
    Some(json!({
        "header": Bytes::from(alloy_rlp::encode(&header.header)),
        "certificate": certificate,
        "account": {
            "address": ADDRESS,
            "accountProof": proof.proof,
            "balance": account.balance,
            "codeHash": account.code_hash,
            "nonce": U64::from(account.nonce),
            "storageHash": proof.storage_root,
            "storageProof": storage,
        },
    }))
}
