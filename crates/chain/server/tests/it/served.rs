//! A node that is served on free ports, and keys whose accounts have money.

use crate::client::{Reply, Ws, http, request};
use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Signature, TxKind};
use k256::ecdsa::SigningKey;
use purlin_api::events::EventSource as _;
use purlin_chain_evm::{Chain, Mode, StateSettings};
use purlin_chain_proto::{Address, B256, Bytes, ChainSpec, U256, codec};
use purlin_chain_server::api::DecisionEvents;
use purlin_chain_server::{ConsensusSettings, Handle, Pace, Production, Running, Settings, Sockets, start};
use purlin_telemetry::metrics::{Collector as _, Encoder};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

pub(crate) const CHAIN_ID: u64 = 31_337;
pub(crate) const ETHER: u64 = 1_000_000_000_000_000_000;
pub(crate) const GWEI: u128 = 1_000_000_000;

/// A running node; dropped, it stops.
pub(crate) struct Served {
    runtime: Runtime,
    pub handle: Handle,
    running: Option<Running>,
}

/// Settings on free ports.
pub(crate) fn settings() -> Settings {
    let free = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    Settings {
        http: free,
        ws: free,
        ..Settings::default()
    }
}

pub(crate) fn state() -> StateSettings {
    StateSettings {
        mode: Mode::Archive,
        cache_bytes: 8 << 20,
    }
}

/// A chain in memory where the accounts of keys 1 to 4 have a thousand ether each.
pub(crate) fn development() -> Chain {
    Chain::create(None, development_spec(), state()).expect("a chain")
}

pub(crate) fn development_spec() -> ChainSpec {
    let money = U256::from(ETHER) * U256::from(1_000);
    let accounts: Vec<_> = (1..=4).map(|n| (Key::new(n).address(), money)).collect();
    ChainSpec::development(CHAIN_ID, &accounts, 1_700_000_000)
}

/// The public chain of 54 blocks through every fork, in memory.
pub(crate) fn public() -> Chain {
    let spec = ChainSpec::from_json(include_str!("../../../evm/tests/data/genesis.json"))
        .expect("a genesis document");
    let chain = Chain::create(None, spec, state()).expect("a chain");
    for block in codec::blocks(&include_bytes!("../../../evm/tests/data/chain.rlp")[..]) {
        chain.import(block.expect("a block")).expect("imported");
    }
    chain
}

impl Served {
    pub(crate) fn new(settings: Settings, chain: Chain) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let guard = runtime.enter();
        let (handle, running) = start(settings, chain, Sockets::default()).expect("started");
        drop(guard);
        Self {
            runtime,
            handle,
            running: Some(running),
        }
    }

    /// Makes it one of several.
    pub(crate) fn join(&mut self, among: ConsensusSettings) {
        let running = self.running.as_mut().expect("it runs");
        self.runtime.block_on(running.join(among)).expect("joined");
    }

    /// Runs something where the service runs.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        self.runtime.block_on(what)
    }

    pub(crate) fn development() -> Self {
        Self::new(settings(), development())
    }

    /// A development chain that gets no blocks: what is sent waits.
    pub(crate) fn still() -> Self {
        let settings = Settings {
            production: Production {
                pace: Pace::Off,
                ..Production::default()
            },
            ..settings()
        };
        Self::new(settings, development())
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.handle.http().expect("an address")
    }

    /// What was told of agreement and peers, oldest first.
    pub(crate) fn decisions(&self) -> Vec<Value> {
        let source = DecisionEvents::new(&self.handle);
        let told = self.runtime.block_on(async {
            let from = source.oldest().await;
            if from == source.tail().await {
                return Vec::new();
            }
            source.next(&from, usize::MAX).await.events
        });
        told.into_iter().map(|event| event.data).collect()
    }

    /// What it shows at `/metrics`.
    pub(crate) fn metrics(&self) -> String {
        let mut encoder = Encoder::default();
        self.handle.metrics().collect(&mut encoder);
        encoder.text()
    }

    pub(crate) fn ws(&self) -> Ws {
        Ws::open(self.handle.ws().expect("an address"), "localhost")
    }

    pub(crate) fn post(&self, body: &str) -> Reply {
        http(self.http(), "POST", "", body)
    }

    /// The whole answer to one request.
    pub(crate) fn ask(&self, method: &str, params: &Value) -> Value {
        self.post(&request(method, params).to_string()).json()
    }

    /// The result of a request that must succeed.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Code and message of a request that must fail.
    pub(crate) fn fault(&self, method: &str, params: &Value) -> (i64, String) {
        let answer = self.ask(method, params);
        let error = &answer["error"];
        let code = error["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("no error: {answer}"));
        (code, error["message"].as_str().expect("a message").to_owned())
    }

    pub(crate) fn send(&self, raw: &Bytes) -> Value {
        self.call("eth_sendRawTransaction", &json!([raw]))
    }

    /// Waits for a receipt: blocks are made when they are made.
    pub(crate) fn receipt(&self, hash: &Value) -> Value {
        let begun = Instant::now();
        loop {
            let receipt = self.call("eth_getTransactionReceipt", &json!([hash]));
            if !receipt.is_null() {
                return receipt;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "no receipt of {hash}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop(Duration::from_secs(30)));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

/// A private key of small numbers: everybody knows it.
#[derive(Clone)]
pub(crate) struct Key(SigningKey);

impl Key {
    pub(crate) fn new(number: u8) -> Self {
        let mut octets = [0; 32];
        octets[31] = number;
        Self(SigningKey::from_slice(&octets).expect("a key"))
    }

    /// The account of any private key.
    pub(crate) fn of(secret: B256) -> Self {
        Self(SigningKey::from_slice(secret.as_slice()).expect("a key"))
    }

    pub(crate) fn address(&self) -> Address {
        Address::from_public_key(self.0.verifying_key())
    }

    /// Both coordinates of the public key.
    pub(crate) fn public(&self) -> [u8; 64] {
        let point = self.0.verifying_key().to_encoded_point(false);
        point.as_bytes()[1..].try_into().expect("64 octets")
    }

    pub(crate) fn sign(&self, hash: B256) -> Signature {
        self.0
            .sign_prehash_recoverable(hash.as_slice())
            .expect("signed")
            .into()
    }

    /// A transaction of type 2, signed and encoded.
    pub(crate) fn transaction(&self, nonce: u64, to: TxKind, value: U256, input: Bytes, fee: u128) -> Bytes {
        let transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: if input.is_empty() { 21_000 } else { 1_000_000 },
            max_fee_per_gas: fee,
            max_priority_fee_per_gas: GWEI.min(fee),
            to,
            value,
            input,
            access_list: alloy_eips::eip2930::AccessList::default(),
        };
        let signature = self.sign(transaction.signature_hash());
        TxEnvelope::from(transaction.into_signed(signature))
            .encoded_2718()
            .into()
    }

    /// Money to somebody.
    pub(crate) fn pay(&self, nonce: u64, to: Address, wei: u64) -> Bytes {
        self.transaction(nonce, TxKind::Call(to), U256::from(wei), Bytes::new(), 10 * GWEI)
    }

    /// A contract from its creation code.
    pub(crate) fn deploy(&self, nonce: u64, code: Bytes) -> Bytes {
        self.transaction(nonce, TxKind::Create, U256::ZERO, code, 10 * GWEI)
    }
}
