//! Those who want to be what they are not, and those who want nothing but trouble.

use crate::rig::{Node, PATIENCE, hello, id, settings, until};
use crate::stranger::{BEGIN, FAREWELL, HELLO, PART, PING, Stranger, WELCOME, WHOLE};
use alloy_primitives::B256;
use purlin_chain_peers::Settings;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// The other side closes, whatever it still says.
async fn closed(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .expect("it stays open");
}

#[tokio::test]
async fn a_stranger_of_the_rig_is_met_when_he_plays_by_the_rules() {
    let node = Node::start(1).await;
    let mut stranger = Stranger::met(node.at(), 3).await;
    stranger.say(WHOLE, b"good").await;
    assert_eq!(node.message(b"good").await, id(3));
    assert_eq!(node.up(3).await.listen_port, None);
}

#[tokio::test]
async fn a_hello_of_another_session_is_refused() {
    let node = Node::start(1).await;
    let overheard = Stranger::dial(node.at()).await;
    let said = hello(3, id(3), overheard.exporter, false);
    let mut replays = Stranger::dial(node.at()).await;
    replays.say(HELLO, &said).await;
    assert!(
        replays
            .farewell()
            .await
            .contains("not signed by the node that it names, for this session")
    );
    assert_eq!(node.refused("not signed").await.id, None);
    assert!(node.ids().is_empty());
}

#[tokio::test]
async fn forged_hellos_are_refused() {
    let node = Node::start(1).await;
    let forge: [fn(B256) -> Vec<u8>; 4] = [
        // Another's name; a zero exporter; the signature of the listener's side; a broken signature.
        |exporter| hello(3, id(4), exporter, false),
        |_| hello(3, id(3), B256::ZERO, false),
        |exporter| hello(3, id(3), exporter, true),
        |exporter| {
            let mut said = hello(3, id(3), exporter, false);
            *said.last_mut().unwrap() ^= 1;
            said
        },
    ];
    for (number, forge) in forge.into_iter().enumerate() {
        let mut stranger = Stranger::dial(node.at()).await;
        let said = forge(stranger.exporter);
        stranger.say(HELLO, &said).await;
        assert!(stranger.farewell().await.contains("not signed"), "{number}");
    }
    assert!(node.ids().is_empty());
}

/// Who is dialled and hands everything on to another node, hello for hello, is in two sessions.
#[tokio::test]
async fn nobody_in_the_middle_hands_hellos_on() {
    let (one, two) = (Node::start(1).await, Node::start(2).await);
    let middle = TcpListener::bind("127.0.0.1:0").await.unwrap();
    one.peers
        .dial_more(middle.local_addr().unwrap().to_string().parse().unwrap());
    let mut of_one = Stranger::accept(middle.accept().await.unwrap().0).await;
    let mut of_two = Stranger::dial(two.at()).await;
    let (kind, said) = of_one.hear().await.unwrap();
    assert_eq!(kind, HELLO);
    of_two.say(HELLO, &said).await;
    assert!(of_two.farewell().await.contains("not signed"));
    two.refused("not signed").await;

    // And a node does not take its own hello back from the other side.
    of_one.say(HELLO, &said).await;
    assert!(of_one.farewell().await.contains("not signed"));
    assert!(one.ids().is_empty() && two.ids().is_empty());
}

#[tokio::test]
async fn whoever_says_something_else_than_a_hello_first_is_refused() {
    let node = Node::start(1).await;
    for (kind, rest, words) in [
        (WELCOME, vec![], "a hello was expected"),
        (WHOLE, vec![1; 100], "a hello was expected"),
        (HELLO, vec![1; 20], "the hello is too short"),
        (HELLO, vec![1; 1024], "different versions of the protocol"),
        (HELLO, vec![1; 1025], "it sent a frame of kind 1 with 1025 octets"),
        (0, vec![], "unknown kind 0"),
        (b'G', b"T / HTTP/1.1\r\n\r\n".to_vec(), "unknown kind 71"),
    ] {
        let mut stranger = Stranger::dial(node.at()).await;
        stranger.say(kind, &rest).await;
        let said = stranger.farewell().await;
        assert!(said.contains(words), "{said}");
    }
    let mut twice = Stranger::dial(node.at()).await;
    let said = hello(3, id(3), twice.exporter, false);
    twice.say(HELLO, &said).await;
    twice.say(HELLO, &said).await;
    assert!(twice.farewell().await.contains("a welcome was expected"));
    assert!(node.ids().is_empty());
}

/// Kinds and rests.
type Frames<'a> = &'a [(u8, &'a [u8])];

#[tokio::test]
async fn what_is_no_frame_ends_a_peer_with_words() {
    let node = Node::start(1).await;
    let big = 70_000_u32.to_be_bytes();
    let told: [(Frames<'_>, &str); 7] = [
        (&[(0, &[])], "unknown kind 0"),
        (&[(WHOLE, &[])], "a frame of kind 6 with 0 octets"),
        (&[(PING, &[1])], "a frame of kind 4 with 1 octets"),
        (&[(HELLO, &[1])], "it greeted twice"),
        (&[(PART, &[1])], "more of a message than it had told"),
        (&[(BEGIN, &big), (BEGIN, &big)], "a message within another"),
        (
            &[(BEGIN, &u32::MAX.to_be_bytes())],
            "a message of 4294967295 octets (at most 16777216 are taken)",
        ),
    ];
    for (number, (frames, words)) in told.into_iter().enumerate() {
        let key = 10 + number as u8;
        let mut peer = Stranger::met(node.at(), key).await;
        for (kind, rest) in frames {
            peer.say(*kind, rest).await;
        }
        assert!(node.down(key).await.contains(words), "{:?}", node.events());
        let said = peer.farewell().await;
        assert!(said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_refused_by_its_head() {
    let node = Node::start(1).await;
    let mut peer = Stranger::met(node.at(), 3).await;
    // Nothing follows: a node that reserved memory and waited for it would wait for ever.
    peer.say_head(WHOLE, u32::MAX).await;
    assert!(
        node.down(3)
            .await
            .contains("a frame of kind 6 with 4294967295 octets")
    );
}

#[tokio::test]
async fn what_is_no_tls_or_another_language_is_refused() {
    let node = Node::start(1).await;
    let mut plain = TcpStream::connect(node.at()).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n")
        .await
        .unwrap();
    closed(&mut plain).await;
    node.refused("no TLS").await;
    drop(TcpStream::connect(node.at()).await.unwrap());
    node.refused("without a word").await;
    assert!(Stranger::speaking(node.at(), &[b"h2"]).await.is_err());
    if let Ok(mut silent) = Stranger::speaking(node.at(), &[]).await {
        closed(&mut silent.stream).await;
    }
    node.refused("no node of a Purlin chain").await;
    // And after all of them it still meets nodes.
    Stranger::met(node.at(), 3).await;
    node.up(3).await;
}

#[tokio::test]
async fn s3_33_who_does_not_show_himself_in_time_has_to_go() {
    let hasty = Settings {
        connect_timeout: Duration::from_millis(300),
        ..settings()
    };
    let node = Node::with(1, hasty).await;
    let mut silent = TcpStream::connect(node.at()).await.unwrap();
    closed(&mut silent).await;
    let mut after_tls = Stranger::dial(node.at()).await;
    closed(&mut after_tls.stream).await;
    // One octet now and then is no progress.
    let mut slow = Stranger::dial(node.at()).await;
    let said = hello(3, id(3), slow.exporter, false);
    slow.say_head(HELLO, said.len() as u32).await;
    for octet in said {
        let written = slow.stream.write_all(&[octet]).await.is_ok() && slow.stream.flush().await.is_ok();
        if !written {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    closed(&mut slow.stream).await;
    until("all three are counted", || {
        node.peers.counts().refused_inbound == 3
    })
    .await;
    node.refused("it did not show who it is within 300ms").await;
    assert!(node.ids().is_empty());
}

#[tokio::test]
async fn s3_33_strangers_that_say_nothing_keep_nobody_out() {
    let narrow = Settings {
        pending: 2,
        ..settings()
    };
    let node = Node::with(1, narrow).await;
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(TcpStream::connect(node.at()).await.unwrap());
    }
    node.refused("too many others came").await;
    until("the oldest have gone", || {
        node.peers.counts().refused_inbound == 18
    })
    .await;
    assert_eq!(node.peers.counts().pending, 2);
    closed(&mut idle[0]).await;
    Stranger::met(node.at(), 3).await;
    node.up(3).await;
}

#[tokio::test]
async fn a_flood_of_strangers_does_not_flood_the_log() {
    let node = Node::start(1).await;
    let start = std::time::Instant::now();
    for _ in 0..200 {
        drop(TcpStream::connect(node.at()).await.unwrap());
    }
    until("all are counted", || node.peers.counts().refused_inbound == 200).await;
    let seconds = start.elapsed().as_secs() as usize + 2;
    assert!(node.events().len() <= 10 * seconds, "{}", node.events().len());
}

#[tokio::test]
async fn a_node_that_is_dialled_may_be_a_stranger_too() {
    let node = Node::start(1).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    node.peers
        .dial_more(listener.local_addr().unwrap().to_string().parse().unwrap());
    // Not TLS; a hello that is forged; a farewell full of escapes.
    let (mut plain, _) = listener.accept().await.unwrap();
    plain.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
    node.refused("no TLS").await;
    drop(plain);
    let mut forger = Stranger::accept(listener.accept().await.unwrap().0).await;
    assert_eq!(forger.hear().await.unwrap().0, HELLO);
    let said = hello(3, id(4), forger.exporter, true);
    forger.say(HELLO, &said).await;
    assert!(forger.farewell().await.contains("not signed"));
    drop(forger);
    let mut rude = Stranger::accept(listener.accept().await.unwrap().0).await;
    rude.say(FAREWELL, b"\x1b[31mno\n").await;
    assert_eq!(node.refused("it refused: ").await.why, "it refused: ?[31mno?");
    drop(rude);
    // And one that plays by the rules.
    let mut good = Stranger::accept(listener.accept().await.unwrap().0).await;
    assert_eq!(good.hear().await.unwrap().0, HELLO);
    let said = hello(3, id(3), good.exporter, true);
    good.say(HELLO, &said).await;
    assert_eq!(good.hear().await.unwrap().0, WELCOME);
    good.say(WELCOME, &[]).await;
    node.up(3).await;
}

#[tokio::test]
async fn a_second_connection_of_the_same_start_replaces_the_first() {
    let node = Node::start(1).await;
    let mut first = Stranger::met(node.at(), 3).await;
    let mut second = Stranger::met(node.at(), 3).await;
    assert!(first.farewell().await.contains("replaced"));
    second.say(WHOLE, b"second").await;
    node.message(b"second").await;
    assert_eq!((node.ids(), node.times_up()), (vec![id(3)], 2));
}
