//! Messages: heard by all that listen, in order, and never missed without a word.

use super::super::together;
use super::{HintsRig, PAUSE, TRIES, heard};
use crate::port::{Hints, Message};

pub(super) async fn all_subscribers_hear_a_channel_in_order(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    let mut first = one.subscribe(&["cache:invalidate"]).await.expect("it answers");
    let mut second = two.subscribe(&["cache:invalidate"]).await.expect("it answers");
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0, 255, 10, 13],
        "Ü".into(),
        vec![7; 100_000],
        b"end".to_vec(),
    ];
    for body in &bodies {
        one.publish("cache:invalidate", body).await.expect("it answers");
    }
    for body in &bodies {
        let expected = ("cache:invalidate".to_owned(), body.clone());
        assert_eq!(
            heard(first.as_mut()).await,
            expected,
            "whoever publishes hears it too"
        );
        assert_eq!(heard(second.as_mut()).await, expected);
    }
    drop(first);
    one.publish("cache:invalidate", b"more")
        .await
        .expect("it answers");
    assert_eq!(heard(second.as_mut()).await.1, b"more");
    drop(second);
    one.publish("cache:invalidate", b"nobody")
        .await
        .expect("no promise");
}

pub(super) async fn only_the_channels_asked_for_are_heard(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    one.publish("a", b"before").await.expect("it answers");
    let mut both = two.subscribe(&["a", "b"]).await.expect("it answers");
    let mut star = two.subscribe(&["*"]).await.expect("it answers");
    for (channel, body) in [("c", "1"), ("a", "2"), ("ab", "3"), ("b", "4"), ("*", "5")] {
        one.publish(channel, body.as_bytes()).await.expect("it answers");
    }
    let mut first = heard(both.as_mut()).await;
    if first.1 == b"before" {
        // Where servers pass messages on to each other, it may still have been under way.
        first = heard(both.as_mut()).await;
    }
    assert_eq!(first, ("a".into(), b"2".to_vec()));
    assert_eq!(heard(both.as_mut()).await, ("b".into(), b"4".to_vec()));
    assert_eq!(
        heard(star.as_mut()).await,
        ("*".into(), b"5".to_vec()),
        "a name, no pattern"
    );
}

/// Publishes the numbers from `next` on, again and again, so that something is heard once the line is whole again.
async fn count_on(rig: &dyn HintsRig, hints: &dyn Hints, next: &mut u64) {
    for _ in 0..TRIES {
        // While the connection is being made anew, this may fail, and the subscriber may hear it before this is done:
        // then the same number is told again.
        if hints.publish("n", &next.to_be_bytes()).await.is_ok() {
            *next += 1;
        }
        rig.pass(PAUSE).await;
    }
}

fn number(message: &Message) -> u64 {
    u64::from_be_bytes(message.body[..].try_into().expect("a number"))
}

/// Numbers are published while every line is cut: a subscriber hears them without a gap, but where `None` told it of one.
pub(super) async fn nothing_is_lost_silently_by_a_cut(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    let mut subscription = one.subscribe(&["n"]).await.expect("it answers");
    let (mut next, mut expected) = (0, Some(0));
    let mut cuts = 0;
    for round in 0..3 {
        if !rig.cut().await {
            return;
        }
        let last = next + 3;
        loop {
            let wanted = subscription.next();
            let message = together::during(wanted, count_on(rig, two.as_ref(), &mut next)).await;
            match message.expect("the line comes back by itself") {
                None => {
                    cuts += 1;
                    expected = None;
                }
                Some(message) => {
                    let heard = number(&message);
                    assert!(
                        expected.is_none_or(|n| heard <= n),
                        "{expected:?} was lost silently: {heard}"
                    );
                    expected = expected.max(Some(heard + 1));
                    if heard >= last {
                        break;
                    }
                }
            }
        }
        assert!(cuts > round, "each cut was told of");
    }
}
