//! Messages of every length, and peers that do not keep up.

use crate::rig::{Node, id, pair, settings, until};
use crate::stranger::{PING, Stranger, WHOLE};
use bytes::Bytes;
use purlin_chain_peers::{Event, Pace, Settings};
use std::time::Duration;

/// Octets that differ from place to place.
fn long(octets: usize, seed: u8) -> Bytes {
    (0..octets)
        .map(|place| (place as u8).wrapping_mul(31) ^ (place >> 8) as u8 ^ seed)
        .collect()
}

fn messages(node: &Node) -> Vec<Bytes> {
    let octets = |event| match event {
        Event::Message { octets, .. } => Some(octets),
        _ => None,
    };
    node.events().into_iter().filter_map(octets).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_length_arrive_whole() {
    let (one, two) = pair(settings(), settings()).await;
    let piece = 64 * 1024;
    let lengths = [
        1,
        4096,
        4097,
        piece,
        piece + 1,
        2 * piece,
        3 * piece - 1,
        16 * 1024 * 1024,
    ];
    let sent: Vec<Bytes> = lengths
        .iter()
        .zip(0..)
        .map(|(octets, seed)| long(*octets, seed))
        .collect();
    for message in &sent {
        assert!(one.peers.send(id(2), message.clone()));
        assert!(two.peers.send(id(1), message.clone()));
    }
    for node in [&one, &two] {
        until("all of them", || messages(node).len() == sent.len()).await;
        let mut got = messages(node);
        got.sort_by_key(Bytes::len);
        assert!(got == sent, "the octets are others");
    }
    assert_eq!(one.times_up(), 1);
}

#[tokio::test]
async fn what_is_empty_or_too_long_is_not_sent() {
    let (one, two) = pair(settings(), settings()).await;
    assert!(!one.peers.send(id(2), Bytes::new()));
    assert!(!one.peers.send(id(2), long(16 * 1024 * 1024 + 1, 0)));
    assert_eq!(one.peers.broadcast(Bytes::new()), 0);
    assert!(!one.peers.send(id(9), Bytes::from_static(b"nobody")));
    assert!(one.peers.send(id(2), Bytes::from_static(b"good")));
    two.message(b"good").await;
}

#[tokio::test]
async fn only_those_who_are_chosen_get_it() {
    let one = Node::start(1).await;
    let (two, three) = (
        Node::with(
            2,
            Settings {
                role: 1,
                ..settings()
            },
        )
        .await,
        Node::start(3).await,
    );
    one.dial(&two);
    one.dial(&three);
    one.up(2).await;
    one.up(3).await;
    assert_eq!(
        one.peers
            .send_to(|info| info.role == 1, Bytes::from_static(b"vote")),
        1
    );
    assert_eq!(one.peers.broadcast(Bytes::from_static(b"to all")), 2);
    two.message(b"vote").await;
    two.message(b"to all").await;
    three.message(b"to all").await;
    assert_eq!(messages(&three).len(), 1);
}

#[tokio::test]
async fn a_message_beyond_what_the_other_takes_ends_the_connection() {
    let least = 64 * 1024;
    let narrow = Settings {
        message_max: least,
        ..settings()
    };
    let (one, two) = pair(settings(), narrow).await;
    one.peers.send(id(2), long(least + 1, 0));
    let words = "a message of 65537 octets (at most 65536 are taken)";
    assert!(two.down(1).await.contains(words));
    assert!(one.down(2).await.contains(words));
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_dropped_and_counted() {
    let small = Settings {
        message_max: 1 << 20,
        queue_octets: 2 << 20,
        ..settings()
    };
    let node = Node::with(1, small).await;
    let _deaf = Stranger::met(node.at(), 3).await;
    node.up(3).await;
    let block = long(1 << 20, 0);
    until("its queue is full", || !node.peers.send(id(3), block.clone())).await;
    assert!(node.down(3).await.contains("its queue is full"));
    assert_eq!((node.peers.counts().overrun, node.ids().len()), (1, 0));
}

fn impatient() -> Settings {
    let pace = Pace {
        ping: Duration::from_millis(20),
        silence: Duration::from_millis(500),
        ..settings().pace
    };
    Settings { pace, ..settings() }
}

#[tokio::test]
async fn a_peer_of_which_nothing_comes_is_dropped() {
    let node = Node::with(1, impatient()).await;
    let mut silent = Stranger::met(node.at(), 3).await;
    assert_eq!(node.down(3).await, "nothing came from it for 500ms");
    assert_eq!(silent.farewell().await, "nothing came from it for 500ms");
}

#[tokio::test]
async fn half_a_frame_is_no_sign_of_life() {
    let node = Node::with(1, impatient()).await;
    let mut slow = Stranger::met(node.at(), 3).await;
    slow.say_head(WHOLE, 60_000).await;
    let drip = async {
        loop {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut slow.stream, &[0]).await;
            let _ = tokio::io::AsyncWriteExt::flush(&mut slow.stream).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = drip => {}
        why = node.down(3) => assert_eq!(why, "nothing came from it for 500ms"),
    }
}

#[tokio::test]
async fn a_peer_that_speaks_and_does_not_listen_is_dropped() {
    let block = Bytes::from(vec![1; 16 << 20]);
    let node = Node::with(1, impatient()).await;
    let deaf = Stranger::met(node.at(), 3).await;
    node.up(3).await;
    // More than the sockets hold, less than the queue.
    (0..3).for_each(|_| assert!(node.peers.send(id(3), block.clone())));
    let (reader, mut writer) = tokio::io::split(deaf.stream);
    let chatter = async {
        let mut ping = vec![PING, 0, 0, 0, 8];
        ping.extend([0; 8]);
        loop {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut writer, &ping).await;
            let _ = tokio::io::AsyncWriteExt::flush(&mut writer).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = chatter => {}
        why = node.down(3) => assert_eq!(why, "it took nothing for 500ms"),
    }
    drop(reader);
}

#[tokio::test]
async fn nodes_that_have_nothing_to_say_stay_connected() {
    let (one, two) = pair(impatient(), impatient()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((one.times_up(), two.times_up()), (1, 1));
    assert_eq!((one.ids(), two.ids()), (vec![id(2)], vec![id(1)]));
}
