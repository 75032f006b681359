//! Nodes with everything that they were told, and a stranger that speaks TLS and says what it likes.

use alloy_consensus::crypto::secp256k1::{recover_signer, sign_message};
use alloy_primitives::{Address, B256, Signature, keccak256};
use purlin_chain_peers::{
    Admission, Event, Identity, Network, Pace, PeerAddress, PeerInfo, Peers, Refused, Settings,
};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

pub(crate) const NETWORK: Network = Network {
    genesis: B256::repeat_byte(7),
    chain_id: 31_337,
};

/// Ends a test that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The key whose secret is this octet, 32 times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(pub(crate) u8);

impl Key {
    fn signature(self, digest: B256) -> Signature {
        sign_message(B256::repeat_byte(self.0), digest).unwrap()
    }
}

impl Identity for Key {
    fn address(&self) -> Address {
        let digest = B256::repeat_byte(1);
        recover_signer(&self.signature(digest), digest).unwrap()
    }

    fn sign(&self, digest: B256) -> [u8; 65] {
        self.signature(digest).as_rsy()
    }
}

pub(crate) fn id(key: u8) -> Address {
    Key(key).address()
}

/// Keys in the order of their addresses: the first is the lower one.
pub(crate) fn ordered() -> (u8, u8) {
    if id(1) < id(2) { (1, 2) } else { (2, 1) }
}

/// Refuses some, prefers some.
#[derive(Debug, Default)]
pub(crate) struct Door {
    pub(crate) banned: HashSet<Address>,
    pub(crate) precious: HashSet<Address>,
}

impl Admission for Door {
    fn admit(&self, id: Address) -> Result<(), String> {
        match self.banned.contains(&id) {
            true => Err("you are not on the list".to_owned()),
            false => Ok(()),
        }
    }

    fn precious(&self, id: Address) -> bool {
        self.precious.contains(&id)
    }
}

/// Silence ends no connection within a test, unless the test says so.
pub(crate) fn settings() -> Settings {
    Settings {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        pace: Pace {
            ping: Duration::from_millis(50),
            silence: PATIENCE * 2,
            redial_min: Duration::from_millis(20),
            redial_max: Duration::from_millis(100),
            discovery: Duration::from_millis(100),
        },
        connect_timeout: PATIENCE,
        ..Settings::default()
    }
}

pub(crate) struct Node {
    pub(crate) peers: Peers,
    pub(crate) key: u8,
    heard: watch::Receiver<Vec<Event>>,
}

impl Node {
    pub(crate) async fn start(key: u8) -> Self {
        Self::with(key, settings()).await
    }

    pub(crate) async fn with(key: u8, settings: Settings) -> Self {
        Self::of(key, settings, NETWORK, Door::default()).await
    }

    pub(crate) async fn of(key: u8, settings: Settings, network: Network, door: Door) -> Self {
        let (said, heard) = watch::channel(Vec::new());
        let events = Arc::new(move |event| said.send_modify(|all: &mut Vec<Event>| all.push(event)));
        let peers = Peers::start(settings, network, Arc::new(Key(key)), Arc::new(door), events);
        let peers = peers.await.unwrap();
        Self { peers, key, heard }
    }

    pub(crate) fn id(&self) -> Address {
        id(self.key)
    }

    pub(crate) fn at(&self) -> SocketAddr {
        self.peers.local_addr().unwrap()
    }

    pub(crate) fn address(&self) -> PeerAddress {
        self.at().to_string().parse().unwrap()
    }

    pub(crate) fn dial(&self, other: &Self) {
        assert!(self.peers.dial_more(other.address()));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.heard.borrow().clone()
    }

    /// Waits until something has been told. The list is locked while `what` looks: it must not ask for the list.
    pub(crate) async fn hears<T>(&self, what: impl Fn(&Event) -> Option<T>) -> T {
        let mut heard = self.heard.clone();
        let all = timeout(
            PATIENCE,
            heard.wait_for(|all| all.iter().any(|event| what(event).is_some())),
        );
        match all.await {
            Ok(all) => all.unwrap().iter().find_map(what).unwrap(),
            Err(_) => panic!("not heard; what was: {:?}", self.events()),
        }
    }

    pub(crate) async fn up(&self, other: u8) -> PeerInfo {
        self.hears(|event| match event {
            Event::Up(info) if info.id == id(other) => Some(info.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn down(&self, other: u8) -> String {
        self.hears(|event| match event {
            Event::Down { id: gone, why } if *gone == id(other) => Some(why.clone()),
            _ => None,
        })
        .await
    }

    /// The first refusal whose reason has these words.
    pub(crate) async fn refused(&self, words: &str) -> Refused {
        self.hears(|event| match event {
            Event::Refused(refused) if refused.why.contains(words) => Some(refused.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn message(&self, octets: &[u8]) -> Address {
        self.hears(|event| match event {
            Event::Message { from, octets: some } if some[..] == *octets => Some(*from),
            _ => None,
        })
        .await
    }

    pub(crate) fn ids(&self) -> Vec<Address> {
        self.peers.list().iter().map(|info| info.id).collect()
    }

    pub(crate) fn times_up(&self) -> usize {
        let events = self.events();
        events
            .iter()
            .filter(|event| matches!(event, Event::Up(_)))
            .count()
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// Two nodes that are connected; the first dialled.
pub(crate) async fn pair(first: Settings, second: Settings) -> (Node, Node) {
    let (one, two) = (Node::with(1, first).await, Node::with(2, second).await);
    one.dial(&two);
    one.up(2).await;
    two.up(1).await;
    (one, two)
}

/// The octets of a hello, signed for a session; as the crate's documentation draws them.
pub(crate) fn hello(key: u8, named: Address, exporter: B256, listener: bool) -> Vec<u8> {
    let mut octets = 1_u16.to_be_bytes().to_vec();
    octets.extend(NETWORK.genesis);
    octets.extend(NETWORK.chain_id.to_be_bytes());
    octets.extend(named);
    octets.extend(99_u64.to_be_bytes());
    octets.extend([0, 0, 3, 1, b'x']);
    let mut signed = b"purlin/peer/1".to_vec();
    signed.push(u8::from(listener));
    signed.extend(exporter);
    signed.extend(&octets);
    octets.extend(Key(key).sign(keccak256(signed)));
    octets
}
