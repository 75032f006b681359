//! Proofs of the constitution's versions, kept beside the chain: the state that they are made of is thrown away in time.
//!
//! ```text
//!   decide(block) ─► a new version? ─► its slots proven under the block's state root ─► DATA/chain/steps/VERSION.json
//! ```
//!
//! Every node makes them when it executes the block, and again at a start what is missing and can still be made; a node that
//! begins from a snapshot gets them with it. They are for readers far away; nothing here depends on them, and one that cannot
//! be written costs nobody a block.

use alloy_primitives::{B256, Bytes, U64, U256};
use purlin_chain_core::constitution::{ADDRESS, Constitution, DELAY, read_from};
use purlin_chain_evm::{Chain, StateRead as _};
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
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

/// Why it cannot be shown how the first validators became those of now.
#[derive(Debug, thiserror::Error)]
#[error(
    "the proof of version {0} of the constitution is not kept here, and the state that it is made of neither"
)]
pub struct StepMissing(pub u64);

/// A step for every version of the constitution that the state after block `number` holds, the first of version 1. `home` has
/// the chain's files, where it has any.
///
/// # Errors
/// [`StepMissing`].
pub(crate) fn steps_up_to(
    chain: &Chain,
    home: Option<&Path>,
    number: u64,
) -> Result<Vec<Value>, StepMissing> {
    let Some(all) = chain.constitutions() else {
        return Ok(Vec::new());
    };
    let there = |version: &&Constitution| version.from <= number.saturating_add(DELAY);
    let versions = all.iter().map(|version| &**version).take_while(there).count();
    let step = |version| {
        let kept = home.and_then(|home| kept(home, version as u64));
        kept.or_else(|| make(chain, version))
            .ok_or(StepMissing(version as u64))
    };
    (1..versions).map(step).collect()
}

/// Keeps in `home` steps that somebody else made and that were verified, the first of version 1.
///
/// # Errors
/// When they cannot be written.
pub fn keep_steps(home: &Path, steps: &[Value]) -> std::io::Result<()> {
    let folder = home.join(FOLDER);
    for (step, version) in steps.iter().zip(1..) {
        write(&folder, &file(&folder, version), step)?;
    }
    Ok(())
}

/// Removes what is kept in `home`: what a beginning has left that did not come to its end.
///
/// # Errors
/// When it cannot be removed.
pub fn forget_steps(home: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(home.join(FOLDER)) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
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
