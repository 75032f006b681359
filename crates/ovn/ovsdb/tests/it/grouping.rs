//! How writes that come together travel to the server.

use crate::rig::{Rig, is_here, soon};
use crate::standalone::switch;
use purlin_ovsdb::client::{Client, Config, Group};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Writes that are asked for at once, while the server stands still: with how many each has travelled.
async fn travelled(rig: &Rig, group: Group, writes: usize) -> Vec<usize> {
    let client = Client::start(Config {
        group,
        ..rig.config()
    });
    client.ready().await;
    rig.servers[0].signal("-STOP");
    let mut tasks = JoinSet::new();
    for n in 0..writes {
        let client = client.clone();
        let name = format!("{}-{n}", group.in_flight_max);
        tasks.spawn(async move { client.commit(switch(&name)).await.unwrap().together });
    }
    // One turn of this thread for each of them, and more for whoever gathers them.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    rig.servers[0].signal("-CONT");
    soon("all writes", tasks.join_all()).await
}

#[tokio::test]
async fn s4_142_no_more_writes_travel_together_than_said() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let group = Group {
        writes_max: 3,
        wait: Duration::from_secs(60),
        ..Group::default()
    };
    // None of them waits for a fourth.
    assert_eq!(travelled(&rig, group, 9).await, [3; 9]);
}

#[tokio::test]
async fn s4_143_a_write_waits_for_company_as_long_as_said() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let wait = Duration::from_millis(150);
    let group = Group {
        wait,
        ..Group::default()
    };
    let client = Client::start(Config {
        group,
        ..rig.config()
    });
    client.ready().await;
    let began = Instant::now();
    let alone = soon("a write", client.commit(switch("alone"))).await.unwrap();
    assert!(began.elapsed() >= wait, "after {:?}", began.elapsed());
    assert_eq!(alone.together, 1);
}

#[tokio::test]
async fn s4_144_no_more_transactions_are_under_way_than_said() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    for in_flight_max in [1, 2] {
        let group = Group {
            in_flight_max,
            writes_max: 4,
            ..Group::default()
        };
        let mut together = travelled(&rig, group, 12).await;
        together.sort_unstable();
        // Whoever went first may have gone alone. All others waited for an answer, and then went as many as may.
        let early = together.iter().filter(|together| **together < 4).count();
        assert!(early <= 4 * in_flight_max, "{together:?}");
        assert!(together.ends_with(&[4; 4]), "{together:?}");
    }
}
