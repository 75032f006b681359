//! `ovncp` as its scaling guide runs it: by variables, by its file, with services that are late.

use super::{metric, sessions};
use purlin_conformance::{Cluster, Member, Socket};
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret-of-the-database";

/// Waits until all nodes are ready and know each other.
fn until_known(nodes: &[Member]) {
    for node in nodes {
        node.until("all nodes were ready and known", || {
            let active = |row: &Value| row["status"] == "active";
            let known = node
                .members()
                .is_some_and(|all| all.iter().filter(|row| active(row)).count() == nodes.len());
            known && node.readiness().is_some_and(|(ready, _)| ready)
        });
    }
}

/// Three nodes with the variables of the guide's compose file, and `more`.
fn three(cluster: &mut Cluster, more: &[(&str, &str)]) {
    let (redis, database) = (cluster.redis_url(), cluster.database_url(PASSWORD));
    for number in 1..=3 {
        let host = format!("ovncp-{number}.example.com");
        let mut variables = vec![
            ("REDIS_URL", redis.as_str()),
            ("DATABASE_URL", database.as_str()),
            ("NODE_HOSTNAME", host.as_str()),
        ];
        variables.extend(more);
        let node = cluster.ovncp(&format!("node-{number}"), &variables, None);
        cluster.nodes.push(node);
    }
    until_known(&cluster.nodes);
}

#[test]
fn s4_31_s4_32_s4_37_s4_53_the_guides_variables_make_three_nodes_one_cluster() {
    let Some(mut cluster) = Cluster::of_platform(0, "") else {
        return;
    };
    let more = [
        ("ENABLE_CLUSTERING", "true"),
        ("CLUSTER_HEARTBEAT_INTERVAL", "1s"),
        ("CLUSTER_NODE_TIMEOUT", "3s"),
        ("SESSION_STORE_TYPE", "redis"),
        ("SESSION_TTL", "3s"),
        ("SESSION_CLEANUP_INTERVAL", "1s"),
        ("DB_MAX_OPEN_CONNECTIONS", "8"),
        ("DB_MAX_IDLE_CONNECTIONS", "2"),
        ("CACHE_TYPE", "redis"),
        ("CACHE_KEY_PREFIX", "ovncp:test:"),
    ];
    three(&mut cluster, &more);
    s4_50_s4_51_s4_52_nodes_are_shown_as_they_announce_themselves(&cluster);
    s4_33_the_password_is_told_to_nobody(&cluster);
    s4_21_s4_23_a_lock_of_one_node_is_held_against_the_others(&cluster);
    s4_18_s4_19_s4_20_s4_62_a_session_is_seen_from_every_node_until_it_lapses(&cluster);
    s4_64_no_node_has_more_connections_than_said(&cluster, 8);
    let keys = cluster.redis_keys();
    assert!(
        !keys.is_empty() && keys.iter().all(|key| key.starts_with("ovncp:test:")),
        "{keys:?}"
    );
    s4_13_s4_14_a_silent_node_is_missed_after_its_time_out(&mut cluster);
}

fn s4_50_s4_51_s4_52_nodes_are_shown_as_they_announce_themselves(cluster: &Cluster) {
    for node in &cluster.nodes {
        let all = node.members().expect("it answers");
        let row = all
            .iter()
            .find(|row| row["id"] == node.id.as_str())
            .expect("it is one of them");
        let number = &node.id[5..];
        assert_eq!(row["hostname"], format!("ovncp-{number}.example.com"), "{row}");
        assert_eq!(
            (&row["address"], &row["port"]),
            (&json!("127.0.0.1"), &json!(node.api().port())),
            "{row}"
        );
        s4_43_s4_71_metrics_have_a_port_of_their_own(node);
    }
}

fn s4_43_s4_71_metrics_have_a_port_of_their_own(node: &Member) {
    assert_ne!(node.metrics.port(), node.api().port());
    assert!(
        node.scrape()
            .contains("ovncp_cluster_nodes_total{status=\"active\"} 3"),
        "{}",
        node.scrape()
    );
}

/// Nobody here needs it, and every node has it.
fn s4_33_the_password_is_told_to_nobody(cluster: &Cluster) {
    for node in &cluster.nodes {
        let (_, config) = node.get("/api/v1/config").expect("it answers");
        assert!(!config.to_string().contains(PASSWORD) && !node.process.said().contains(PASSWORD));
    }
}

fn s4_21_s4_23_a_lock_of_one_node_is_held_against_the_others(cluster: &Cluster) {
    let order = json!({ "name": "switch:update:uuid", "retries": 1 });
    let ask = |node: &Member| {
        node.ask("POST", "/api/v1/cluster/locks", Some(&order))
            .expect("it answers")
    };
    let (status, lease) = ask(&cluster.nodes[0]);
    assert_eq!(status, 201, "{lease}");
    let (status, refused) = ask(&cluster.nodes[1]);
    assert_eq!((status, &refused["node"]), (409, &json!("node-1")), "{refused}");
}

fn s4_18_s4_19_s4_20_s4_62_a_session_is_seen_from_every_node_until_it_lapses(cluster: &Cluster) {
    let [one, two, three] = &cluster.nodes[..] else {
        unreachable!("three were made")
    };
    let token = one.admin_token();
    two.until("the token was known", || {
        two.ask_as(&token, "GET", "/api/v1/status", None)
            .is_some_and(|(status, _)| status == 200)
    });
    let socket = Socket::open(two, &token, "topics=none").unwrap_or_else(|refused| panic!("{refused:?}"));
    let list = sessions(three);
    assert_eq!((list.len(), &list[0]["node"]), (1, &json!("node-2")), "{list:?}");
    assert_eq!(socket.session["ttl_seconds"], 3);
    drop(socket);
    three.until("the session lapsed", || sessions(three).is_empty());
    two.until("it was swept", || {
        metric(two, "purlin_session_sweeps_total") >= 1.0
    });
}

fn s4_64_no_node_has_more_connections_than_said(cluster: &Cluster, each: usize) {
    let count = cluster
        .database
        .ask("SELECT count(*) FROM pg_stat_activity WHERE datname = 'purlin'");
    // And the question itself.
    let most = cluster.nodes.len() * each + 1;
    assert!(
        count.parse::<usize>().is_ok_and(|count| count <= most),
        "{count} of {most}"
    );
}

fn s4_13_s4_14_a_silent_node_is_missed_after_its_time_out(cluster: &mut Cluster) {
    cluster.nodes[2].process.crash();
    let one = &cluster.nodes[0];
    one.until("the silent node was missed", || {
        let all = one.members().unwrap_or_default();
        all.iter()
            .any(|row| row["id"] == "node-3" && row["status"] == "gone")
    });
}

#[test]
fn s4_34_a_node_waits_for_services_that_are_late() {
    let Some(mut cluster) = Cluster::of_platform(0, "") else {
        return;
    };
    let (redis, database) = (cluster.redis_url(), cluster.database_url(PASSWORD));
    cluster.database.stop();
    cluster.lose_redis();
    let variables = [("REDIS_URL", redis.as_str()), ("DATABASE_URL", database.as_str())];
    let mut node = cluster.ovncp("node-1", &variables, None);
    node.process.until("word of the database", |said| {
        said.contains("database").then_some(())
    });
    assert!(node.process.is_running(), "{}", node.process.said());
    assert!(!node.process.said().contains(PASSWORD), "{}", node.process.said());
    cluster.database.start_again();
    node.until("it was ready without Redis", || {
        node.readiness().is_some_and(|(ready, _)| ready)
    });
    assert_eq!(node.get("/health/live").map(|(status, _)| status), Some(200));
    cluster.bring_redis_back();
    let freshness = || {
        node.get("/api/v1/cluster/caches")
            .map(|(_, caches)| caches["freshness"].clone())
    };
    node.until("Redis was found", || freshness() == Some(json!("live")));
}

#[test]
fn s4_69_s4_70_s4_73_the_guides_file_makes_nodes_of_one_cluster() {
    let Some(mut cluster) = Cluster::of_platform(0, "") else {
        return;
    };
    let file = cluster.path("config.yaml");
    let text = format!(
        "cluster:\n  enabled: true\n  node_id: ${{NODE_ID}}\n  node_ip: ${{NODE_IP}}\n  heartbeat_interval: 1s\n  \
         node_timeout: 3s\n\nredis:\n  addresses:\n    - {}\n  pool_size: 2\n\ndatabase:\n  primary:\n    host: 127.0.0.1\n    \
         port: {}\n    database: purlin\n    user: ${{DB_USER}}\n    password: ${{DB_PASSWORD}}\n  max_open_connections: 6\n",
        cluster.redis_url().trim_start_matches("redis://"),
        cluster.database.port()
    );
    std::fs::write(&file, text).expect("the folder is ours");
    let secrets = [("DB_USER", "purlin"), ("DB_PASSWORD", PASSWORD)];
    for id in ["node-1", "node-2"] {
        let node = cluster.ovncp(id, &secrets, Some(&file));
        cluster.nodes.push(node);
    }
    until_known(&cluster.nodes);
    let node = &cluster.nodes[0];
    assert!(!node.process.said().contains(PASSWORD), "{}", node.process.said());
    let count = cluster
        .database
        .ask("SELECT count(*) FROM pg_stat_activity WHERE datname = 'purlin'");
    assert!(
        count.parse::<u32>().is_ok_and(|count| count <= 2 * 6 + 1),
        "{count}"
    );
}

/// What a deployment asks a node, and what a load balancer does.
#[test]
fn s4_6_s4_44_s4_45_s4_46_s4_124_probes_tell_a_node_that_works_from_one_that_may_be_asked() {
    let Some(mut cluster) = Cluster::of_platform(2, "") else {
        return;
    };
    let asked = |node: &Member, path: &str| node.get(path).map(|(status, _)| status);
    let node = &cluster.nodes[0];
    for path in ["/health", "/health/live", "/health/ready", "/health/startup"] {
        assert_eq!(asked(node, path), Some(200), "{path}");
    }
    let (_, body) = node.get("/health").expect("it answers");
    let checks: Vec<&str> = body["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|c| c["name"].as_str())
        .collect();
    for dependency in ["cluster.store", "cluster.member", "node.warm"] {
        assert!(checks.contains(&dependency), "{body}");
    }
    cluster.lose_redis();
    let node = &cluster.nodes[0];
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(asked(node, path), Some(200), "Redis is a hint: {path}");
    }
    let _ = node.says(&["cluster", "drain", "n1"]);
    node.until("it was not ready", || asked(node, "/health/ready") == Some(503));
    assert_eq!(asked(node, "/health/live"), Some(200), "it works all the same");
    assert_eq!(asked(node, "/health/startup"), Some(200), "it had started");
    cluster.database.stop();
    let two = &cluster.nodes[1];
    two.until("it was not ready without the database", || {
        asked(two, "/health/ready") == Some(503)
    });
    assert_eq!(asked(two, "/health/live"), Some(200));
}

#[test]
fn s4_15_s4_16_s4_17_every_node_that_comes_and_goes_is_told_of_once() {
    let Some(mut cluster) = Cluster::of_platform(1, "") else {
        return;
    };
    let node = &cluster.nodes[0];
    let mut socket = Socket::open(node, &node.admin_token(), "topics=cluster.node").expect("a session");
    let about = |socket: &Socket, kind: &str, id: &str| {
        let told = socket
            .events
            .values()
            .filter(|event| event["data"]["kind"] == kind);
        told.filter(|event| event["data"]["subject"] == id).count()
    };
    let (orderly, sudden) = (cluster.member("n2", "n2"), cluster.member("n3", "n3"));
    socket.until("both were told of", |socket| {
        about(socket, "joined", "n2") > 0 && about(socket, "joined", "n3") > 0
    });
    cluster.nodes.extend([orderly, sudden]);
    cluster.nodes[1].until("n2 was ready", || {
        cluster.nodes[1].readiness().is_some_and(|(ready, _)| ready)
    });
    cluster.nodes[1].process.signal("TERM");
    socket.until("who leaves in order says so", |socket| {
        about(socket, "left", "n2") > 0
    });
    cluster.nodes[2].process.crash();
    socket.until_late("who is silent is missed", |socket| {
        about(socket, "left", "n3") > 0
    });
    for (kind, id) in [("joined", "n2"), ("joined", "n3"), ("left", "n2"), ("left", "n3")] {
        assert_eq!(about(&socket, kind, id), 1, "{kind} {id}: {:?}", socket.events);
    }
}
