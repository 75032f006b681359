//! Two connections between the same two nodes: both keep the same one.

use crate::rig::{Node, id, ordered, pair, settings, until};
use bytes::Bytes;
use purlin_chain_peers::{Direction, Event, PeerAddress};

/// Both are connected, once, and what the one says the other hears.
async fn settled(lower: &Node, upper: &Node) {
    until("both are connected, by the dial of the lower address", || {
        let (here, there) = (lower.peers.list(), upper.peers.list());
        let directions = |list: &[_]| {
            list.iter()
                .map(|one: &purlin_chain_peers::PeerInfo| one.direction)
                .collect()
        };
        let (here, there): (Vec<_>, Vec<_>) = (directions(&here), directions(&there));
        here == [Direction::Outbound] && there == [Direction::Inbound]
    })
    .await;
    assert!(lower.peers.send(upper.id(), Bytes::from_static(b"ping")));
    upper.message(b"ping").await;
    assert!(upper.peers.send(lower.id(), Bytes::from_static(b"pong")));
    lower.message(b"pong").await;
}

/// `Up` and `Down` of a node alternate, and begin with `Up`.
fn in_order(node: &Node) {
    let mut up = false;
    for event in node.events() {
        match event {
            Event::Up(_) => assert!(!std::mem::replace(&mut up, true), "{:?}", node.events()),
            Event::Down { .. } => assert!(std::mem::replace(&mut up, false), "{:?}", node.events()),
            Event::Message { .. } => assert!(up, "{:?}", node.events()),
            Event::Refused(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_dial_each_other_at_once_keep_one_connection() {
    let (low, high) = ordered();
    for _ in 0..10 {
        let (lower, upper) = (Node::start(low).await, Node::start(high).await);
        lower.dial(&upper);
        upper.dial(&lower);
        lower.up(high).await;
        upper.up(low).await;
        settled(&lower, &upper).await;
        in_order(&lower);
        in_order(&upper);
    }
}

#[tokio::test]
async fn the_dial_of_the_lower_address_replaces_the_other() {
    let (low, high) = ordered();
    let (lower, upper) = (Node::start(low).await, Node::start(high).await);
    upper.dial(&lower);
    upper.up(low).await;
    // The wish names nobody yet: only when the other has answered is it known that there is a connection.
    lower.dial(&upper);
    settled(&lower, &upper).await;
    // Each side finds it out, or hears it from the other, whichever is first.
    assert!(lower.down(high).await.contains("replaced by another connection"));
    in_order(&lower);
    in_order(&upper);
}

#[tokio::test]
async fn the_dial_of_the_higher_address_is_given_up() {
    let (low, high) = ordered();
    let (lower, upper) = (Node::start(low).await, Node::start(high).await);
    lower.dial(&upper);
    lower.up(high).await;
    upper.up(low).await;
    upper.dial(&lower);
    until("the second connection is refused", || {
        upper.peers.counts().refused_outbound > 0
    })
    .await;
    settled(&lower, &upper).await;
    assert_eq!((lower.times_up(), upper.times_up()), (1, 1));
    // It has learnt whom it dialled, and does not try again.
    let tries = upper.peers.counts().refused_outbound;
    tokio::time::sleep(settings().pace.redial_max * 5).await;
    assert_eq!(upper.peers.counts().refused_outbound, tries);
}

#[tokio::test]
async fn a_node_with_two_addresses_is_one_peer() {
    let (one, two) = pair(settings(), settings()).await;
    let other = PeerAddress {
        host: "localhost".to_owned(),
        ..two.address()
    };
    assert!(one.peers.dial_more(other));
    until("the second address is found to be the same node", || {
        one.peers.counts().refused_outbound > 0
    })
    .await;
    assert_eq!((one.ids(), two.ids()), (vec![id(2)], vec![id(1)]));
    assert_eq!((one.times_up(), two.times_up()), (1, 1));
}
