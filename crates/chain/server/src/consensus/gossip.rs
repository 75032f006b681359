//! Transactions on their way to those who make blocks.
//!
//! ```text
//! eth_sendRawTransaction ─► pool ─► outgoing ─(256 KiB or 5 ms)─► every validator
//! a peer's messages ─► incoming ─► known? dropped : signatures ─► pool ─► from a follower: on to the validators
//! ```
//!
//! With a transaction goes the key that signed it, if the sender has recovered it: what waits to be read is then checked in
//! one go, for half of the price (chain/signatures). Where that fails, each is recovered, and whoever told a wrong key is disconnected.
//!
//! Validators know each other, so that what one takes from a client or a follower reaches all of them in one step; what one
//! validator gets from another goes no further. A transaction that nobody heard is said again while it waits.

use super::Shared;
use crate::node::Node;
use crate::rpc::{decode_transaction, unsigned};
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{Encodable as _, Header};
use purlin_chain_core::pool::{Origin, Pooled};
use purlin_chain_proto::{Recovered, Transaction};
use purlin_chain_signatures::claims::{self, Claim};
use purlin_chain_signatures::{PublicKey, has_low_s, recover};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// The first octet of a message with transactions; the engine's are below.
pub(super) const KIND: u8 = 0x10;

/// Transactions that wait to be told.
const OUTGOING_MAX: usize = 65_536;
/// Messages that wait to be read.
const INCOMING_MAX: usize = 256;
/// One message is about so large.
const MESSAGE_OCTETS: usize = 256 << 10;
/// And waits so long for more.
const GATHER: Duration = Duration::from_millis(5);
/// Messages are read together up to so many octets.
const TOGETHER_OCTETS: usize = 1 << 20;
/// What has waited so long is said again, so often.
const AGAIN: Duration = Duration::from_secs(5);
/// That many of it.
const AGAIN_MAX: usize = 1_000;

/// A transaction that is told.
#[derive(Debug, Clone)]
struct Told {
    /// As networks carry it (EIP-2718).
    octets: Bytes,
    key: Option<PublicKey>,
}

impl Told {
    fn new(pooled: &Pooled, key: Option<PublicKey>) -> Self {
        Self {
            octets: pooled.transaction().encoded_2718().into(),
            key,
        }
    }

    fn key(&self) -> &[u8] {
        self.key.as_ref().map_or(&[], |key| key.as_slice())
    }

    /// Octets in a message.
    fn len(&self) -> usize {
        self.octets.length() + self.key().length()
    }
}

/// The way to the two workers.
#[derive(Debug)]
pub(crate) struct Gossip {
    outgoing: mpsc::Sender<Told>,
    incoming: SyncSender<(Address, Bytes)>,
}

/// Their ends.
#[derive(Debug)]
pub(super) struct Ends {
    outgoing: mpsc::Receiver<Told>,
    incoming: Receiver<(Address, Bytes)>,
}

pub(super) fn new() -> (Gossip, Ends) {
    let (outgoing, told) = mpsc::channel(OUTGOING_MAX);
    let (incoming, heard) = sync_channel(INCOMING_MAX);
    let ends = Ends {
        outgoing: told,
        incoming: heard,
    };
    (Gossip { outgoing, incoming }, ends)
}

impl Gossip {
    /// Tells the validators of a transaction. What finds no room is said again later.
    pub(crate) fn tell(&self, pooled: &Pooled, key: Option<PublicKey>) {
        let _ = self.outgoing.try_send(Told::new(pooled, key));
    }

    /// A message with transactions; one too many is dropped, for its sender says them again.
    pub(super) fn hear(&self, from: Address, octets: Bytes) {
        let _ = self.incoming.try_send((from, octets));
    }
}

/// Sends what is to be told until the node is gone.
async fn send(shared: Weak<Shared>, mut outgoing: mpsc::Receiver<Told>) {
    let mut again = tokio::time::interval(AGAIN);
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            first = outgoing.recv() => match first {
                Some(first) => batch.push(first),
                None => return,
            },
            _ = again.tick() => {}
        }
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if batch.is_empty() {
            batch = waiting(&shared.node);
        } else {
            gather(&mut outgoing, &mut batch).await;
        }
        for part in parts(&batch) {
            shared.to_validators(&encode(part));
        }
    }
}

/// Waits for more, then takes what is there: whoever tells something meanwhile wakes nobody.
async fn gather(outgoing: &mut mpsc::Receiver<Told>, batch: &mut Vec<Told>) {
    tokio::time::sleep(GATHER).await;
    let mut octets = batch[0].len();
    while octets < MESSAGE_OCTETS
        && let Ok(next) = outgoing.try_recv()
    {
        octets += next.len();
        batch.push(next);
    }
}

/// What has waited long, the oldest of each sender first.
fn waiting(node: &Node) -> Vec<Told> {
    let now = node.now();
    let pool = node.pool();
    let old = |pooled: &&Arc<Pooled>| now.saturating_sub(pooled.added()) >= AGAIN;
    let waiting = pool.best(pool.head().base_fee, 0).filter(old);
    waiting
        .take(AGAIN_MAX)
        .map(|pooled| Told::new(pooled, None))
        .collect()
}

/// Runs of transactions of about one message each.
fn parts(batch: &[Told]) -> impl Iterator<Item = &[Told]> {
    let mut rest = batch;
    std::iter::from_fn(move || {
        let mut octets = 0;
        let full = rest.iter().position(|one| {
            octets += one.len();
            octets >= MESSAGE_OCTETS
        });
        let (part, later) = rest.split_at(full.map_or(rest.len(), |at| at + 1));
        rest = later;
        (!part.is_empty()).then_some(part)
    })
}

/// The kind, then an RLP list of strings of octets: each transaction as networks carry it (EIP-2718), and after it the key that
/// signed it, empty where it is not known.
fn encode(transactions: &[Told]) -> Bytes {
    let header = Header {
        list: true,
        payload_length: transactions.iter().map(Told::len).sum(),
    };
    let mut octets = Vec::with_capacity(1 + header.length_with_payload());
    octets.push(KIND);
    header.encode(&mut octets);
    for one in transactions {
        one.octets.encode(&mut octets);
        one.key().encode(&mut octets);
    }
    octets.into()
}

/// A transaction that a peer told.
#[derive(Debug)]
struct Heard {
    from: Address,
    transaction: Transaction,
    key: Option<PublicKey>,
}

impl Heard {
    /// The key that it came with, where that can be checked together with others.
    fn claimed(&self) -> Option<PublicKey> {
        self.key.filter(|_| has_low_s(self.transaction.signature()))
    }

    fn claim(&self) -> Option<Claim> {
        Some(Claim {
            key: self.claimed()?,
            digest: self.transaction.signature_hash(),
            signature: *self.transaction.signature(),
        })
    }
}

/// Whether all claims that came are right; few are not worth it, and are not looked at.
fn are_right(heard: &[Heard]) -> bool {
    let claimed = heard.iter().filter(|one| one.claimed().is_some());
    if claimed.count() < claims::WORTH_IT {
        return false;
    }
    let claims: Vec<Claim> = heard.iter().filter_map(Heard::claim).collect();
    claims::are_right(&claims, secret())
}

/// Takes messages until the node is gone. Who sends one that cannot be read is told so and disconnected.
fn receive(shared: &Weak<Shared>, incoming: &Receiver<(Address, Bytes)>) {
    while let Ok(first) = incoming.recv() {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let (mut heard, mut octets) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some((from, message)) = next.take() {
            if let Err(why) = read(&shared, from, &message, &mut heard) {
                shared.disconnect(from, &why);
            }
            octets += message.len();
            if octets < TOGETHER_OCTETS {
                next = incoming.try_recv().ok();
            }
        }
        keep(&shared, heard);
    }
}

/// Reads one message; what is known already is left out.
fn read(shared: &Shared, from: Address, octets: &[u8], heard: &mut Vec<Heard>) -> Result<(), String> {
    let fault = |error: alloy_rlp::Error| format!("a message with transactions cannot be read: {error}");
    let mut rest = octets.get(1..).unwrap_or_default();
    let mut list = Header::decode_bytes(&mut rest, true).map_err(fault)?;
    if !rest.is_empty() {
        return Err("octets follow a message with transactions".to_owned());
    }
    while !list.is_empty() {
        let raw = Header::decode_bytes(&mut list, false).map_err(fault)?;
        let key = Header::decode_bytes(&mut list, false).map_err(fault)?;
        let hash: B256 = keccak256(raw);
        // A signature costs many times what both questions do, and a block may have come before this message was read.
        if shared.node.waiting(hash).is_some() || is_mined(shared, hash) {
            continue;
        }
        let key = match key {
            [] => None,
            key => Some(PublicKey::try_from(key).map_err(|_| "a key of another length than 64 octets")?),
        };
        let transaction = decode_transaction(raw).map_err(|fault| fault.message().to_owned())?;
        heard.push(Heard {
            from,
            transaction,
            key,
        });
    }
    Ok(())
}

/// Takes what was heard into the pool.
fn keep(shared: &Shared, heard: Vec<Heard>) {
    let right = are_right(&heard);
    for one in heard {
        let from = one.from;
        if let Err(why) = keep_one(shared, one, right) {
            shared.disconnect(from, &why);
        }
    }
}

/// `right`: all claims are.
fn keep_one(shared: &Shared, heard: Heard, right: bool) -> Result<(), String> {
    let checked = right && heard.claimed().is_some();
    let Heard {
        from,
        transaction,
        key,
    } = heard;
    let told = key.map(|key| Address::from_raw_public_key(&key));
    let (transaction, key) = match told.filter(|_| checked) {
        Some(sender) => (Recovered::new_unchecked(transaction, sender), key),
        None => {
            let signed = recover(transaction).ok_or_else(|| unsigned().message().to_owned())?;
            (signed.transaction, Some(signed.key))
        }
    };
    let sender = transaction.signer();
    // One that this node's rules refuse does no harm: its sender may see the chain a block earlier or later.
    let inserted = shared.node.insert_as(transaction, Origin::External, true);
    let forward = shared.is_validator() && !shared.is_validators(&from);
    if let (true, Ok(Ok(hash))) = (forward, inserted) {
        shared.node.gossip(&hash, key);
    }
    match told {
        Some(told) if told != sender => {
            Err("a transaction was told with a key that did not sign it".to_owned())
        }
        _ => Ok(()),
    }
}

/// What no peer can know.
fn secret() -> B256 {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).expect("the system gives random numbers");
    octets.into()
}

fn is_mined(shared: &Shared, hash: B256) -> bool {
    matches!(shared.node.source.transaction(hash), Ok(Some(_)))
}

impl Ends {
    /// Starts both workers.
    pub(super) fn work(self, shared: &Arc<Shared>) -> std::io::Result<()> {
        let Self { outgoing, incoming } = self;
        tokio::spawn(send(Arc::downgrade(shared), outgoing));
        let weak = Arc::downgrade(shared);
        std::thread::Builder::new()
            .name("chain-gossip".to_owned())
            .spawn(move || receive(&weak, &incoming))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(octets: Vec<u8>, key: Option<PublicKey>) -> Told {
        let octets = octets.into();
        Told { octets, key }
    }

    #[test]
    fn a_batch_is_sent_in_messages_of_about_one_size() {
        let batch = vec![told(vec![1; MESSAGE_OCTETS / 2], None); 5];
        let sizes: Vec<usize> = parts(&batch).map(<[Told]>::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(parts(&[]).count(), 0);
    }

    #[test]
    fn a_message_is_a_kind_and_a_list_of_transactions_with_keys() {
        let octets = encode(&[told(vec![1, 2, 3], Some([7; 64])), told(vec![9; 60], None)]);
        assert_eq!(octets[0], KIND);
        let mut rest = &octets[1..];
        let mut list = Header::decode_bytes(&mut rest, true).expect("a list");
        assert!(rest.is_empty());
        for wanted in [&[1, 2, 3][..], &[7; 64], &[9; 60], &[]] {
            let found = Header::decode_bytes(&mut list, false).expect("octets");
            assert_eq!(found, wanted);
        }
        assert!(list.is_empty());
    }
}
