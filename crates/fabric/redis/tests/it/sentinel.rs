//! Sentinel: the master dies, the next one is found.

use super::rig::{self, Watched, eventually, promptly};
use purlin_fabric::port::{HintFault, Hints, Token};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn s4_58_a_killed_master_is_followed_to_the_next_one() {
    if !rig::met() {
        return;
    }
    let mut watched = Watched::start().await;
    let mut settings = watched.settings();
    settings.connections = 2;
    let hints = rig::ready(settings).await;
    let mut subscription = hints.subscribe(&["c"]).await.expect("it answers");
    assert!(hints.lock("l", Token(1), LONG).await.expect("it answers"));
    let start = Instant::now();
    watched.servers[0].kill();
    let mut slowest = Duration::ZERO;
    eventually("the next master serves", async || {
        let call = Instant::now();
        let outcome = promptly(hints.keep("k", b"v", LONG)).await;
        slowest = slowest.max(call.elapsed());
        if let Err(fault) = &outcome {
            assert!(matches!(fault, HintFault::Away(_)), "{fault:?}");
        }
        outcome.ok()
    })
    .await;
    println!(
        "fail-over followed in {:?}, slowest call {slowest:?}",
        start.elapsed()
    );
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert_eq!(promptly(subscription.next()).await, None, "the cut is told");
    rig::becomes_ready(&hints).await;
    hints.publish("c", b"on").await.expect("it answers");
    let heard = promptly(subscription.next()).await.expect("the line is whole");
    assert_eq!(heard.body, b"on");

    // The old master comes back as one, for the seconds until the Sentinels tell it: nobody may stay with it.
    watched.servers[0].restart().await;
    for _ in 0..10 {
        hints.keep("after", b"v", LONG).await.expect("it answers");
    }
    let kept: usize = watched.servers[0].ask(&["EXISTS", "purlin:kept:after"]).await;
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_frozen_sentinel_delays_nobody_and_a_frozen_master_is_left() {
    if !rig::met() {
        return;
    }
    let watched = Watched::start().await;
    watched.sentinels[2].freeze();
    let hints = rig::ready(watched.settings()).await;
    hints.keep("k", b"v", LONG).await.expect("it answers");
    watched.sentinels[2].thaw();
    watched.servers[0].freeze();
    eventually("the next master serves", async || {
        promptly(hints.keep("k", b"w", LONG)).await.ok()
    })
    .await;
    watched.servers[0].thaw();
    rig::becomes_ready(&hints).await;
    eventually("it serves on", async || {
        promptly(hints.keep("k", b"x", LONG)).await.ok()
    })
    .await;
}
