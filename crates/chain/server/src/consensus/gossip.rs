//! Transactions on their way to those who make blocks.
//!
//! ```text
//! eth_sendRawTransaction ─► pool ─► outgoing ─(256 KiB or 5 ms)─► every validator
//! a peer's message ─► incoming ─► known? dropped : signature ─► pool ─► from a follower: on to the validators
//! ```
//!
//! Validators know each other, so that what one takes from a client or a follower reaches all of them in one step; what one
//! validator gets from another goes no further. A transaction that nobody heard is said again while it waits.

use super::Shared;
use crate::node::Node;
use crate::rpc::decode_transaction;
use alloy_eips::Encodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable, Header};
use purlin_chain_core::pool::{Origin, Pooled};
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
/// What has waited so long is said again, so often.
const AGAIN: Duration = Duration::from_secs(5);
/// That many of it.
const AGAIN_MAX: usize = 1_000;

/// The way to the two workers.
#[derive(Debug)]
pub(crate) struct Gossip {
    outgoing: mpsc::Sender<Bytes>,
    incoming: SyncSender<(Address, Bytes)>,
}

/// Their ends.
#[derive(Debug)]
pub(super) struct Ends {
    outgoing: mpsc::Receiver<Bytes>,
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
    pub(crate) fn tell(&self, pooled: &Pooled) {
        let _ = self.outgoing.try_send(pooled.transaction().encoded_2718().into());
    }

    /// A message with transactions; one too many is dropped, for its sender says them again.
    pub(super) fn hear(&self, from: Address, octets: Bytes) {
        let _ = self.incoming.try_send((from, octets));
    }
}

/// Sends what is to be told until the node is gone.
pub(super) async fn send(shared: Weak<Shared>, mut outgoing: mpsc::Receiver<Bytes>) {
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

async fn gather(outgoing: &mut mpsc::Receiver<Bytes>, batch: &mut Vec<Bytes>) {
    let end = tokio::time::Instant::now() + GATHER;
    let mut octets = batch[0].len();
    while octets < MESSAGE_OCTETS {
        match tokio::time::timeout_at(end, outgoing.recv()).await {
            Ok(Some(next)) => {
                octets += next.len();
                batch.push(next);
            }
            _ => return,
        }
    }
}

/// What has waited long, the oldest of each sender first.
fn waiting(node: &Node) -> Vec<Bytes> {
    let now = node.now();
    let pool = node.pool();
    let old = |pooled: &&Arc<Pooled>| now.saturating_sub(pooled.added()) >= AGAIN;
    let waiting = pool.best(pool.head().base_fee, 0).filter(old);
    waiting
        .take(AGAIN_MAX)
        .map(|pooled| pooled.transaction().encoded_2718().into())
        .collect()
}

/// Runs of transactions of about one message each.
fn parts(batch: &[Bytes]) -> impl Iterator<Item = &[Bytes]> {
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

/// The kind, then an RLP list of transactions as networks carry them (EIP-2718), each a string of octets.
fn encode(transactions: &[Bytes]) -> Bytes {
    let payload_length = transactions.iter().map(Encodable::length).sum();
    let header = Header {
        list: true,
        payload_length,
    };
    let mut octets = Vec::with_capacity(1 + header.length_with_payload());
    octets.push(KIND);
    header.encode(&mut octets);
    for one in transactions {
        one.encode(&mut octets);
    }
    octets.into()
}

/// Takes messages until the node is gone. Who sends one that cannot be read is told so and disconnected.
pub(super) fn receive(shared: &Weak<Shared>, incoming: &Receiver<(Address, Bytes)>) {
    while let Ok((from, octets)) = incoming.recv() {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if let Err(why) = take(&shared, from, &octets) {
            shared.disconnect(from, &why);
        }
    }
}

/// Takes one message into the pool.
fn take(shared: &Shared, from: Address, octets: &[u8]) -> Result<(), String> {
    let fault = |error: alloy_rlp::Error| format!("a message with transactions cannot be read: {error}");
    let mut rest = octets.get(1..).unwrap_or_default();
    let mut list = Header::decode_bytes(&mut rest, true).map_err(fault)?;
    if !rest.is_empty() {
        return Err("octets follow a message with transactions".to_owned());
    }
    let forward = shared.is_validator() && !shared.is_validators(&from);
    while !list.is_empty() {
        let raw = Bytes::decode(&mut list).map_err(fault)?;
        let hash: B256 = keccak256(&raw);
        if shared.node.waiting(hash).is_some() {
            continue;
        }
        // One that this node's rules refuse does no harm: its sender may see the chain a block earlier or later.
        let transaction = decode_transaction(&raw).map_err(|fault| fault.message().to_owned())?;
        let inserted = shared.node.insert_as(transaction, Origin::External, true);
        if let (true, Ok(Ok(hash))) = (forward, inserted) {
            shared.node.gossip(&hash);
        }
    }
    Ok(())
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

    #[test]
    fn a_batch_is_sent_in_messages_of_about_one_size() {
        let large = Bytes::from(vec![1; MESSAGE_OCTETS / 2]);
        let batch = vec![large; 5];
        let sizes: Vec<usize> = parts(&batch).map(<[Bytes]>::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(parts(&[]).count(), 0);
    }

    #[test]
    fn a_message_is_a_kind_and_a_list() {
        let octets = encode(&[Bytes::from_static(&[1, 2, 3]), Bytes::from_static(&[9; 60])]);
        assert_eq!(octets[0], KIND);
        let mut rest = &octets[1..];
        let mut list = Header::decode_bytes(&mut rest, true).expect("a list");
        assert!(rest.is_empty());
        let first = Bytes::decode(&mut list).expect("a transaction");
        assert_eq!(first, Bytes::from_static(&[1, 2, 3]));
    }
}
