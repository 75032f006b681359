//! Who meets whom, and what both are told when they do not.

use crate::rig::{Door, NETWORK, Node, PATIENCE, id, pair, settings, until};
use alloy_primitives::B256;
use bytes::Bytes;
use purlin_chain_peers::{Direction, Event, Everybody, Network, PeerAddress, Peers, Settings, StartError};
use std::sync::Arc;
use tokio::time::timeout;

#[tokio::test]
async fn two_nodes_meet_and_know_each_other() {
    let named = Settings {
        name: "purlin/test".to_owned(),
        role: 4,
        ..settings()
    };
    let (one, two) = pair(named, settings()).await;
    let (of_two, of_one) = (one.up(2).await, two.up(1).await);
    assert_eq!((of_one.name.as_str(), of_one.role), ("purlin/test", 4));
    assert_eq!(
        (of_two.direction, of_one.direction),
        (Direction::Outbound, Direction::Inbound)
    );
    assert_eq!(
        (of_two.address, of_one.listen_port),
        (two.at(), Some(one.at().port()))
    );
    assert_eq!((one.ids(), two.ids()), (vec![id(2)], vec![id(1)]));

    assert!(two.peers.send(id(1), Bytes::from_static(b"vote")));
    assert_eq!(one.message(b"vote").await, id(2));
    assert_eq!(one.peers.broadcast(Bytes::from_static(b"block")), 1);
    assert_eq!(two.message(b"block").await, id(1));
    until("a ping is answered", || one.peers.list()[0].round_trip.is_some()).await;
    let info = &two.peers.list()[0];
    assert_eq!((info.messages_in, info.messages_out), (1, 1));
    assert!(info.octets_in > 5 && info.octets_out > 4);
}

#[tokio::test]
async fn nodes_of_other_chains_part_and_both_know_why() {
    let two = Node::start(2).await;
    let genesis = B256::repeat_byte(8);
    for (network, words) in [
        (Network { genesis, ..NETWORK }, "different chains: genesis 0x0"),
        (
            Network {
                chain_id: 1,
                ..NETWORK
            },
            "different chain ids: ",
        ),
    ] {
        let one = Node::of(1, settings(), network, Door::default()).await;
        one.dial(&two);
        let (here, there) = (one.refused(words).await, two.refused(words).await);
        assert!(here.why.starts_with("it refused: "), "{}", here.why);
        assert_eq!(
            (here.direction, there.direction),
            (Direction::Outbound, Direction::Inbound)
        );
        assert_eq!((here.address, there.id), (two.at().to_string(), None));
    }
    assert!(two.ids().is_empty());
}

#[tokio::test]
async fn somebody_else_than_was_expected_is_refused() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let wrong = PeerAddress {
        id: Some(id(3)),
        ..two.address()
    };
    one.peers.dial_more(wrong);
    let refused = one.refused("was expected here").await;
    assert_eq!(refused.id, Some(id(2)));
    two.refused("was expected here").await;
    assert!(one.ids().is_empty() && two.ids().is_empty());
    one.peers.dial_more(PeerAddress {
        id: Some(id(2)),
        ..two.address()
    });
    one.up(2).await;
}

#[tokio::test]
async fn a_node_is_not_its_own_peer() {
    let one = Node::start(1).await;
    one.dial(&one);
    one.refused("both ends are the same node").await;
    assert!(one.ids().is_empty());
}

#[tokio::test]
async fn two_nodes_with_one_key_are_told() {
    let (one, again) = (Node::start(1).await, Node::start(1).await);
    again.dial(&one);
    again.refused("two nodes run with the same key").await;
    one.refused("two nodes run with the same key").await;
    assert!(one.ids().is_empty() && again.ids().is_empty());
}

#[tokio::test]
async fn who_is_not_admitted_is_told_so_by_either_side() {
    let door = || Door {
        banned: [id(2)].into(),
        ..Door::default()
    };
    let one = Node::of(1, settings(), NETWORK, door()).await;
    let two = Node::start(2).await;
    two.dial(&one);
    let told = two.refused("you are not on the list").await;
    assert!(told.why.starts_with("it refused"), "{}", told.why);
    assert_eq!(one.refused("you are not on the list").await.id, Some(id(2)));

    let third = Node::of(3, settings(), NETWORK, door()).await;
    third.dial(&two);
    third.refused("you are not on the list").await;
    two.refused("it refused: you are not on the list").await;
    assert!(two.ids().is_empty());
}

#[tokio::test]
async fn s3_33_the_limit_spares_precious_nodes_and_those_that_are_wished_for() {
    let door = Door {
        precious: [id(3)].into(),
        ..Door::default()
    };
    let limited = Settings {
        limit: 1,
        ..settings()
    };
    let hub = Node::of(9, limited, NETWORK, door).await;
    let mut nodes = Vec::new();
    for key in 1..=4 {
        nodes.push(Node::start(key).await);
    }
    nodes[0].dial(&hub);
    hub.up(1).await;
    nodes[1].dial(&hub);
    nodes[1].refused("the limit of 1 peers is reached").await;
    nodes[2].dial(&hub);
    hub.up(3).await;
    hub.dial(&nodes[3]);
    hub.up(4).await;
    assert!(!hub.ids().contains(&id(2)));

    // More room, and the one that was refused comes by itself; less, and the youngest go.
    hub.peers.set_limits(3, 30);
    hub.up(2).await;
    hub.peers.set_limits(2, 30);
    assert_eq!(hub.down(2).await, "the limit of peers is 2 now");
    let told = nodes[1].down(9).await;
    assert_eq!(told, "it ended the connection: the limit of peers is 2 now");
    assert!(hub.ids().len() == 3, "{:?}", hub.ids());
}

#[tokio::test]
async fn a_reason_reaches_the_other_side() {
    let (one, two) = pair(settings(), settings()).await;
    assert!(one.peers.disconnect(id(2), "you equivocated"));
    assert_eq!(one.down(2).await, "you equivocated");
    assert_eq!(two.down(1).await, "it ended the connection: you equivocated");
    assert!(!one.peers.disconnect(id(7), "nobody"));
}

#[tokio::test]
async fn a_node_that_stops_says_so_and_leaves_nothing_behind() {
    let (one, two) = pair(settings(), settings()).await;
    timeout(PATIENCE, one.peers.stop()).await.unwrap();
    assert_eq!(two.down(1).await, "it ended the connection: the node stops");
    assert!(matches!(one.events().last(), Some(Event::Down { .. })));
    assert!(one.ids().is_empty() && !one.peers.dial_more(two.address()));
    assert!(
        tokio::net::TcpStream::connect(one.at()).await.is_err(),
        "it still listens"
    );
}

#[tokio::test]
async fn a_node_that_is_dropped_ends_its_connections() {
    let (one, two) = pair(settings(), settings()).await;
    drop(one.peers);
    assert_eq!(two.down(1).await, "it ended the connection: the node stops");
}

#[tokio::test]
async fn settings_out_of_bounds_are_refused_with_words() {
    let start = |settings| {
        let identity = Arc::new(crate::rig::Key(1));
        Peers::start(settings, NETWORK, identity, Arc::new(Everybody), Arc::new(|_| {}))
    };
    for settings in [
        Settings {
            name: "x".repeat(65),
            ..settings()
        },
        Settings {
            name: "a\nb".to_owned(),
            ..settings()
        },
        Settings {
            message_max: 1000,
            ..settings()
        },
        Settings {
            queue_octets: 1000,
            ..settings()
        },
    ] {
        assert!(matches!(start(settings).await, Err(StartError::Setting(_))));
    }
    let taken = start(settings()).await.unwrap();
    let twice = Settings {
        listen: taken.local_addr(),
        ..settings()
    };
    let refused = start(twice).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("cannot listen for peers at 127.0.0.1:"),
        "{refused}"
    );
}
