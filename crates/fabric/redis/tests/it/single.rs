//! One server: who may come in, and what is left behind.

use super::rig::{self, Server, eventually, promptly};
use purlin_fabric::port::{Heartbeat, HintFault, Hints, SessionRow, Token};
use purlin_fabric_redis::{Address, Secret, State, Tls, Topology};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

fn session(id: &str) -> SessionRow {
    SessionRow {
        id: id.into(),
        node: "a".into(),
        user: "u".into(),
        generation: 1,
        cursor: 0,
        ttl: 0,
    }
}

#[tokio::test]
async fn s4_68_every_key_has_the_prefix_and_lapses() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let mut settings = rig::single(&server.address);
    settings.key_prefix = "ovncp:node1:".into();
    settings.database = 3;
    let hints = rig::ready(settings).await;
    let beat = Heartbeat {
        node: "a".into(),
        incarnation: 1,
        body: "{}".into(),
    };
    hints.beat(&beat, LONG).await.expect("it answers");
    for id in ["s", "t"] {
        hints.put_session(&session(id), LONG).await.expect("it answers");
    }
    let node = purlin_types::NodeId::parse("b").expect("a good name");
    hints
        .move_session("t", 1, &node, "v", LONG)
        .await
        .expect("as seen");
    assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
    hints.extend("l", Token(1), LONG).await.expect("it is ours");
    // The longest time that there is must not overflow anything either.
    hints.keep("k", b"v", Duration::MAX).await.expect("it answers");
    let keys = server.keys(3).await;
    assert_eq!(keys.len(), 9, "{keys:?}");
    for (key, left) in &keys {
        assert!(key.starts_with("ovncp:node1:"), "{key}");
        assert!(*left > 0, "{key} lives for ever");
    }
    assert_eq!(server.keys(0).await, []);
}

#[tokio::test]
async fn s4_78_the_password_is_needed_and_never_shown() {
    if !rig::met() {
        return;
    }
    let server = Server::with_password("hunter2-right").await;
    let mut settings = rig::single(&server.address);
    settings.password = Some(Secret::new("hunter2-right"));
    let hints = rig::ready(settings.clone()).await;
    hints.keep("k", b"v", LONG).await.expect("it answers");
    for wrong in [None, Some("hunter2-wrong")] {
        settings.password = wrong.map(Secret::new);
        let hints = rig::connect(settings.clone());
        let state = rig::becomes_away(&hints).await;
        let fault = hints.recall("k").await.expect_err("it is not let in");
        let HintFault::Away(cause) = fault else {
            panic!("it is away: {fault:?}");
        };
        for shown in [
            format!("{state:?} {state}"),
            format!("{cause:?} {cause}"),
            format!("{hints:?}"),
        ] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
}

#[tokio::test]
async fn tls_is_spoken_and_strangers_are_refused() {
    if !rig::met() {
        return;
    }
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .expect("a plain path")
            .to_owned()
    };
    std::fs::write(path("cert"), own.cert.pem()).expect("a new file");
    std::fs::write(path("key"), own.signing_key.serialize_pem()).expect("a new file");
    let arguments = ["--tls-cert-file", &path("cert"), "--tls-key-file", &path("key")];
    let server = Server::with_tls(&[&arguments[..], &["--tls-auth-clients", "no"]].concat()).await;

    let mut settings = rig::single(&server.address);
    settings.tls = Some(Tls {
        roots: Some(own.cert.pem().into_bytes()),
    });
    let hints = rig::ready(settings.clone()).await;
    hints.keep("k", b"v", LONG).await.expect("it answers");
    assert_eq!(hints.recall("k").await.expect("it answers"), Some(b"v".to_vec()));

    let others = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    settings.tls = Some(Tls {
        roots: Some(others.cert.pem().into_bytes()),
    });
    let stranger = rig::connect(settings.clone());
    let State::Away { why, .. } = rig::becomes_away(&stranger).await else {
        panic!("it is away");
    };
    assert!(why.to_lowercase().contains("certificate"), "{why}");
    settings.tls = None;
    let plain = rig::connect(settings.clone());
    assert!(matches!(rig::becomes_away(&plain).await, State::Away { .. }));
    settings.tls = Some(Tls {
        roots: Some(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n".to_vec()),
    });
    let faults = purlin_fabric_redis::RedisHints::connect(settings).expect_err("no certificate");
    assert_eq!(faults[0].key, "tls.roots");
}

/// Rights to the own keys and channels, and to nothing that administers.
#[tokio::test]
async fn a_user_with_few_rights_is_enough() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let rights = [
        "ACL",
        "SETUSER",
        "app",
        "on",
        ">pw",
        "~purlin:*",
        "&purlin:*",
        "+@all",
        "-@admin",
        "-@dangerous",
    ];
    let () = server.ask(&rights).await;
    let mut settings = rig::single(&server.address);
    settings.username = Some("app".into());
    settings.password = Some(Secret::new("pw"));
    let hints = rig::ready(settings.clone()).await;
    let mut subscription = hints.subscribe(&["c"]).await.expect("it answers");
    hints.publish("c", b"m").await.expect("it answers");
    assert!(promptly(subscription.next()).await.is_some());
    hints.put_session(&session("s"), LONG).await.expect("it answers");
    assert_eq!(hints.sessions("", 10).await.expect("it answers").len(), 1);
    assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
    hints.keep("k", b"v", LONG).await.expect("it answers");
    assert_eq!(hints.forget("*").await.expect("it answers"), 1);
    settings.key_prefix = "other:".into();
    let stranger = rig::ready(settings).await;
    let fault = stranger.keep("k", b"v", LONG).await.expect_err("not its keys");
    assert!(matches!(fault, HintFault::Away(_)));
}

#[tokio::test]
async fn connections_are_closed_with_the_last_handle() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let other = hints.clone();
    drop(hints);
    other.keep("k", b"v", LONG).await.expect("it answers");
    drop(other);
    eventually("the connections are closed", async || {
        let clients: String = server.ask(&["CLIENT", "LIST"]).await;
        (clients.lines().count() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_start_does_not_wait_and_the_first_server_that_serves_is_taken() {
    if !rig::met() {
        return;
    }
    let mut late = Server::start(&[]).await;
    late.kill();
    let start = Instant::now();
    let hints = rig::connect(rig::single(&late.address));
    assert!(start.elapsed() < Duration::from_millis(500));
    assert_eq!(*hints.state().borrow(), State::Connecting);
    rig::becomes_away(&hints).await;
    late.restart().await;
    rig::becomes_ready(&hints).await;
    hints.keep("k", b"v", LONG).await.expect("it answers");

    let port = late.address.port.to_string();
    let replica = Server::start(&["--replicaof", "127.0.0.1", &port]).await;
    let nobody = Address::new("127.0.0.1", 1);
    let addresses = vec![nobody, replica.address.clone(), late.address.clone()];
    let hints = rig::ready(rig::quick(Topology::Single(addresses))).await;
    hints.keep("k", b"w", LONG).await.expect("it is the master");
    let only_replica = rig::connect(rig::single(&replica.address));
    let State::Away { why, .. } = rig::becomes_away(&only_replica).await else {
        panic!("it is away");
    };
    assert!(why.contains("is a replica"), "{why}");
}

#[tokio::test]
async fn ids_that_lapsed_do_not_fill_the_index() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    for id in 0..500 {
        let brief = Duration::from_millis(1);
        hints
            .put_session(&session(&format!("brief-{id}")), brief)
            .await
            .expect("it answers");
    }
    for id in 0..500 {
        hints
            .put_session(&session(&format!("long-{id}")), LONG)
            .await
            .expect("it answers");
    }
    let ids: usize = server.ask(&["ZCARD", "purlin:{sess}"]).await;
    assert!(ids < 850, "{ids}");
    assert_eq!(
        promptly(hints.sessions("", 2000))
            .await
            .expect("it answers")
            .len(),
        500
    );
    let ids: usize = server.ask(&["ZCARD", "purlin:{sess}"]).await;
    assert_eq!(ids, 500, "a listing leaves no lapsed id");
}
