//! Connections that are wanted are made, and made again.

use crate::rig::{Node, id, pair, settings, until};
use purlin_chain_peers::{PeerAddress, Settings};
use std::net::SocketAddr;

fn at(address: SocketAddr) -> Settings {
    Settings {
        listen: Some(address),
        ..settings()
    }
}

fn wishing(dial: &Node) -> Settings {
    Settings {
        dial: vec![dial.address()],
        listen: None,
        ..settings()
    }
}

#[tokio::test]
async fn a_node_that_comes_back_is_met_again() {
    let two = Node::start(2).await;
    let one = Node::with(1, wishing(&two)).await;
    one.up(2).await;
    let address = two.at();
    two.peers.stop().await;
    one.down(2).await;
    one.refused("nobody listens there").await;
    let again = Node::with(2, at(address)).await;
    again.up(1).await;
    until("it is up again", || one.times_up() == 2).await;
    assert_eq!(again.up(1).await.listen_port, None);
}

#[tokio::test]
async fn a_node_that_is_not_there_yet_is_waited_for_and_told_of_once() {
    let free = Node::start(2).await;
    let address = free.at();
    free.peers.stop().await;
    let one = Node::start(1).await;
    one.peers.dial_more(address.to_string().parse().unwrap());
    until("it was tried some times", || {
        one.peers.counts().refused_outbound >= 4
    })
    .await;
    assert_eq!(one.events().len(), 1, "{:?}", one.events());
    let two = Node::with(2, at(address)).await;
    two.up(1).await;
}

#[tokio::test]
async fn after_a_disconnect_a_wished_node_is_dialled_again() {
    let (one, _two) = pair(settings(), settings()).await;
    one.peers.disconnect(id(2), "try again");
    until("it is up again", || one.times_up() == 2).await;
}

#[tokio::test]
async fn a_node_that_is_forgotten_is_left_alone() {
    let (one, two) = pair(settings(), settings()).await;
    assert!(!one.peers.dial_more(two.address()), "it is dialled already");
    assert!(one.peers.forget(&two.address()));
    assert!(one.down(2).await.contains("wants this connection no more"));
    two.down(1).await;
    assert!(!one.peers.forget(&two.address()));
    tokio::time::sleep(settings().pace.redial_max * 5).await;
    assert_eq!((one.times_up(), one.ids().len()), (1, 0));
    one.dial(&two);
    until("it is wanted again", || one.times_up() == 2).await;
}

#[tokio::test]
async fn s3_33_every_node_behind_a_name_is_met_and_none_meets_itself() {
    let two = Node::start(2).await;
    let name = PeerAddress {
        id: None,
        host: "localhost".to_owned(),
        port: two.at().port(),
    };
    let discovering = Settings {
        discovery: vec![name.clone()],
        ..settings()
    };
    let one = Node::with(1, discovering).await;
    one.up(2).await;

    // A node that finds its own address among those of the name.
    let address = two.at();
    drop(one);
    two.peers.stop().await;
    let itself = Node::with(
        2,
        Settings {
            discovery: vec![name],
            ..at(address)
        },
    )
    .await;
    until("it has reached itself", || {
        itself.peers.counts().refused_inbound > 0
    })
    .await;
    assert!(itself.ids().is_empty());
    assert!(
        !format!("{:?}", itself.events()).contains("same node"),
        "that is no news"
    );
}

#[tokio::test]
async fn a_name_that_is_not_found_is_told_once_and_asked_for_again() {
    let name = PeerAddress {
        id: None,
        host: "no-such-node.invalid".to_owned(),
        port: 1,
    };
    let one = Node::with(
        1,
        Settings {
            discovery: vec![name],
            ..settings()
        },
    )
    .await;
    let refused = one.refused("not found").await;
    assert_eq!(refused.address, "no-such-node.invalid:1");
    until("it was asked for again", || {
        one.peers.counts().refused_outbound >= 2
    })
    .await;
    assert_eq!(one.events().len(), 1, "{:?}", one.events());
}
