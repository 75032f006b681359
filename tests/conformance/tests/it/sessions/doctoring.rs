//! What `purlin doctor` finds when nodes are not one system.

use super::{metric, sessions};
use purlin_conformance::{Cluster, Member, Socket};
use serde_json::json;

/// Whether the doctor finds this, of this grade and with these words.
fn finds(node: &Member, name: &str, grade: &str, words: &str) -> bool {
    let found = node.doctor(&[]);
    found
        .iter()
        .any(|(of, was, says)| of == name && was == grade && says.contains(words))
}

#[test]
fn s4_127_doctor_finds_each_cause_that_keeps_a_node_from_its_cluster() {
    let Some(mut cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    {
        let [one, two] = &cluster.nodes[..] else {
            unreachable!("two were made")
        };
        for node in [one, two] {
            let found = node.doctor(&[]);
            let bad = |(name, grade, _): &&(String, String, String)| {
                name.starts_with("cluster/") && grade != "pass"
            };
            let bad: Vec<_> = found.iter().filter(bad).collect();
            assert!(bad.is_empty(), "{bad:?}");
            let other = if node.id == one.id { &two.id } else { &one.id };
            assert!(finds(
                node,
                "cluster/network",
                "pass",
                &format!("{other} answers")
            ));
            assert!(finds(node, "cluster/coordination", "pass", "Redis keeps"));
        }
        // Another machine under the same id.
        let double = cluster.member("n2", "n2-again");
        double.until("the doctor named the double", || {
            std::fs::exists(cluster.path("n2-again").join("admin-token")).unwrap_or(false)
                && finds(&double, "cluster/member", "fail", "another process lives under")
        });
        drop(double);
        // Somebody who is not of this cluster speaks in its channels.
        let channels = cluster.redis_says("PUBSUB CHANNELS *");
        let channel = channels.lines().find(|line| line.contains("invalid"));
        let channel = channel.expect("nodes listen").trim().to_owned();
        let _heard = cluster.redis_says(&format!("PUBLISH {channel} forged"));
        one.until("the doctor named strangers", || {
            finds(one, "node", "warn", "not sealed with this cluster's secret")
        });
    }
    // The network between them, or the other one.
    cluster.nodes[1].process.signal("STOP");
    let one = &cluster.nodes[0];
    one.until("the doctor missed the other node", || {
        finds(one, "cluster/network", "fail", "n2")
    });
    cluster.nodes[1].process.signal("CONT");
    cluster.lose_redis();
    let one = &cluster.nodes[0];
    one.until("the doctor missed Redis", || {
        finds(one, "cluster/coordination", "fail", "Redis does not answer")
    });
    // Before a node starts: what its file names is looked for.
    let file = cluster.path("planned.toml");
    let redis = cluster.redis_url();
    let planned = format!(
        "[store]\nengine = \"postgres\"\nurl = \"{}\"\n[coordination]\nengine = \"redis\"\nurl = \"{redis}\"\n\
         [cluster]\nenabled = true\nnode_ip = \"127.0.0.1\"\nsecret = \"sixteen octets and more\"\n",
        cluster.url()
    );
    std::fs::write(&file, planned).expect("the folder is ours");
    let found = one.doctor(&["--config", file.to_str().expect("a plain path")]);
    let grade_of = |name: &str| {
        found
            .iter()
            .find(|(of, ..)| of == name)
            .map(|(_, grade, _)| grade.as_str())
    };
    assert_eq!(
        (grade_of("store"), grade_of("coordination")),
        (Some("pass"), Some("fail")),
        "{found:?}"
    );
}

#[test]
fn s4_128_doctor_sees_clients_that_come_to_the_wrong_node_and_thieves() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let (token, other) = (one.admin_token(), super::lasting::other_token(one));
    two.until("tokens were known", || {
        let known = |token: &str| two.ask_as(token, "GET", "/api/v1/status", None);
        [&token, &other]
            .iter()
            .all(|token| known(token).is_some_and(|(status, _)| status == 200))
    });
    let socket = Socket::open(one, &token, "topics=none").expect("a session");
    assert!(finds(one, "cluster/sessions", "pass", "1 sessions"));
    // A balancer without affinity sends it to the other node.
    let back = format!("session={}&seen=0", socket.id());
    let strayed = Socket::open(two, &token, &back).expect("it goes on there");
    assert_eq!(sessions(two)[0]["node"], two.id.as_str());
    let odd = |kind: &str| metric(two, &format!("purlin_session_oddities_total{{kind=\"{kind}\"}}"));
    assert_eq!((odd("stray"), odd("stranger")), (1.0, 0.0));
    assert!(finds(
        one,
        "cluster/sessions",
        "warn",
        "came back to another node"
    ));
    // Somebody else with the id of that session.
    let stolen = format!("session={}&seen=0", strayed.id());
    let refused = Socket::open(two, &other, &stolen).expect_err("it is not theirs");
    assert_eq!(refused.0, 404);
    assert_eq!(odd("stranger"), 1.0);
    assert!(finds(one, "cluster/sessions", "warn", "session of another user"));
    // One that nobody knows is neither.
    let guessed = Socket::open(two, &token, "session=00000000000000000000000000000000&seen=0");
    assert_eq!(guessed.expect_err("nobody knows it").0, 404);
    assert_eq!(
        (odd("stray"), odd("stranger"), odd("unknown_id")),
        (1.0, 1.0, 1.0)
    );
}

#[test]
fn s4_130_doctor_compares_what_nodes_keep_and_whether_they_hear() {
    let Some(cluster) = Cluster::caching_in_memory(2) else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    // Both write the same keys at the same time.
    std::thread::scope(|scope| {
        for node in [one, two] {
            scope.spawn(move || {
                for number in 0..20 {
                    let order = json!({ "value": { "of": node.id, "number": number } });
                    let path = format!("/api/v1/cluster/cache/switch:{}", number % 5);
                    let answered = node.ask("PUT", &path, Some(&order));
                    assert_eq!(answered.map(|(status, _)| status), Some(200));
                }
            });
        }
    });
    for node in [one, two] {
        assert!(
            finds(node, "cluster/caches", "pass", "are the same there"),
            "{:?}",
            node.doctor(&[])
        );
        let found = node.doctor(&[]);
        assert!(
            !found.iter().any(|(name, ..)| name == "cluster/invalidations"),
            "{found:?}"
        );
    }
}

#[test]
fn s4_145_s4_146_redis_learns_nothing_of_who_and_what() {
    let Some(cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let token = one.admin_token();
    let socket = Socket::open(one, &token, "topics=none").expect("a session");
    let row = &sessions(two)[0];
    let user = row["user"].as_str().expect("its user is shown").to_owned();
    assert!(!user.is_empty());
    let secret = "the-colour-of-the-day";
    let order = json!({ "value": secret });
    one.until("it was kept", || {
        let _ = one.ask("PUT", "/api/v1/cluster/cache/switch:1", Some(&order));
        let found = two.get("/api/v1/cluster/cache/switch:1");
        found.is_some_and(|(_, found)| found["value"] == secret)
    });
    let mut values = String::new();
    for key in cluster.redis_keys() {
        let read = match cluster.redis_says(&format!("TYPE {key}")).trim_start_matches('+') {
            kind if kind.starts_with("hash") => "HGETALL",
            kind if kind.starts_with("string") => "GET",
            kind if kind.starts_with("zset") => "ZRANGE",
            _ => continue,
        };
        let range = if read == "ZRANGE" { " 0 -1" } else { "" };
        values.push_str(&cluster.redis_says(&format!("{read} {key}{range}")));
    }
    // Ids and nodes are there, or sessions could not be found; whose they are and what was kept is not.
    assert!(values.contains(socket.id()) && values.contains("n1"), "{values}");
    assert!(
        !values.contains(secret) && !values.contains(&format!("\r\n{user}\r\n")),
        "{values}"
    );
    assert!(
        !values.contains("sessions") && !values.contains("waiting"),
        "what nodes say of themselves: {values}"
    );
}
