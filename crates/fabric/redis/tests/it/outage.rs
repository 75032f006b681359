//! Servers that stop, freeze, forget, refuse: nothing hangs, everything recovers.

use super::rig::{self, Server, eventually, promptly};
use purlin_fabric::port::{HintFault, Hints, Token};
use purlin_fabric_redis::{RedisHints, State};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

/// All kinds of calls; how many of them were refused as away.
async fn calls(hints: &RedisHints) -> usize {
    let outcomes = [
        hints.beats().await.err(),
        hints.sessions("", 10).await.err(),
        hints.lock("l", Token(1), LONG).await.err(),
        hints.locks().await.err(),
        hints.publish("c", b"m").await.err(),
        hints.keep("k", b"v", LONG).await.err(),
        hints.forget("*").await.err(),
    ];
    for fault in outcomes.iter().flatten() {
        assert!(matches!(fault, HintFault::Away(_)), "{fault:?}");
    }
    outcomes.iter().flatten().count()
}

#[tokio::test]
async fn a_server_that_stops_is_left_at_once_and_found_again() {
    if !rig::met() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    assert_eq!(calls(&hints).await, 0);
    server.kill();
    let state = rig::becomes_away(&hints).await;
    let start = Instant::now();
    assert_eq!(calls(&hints).await, 7);
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "while away, calls do not wait"
    );
    assert!(state.to_string().starts_with("away for 0 s"), "{state}");
    server.restart().await;
    rig::becomes_ready(&hints).await;
    assert_eq!(calls(&hints).await, 0);
}

#[tokio::test]
async fn a_frozen_server_delays_nobody_beyond_the_timeout() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let mut settings = rig::single(&server.address);
    settings.timeout = Duration::from_millis(300);
    settings.connect_timeout = Duration::from_millis(300);
    let hints = rig::ready(settings).await;
    server.freeze();
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    while !matches!(*hints.state().borrow(), State::Away { .. }) {
        let call = Instant::now();
        let fault = promptly(hints.recall("k")).await;
        assert!(matches!(fault, Err(HintFault::Away(_))));
        slowest = slowest.max(call.elapsed());
        assert!(start.elapsed() < rig::PATIENCE, "it is noticed");
    }
    // Three times the timeout leaves room for a loaded machine, and is far from hanging.
    assert!(slowest < Duration::from_millis(900), "{slowest:?}");
    server.thaw();
    rig::becomes_ready(&hints).await;
    eventually("all calls work again", async || {
        (calls(&hints).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_forgets_everything_is_used_on() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    for command in [&["FLUSHALL"][..], &["SCRIPT", "FLUSH"], &["FUNCTION", "FLUSH"]] {
        assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
        let () = server.ask(command).await;
        assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
        hints.unlock("l", Token(1)).await.expect("it is ours");
        assert_eq!(calls(&hints).await, 0);
        hints.unlock("l", Token(1)).await.expect("it is ours");
    }
    assert_eq!(*hints.state().borrow(), State::Ready);
}

/// Full, read-only, without rights: the server is there, and says no.
#[tokio::test]
async fn a_server_that_refuses_is_away_for_the_caller_only() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let () = server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let fault = hints.keep("k", b"v", LONG).await.expect_err("there is no room");
    let HintFault::Away(cause) = fault else {
        panic!("it is away: {fault:?}");
    };
    assert!(cause.to_string().contains("OOM"), "{cause}");
    assert_eq!(hints.recall("k").await.expect("reading goes on"), None);
    let () = server.ask(&["CONFIG", "SET", "maxmemory", "0"]).await;
    hints.keep("k", b"v", LONG).await.expect("there is room again");
}

/// Keys of a wrong kind under our names: an error, no panic, and other calls go on.
#[tokio::test]
async fn keys_that_others_have_spoilt_harm_only_their_call() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    for key in ["purlin:{beat}", "purlin:{sess}", "purlin:{lock}"] {
        let () = server.ask(&["SET", key, "spoilt"]).await;
    }
    assert_eq!(calls(&hints).await, 4);
    assert!(hints.keep("k", b"v", LONG).await.is_ok());
    let () = server.ask(&["FLUSHALL"]).await;
    assert_eq!(calls(&hints).await, 0);
}
