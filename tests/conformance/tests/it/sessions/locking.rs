//! Locks that clients hold through any of several nodes.

use super::metric;
use purlin_conformance::{Cluster, Member};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LOCKS: &str = "/api/v1/cluster/locks";

fn acquire(node: &Member, order: &Value) -> (u16, Value) {
    node.ask("POST", LOCKS, Some(order)).expect("it answers")
}

fn got(node: &Member, order: &Value) -> Value {
    let (status, lease) = acquire(node, order);
    assert_eq!(status, 201, "{lease}");
    lease
}

fn give_back(node: &Member, name: &str, token: &Value) -> (u16, Value) {
    let path = format!("{LOCKS}/{name}");
    node.ask("DELETE", &path, Some(&json!({ "token": token })))
        .expect("it answers")
}

fn renew(node: &Member, name: &str, token: &Value) -> (u16, Value) {
    let path = format!("{LOCKS}/{name}");
    node.ask("PUT", &path, Some(&json!({ "token": token })))
        .expect("it answers")
}

fn shown(node: &Member, name: &str) -> (u16, Value) {
    node.get(&format!("{LOCKS}/{name}")).expect("it answers")
}

#[test]
fn s4_4_two_nodes_race_for_a_lock_and_one_wins_until_it_gives_it_back() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let order = |retries: u32, class: &str| json!({ "name": "switch:update:uuid", "ttl": "30s", "retries": retries, "class": class });
    for class in ["advisory", "fenced"] {
        let at_once = order(1, class);
        let results = std::thread::scope(|scope| {
            let race = [one, two, one, two].map(|node| scope.spawn(|| acquire(node, &at_once)));
            race.map(|racer| racer.join().expect("it ran"))
        });
        let winners: Vec<&Value> = results
            .iter()
            .filter(|(status, _)| *status == 201)
            .map(|(_, lease)| lease)
            .collect();
        assert_eq!(winners.len(), 1, "{class}: {results:?}");
        for (status, problem) in results.iter().filter(|(status, _)| *status != 201) {
            assert_eq!(
                (*status, &problem["code"]),
                (409, &json!("PUR-9452")),
                "{problem}"
            );
        }
        let (holder, other) = if winners[0]["node"] == "n1" {
            (one, two)
        } else {
            (two, one)
        };
        // Shown at both, without its token; a stranger's is refused at both, and renews nothing.
        for node in [one, two] {
            let (status, lock) = shown(node, "switch:update:uuid");
            assert_eq!(status, 200, "{lock}");
            assert_eq!(
                (&lock["node"], &lock["class"]),
                (&json!(holder.id), &json!(class)),
                "{lock}"
            );
            assert!(
                lock["age_seconds"].as_f64().is_some_and(|age| age < 60.0),
                "{lock}"
            );
            assert!(lock["owner"].is_string() && lock.get("token").is_none(), "{lock}");
            let stranger = json!("0123456789abcdef0123456789abcdef");
            assert_eq!(give_back(node, "switch:update:uuid", &stranger).0, 409);
            assert_eq!(renew(node, "switch:update:uuid", &stranger).0, 409);
        }
        std::thread::scope(|scope| {
            let patient = order(200, class);
            let waiting = scope.spawn(move || acquire(other, &patient));
            for node in [one, two] {
                node.until("the waiter was seen", || {
                    shown(node, "switch:update:uuid").1["waiters"] == 1
                });
            }
            let (status, released) = give_back(holder, "switch:update:uuid", &winners[0]["token"]);
            assert_eq!((status, &released["was_held"]), (200, &json!(true)), "{released}");
            let (status, lease) = waiting.join().expect("it ran");
            assert_eq!((status, &lease["node"]), (201, &json!(other.id)), "{lease}");
            // Once more is harmless: the lock is another one's by now, and stays his.
            let again = give_back(holder, "switch:update:uuid", &winners[0]["token"]);
            assert_eq!(again.0, 409, "{}", again.1);
            assert_eq!(give_back(other, "switch:update:uuid", &lease["token"]).0, 200);
            let (status, again) = give_back(other, "switch:update:uuid", &lease["token"]);
            assert_eq!((status, &again["was_held"]), (200, &json!(false)), "{again}");
        });
    }
}

#[test]
fn s4_22_the_tenth_failed_try_is_refused_and_the_holder_is_named() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let held = json!({ "name": "switch:update:uuid", "ttl": "1m" });
    let lease = got(one, &held);
    assert_eq!(
        lease["token"].as_str().map(str::len),
        Some(32),
        "128 random bits: {lease}"
    );
    let begun = Instant::now();
    let (status, problem) = acquire(two, &json!({ "name": "switch:update:uuid", "retries": 5 }));
    assert_eq!(status, 409, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("5 times")),
        "{problem}"
    );
    assert_eq!(
        (&problem["node"], &problem["owner"]),
        (&json!("n1"), &lease["owner"]),
        "{problem}"
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(500),
        "it waits between tries"
    );
    assert_eq!(metric(two, "purlin_locks_refused_total{reason=\"busy\"}"), 1.0);
    // From the command line the same, with an exit code of its own.
    let (ended_well, said) = two.tries(&["lock", "acquire", "switch:update:uuid", "--retries", "1"]);
    assert!(!ended_well && said.contains("switch:update:uuid"), "{said}");
    let token = two.says(&["lock", "acquire", "switch:update:other"]);
    let token = token.trim();
    let _ = two.says(&["lock", "renew", "switch:update:other", token]);
    assert!(
        one.says(&["lock", "release", "switch:update:other", token])
            .contains("is released")
    );
}

#[test]
fn s4_24_the_fence_of_a_lock_rises_with_every_holder() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let order = json!({ "name": "deploy:run:site-1", "class": "fenced", "retries": 20 });
    let mut fences = Vec::new();
    for node in cluster.nodes.iter().cycle().take(6) {
        let lease = got(node, &order);
        let fence = lease["fence"].as_str().expect("fenced").to_owned();
        let (timeline, epoch) = fence.split_once(['.', ':', '/', '-']).unwrap_or(("0", &fence));
        let number = |text: &str| {
            text.trim_matches(|c: char| !c.is_ascii_digit())
                .parse::<u64>()
                .expect("a number")
        };
        fences.push((number(timeline), number(epoch)));
        assert_eq!(give_back(node, "deploy:run:site-1", &lease["token"]).0, 200);
    }
    assert!(fences.windows(2).all(|two| two[0] < two[1]), "{fences:?}");
}

#[test]
fn s4_147_a_lock_is_given_up_when_it_was_held_for_too_long_however_often_it_is_renewed() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    for (name, class, at) in [
        ("a:b:1", "advisory", one),
        ("a:b:2", "advisory", two),
        ("a:b:3", "fenced", one),
    ] {
        let lease = got(
            one,
            &json!({ "name": name, "ttl": "20s", "max_hold": "2s", "class": class }),
        );
        let mut last = (0, Value::Null);
        at.until("it was held for too long", || {
            last = renew(at, name, &lease["token"]);
            last.0 != 200
        });
        assert_eq!(last.0, 409, "{}", last.1);
        let next = got(two, &json!({ "name": name, "retries": 20, "class": class }));
        assert_eq!(give_back(two, name, &next["token"]).0, 200);
    }
}

#[test]
fn s4_129_a_lock_of_a_dead_node_or_client_lapses_and_is_got_by_who_waits() {
    let Some(mut cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let order = |name: &str, class: &str, ttl: &str| json!({ "name": name, "class": class, "ttl": ttl, "retries": 200 });
    let one = &cluster.nodes[0];
    let fenced = got(one, &order("node:dies:fenced", "fenced", "4s"));
    let renewed = got(one, &order("node:dies:renewed", "advisory", "15s"));
    let _left = got(one, &order("node:dies:left", "advisory", "5s"));
    cluster.nodes[0].process.crash();
    let two = &cluster.nodes[1];
    // A client goes on through any node; its lock is not its node's.
    let (status, lease) = renew(two, "node:dies:renewed", &renewed["token"]);
    assert_eq!(status, 200, "{lease}");
    let begun = Instant::now();
    let _got = got(two, &order("node:dies:left", "advisory", "5s"));
    assert!(begun.elapsed() < Duration::from_secs(10), "after its ttl");
    assert_eq!(
        give_back(two, "node:dies:renewed", &renewed["token"]).1["was_held"],
        true
    );
    // A fenced one lapses with its node's lease.
    let next = got(two, &order("node:dies:fenced", "fenced", "4s"));
    assert_ne!(next["fence"], fenced["fence"]);
}

#[test]
fn s4_121_a_lock_is_renewed_for_as_long_as_its_command_runs() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let (go, told) = (cluster.path("go"), cluster.path("told"));
    let script = format!(
        "echo $PURLIN_LOCK_NAME $PURLIN_LOCK_FENCE > {told}.part; mv {told}.part {told}; while [ ! -e {go} ]; do sleep 0.05; done",
        go = go.display(),
        told = told.display()
    );
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            one.tries(&[
                "lock",
                "run",
                "backup:make:nightly",
                "--ttl",
                "1s",
                "--fenced",
                "--",
                "sh",
                "-c",
                &script,
            ])
        });
        one.until("the command ran", || told.exists());
        let begun = Instant::now();
        two.until("it had run for longer than the lock's ttl", || {
            let (status, problem) = acquire(
                two,
                &json!({ "name": "backup:make:nightly", "class": "fenced", "retries": 1 }),
            );
            assert_eq!(status, 409, "{problem}");
            begun.elapsed() > Duration::from_secs(3)
        });
        std::fs::write(&go, "").expect("the folder is ours");
        let (ended_well, said) = run.join().expect("it ran");
        assert!(ended_well, "{said}");
        let environment = std::fs::read_to_string(&told).expect("it ran");
        assert!(
            environment.starts_with("backup:make:nightly ") && environment.trim().len() > 20,
            "{environment}"
        );
        let after = got(
            two,
            &json!({ "name": "backup:make:nightly", "class": "fenced", "retries": 1 }),
        );
        assert_eq!(after["class"], "fenced");
    });
}
