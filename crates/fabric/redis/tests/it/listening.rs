//! Subscriptions: cuts are told once, queues are bounded, nothing is left behind.

use super::rig::{self, Server, eventually, promptly};
use futures_util::FutureExt;
use purlin_fabric::port::{Hints, Message, Subscription};
use purlin_fabric_redis::RedisHints;

async fn next(subscription: &mut Box<dyn Subscription>) -> Option<String> {
    let message: Option<Message> = promptly(subscription.next()).await;
    message.map(|message| String::from_utf8(message.body).expect("text"))
}

async fn publish(hints: &RedisHints, body: &str) {
    hints.publish("c", body.as_bytes()).await.expect("it answers");
}

#[tokio::test]
async fn a_cut_is_told_once_and_listening_goes_on() {
    if !rig::met() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let mut subscription = hints.subscribe(&["c"]).await.expect("it answers");
    publish(&hints, "1").await;
    assert_eq!(next(&mut subscription).await.as_deref(), Some("1"));
    for round in ["hang up", "restart"] {
        publish(&hints, "before").await;
        eventually("it is heard", async || {
            let heard = next(&mut subscription).await;
            (heard.as_deref() == Some("before")).then_some(())
        })
        .await;
        if round == "restart" {
            server.restart().await;
        } else {
            server.hang_up().await;
        }
        assert_eq!(next(&mut subscription).await, None, "{round}");
        // The cut is told when the channel is subscribed again: nothing from now on is missed.
        rig::becomes_ready(&hints).await;
        publish(&hints, "after").await;
        assert_eq!(next(&mut subscription).await.as_deref(), Some("after"), "{round}");
    }
}

#[tokio::test]
async fn a_slow_subscriber_is_told_of_a_cut_and_others_hear_all() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let mut slow = hints.subscribe(&["c"]).await.expect("it answers");
    let mut quick = hints.subscribe(&["c", "other"]).await.expect("it answers");
    for number in 0..1500 {
        publish(&hints, &number.to_string()).await;
        assert_eq!(next(&mut quick).await, Some(number.to_string()));
    }
    assert_eq!(next(&mut slow).await, None);
    assert_eq!(next(&mut slow).await.as_deref(), Some("1024"));
}

#[tokio::test]
async fn channels_are_given_back_and_subscriptions_outlive_the_handle() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let other = rig::ready(rig::single(&server.address)).await;
    let names: Vec<String> = (0..600).map(|n| format!("many-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let many = hints.subscribe(&names).await.expect("it answers");
    let mut kept = hints.subscribe(&["c"]).await.expect("it answers");
    let channels: Vec<String> = server.ask(&["PUBSUB", "CHANNELS", "purlin:channel:*"]).await;
    assert_eq!(channels.len(), 601);
    drop(many);
    drop(hints);
    eventually("the channels are unsubscribed", async || {
        let channels: Vec<String> = server.ask(&["PUBSUB", "CHANNELS", "*"]).await;
        (channels == ["purlin:channel:c"]).then_some(())
    })
    .await;
    publish(&other, "still here").await;
    assert_eq!(next(&mut kept).await.as_deref(), Some("still here"));
    drop(kept);
    eventually("the connections are closed", async || {
        let channels: Vec<String> = server.ask(&["PUBSUB", "CHANNELS", "*"]).await;
        channels.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn subscribing_during_cuts_is_refused_or_works() {
    if !rig::met() {
        return;
    }
    let server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let mut held: Vec<Box<dyn Subscription>> = Vec::new();
    for _ in 0..10 {
        rig::becomes_ready(&hints).await;
        let (_, subscribed) = tokio::join!(server.hang_up(), promptly(hints.subscribe(&["c"])));
        held.extend(subscribed);
    }
    rig::becomes_ready(&hints).await;
    held.push(hints.subscribe(&["c"]).await.expect("it answers"));
    eventually("everybody hears", async || {
        hints.publish("c", b"end").await.ok()?;
        for subscription in &mut held {
            while next(subscription).await.as_deref() != Some("end") {}
        }
        Some(())
    })
    .await;
}

/// Ends when the line is known to be down.
async fn known_to_be_down(subscription: &dyn Subscription) {
    promptly(subscription.down()).await;
}

/// A subscriber that waits for the cut learns of it when the line is whole again; until then it must trust nothing.
#[tokio::test]
async fn a_line_that_is_down_is_known_before_it_is_back() {
    if !rig::met() {
        return;
    }
    let mut server = Server::start(&[]).await;
    let hints = rig::ready(rig::single(&server.address)).await;
    let mut subscription = hints.subscribe(&["c"]).await.expect("it answers");
    let down = subscription.down();
    assert!(down.now_or_never().is_none(), "it is up");
    // Another end that is gone without a word: the connection is there, and nobody answers.
    server.freeze();
    known_to_be_down(subscription.as_ref()).await;
    assert!(subscription.next().now_or_never().is_none(), "it is not back");
    server.thaw();
    assert_eq!(next(&mut subscription).await, None);
    rig::becomes_ready(&hints).await;
    server.kill();
    known_to_be_down(subscription.as_ref()).await;
    assert!(subscription.next().now_or_never().is_none(), "it is not back");
    server.restart().await;
    assert_eq!(next(&mut subscription).await, None);
}
