//! The tiers of the scaling guide at once, each by its real program: a balancer, nodes, Redis, PostgreSQL, OVN.
//!
//! ```text
//!   requests ─► HAProxy ─► n1, n2, n3 ─► Redis, PostgreSQL
//!                              └───────► ovsdb-server ◄─ ovn-nbctl
//! ```

use purlin_conformance::{Cluster, Member, Process, met_plainly, program, run, until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const PROGRAMS: [&str; 6] = [
    "setpriv",
    "haproxy",
    "curl",
    "ovsdb-tool",
    "ovsdb-server",
    "ovn-nbctl",
];
/// Schemas of the databases, where Debian puts them.
const SCHEMAS: [(&str, &str); 2] = [
    ("nb.db", "/usr/share/ovn/ovn-nb.ovsschema"),
    ("sb.db", "/usr/share/ovn/ovn-sb.ovsschema"),
];

/// All of it, with two nodes at first.
struct Tiers {
    // Dropped in this order: who asks before who answers.
    front: Process,
    cluster: Cluster,
    token: String,
    place: String,
    _ovn: Process,
    ovn: tempfile::TempDir,
}

/// A program that ends when the test does, however that comes.
fn bound_to_us(name: &str) -> Command {
    let mut command = Command::new(program("setpriv").expect("asked for before"));
    command.args(["--pdeathsig", "TERM", "--"]);
    command.arg(program(name).expect("asked for before"));
    command
}

/// OVN's databases at a socket in `folder`.
fn databases(folder: &Path) -> Process {
    let mut server = bound_to_us("ovsdb-server");
    for (name, schema) in SCHEMAS {
        let file = folder.join(name);
        let mut make = Command::new(program("ovsdb-tool").expect("asked for before"));
        let made = run(make.arg("create").arg(&file).arg(schema));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.arg(file);
    }
    let socket = folder.join("ovn.sock");
    server.arg(format!("--remote=punix:{}", socket.display()));
    server.arg(format!("--unixctl={}", folder.join("ovn.ctl").display()));
    let process = Process::begun(server, folder.join("ovn.log"));
    until("OVN's databases answered", || socket.exists());
    process
}

/// HAProxy before these nodes; asks each five times a second whether it is ready.
fn front(cluster: &Cluster, place: &str) -> Process {
    let servers: String = cluster
        .nodes
        .iter()
        .map(|node| {
            format!(
                "  server {} {} check inter 200ms fall 1 rise 1\n",
                node.id,
                node.api()
            )
        })
        .collect();
    let text = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 30s\n  timeout server 30s\n  retries 3\n  \
         option redispatch 1\n  retry-on conn-failure empty-response\n\
         listen front\n  bind {place}\n  balance roundrobin\n  option httpchk GET /health/ready\n{servers}"
    );
    let file = cluster.path("haproxy.cfg");
    std::fs::write(&file, text).expect("the folder is ours");
    let mut haproxy = bound_to_us("haproxy");
    haproxy.arg("-db").arg("-f").arg(&file);
    Process::begun(haproxy, cluster.path("haproxy.log"))
}

impl Tiers {
    fn start() -> Option<Self> {
        if !met_plainly(&PROGRAMS) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let remote = format!("unix:{}", folder.path().join("ovn.sock").display());
        let more =
            format!("[ovn]\nenabled = true\nnorthbound = [\"{remote}\"]\nsouthbound = [\"{remote}\"]\n");
        let ovn = databases(folder.path());
        // Once in a test run.
        let cluster = Cluster::of_platform(2, Box::leak(more.into_boxed_str()))?;
        let free = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let place = free.local_addr().expect("it is bound").to_string();
        drop(free);
        let tiers = Self {
            front: front(&cluster, &place),
            token: cluster.nodes[0].admin_token(),
            cluster,
            place,
            _ovn: ovn,
            ovn: folder,
        };
        tiers.until_served_by(&["n1", "n2"]);
        Some(tiers)
    }

    /// Status and body of a request through the front.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut curl = bound_to_us("curl");
        curl.args(["-s", "--max-time", "20", "-w", "\n%{http_code}", "-X", method]);
        curl.args(["-H", &format!("authorization: Bearer {}", self.token)]);
        if let Some(body) = body {
            curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
        }
        let said = run(curl.arg(format!("http://{}{path}", self.place))).stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let (body, status) = said.rsplit_once('\n')?;
        Some((
            status.parse().ok()?,
            serde_json::from_str(body).unwrap_or_default(),
        ))
    }

    /// The nodes that answer so many requests, none of which fails.
    fn served_by(&self, requests: u32) -> BTreeSet<String> {
        (0..requests)
            .map(|_| {
                let (status, body) = self.ask("GET", "/api/v1/status", None).expect("an answer");
                assert_eq!(status, 200, "{body}");
                body["node"].as_str().unwrap_or_default().to_owned()
            })
            .collect()
    }

    /// Waits until these nodes, and nobody else, answer.
    fn until_served_by(&self, names: &[&str]) {
        let wanted: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        until(&format!("{names:?} answered"), || {
            let answers = (0..6).map(|_| self.ask("GET", "/api/v1/status", None));
            let by = answers.map(|answer| {
                let (status, body) = answer?;
                (status == 200).then(|| body["node"].as_str().unwrap_or_default().to_owned())
            });
            by.collect::<Option<BTreeSet<String>>>().as_ref() == Some(&wanted)
        });
    }

    /// Makes a logical switch through the front; every node and OVN itself show it.
    fn write(&self, name: &str) {
        let body = json!({ "name": name });
        let made = self.ask("POST", "/api/v1/ovn/nb/Logical_Switch", Some(&body));
        let (status, said) = made.expect("an answer");
        assert_eq!(status, 201, "{said}");
        for node in &self.cluster.nodes {
            node.until(&format!("it had {name}"), || self.has(node, name));
        }
        let remote = format!("--db=unix:{}", self.ovn.path().join("ovn.sock").display());
        let listed = run(bound_to_us("ovn-nbctl").args([&remote, "--timeout=20", "ls-list"])).stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        assert!(listed.contains(name), "{listed}");
    }

    fn has(&self, node: &Member, name: &str) -> bool {
        let path = format!("/api/v1/ovn/nb/Logical_Switch/{name}");
        let found = node.ask_as(&self.token, "GET", &path, None);
        found.is_some_and(|(status, _)| status == 200)
    }
}

#[test]
fn s4_7_each_tier_is_scaled_lost_and_found_while_the_others_stay() {
    let Some(mut tiers) = Tiers::start() else { return };
    tiers.write("first");
    api_tier(&mut tiers);
    cache_tier(&mut tiers);
    database_tier(&mut tiers);
}

/// A third node takes its part; one that dies costs no request.
fn api_tier(tiers: &mut Tiers) {
    let third = tiers.cluster.member("n3", "n3");
    third.until("it was ready", || {
        third.readiness().is_some_and(|(ready, _)| ready)
    });
    tiers.cluster.nodes.push(third);
    tiers.front.signal("TERM");
    let _ = tiers.front.ended();
    tiers.front = front(&tiers.cluster, &tiers.place);
    tiers.until_served_by(&["n1", "n2", "n3"]);
    tiers.cluster.nodes[2].process.crash();
    let served = tiers.served_by(40);
    assert!(!served.contains("n3") && served.len() == 2, "{served:?}");
    tiers.cluster.nodes[2].start_again();
    tiers.until_served_by(&["n1", "n2", "n3"]);
    tiers.write("second");
}

/// Without Redis all goes on, with it again all is shared again.
fn cache_tier(tiers: &mut Tiers) {
    tiers.cluster.lose_redis();
    let served = tiers.served_by(12);
    assert_eq!(served.len(), 3, "{served:?}");
    tiers.write("third");
    tiers.cluster.bring_redis_back();
    for node in &tiers.cluster.nodes {
        node.until("it heard the others", || {
            let caches = node.get("/api/v1/cluster/caches");
            caches.is_some_and(|(_, caches)| caches["freshness"] == "live")
        });
    }
}

/// Without the database no node counts as ready, and with it again they go on by themselves.
fn database_tier(tiers: &mut Tiers) {
    tiers.cluster.database.stop();
    for node in &tiers.cluster.nodes {
        node.until("it said that it is not ready", || {
            node.readiness().is_some_and(|(ready, _)| !ready)
        });
    }
    until("the front served nobody", || {
        tiers
            .ask("GET", "/api/v1/status", None)
            .is_some_and(|(status, _)| status == 503)
    });
    tiers.cluster.database.start_again();
    tiers.until_served_by(&["n1", "n2", "n3"]);
    tiers.write("fourth");
}
