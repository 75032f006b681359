//! What the node is to its chain: what its configuration and the genesis document say together, and the key it signs with.

use super::Settings;
use super::home::Home;
use crate::exit::{Exit, Failure};
use crate::log;
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_evm::Chain;
use purlin_chain_proto::B256;
use purlin_chain_server::section::Role as Wanted;
use purlin_chain_server::{ConsensusSettings, NodeKey, Role};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file with the key that a follower makes for itself.
const NODE_KEY: &str = "node.key";

/// The node's part in its chain.
#[derive(Debug)]
pub(super) enum Part {
    /// It makes blocks alone.
    Solo,
    /// It answers from what is there; nobody makes blocks.
    Reader,
    /// Validators make blocks; it is one of them, or follows.
    Among(Box<ConsensusSettings>),
}

/// What the node is to its chain.
///
/// # Errors
/// A role that the chain has no place for, a key that cannot be read.
pub(super) fn of(settings: &Settings, chain: &Chain, home: &Home) -> Result<Part, Failure> {
    let among = &settings.among;
    let role = match (chain.spec().consensus(), among.role) {
        (None, None) if home.came_from_a_file() => {
            // Blocks of its own would make it another chain than that of the others who have the file.
            log::info(
                "the chain came from a file (purlin chain import): this node answers from it and makes no blocks; \
                 chain.role = \"solo\" makes them",
            );
            return Ok(Part::Reader);
        }
        (None, None | Some(Wanted::Solo)) => return Ok(Part::Solo),
        (None, Some(Wanted::Follower)) => return Ok(Part::Reader),
        (None, Some(Wanted::Validator)) => {
            return Err(conflict(
                "chain.role = \"validator\", and the genesis document names no validators",
                "remove chain.role, or make a chain with validators: purlin chain init --validators 4 --out DIR",
            ));
        }
        (Some(_), Some(Wanted::Solo)) => {
            return Err(conflict(
                "chain.role = \"solo\", and the genesis document names validators: nobody makes their blocks alone",
                "set chain.role to validator or blockchain",
            ));
        }
        (Some(_), Some(Wanted::Validator)) => Role::Validator,
        (Some(_), None | Some(Wanted::Follower)) => Role::Follower,
    };
    let key = match &among.key_file {
        Some(file) => read(file)?,
        None => own(&home.path().join(NODE_KEY))?,
    };
    let next = chain.constitution(chain.head().header.number + 1);
    let is_one = |set: &ValidatorSet| set.power(&key.address()).is_some();
    let is_one = next.as_ref().is_some_and(|next| is_one(&next.validators));
    if role == Role::Validator && !is_one {
        log::warn(&format!(
            "{} is no validator of this chain: this node follows until a vote adds it (purlin chain vote add)",
            key.address()
        ));
    }
    let alone =
        among.peers.dial.is_empty() && among.peers.discovery.is_empty() && among.peers.listen.is_none();
    let others = next.is_none_or(|next| next.validators.len() > 1);
    if alone && (others || !is_one) {
        log::warn(
            "this node finds no other of its chain: set chain.peers, chain.discovery_dns or chain.listen",
        );
    }
    let mark = match &among.key_file {
        Some(file) if role == Role::Validator => mark(file, &chain.store().genesis_hash()),
        _ => None,
    };
    Ok(Part::Among(Box::new(ConsensusSettings {
        role,
        key,
        mark,
        peers: among.peers.clone(),
        guests: among.guests.clone(),
        timeouts: among.timeouts,
        data_dir: home.path().to_owned(),
    })))
}

/// Where it is kept at which height of this chain a key signed last: beside the key, because it has to outlive the data
/// directory. `None`, and a warning, where nothing can be written there.
fn mark(key: &Path, genesis: &B256) -> Option<PathBuf> {
    let mut name = key.as_os_str().to_owned();
    let [a, b, c, d, ..] = genesis.0;
    name.push(format!(".{:08x}.signed", u32::from_be_bytes([a, b, c, d])));
    let mark = PathBuf::from(name);
    let open = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&mark);
    match open {
        Ok(_) => Some(mark),
        Err(cause) => {
            log::warn(&format!(
                "cannot write {}: {cause}; what this key has signed is then known to the data directory alone: never begin with it \
                 from a snapshot or a backup that is older than its last words",
                mark.display()
            ));
            None
        }
    }
}

fn conflict(what: &str, fix: &str) -> Failure {
    Failure::new(Exit::Conflict, what, fix)
}

fn read(file: &Path) -> Result<NodeKey, Failure> {
    let text = fs::read_to_string(file).map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "set chain.key_file to the file with this node's private key",
        )
    })?;
    text.parse().map_err(|cause| {
        Failure::failed(
            format!("{}: {cause}", file.display()),
            "put the private key there, and nothing else",
        )
    })
}

/// The node's own key, made at the first start.
fn own(file: &Path) -> Result<NodeKey, Failure> {
    match fs::symlink_metadata(file) {
        Ok(_) => return read(file),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {}
        Err(cause) => return Err(cause.into()),
    }
    let key = NodeKey::random()
        .map_err(|cause| Failure::failed(cause.to_string(), "see whether the system has randomness"))?;
    let fresh = file.with_extension("key.new");
    let mut written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    writeln!(written, "{}", key.secret())?;
    written.sync_all()?;
    fs::rename(&fresh, file)?;
    Ok(key)
}
