//! Machines become nodes with a token, and are strangers again when they are removed.

use purlin_conformance::{Cluster, Member, met_plainly};

const OLD_NAME: [&str; 2] = ["as", "simple-dhcpd-datacenter"];

/// A node that has joined `cluster` and is active.
fn joined(cluster: &Cluster, id: &str) -> Member {
    let first = &cluster.nodes[0];
    let (_, token) = cluster.token(first, Some(id));
    let tried = cluster.join(&token, id, &[]);
    assert_eq!(tried.code, Some(0), "{}", tried.said);
    cluster.start_joined(id, id, first)
}

#[test]
fn s0_6_a_machine_with_a_token_joins_takes_its_share_and_serves() {
    let Some(mut cluster) = Cluster::without_redis(1) else {
        return;
    };
    let file = cluster.give(&cluster.nodes[0], 81, 600);
    let first = &cluster.nodes[0];
    let said = first.says(&[OLD_NAME[0], OLD_NAME[1], "--add-node", "n2"]);
    let command = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("purlin join "));
    let token = command
        .unwrap_or_else(|| panic!("no command to run in {said}"))
        .to_owned();
    let tried = cluster.join(&token, "n2", &["-o", "json"]);
    assert_eq!(tried.code, Some(0), "{}", tried.said);
    let second = cluster.start_joined("n2", "n2", first);
    cluster.nodes.push(second);
    cluster.until_shared_by(&["n1", "n2"]);
    cluster.verify(&cluster.nodes[1], &file, 600);
    let first = &cluster.nodes[0];
    let status = first.says(&[OLD_NAME[0], OLD_NAME[1], "--cluster-status"]);
    assert!(status.contains("n2") && status.contains("healthy"), "{status}");
    // Asked for again, it is there already.
    let again = first.says(&[OLD_NAME[0], OLD_NAME[1], "--add-node", "n2"]);
    assert!(again.contains("n2 is a node of the cluster already"), "{again}");
    let (_, tokens) = first.get("/api/v1/cluster/tokens").expect("it answers");
    assert_eq!(tokens["items"][0]["state"], "used", "{tokens}");
    assert_eq!(tokens["items"][0]["used_by"], "n2", "{tokens}");
}

#[test]
fn a_token_works_once_in_time_and_for_nobody_who_is_there() {
    let Some(cluster) = Cluster::without_redis(1) else {
        return;
    };
    let first = &cluster.nodes[0];
    let refused = |token: &str, more: &[&str], code: i32, why: &str| {
        let tried = cluster.join(token, "stranger", more);
        assert_eq!(tried.code, Some(code), "{}", tried.said);
        assert!(tried.said.contains(why), "{why:?} in {}", tried.said);
        // Nothing is left of it that the next try would stumble over.
        assert!(!cluster.path("stranger.toml").exists());
    };
    let (_, token) = cluster.token(first, Some("n2"));
    assert_eq!(cluster.join(&token, "n2", &[]).code, Some(0));
    refused(&token, &[], 5, "it works once");
    let (id, late) = cluster.token(first, None);
    refused(&late, &[], 1, "the node must be named");
    refused(&late, &["--node-id", "n1"], 4, "n1 is a member already");
    refused("purlin-join-1_nonsense", &[], 2, "join token");
    let mut parts: Vec<&str> = late.split('_').collect();
    parts[2] = "0000000000000000000000000000000000000000";
    // A slip of the pen is told from a guess: tokens carry a checksum.
    refused(&parts.join("_"), &["--node-id", "n3"], 2, "join token");
    // An hour goes by.
    let _ = cluster.database.ask(&format!(
        "UPDATE purlin.record SET value = convert_to(regexp_replace(convert_from(value, 'UTF8'), \
         '\"expires\":[0-9]+', '\"expires\":1000000'), 'UTF8') \
         WHERE tbl = 'mesh.token' AND key = convert_to('{id}', 'UTF8')"
    ));
    refused(&late, &["--node-id", "n3"], 5, "the token expired");
    let (id, revoked) = cluster.token(first, Some("n3"));
    let _ = first.says(&["cluster", "token", "revoke", &id]);
    refused(&revoked, &[], 5, "the token was revoked");
    // For a node that is there no token is made.
    let (good, said) = first.tries(&["cluster", "token", "create", "--for", "n1"]);
    assert!(!good && said.contains("n1 is a member already"), "{said}");
}

#[test]
fn s0_9_a_removed_nodes_certificate_is_refused_and_so_is_a_stranger() {
    let Some(mut cluster) = Cluster::without_redis(1) else {
        return;
    };
    let second = joined(&cluster, "n2");
    cluster.nodes.push(second);
    cluster.until_shared_by(&["n1", "n2"]);
    let [first, second] = &cluster.nodes[..] else {
        unreachable!("there are two")
    };
    // Over the mesh, from one node to the other.
    let _ = second.says(&["cluster", "resume", "n1"]);
    let peers = first.peers_url();
    let (code, _) = first.curl(&["-k", "-X", "POST", &format!("{peers}/mesh/v1/resume")]);
    assert_ne!(code, 0, "a stranger without a certificate was let in");
    let _ = first.says(&[OLD_NAME[0], OLD_NAME[1], "--remove-node", "n2", "--force"]);
    second.until("it knew that its certificate is revoked", || {
        second
            .readiness()
            .is_some_and(|(ready, why)| !ready && why.contains("revoked"))
    });
    let (good, said) = second.tries(&["cluster", "resume", "n1"]);
    assert!(!good && !said.is_empty(), "{said}");
    first.until("it told that a caller was refused", || {
        first.process.said().contains("refused by the mesh")
    });
    cluster.until_shared_by(&["n1"]);
}

#[test]
fn the_line_to_the_database_is_encrypted_to_the_one_that_is_trusted() {
    if !met_plainly(&["openssl"]) {
        return;
    }
    let Some(mut cluster) = Cluster::without_nodes() else {
        return;
    };
    let root = cluster.database.encrypt();
    let words = |root: &str| format!("?sslmode=verify-full&sslrootcert={root}");
    let node = cluster.member_by("n1", "n1", &words(&root.to_string_lossy()));
    node.until("it was a node", || {
        node.readiness().is_some_and(|(ready, _)| ready)
    });
    let question = "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE application_name = 'purlin'";
    assert_eq!(cluster.database.ask(question), "t");
    // Another authority, the right one for another name, and none at all.
    let stranger = cluster.path("stranger.crt");
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=x",
        ])
        .arg("-keyout")
        .arg(cluster.path("stranger.key"))
        .arg("-out")
        .arg(&stranger)
        .output()
        .expect("openssl is there");
    assert!(made.status.success());
    let wrong = cluster.member_by("n2", "n2", &words(&stranger.to_string_lossy()));
    wrong.until("it said why it waits", || {
        wrong.process.said().contains("certificate")
    });
    let plain = cluster.member_by("n3", "n3", "?sslmode=disable");
    plain.until("it was refused", || plain.process.said().contains("pg_hba"));
    let bad = cluster.member_by("n4", "n4", "?sslmode=verify-some");
    bad.until("it named what there is", || {
        bad.process.said().contains("verify-full")
    });
    cluster.nodes.extend([node, wrong, plain, bad]);
}
