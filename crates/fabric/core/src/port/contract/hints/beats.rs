//! Signs of life.

use super::{HintsRig, LONG, LONGER, SHORT};
use crate::port::{Heartbeat, Hints};
use purlin_types::{Incarnation, NodeId};

fn beat(node: &str, incarnation: u64, body: &str) -> Heartbeat {
    Heartbeat {
        node: node.into(),
        incarnation,
        body: body.into(),
    }
}

async fn beats(hints: &dyn Hints) -> Vec<Heartbeat> {
    let mut beats = hints.beats().await.expect("it answers");
    beats.sort_by(|a, b| (&a.node, a.incarnation).cmp(&(&b.node, b.incarnation)));
    beats
}

pub(super) async fn a_sign_of_life_is_seen_by_all_and_lapses(rig: &dyn HintsRig) {
    let (one, two) = (rig.hints().await, rig.hints().await);
    assert_eq!(beats(one.as_ref()).await, []);
    let short = beat("a", u64::MAX, r#"{"load":0.5,"name":"Göteborg"}"#);
    let long = beat("b.example.com", 1, "{}");
    one.beat(&beat("b.example.com", 1, "old"), SHORT)
        .await
        .expect("it answers");
    one.beat(&short, SHORT).await.expect("it answers");
    two.beat(&long, LONG).await.expect("it answers");
    let seen = [short, long.clone()];
    assert_eq!(beats(one.as_ref()).await, seen, "the newest of each node");
    assert_eq!(beats(two.as_ref()).await, seen);
    rig.pass(LONGER).await;
    assert_eq!(beats(one.as_ref()).await, [long]);
}

pub(super) async fn a_node_hushes_only_its_own_life(rig: &dyn HintsRig) {
    let hints = rig.hints().await;
    let node = NodeId::parse("a").expect("a good name");
    let (own, other) = (beat("a", 2, "{}"), beat("aa", 2, "{}"));
    hints.beat(&own, LONG).await.expect("it answers");
    hints.beat(&other, LONG).await.expect("it answers");
    hints.hush(&node, Incarnation(1)).await.expect("it answers");
    assert_eq!(beats(hints.as_ref()).await, [own, other.clone()], "a former life");
    hints.hush(&node, Incarnation(2)).await.expect("it answers");
    assert_eq!(beats(hints.as_ref()).await, [other]);
    hints
        .hush(&node, Incarnation(2))
        .await
        .expect("twice is harmless");
}
