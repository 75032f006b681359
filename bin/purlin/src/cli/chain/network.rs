//! A network of validators laid out in directories: what `purlin chain init --validators` writes.
//!
//! ```text
//!   OUT/genesis.json               the chain's first block; names the validators, and holds the contract by which they
//!                                  change who they are, the period and the gas limit (docs/adr/0013-governance.md)
//!       README.md                  how to start it
//!       validator-1/purlin.toml    ready for purlin up --config
//!                   validator.key  the private key it votes with, for its owner's eyes alone
//!                   data/          what the node will keep
//! ```
//!
//! All nodes are on this machine, so that what was written runs as it is; the README says what to change to spread them.

mod config;

use super::account::{Folder, write_new, write_secret};
use crate::exit::{Exit, Failure};
use purlin_chain_client::{Kdf, Key, Keystore, KeystoreFormat};
use purlin_chain_core::constitution::{self, Constitution};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_proto::{Address, B256, ChainSpec, ConsensusSpec, GenesisAccount, U256, roots};
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Validators of one layout: their ports must not meet.
pub(crate) const VALIDATORS_MAX: u16 = 50;

/// What each validator's account begins with, in ether: votes are transactions, and cost a little.
const VOTING_ETHER: u64 = 1_000;

/// How far the last port is from the first.
const PORTS: u16 = 250;

/// What is to be laid out.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) out: PathBuf,
    /// From 1 to [`VALIDATORS_MAX`]; each has power 1.
    pub(crate) validators: u16,
    pub(crate) chain_id: u64,
    pub(crate) period: Duration,
    pub(crate) gas_limit: u64,
    /// Peers meet at this port and those after it; see [`Place`] for the others.
    pub(crate) base_port: u16,
    /// Who has ether at the beginning, in wei.
    pub(crate) fund: Vec<(Address, U256)>,
    /// Also puts each key into a keystore file under this password.
    pub(crate) password: Option<String>,
    /// Of the first block, in seconds since 1970.
    pub(crate) timestamp: u64,
}

/// What was laid out.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) out: PathBuf,
    pub(crate) genesis: PathBuf,
    /// Hash of the first block.
    pub(crate) hash: B256,
    pub(crate) places: Vec<Place>,
}

/// One validator's directory and addresses.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// Its configuration.
    pub(crate) config: PathBuf,
    pub(crate) key_file: PathBuf,
    pub(crate) data_dir: PathBuf,
    /// The account of its key.
    pub(crate) address: Address,
    /// Where other nodes reach it: the base port and those after it.
    pub(crate) peers: SocketAddr,
    /// JSON-RPC over HTTP: base + 100, + 102, ...
    pub(crate) http: SocketAddr,
    /// JSON-RPC over WebSocket: base + 101, + 103, ...
    pub(crate) websocket: SocketAddr,
    /// The API of commands: base + 200, + 201, ...
    pub(crate) api: SocketAddr,
}

impl Order {
    /// # Errors
    /// Numbers that cannot be, a directory that holds something already, a disk that takes nothing.
    pub(crate) fn lay_out(&self) -> Result<Network, Failure> {
        self.check()?;
        let out = fresh(&self.out)?;
        let keys = self.keys()?;
        let spec = self.spec(&keys)?;
        let genesis = out.join("genesis.json");
        let text = serde_json::to_string_pretty(spec.genesis());
        let text = text.map_err(|cause| Failure::failed(cause.to_string(), "report it"))?;
        write_new(&genesis, &format!("{text}\n"), 0o644)?;
        let places: Vec<Place> = (0..)
            .zip(&keys)
            .map(|(i, key)| self.place(&out, i, key))
            .collect();
        for (place, key) in places.iter().zip(&keys) {
            self.settle(place, key)?;
            let text = config::validator(place, &genesis, &places);
            write_new(&place.config, &text, 0o644)?;
        }
        let hash = spec
            .genesis_header(roots::state(&spec.genesis().alloc))
            .hash_slow();
        let network = Network {
            out,
            genesis,
            hash,
            places,
        };
        write_new(&network.out.join("README.md"), &config::readme(&network), 0o644)?;
        Ok(network)
    }

    fn check(&self) -> Result<(), Failure> {
        if !(1..=VALIDATORS_MAX).contains(&self.validators) {
            return Err(Failure::usage(
                format!("{} validators", self.validators),
                format!("name from 1 to {VALIDATORS_MAX}; four survive the loss of one"),
            ));
        }
        if self.base_port < 1024 || self.base_port > u16::MAX - PORTS {
            return Err(Failure::usage(
                format!("--base-port {}", self.base_port),
                format!("name one from 1024 to {}", u16::MAX - PORTS),
            ));
        }
        Ok(())
    }

    fn keys(&self) -> Result<Vec<Key>, Failure> {
        let made: Result<Vec<Key>, _> = (0..self.validators).map(|_| Key::random()).collect();
        made.map_err(|cause| Failure::failed(format!("the system gives no random numbers: {cause}"), ""))
    }

    fn spec(&self, keys: &[Key]) -> Result<ChainSpec, Failure> {
        let wrong = |cause: String| Failure::usage(cause, "purlin chain init --help");
        let ether = U256::from(10).pow(U256::from(18));
        let voting = keys
            .iter()
            .map(|key| (key.address(), U256::from(VOTING_ETHER) * ether));
        let fund: Vec<_> = self.fund.iter().copied().chain(voting).collect();
        let mut genesis = ChainSpec::development(self.chain_id, &fund, self.timestamp)
            .genesis()
            .clone();
        genesis.gas_limit = self.gas_limit;
        let consensus = ConsensusSpec {
            validators: keys.iter().map(|key| (key.address(), 1)).collect(),
            period: self.period,
            gas_limit: self.gas_limit,
        };
        consensus.write(&mut genesis.config);
        let contract = contract(&consensus).map_err(wrong)?;
        genesis.alloc.insert(constitution::ADDRESS, contract);
        ChainSpec::from_genesis(genesis).map_err(|cause| wrong(cause.to_string()))
    }

    fn place(&self, out: &Path, index: u16, key: &Key) -> Place {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, self.base_port + port));
        let name = format!("validator-{}", index + 1);
        let directory = out.join(&name);
        Place {
            config: directory.join("purlin.toml"),
            key_file: directory.join("validator.key"),
            data_dir: directory.join("data"),
            name,
            directory,
            address: key.address(),
            peers: local(index),
            http: local(100 + 2 * index),
            websocket: local(101 + 2 * index),
            api: local(200 + index),
        }
    }

    /// A validator's directory with its key.
    fn settle(&self, place: &Place, key: &Key) -> Result<(), Failure> {
        crate::up::prepare_data_dir(&place.data_dir)?;
        write_secret(&place.key_file, &format!("{}\n", key.secret()))?;
        if let Some(password) = &self.password {
            let sealed = Keystore::seal(key, password.as_bytes(), Kdf::STANDARD, KeystoreFormat::default())
                .map_err(|cause| Failure::failed(cause.to_string(), ""))?;
            Folder::of(&place.data_dir).add(key.address(), &sealed.text())?;
        }
        Ok(())
    }
}

/// The account of the constitution, whose first version is what the genesis document says.
fn contract(consensus: &ConsensusSpec) -> Result<GenesisAccount, String> {
    let validators = ValidatorSet::new(consensus.validators.iter().copied());
    let first = Constitution {
        from: 0,
        validators: validators.map_err(|cause| cause.to_string())?,
        period: consensus.period,
        gas_limit: consensus.gas_limit,
    };
    Ok(GenesisAccount {
        nonce: Some(1),
        code: Some(constitution::code()),
        storage: Some(constitution::genesis_storage(&first)),
        ..GenesisAccount::default()
    })
}

/// Makes a directory, or takes one that is empty; its path from the root, so that configurations can name it.
fn fresh(out: &Path) -> Result<PathBuf, Failure> {
    let failed = |cause: std::io::Error| {
        let what = format!("cannot make {}: {cause}", out.display());
        Failure::failed(what, "name a directory you may write to: --out DIR")
    };
    let first = match fs::read_dir(out) {
        Ok(mut entries) => entries.next(),
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(out).map_err(failed)?;
            None
        }
        Err(cause) => return Err(failed(cause)),
    };
    if first.is_some() {
        return Err(Failure::new(
            Exit::Conflict,
            format!("{} is not empty", out.display()),
            "name a new directory; keys and chains are never overwritten",
        ));
    }
    fs::canonicalize(out).map_err(failed)
}

#[cfg(test)]
mod tests;
