//! A peer that is nothing but a connection, and says of transactions what it likes.

use crate::network::{Network, key, receipt, until};
use crate::served::{CHAIN_ID, Key, Served};
use alloy_primitives::keccak256;
use alloy_rlp::{Encodable as _, Header};
use purlin_chain_peers::{Event, Everybody, Peers};
use purlin_chain_proto::{Address, Bytes};
use purlin_chain_server::{PeerAddress, PeerSettings};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Runtime;

/// Of messages with transactions.
const KIND: u8 = 0x10;

const TO: Address = Address::repeat_byte(0xdd);

struct Stranger {
    peers: Peers,
    /// Why connections ended.
    ends: Arc<Mutex<Vec<String>>>,
    // Dropped last.
    _runtime: Runtime,
}

impl Stranger {
    /// Connected with a node.
    fn meet(served: &Served) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let ends: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&ends);
        let note = move |event| {
            if let Event::Down { why, .. } = event {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(why);
            }
        };
        let settings = PeerSettings {
            dial: vec![PeerAddress {
                id: None,
                host: "127.0.0.1".to_owned(),
                port: served.handle.listens().expect("it listens").port(),
            }],
            ..PeerSettings::default()
        };
        let network = purlin_chain_peers::Network {
            genesis: served.handle.chain().store().genesis_hash(),
            chain_id: CHAIN_ID,
        };
        let peers = Peers::start(
            settings,
            network,
            Arc::new(key(77)),
            Arc::new(Everybody),
            Arc::new(note),
        );
        let peers = runtime.block_on(peers).expect("it starts");
        until("they have met", || peers.list().len() == 1);
        Self {
            peers,
            ends,
            _runtime: runtime,
        }
    }

    /// Transactions, each with the key that is said to have signed it, in one message.
    fn tell(&self, transactions: &[(Bytes, [u8; 64])]) {
        let mut payload = Vec::new();
        for (transaction, key) in transactions {
            transaction.encode(&mut payload);
            key.encode(&mut payload);
        }
        let mut message = vec![KIND];
        let header = Header {
            list: true,
            payload_length: payload.len(),
        };
        header.encode(&mut message);
        message.extend(payload);
        assert_eq!(self.peers.broadcast(message.into()), 1);
    }

    fn ends(&self) -> Vec<String> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_blamed(&self) {
        until("it was disconnected", || !self.ends().is_empty());
        let told = self.ends();
        assert!(told[0].contains("with a key that did not sign it"), "{told:?}");
    }
}

/// All are mined, and are those of the payer.
fn mined(served: &Served, payer: &Key, told: &[(Bytes, [u8; 64])]) {
    for (transaction, _) in told {
        let receipt = receipt(served, &json!(keccak256(transaction)));
        assert_eq!(receipt["from"], json!(payer.address()), "{receipt}");
    }
}

#[test]
fn s3_a_key_that_did_not_sign_is_found_and_whoever_told_it_has_to_go() {
    let network = Network::of(1);
    let (served, payer) = (network.node(1), Key::new(2));
    let stranger = Stranger::meet(served);
    let told = [(payer.pay(0, TO, 1), Key::new(3).public())];
    stranger.tell(&told);
    stranger.is_blamed();
    // The signature is right, whatever was said of it.
    mined(served, &payer, &told);
}

#[test]
fn s3_keys_of_many_transactions_are_checked_together_and_one_lie_is_found_among_them() {
    let network = Network::of(1);
    let served = network.node(1);
    let stranger = Stranger::meet(served);
    let payments = |payer: &Key| -> Vec<_> {
        let raw = (0..300).map(|nonce| payer.pay(nonce, TO, 1));
        raw.map(|raw| (raw, payer.public())).collect()
    };
    let (honest, other) = (Key::new(2), Key::new(3));
    let right = payments(&honest);
    stranger.tell(&right);
    mined(served, &honest, &right);
    assert_eq!(stranger.ends(), Vec::<String>::new());
    let mut lies = payments(&other);
    lies[150].1 = honest.public();
    stranger.tell(&lies);
    stranger.is_blamed();
    mined(served, &other, &lies);
}
