//! Round after round: `kill -9` of the leader under a stream of writes. None lost, none doubled, and how long it takes.
//!
//! Five rounds; `PURLIN_OVN_KILLS=100 cargo test --release -p purlin-ovsdb --test it kill_9 -- --nocapture` is the long
//! form, whose figures are in `docs/performance.md`.

use crate::rig::{DATABASE, Rig, is_here, soon, until};
use crate::standalone::{replica, switch};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::client::Client;
use purlin_ovsdb::client::unixctl::{self, raft::RaftStatus};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const WRITERS: usize = 8;
/// Between two writes of a writer: the stream is for the rounds, not for the server.
const PACE: Duration = Duration::from_millis(15);
/// From the election to the first acknowledged write; the long form holds the promised 200 ms, and the short one, which
/// runs beside other tests, ten times as much.
const PROMISED: Duration = Duration::from_millis(200);

/// What was acknowledged, and when.
type Acknowledged = Arc<Mutex<Vec<(Uuid, String, Instant)>>>;

async fn write(client: Client, writer: usize, stop: Arc<AtomicBool>, done: Acknowledged) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let name = format!("w{writer}-{number}");
        number += 1;
        let committed = client.commit(switch(&name)).await.expect("every write happens");
        let uuid = committed.outcome.uuids().next().expect("it inserts a row");
        done.lock().unwrap().push((uuid, name, Instant::now()));
        tokio::time::sleep(PACE).await;
    }
}

/// When a member that lives won its election, by its own clock.
async fn elected(controls: &[PathBuf], term: u64) -> (Instant, u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        for control in controls {
            let asked = Instant::now();
            let text = unixctl::call(control, "cluster/status", &[DATABASE], Duration::from_secs(2)).await;
            let status = text.ok().and_then(|text| RaftStatus::parse(&text));
            let Some(status) = status.filter(|status| status.role == "leader") else {
                continue;
            };
            let won = status.last_election_won_ms.map(Duration::from_millis);
            if let (Some(won), Some(now)) = (won, status.term.filter(|now| *now > term)) {
                // Its milliseconds are cut off: the election was up to one later.
                return (asked - won, now);
            }
        }
        assert!(Instant::now() < deadline, "no election within 20 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn share(sorted: &[Duration], of: usize) -> Duration {
    sorted[(sorted.len() * of / 100).min(sorted.len() - 1)]
}

/// Whether just what was acknowledged is there, once each; how many that are.
async fn judged(client: &Client, acknowledged: &[(Uuid, String, Instant)]) -> usize {
    let copy = replica(client);
    let snapshot = tokio::time::timeout(Duration::from_secs(60), copy.live())
        .await
        .expect("a load");
    let mut there: HashMap<String, Uuid> = HashMap::new();
    for row in snapshot.table("Logical_Switch").unwrap().rows() {
        let name = row
            .get("name")
            .unwrap()
            .one()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            there.insert(name.clone(), row.uuid()).is_none(),
            "{name} was written twice"
        );
    }
    for (uuid, name, _) in acknowledged {
        assert_eq!(
            there.get(name),
            Some(uuid),
            "{name} was acknowledged and is not there"
        );
    }
    assert_eq!(
        there.len(),
        acknowledged.len(),
        "something is there that nobody was told of"
    );
    acknowledged.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_every_round_of_kill_9_no_write_is_lost_or_doubled() {
    if !is_here() {
        return;
    }
    let rounds = std::env::var("PURLIN_OVN_KILLS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let (rounds, bound): (usize, _) = rounds.map_or((5, PROMISED * 10), |rounds| (rounds, PROMISED));
    let mut rig = Rig::cluster(3).await;
    let client = rig.client();
    soon("a leader", client.ready()).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Acknowledged::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(client.clone(), writer, stop.clone(), done.clone())))
        .collect();
    let (mut gaps, mut outages, mut term) = (Vec::new(), Vec::new(), 0);
    for round in 0..rounds {
        let before = done.lock().unwrap().len();
        let wrote = done.clone();
        until("writes go on", || wrote.lock().unwrap().len() >= before + 50).await;
        let leader = rig.leader().await;
        let controls: Vec<PathBuf> = rig.servers.iter().map(crate::rig::Server::control).collect();
        let others = [&controls[..leader], &controls[leader + 1..]].concat();
        let killed = Instant::now();
        rig.servers[leader].kill();
        let (elected, now) = elected(&others, term).await;
        term = now;
        let after = done.clone();
        let first = || {
            after
                .lock()
                .unwrap()
                .iter()
                .map(|(.., at)| *at)
                .filter(|at| *at > elected)
                .min()
        };
        until("a write is acknowledged", || first().is_some()).await;
        let first = first().expect("there is one");
        gaps.push(first - elected);
        outages.push(first - killed);
        rig.start(leader).await;
        until("the killed member is back", || {
            let status = RaftStatus::parse(&rig.servers[leader].ask(&["cluster/status", DATABASE]));
            status.is_some_and(|status| status.role == "follower" && status.leader != "unknown")
        })
        .await;
        if (round + 1) % 10 == 0 {
            println!("{} rounds, {} writes", round + 1, done.lock().unwrap().len());
        }
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        soon("the writers", writer).await.unwrap();
    }
    let acknowledged = std::mem::take(&mut *done.lock().unwrap());
    let writes = judged(&client, &acknowledged).await;
    gaps.sort_unstable();
    outages.sort_unstable();
    println!(
        "{rounds} rounds, {writes} writes, none lost, none doubled; from the election to the first acknowledged write p50 {:?}, p99 {:?}, most {:?}; from the kill p50 {:?}, most {:?}",
        share(&gaps, 50),
        share(&gaps, 99),
        gaps[gaps.len() - 1],
        share(&outages, 50),
        outages[outages.len() - 1],
    );
    assert!(gaps[gaps.len() - 1] <= bound, "{gaps:?}");
}
