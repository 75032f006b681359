//! Three members over RAFT: resuming, failing over, none lost, none doubled.

use crate::rig::{Rig, is_here, soon};
use crate::standalone::{replica, switch};
use purlin_ovsdb::client::{Client, Snapshot, Spec, TableSpec};
use purlin_ovsdb::{Transaction, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const LS: &str = "Logical_Switch";

fn names(snapshot: &Snapshot) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for row in snapshot.table(LS).unwrap().rows() {
        let name = row
            .get("name")
            .unwrap()
            .one()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        *names.entry(name).or_default() += 1;
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_replicas_resume_on_another_member() {
    if !is_here() {
        return;
    }
    let mut rig = Rig::cluster(3).await;
    let client = rig.client();
    for n in 0..50 {
        soon("a commit", client.commit(switch(&format!("s{n}"))))
            .await
            .unwrap();
    }
    let replicas: Vec<_> = (0..3)
        .map(|_| replica(&client))
        .chain([client.replicate(Spec::everything())])
        .collect();
    for replica in &replicas {
        soon("a load", replica.live()).await;
    }
    let mut feeds: Vec<_> = replicas.iter().map(purlin_ovsdb::client::Replica::feed).collect();
    let leader = rig.leader().await;
    rig.servers[leader].kill();
    soon("a write after the failover", client.commit(switch("after")))
        .await
        .unwrap();
    for replica in &replicas {
        let snapshot = soon(
            "resumed",
            replica.when(|s| s.is_live() && names(s).contains_key("after")),
        )
        .await;
        assert_eq!(snapshot.reloads, 1, "what was loaded is kept");
        assert!(snapshot.resumes >= 1);
        assert_eq!(names(&snapshot).len(), 51);
    }
    for feed in &mut feeds {
        let changes = soon("the one change", feed.next()).await.unwrap();
        assert_eq!(
            changes.rows.len(),
            1,
            "a resume brings what happened since, nothing else"
        );
        assert!(changes.txn.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_the_member_lost_comes_as_a_difference() {
    if !is_here() {
        return;
    }
    let mut rig = Rig::cluster(1).await;
    let client = rig.client();
    let (one, two) = (
        replica(&client),
        client.replicate(Spec::new().table(LS, TableSpec::named(["name"]))),
    );
    for n in 0..5 {
        soon("a commit", client.commit(switch(&format!("s{n}"))))
            .await
            .unwrap();
    }
    for replica in [&one, &two] {
        soon("five", replica.when(|s| s.is_live() && names(s).len() == 5)).await;
    }
    let mut feed = one.feed();
    // A snapshot takes the history away, and so does a restart of the only member.
    rig.servers[0].ask(&["ovsdb-server/compact"]);
    rig.servers[0].kill();
    rig.start(0).await;
    soon("a commit", client.commit(switch("s5"))).await.unwrap();
    for replica in [&one, &two] {
        let snapshot = soon("six", replica.when(|s| s.is_live() && names(s).len() == 6)).await;
        assert_eq!(snapshot.reloads + snapshot.resumes, 2);
    }
    let changes = soon("a change", feed.next()).await.unwrap();
    assert_eq!(changes.rows.len(), 1, "rows that are the same are no change");
}

/// Writes switches of their own names until told to stop; returns which were acknowledged.
async fn write(
    client: Client,
    writer: usize,
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
) -> Vec<(String, Uuid)> {
    let mut acknowledged = Vec::new();
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let name = format!("w{writer}-{n}");
        n += 1;
        let mut transaction: Transaction = switch(&name);
        transaction.comment(format!("writer {writer}"));
        let committed = client.commit(transaction).await.unwrap();
        acknowledged.push((name, committed.outcome.uuids().next().unwrap()));
        done.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_or_doubled_when_leaders_are_killed() {
    if !is_here() {
        return;
    }
    let mut rig = Rig::cluster(3).await;
    let client = rig.client();
    soon("a leader", client.ready()).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..8)
        .map(|writer| tokio::spawn(write(client.clone(), writer, stop.clone(), done.clone())))
        .collect();
    let mut gaps = Vec::new();
    for _ in 0..3 {
        progress(&done, 50).await;
        let leader = rig.leader().await;
        rig.servers[leader].kill();
        let (elected, written) = tokio::join!(elected(&rig), progress(&done, 10));
        gaps.push(written.saturating_duration_since(elected));
        rig.start(leader).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(soon("the writers", writer).await.unwrap());
    }
    let replica = replica(&client);
    let snapshot = soon("a load", replica.live()).await;
    let found = names(&snapshot);
    assert!(found.values().all(|count| *count == 1), "a write was doubled");
    assert_eq!(
        found.len(),
        acknowledged.len(),
        "nothing but what was acknowledged"
    );
    for (name, uuid) in &acknowledged {
        let row = snapshot.table(LS).unwrap().get(*uuid);
        assert!(
            row.is_some_and(|row| row.get("name").unwrap().one().unwrap().as_str() == Some(name)),
            "{name} is lost"
        );
    }
    println!(
        "{} writes; written after the election: {gaps:?}",
        acknowledged.len()
    );
    assert!(gaps.iter().all(|gap| *gap < Duration::from_secs(2)), "{gaps:?}");
}

async fn elected(rig: &Rig) -> Instant {
    rig.leader().await;
    Instant::now()
}

async fn progress(done: &AtomicUsize, more: usize) -> Instant {
    let goal = done.load(Ordering::Relaxed) + more;
    crate::rig::until("writes go on", || done.load(Ordering::Relaxed) >= goal).await;
    Instant::now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_hangs_holds_nobody_up() {
    if !is_here() {
        return;
    }
    let rig = Rig::cluster(3).await;
    let client = rig.client();
    let replica = replica(&client);
    soon("a load", replica.live()).await;
    soon("a commit", client.commit(switch("before"))).await.unwrap();
    let leader = rig.leader().await;
    rig.servers[leader].signal("-STOP");
    let hung = Instant::now();
    let committed = soon(
        "a write around the one that hangs",
        client.commit(switch("around")),
    )
    .await
    .unwrap();
    assert!(committed.sendings <= 3);
    // The others elect within two seconds; that the connection is dead would be known after ten.
    assert!(hung.elapsed() < Duration::from_secs(8), "{:?}", hung.elapsed());
    let snapshot = soon(
        "the write is seen",
        replica.when(|s| s.is_live() && names(s).contains_key("around")),
    )
    .await;
    assert_eq!(snapshot.reloads, 1);
    rig.servers[leader].signal("-CONT");
    let names = move |s: &Snapshot| names(s);
    soon("a commit", client.commit(switch("after"))).await.unwrap();
    let snapshot = soon("all three", replica.when(|s| names(s).contains_key("after"))).await;
    assert_eq!(
        names(&snapshot),
        [("after", 1), ("around", 1), ("before", 1)]
            .map(|(n, c)| (n.to_owned(), c))
            .into()
    );
}

/// Whoever knows one member only can write all the same, if told so; else a write waits for a leader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_hands_writes_on_where_told_so() {
    if !is_here() {
        return;
    }
    let rig = Rig::cluster(3).await;
    let follower = (rig.leader().await + 1) % 3;
    let mut config = rig.config();
    config.endpoints = vec![rig.endpoints()[follower].clone()];
    let cautious = Client::start(config.clone());
    let refused = cautious.commit_within(switch("a"), Duration::from_millis(300));
    assert!(
        soon("an end", refused).await.is_err(),
        "no leader is among its endpoints"
    );
    config.forward = true;
    let client = Client::start(config);
    for name in ["b", "c"] {
        soon("a write", client.commit(switch(name))).await.unwrap();
    }
    let watcher = rig.client();
    let rows = replica(&watcher);
    let snapshot = soon("the rows", rows.when(|s| s.is_live() && names(s).len() == 2)).await;
    assert!(names(&snapshot).contains_key("c"));
}
