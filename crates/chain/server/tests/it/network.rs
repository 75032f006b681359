//! A network in one process: nodes with their sockets, directories and keys, started and stopped by their number.

use crate::served::{ETHER, Served, development_spec, settings, state};
use purlin_chain_core::constitution::{self, Constitution};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_evm::Chain;
use purlin_chain_proto::{B256, ChainSpec, ConsensusSpec, GenesisAccount, U256};
use purlin_chain_server::{
    ConsensusSettings, Guests, NodeKey, Pace, PeerAddress, PeerSettings, Role, Settings, Timeouts,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Generous: these are debug builds, beside other tests.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn key(n: u8) -> NodeKey {
    NodeKey::new(B256::repeat_byte(n)).expect("a key")
}

/// The first `validators` keys decide; nine keys have a thousand ether each.
fn spec(validators: u8, governed: bool) -> ChainSpec {
    let mut genesis = development_spec().genesis().clone();
    let members: Vec<_> = (1..=validators).map(|n| (key(n).address(), 1)).collect();
    let first = Constitution {
        from: 0,
        validators: ValidatorSet::new(members.iter().copied()).expect("a set"),
        period: Duration::from_millis(250),
        gas_limit: 60_000_000,
    };
    for n in 1..=9 {
        let balance = U256::from(ETHER) * U256::from(1_000);
        let funded = GenesisAccount::default().with_balance(balance);
        genesis.alloc.insert(key(n).address(), funded);
    }
    if governed {
        let contract = GenesisAccount::default()
            .with_nonce(Some(1))
            .with_code(Some(constitution::code()))
            .with_storage(Some(constitution::genesis_storage(&first)));
        genesis.alloc.insert(constitution::ADDRESS, contract);
    }
    let consensus = ConsensusSpec {
        validators: members,
        period: first.period,
        gas_limit: first.gas_limit,
    };
    consensus.write(&mut genesis.config);
    ChainSpec::from_genesis(genesis).expect("a genesis")
}

/// Nodes with their directories; number n has key n.
pub(crate) struct Network {
    spec: ChainSpec,
    directory: TempDir,
    guests: Guests,
    pub(crate) nodes: Vec<(u8, Served)>,
}

impl Network {
    /// Validators whose genesis document says once and for all who decides.
    pub(crate) fn of(validators: u8) -> Self {
        Self::with(validators, spec(validators, false), Guests::Anybody)
    }

    /// Four validators of whom the first three run.
    pub(crate) fn three_of_four() -> Self {
        Self::with(3, spec(4, false), Guests::Anybody)
    }

    /// Validators that can change who decides.
    pub(crate) fn governed(validators: u8) -> Self {
        Self::with(validators, spec(validators, true), Guests::Anybody)
    }

    /// The same, and nobody else comes in.
    pub(crate) fn closed(validators: u8) -> Self {
        Self::with(validators, spec(validators, true), Guests::These(BTreeSet::new()))
    }

    fn with(validators: u8, spec: ChainSpec, guests: Guests) -> Self {
        let mut network = Self {
            spec,
            directory: tempfile::tempdir().expect("a directory"),
            guests,
            nodes: Vec::new(),
        };
        for n in 1..=validators {
            network.start(n, Role::Validator);
        }
        network
    }

    /// Starts node `n`, which dials all that are there.
    pub(crate) fn start(&mut self, n: u8, role: Role) {
        self.start_dialling(n, role, |address| address.port());
    }

    /// Starts node `n`, which dials all that are there at the ports that `way` leads to.
    pub(crate) fn start_dialling(&mut self, n: u8, role: Role, way: impl Fn(SocketAddr) -> u16) {
        let home: PathBuf = self.directory.path().join(n.to_string());
        std::fs::create_dir_all(&home).expect("a directory");
        let chain =
            Chain::create(Some(&home.join("chain.redb")), self.spec.clone(), state()).expect("a chain");
        let mut quiet = Settings {
            data_dir: Some(home.clone()),
            ..settings()
        };
        quiet.production.pace = Pace::Off;
        let dial = self.nodes.iter().map(|(other, served)| PeerAddress {
            id: Some(key(*other).address()),
            host: "127.0.0.1".to_owned(),
            port: way(served.handle.listens().expect("it listens")),
        });
        let among = ConsensusSettings {
            role,
            key: key(n),
            peers: PeerSettings {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                dial: dial.collect(),
                ..PeerSettings::default()
            },
            guests: self.guests.clone(),
            timeouts: Timeouts {
                propose: Duration::from_secs(3),
                ..Timeouts::default()
            },
            data_dir: home,
            mark: Some(self.mark(n)),
        };
        let mut served = Served::new(quiet, chain);
        served.join(among);
        self.nodes.push((n, served));
    }

    /// Where it stands at which height key `n` signed last.
    pub(crate) fn mark(&self, n: u8) -> PathBuf {
        self.directory.path().join(format!("{n}.signed"))
    }

    /// Forgets everything that node `n` has in its directory.
    pub(crate) fn wipe(&self, n: u8) {
        std::fs::remove_dir_all(self.directory.path().join(n.to_string())).expect("it is gone");
    }

    pub(crate) fn stop(&mut self, n: u8) {
        let at = self.nodes.iter().position(|(one, _)| *one == n).expect("it runs");
        self.nodes.remove(at).1.stop();
    }

    pub(crate) fn node(&self, n: u8) -> &Served {
        &self.nodes.iter().find(|(one, _)| *one == n).expect("it runs").1
    }

    /// Waits until every node has this block; its hash must be the same on all.
    pub(crate) fn agree_on(&self, number: u64) {
        let mut hashes = Vec::new();
        for (n, served) in &self.nodes {
            until(&format!("node {n} has block {number}"), || head(served) >= number);
            let block = served.call("eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
            hashes.push(block["hash"].clone());
        }
        assert!(
            hashes.iter().all(|hash| hash == &hashes[0] && hash.is_string()),
            "{hashes:?}"
        );
    }

    pub(crate) fn highest(&self) -> u64 {
        let heads = self.nodes.iter().map(|(_, served)| head(served));
        heads.max().unwrap_or_default()
    }
}

pub(crate) fn head(served: &Served) -> u64 {
    served.handle.head().header.number
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// That nothing happens takes time to see.
pub(crate) fn rest(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::thread::park_timeout(time);
    }
}

pub(crate) fn receipt(served: &Served, hash: &Value) -> Value {
    let mut receipt = Value::Null;
    until("there is a receipt", || {
        receipt = served.call("eth_getTransactionReceipt", &json!([hash]));
        !receipt.is_null()
    });
    receipt
}
