//! Fronts of our own before real nodes.

use super::none_was_left_alone;
use purlin_conformance::{Cluster, Front, Member, Process, RELAY, Report, Trio, purlin, run, until};
use serde_json::Value;
use std::process::Command;

/// On this machine's own loopback.
fn plainly(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Where the API of a node is.
fn api_of(node: &Member) -> String {
    let status = node.says(&["status", "-o", "json"]);
    let status: Value = serde_json::from_str(&status).expect("a document");
    let api = status["api"]["http"].as_str().expect("it listens");
    api.replace("http://", "")
}

/// A front for DHCP before all nodes of a cluster.
fn before(cluster: &Cluster) -> Front {
    let backends: String = cluster
        .nodes
        .iter()
        .map(|node| {
            let api = api_of(node);
            format!(
                "{{ name = \"{}\", address = \"127.0.0.1:{}\", check = \"{api}\" }},\n",
                node.id, node.dhcp
            )
        })
        .collect();
    let fronts = format!(
        "[[balancer.fronts]]\nname = \"dhcp\"\nservice = \"dhcp\"\nlisten = \"127.0.0.1:0\"\n\
         algorithm = \"least_connections\"\nstickiness = \"1s\"\npatience = \"900ms\"\n\
         check_interval = \"200ms\"\nrise = 1\nfall = 1\nslow_start = 0\nbackends = [\n{backends}]\n"
    );
    Front::start(&cluster.path(""), &fronts, plainly)
}

fn front(lb: &Front) -> Value {
    lb.asked(&["status"], plainly)["fronts"][0].clone()
}

fn backend(lb: &Front, name: &str) -> Value {
    let front = front(lb);
    let all = front["backends"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|backend| backend["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {front:#}"))
}

fn given(lb: &Front, name: &str) -> u64 {
    backend(lb, name)["given"].as_u64().expect("a number")
}

/// A load of DHCP clients through the front.
fn load(lb: &Front, arguments: &[&str]) -> Command {
    let listen = front(lb)["listen"].as_str().expect("an address").to_owned();
    let binary = purlin().expect("checked before").display().to_string();
    let mut command = plainly(
        &binary,
        &["bench", "dhcp", &listen, "--relay", RELAY, "-q", "-o", "json"],
    );
    command.args(arguments);
    command
}

fn loaded(lb: &Front, arguments: &[&str]) -> Report {
    let output = run(&mut load(lb, arguments));
    let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
    Report::read(&said.concat())
}

#[test]
fn s0_3_each_node_answers_a_share_and_a_dead_one_costs_no_client_more_than_retries() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let mut lb = before(&cluster);
    let report = loaded(
        &lb,
        &["--clients", "1500", "--operations", "1500", "--seed", "61"],
    );
    report.kept_every_promise();
    assert_eq!(report.done("load"), 1500, "{:#}", report.0);
    let shares = ["n1", "n2", "n3"].map(|name| given(&lb, name));
    assert!(shares.iter().all(|share| *share >= 300), "{shares:?}");
    // On a busy machine some lose patience, and are given once more.
    assert!((1500..1650).contains(&shares.iter().sum::<u64>()), "{shares:?}");

    // A node dies under load: every client is served within its retries.
    let arguments = [
        "--clients",
        "1000",
        "--operations",
        "1000",
        "--seed",
        "62",
        "--rate",
        "150",
        "--attempts",
        "5",
    ];
    let mut under_way = Process::begun(load(&lb, &arguments), cluster.path("load.log"));
    until("the load had begun", || given(&lb, "n3") > shares[2] + 50);
    cluster.nodes[2].process.crash();
    until("the dead node was out", || backend(&lb, "n3")["state"] == "down");
    let _ = under_way.ended();
    let report = Report::read(&under_way.said());
    none_was_left_alone(&report, 1000);
    // All of them, whatever they met with, are served now.
    let report = loaded(
        &lb,
        &["--clients", "1000", "--operations", "1000", "--seed", "62"],
    );
    report.kept_every_promise();
    assert_eq!(report.done("load"), 1000, "{:#}", report.0);
    let why = backend(&lb, "n3")["why"].to_string();
    assert!(why.contains("probes fail"), "{why}");
    lb.stop();
}

#[test]
fn a_drained_node_gets_no_new_clients_until_it_is_resumed() {
    let Some(cluster) = Cluster::new(2) else { return };
    let lb = before(&cluster);
    let drained = lb.asked(&["drain", "dhcp", "n1"], plainly);
    assert_eq!(drained["state"], "draining", "{drained}");
    let report = loaded(&lb, &["--clients", "300", "--operations", "300", "--seed", "63"]);
    report.kept_every_promise();
    assert_eq!(report.done("load"), 300, "{:#}", report.0);
    assert_eq!(given(&lb, "n1"), 0);
    assert!(given(&lb, "n2") >= 300);
    let resumed = lb.asked(&["resume", "dhcp", "n1"], plainly);
    assert_eq!(resumed["state"], "up", "{resumed}");
    let _ = loaded(&lb, &["--clients", "300", "--operations", "300", "--seed", "64"]);
    assert!(given(&lb, "n1") > 50);
}

#[test]
fn s2_75_files_and_requests_come_through_a_front_and_a_dead_node_is_passed_over() {
    let Some(mut site) = Trio::new(&["atftp"]) else {
        return;
    };
    let content = "boot ".repeat(60_000);
    std::fs::write(site.lab.path("tree").join("file"), &content).expect("the folder is ours");
    let backends = |port: u16| {
        let one = |n| format!("{{ name = \"n{n}\", address = \"10.77.1.{n}:{port}\" }}");
        format!("backends = [{}, {}, {}]", one(1), one(2), one(3))
    };
    let health = "check_interval = \"200ms\"\nrise = 1\nfall = 1\nslow_start = 0";
    let fronts = format!(
        "[[balancer.fronts]]\nname = \"boot\"\nservice = \"tftp\"\nlisten = \"10.77.0.1:69\"\n\
         algorithm = \"round_robin\"\n{health}\n{}\n\
         [[balancer.fronts]]\nname = \"api\"\nservice = \"http\"\nlisten = \"10.77.0.1:80\"\n{health}\n{}\n",
        backends(69),
        backends(8080)
    );
    let beside = |program: &str, arguments: &[&str]| site.command(program, arguments);
    let lb = Front::start(&site.lab.path(""), &fronts, beside);
    let got = site.lab.path("got");
    let get = |site: &Trio| {
        let _ = std::fs::remove_file(&got);
        let got = got.display().to_string();
        let words = ["--get", "-r", "file", "-l", &got, "10.77.0.1", "69"];
        let output = site.lab.server.run("atftp", &words);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::read_to_string(&got).expect("it came")
    };
    for _ in 0..3 {
        assert_eq!(get(&site), content);
    }
    let state = |lb: &Front, site: &Trio, front: usize| {
        let status = lb.asked(&["status"], |program, arguments| site.command(program, arguments));
        status["fronts"][front]["backends"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let shares: Vec<Value> = state(&lb, &site, 0)
        .iter()
        .map(|backend| backend["given"].clone())
        .collect();
    assert_eq!(shares, [1, 1, 1]);
    let url = "http://10.77.0.1/api/v1/status";
    assert_eq!(site.statuses(url, 20), [("200".to_owned(), 20)]);
    // A WebSocket is a connection to its end.
    let mut socket = site.websocket("ws.log", "http://10.77.0.1/ws", 60);
    socket.until("switch of protocols", |said| {
        said.starts_with("HTTP/1.1 101").then_some(())
    });

    site.crash(3);
    assert_eq!(site.statuses(url, 40), [("200".to_owned(), 40)]);
    until("the dead node was out", || {
        (0..2).all(|front| state(&lb, &site, front)[2]["state"] == "down")
    });
    for _ in 0..3 {
        assert_eq!(get(&site), content);
    }
}

/// A front for the API of all nodes of a cluster, which brings a client back to the node it had.
fn before_the_api(cluster: &Cluster) -> Front {
    let backend = |node: &Member| format!("{{ name = \"{}\", address = \"{}\" }},\n", node.id, api_of(node));
    let backends: String = cluster.nodes.iter().map(backend).collect();
    let fronts = format!(
        "[[balancer.fronts]]\nname = \"api\"\nservice = \"http\"\nlisten = \"127.0.0.1:0\"\n\
         stickiness = \"10m\"\ncheck_interval = \"200ms\"\nrise = 1\nfall = 1\nslow_start = 0\n\
         backends = [\n{backends}]\n"
    );
    Front::start(&cluster.path(""), &fronts, plainly)
}

/// A WebSocket that is a session, as far as it has got.
struct Talk {
    process: Process,
    /// What the server calls it, and where it lives.
    id: String,
    node: String,
}

impl Talk {
    /// Opens `/ws` with this query through the front; `None` when no session comes of it.
    fn open(cluster: &Cluster, lb: &Front, log: &str, query: &str) -> Option<Self> {
        let listen = front(lb)["listen"].as_str().expect("an address").to_owned();
        let token = std::fs::read_to_string(cluster.path("n1/admin-token")).expect("the node made it");
        let headers = [
            format!("Authorization: Bearer {}", token.trim()),
            "Connection: Upgrade".to_owned(),
            "Upgrade: websocket".to_owned(),
            "Sec-WebSocket-Version: 13".to_owned(),
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        ];
        let url = format!("http://{listen}/ws?{query}");
        let mut words = vec!["-s", "-i", "-N", "--http1.1", "--max-time", "120"];
        words.extend(headers.iter().flat_map(|header| ["-H", header.as_str()]));
        words.push(&url);
        let mut process = Process::begun(plainly("curl", &words), cluster.path(log));
        let mut told = None;
        until("a session began, or was refused", || {
            let running = process.is_running();
            told = introduction(&process.said());
            told.is_some() || !running
        });
        let (id, node) = told?;
        Some(Self { process, id, node })
    }
}

/// Id and node of the session that a WebSocket says it is, before all else.
fn introduction(said: &str) -> Option<(String, String)> {
    let (_, frames) = said.split_once("\r\n\r\n")?;
    let mut values = serde_json::Deserializer::from_str(&frames[frames.find('{')?..]).into_iter::<Value>();
    let value = values.next()?.ok().filter(|value| value["topic"] == "session")?;
    let text = |key: &str| value["data"][key].as_str().map(str::to_owned);
    Some((text("id")?, text("node")?))
}

#[test]
fn a_websocket_through_a_front_goes_on_at_another_node_when_its_own_dies() {
    let Some(mut cluster) = Cluster::new(2) else {
        return;
    };
    let mut lb = before_the_api(&cluster);
    let first = Talk::open(&cluster, &lb, "first.log", "").expect("a session");
    // One that has fewer connections is there, but the client has been here before.
    let second = Talk::open(&cluster, &lb, "second.log", "").expect("a session");
    assert_eq!(second.node, first.node);
    drop(second);

    let (own, other) = if first.node == "n1" { (0, 1) } else { (1, 0) };
    cluster.nodes[own].process.crash();
    let Talk { mut process, id, .. } = first;
    until("its connection broke", || !process.is_running());
    let query = format!("session={id}&seen=0");
    let mut back = None;
    until("the session went on", || {
        back = Talk::open(&cluster, &lb, "back.log", &query);
        back.is_some()
    });
    let mut back = back.expect("looked at before");
    assert_eq!(back.node, cluster.nodes[other].id);
    // It is alive there: what happens is told.
    cluster.until_shared_by(&[&cluster.nodes[other].id]);
    let _ = cluster.give(&cluster.nodes[other], 65, 1);
    back.process
        .until("event", |said| said.contains("\"topic\":\"dhcp.").then_some(()));
    lb.stop();
}
