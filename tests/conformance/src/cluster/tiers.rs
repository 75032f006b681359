//! All tiers of the scaling guide for OVN, each by its real program and with the shipped files, in one network namespace.
//!
//! ```text
//!   clients ─► 127.0.0.1:8443 ─ TLS ─► 10.77.0.1 HAProxy ─► 10.77.1.1-3:8080 ovncp ─► Redis, PostgreSQL on loopback
//!                                                                 └─► 127.0.0.1:6641, 6642 ovsdb-server ◄─ ovn-northd
//! ```

use super::{Cluster, Member, bound_to_us, member::Ports};
use crate::balancing::{DRESS, shipped};
use crate::lab::text_of;
use crate::need;
use crate::process::{Process, run};
use crate::space::Space;
use crate::wait::until;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

const PROGRAMS: [&str; 9] = [
    "ip",
    "unshare",
    "openssl",
    "haproxy",
    "ovsdb-server",
    "ovsdb-tool",
    "ovn-northd",
    "ovn-nbctl",
    "ovn-sbctl",
];
/// Where clients speak plainly: what is said there goes to the front in TLS.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
const CLIENTS_END: &str = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
    listen plain\n  bind 127.0.0.1:8443\n  server front 10.77.0.1:443 ssl verify none\n";
const FRONT: &str = "https://10.77.0.1";

/// Three nodes behind HAProxy, over Redis, PostgreSQL and OVN.
#[derive(Debug)]
pub struct Tiers {
    // Dropped in this order: clients first, what the nodes stand on last.
    _clients_end: Process,
    _front: Process,
    pub cluster: Cluster,
    ovn: Process,
    token: String,
}

impl Tiers {
    /// Everything up and known to each other; `work` runs where it can be reached, and all of it ends with `work`. Nothing
    /// happens when this machine cannot run it.
    pub fn with(work: impl FnOnce(&mut Self) + Send) {
        if !need::met(&PROGRAMS) {
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let space = Space::make("tiers", folder.path().to_owned());
        space.ip("addr add 10.77.0.1/32 dev lo");
        (1..=3).for_each(|n| space.ip(&format!("addr add 10.77.1.{n}/32 dev lo")));
        space.inside(|| {
            if let Some(mut tiers) = Self::start() {
                work(&mut tiers);
            }
        });
    }

    fn start() -> Option<Self> {
        let mut cluster = Cluster::of_platform(0, "")?;
        let ovn = ovn(&cluster);
        for number in 1..=3 {
            let node = node(&cluster, number);
            cluster.nodes.push(node);
        }
        for node in &cluster.nodes {
            node.until("all nodes were ready and known", || {
                let active = |row: &&Value| row["status"] == "active";
                let known = node
                    .members()
                    .is_some_and(|all| all.iter().filter(active).count() == 3);
                known && node.readiness().is_some_and(|(ready, _)| ready)
            });
        }
        let (front, clients_end) = fronts(&cluster);
        let token = cluster.nodes[0].admin_token();
        let tiers = Self {
            _clients_end: clients_end,
            _front: front,
            cluster,
            ovn,
            token,
        };
        for node in &tiers.cluster.nodes {
            node.until("it followed OVN", || tiers.has(node, "nothing") == Some(404));
        }
        until("the front served", || {
            tiers
                .ask("GET", "/api/v1/ovn", None)
                .is_some_and(|(status, _)| status == 200)
        });
        Some(tiers)
    }

    /// Status and body of a request through the front; `None` when nothing came back.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let token = format!("authorization: Bearer {}", self.token);
        let mut curl = bound_to_us("curl", "KILL");
        curl.args([
            "-s",
            "-k",
            "--max-time",
            "10",
            "-w",
            "\n%{http_code}",
            "-X",
            method,
        ]);
        curl.args(["-H", &token, &format!("{FRONT}{path}")]);
        if let Some(body) = body {
            curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
        }
        let said = String::from_utf8_lossy(&run(&mut curl).stdout).into_owned();
        let (body, status) = said.rsplit_once('\n')?;
        let body = if body.is_empty() { "null" } else { body };
        Some((
            status.parse().ok().filter(|status| *status != 0)?,
            serde_json::from_str(body).ok()?,
        ))
    }

    /// Makes a logical switch through the front; the status of the answer.
    #[must_use]
    pub fn make(&self, name: &str) -> Option<u16> {
        let body = serde_json::json!({ "name": name });
        self.ask("POST", "/api/v1/ovn/nb/Logical_Switch", Some(&body))
            .map(|(status, _)| status)
    }

    /// Whether a node shows a logical switch: the status of its answer.
    #[must_use]
    pub fn has(&self, node: &Member, name: &str) -> Option<u16> {
        let path = format!("/api/v1/ovn/nb/Logical_Switch/{name}");
        node.ask_as(&self.token, "GET", &path, None)
            .map(|(status, _)| status)
    }

    /// Waits until every node but those named `without` shows it.
    pub fn until_all_have(&self, name: &str, without: &[&str]) {
        let asked = |node: &&Member| !without.contains(&node.id.as_str());
        for node in self.cluster.nodes.iter().filter(asked) {
            node.until(&format!("it had {name}"), || self.has(node, name) == Some(200));
        }
    }

    /// Where a client that does not speak TLS finds the front.
    #[must_use]
    pub const fn client(&self) -> SocketAddr {
        CLIENT
    }

    /// The admin's token, good at every node.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What a tool of OVN itself says about one of its databases: `ovn-nbctl`, `ovn-sbctl`.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn of_ovn(&self, tool: &str, arguments: &[&str]) -> String {
        let port = if tool == "ovn-sbctl" { 6642 } else { 6641 };
        let mut command = bound_to_us(tool, "KILL");
        command.args([&format!("--db=tcp:127.0.0.1:{port}"), "--timeout=20"]);
        let output = run(command.args(arguments));
        assert!(
            output.status.success(),
            "{tool} {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends OVN in order.
    pub fn stop_ovn(&mut self) {
        self.ovn.signal("TERM");
        assert!(self.ovn.ended(), "{}", self.ovn.said());
    }

    /// Starts it again on the same data.
    pub fn start_ovn_again(&mut self) {
        self.ovn = ovn(&self.cluster);
    }
}

/// OVN by the script that is shipped for containers.
fn ovn(cluster: &Cluster) -> Process {
    let script = shipped("compose/ovn-central.sh");
    let mut command = bound_to_us("sh", "TERM");
    command
        .arg(script)
        .env("OVN_DATA", cluster.path("ovn"))
        .env("OVN_LISTEN", "127.0.0.1");
    let mut ovn = Process::start(command, cluster.path("ovn.log"));
    let there = || {
        let mut asked = bound_to_us("ovn-sbctl", "KILL");
        asked.args(["--db=tcp:127.0.0.1:6642", "--timeout=1", "list", "SB_Global"]);
        let output = run(&mut asked);
        output.status.success() && !output.stdout.is_empty()
    };
    until("OVN answered", || {
        assert!(ovn.is_running(), "{}", ovn.said());
        there()
    });
    ovn
}

/// A node by the guide's file, at an address of its own.
fn node(cluster: &Cluster, number: u8) -> Member {
    let (id, address) = (format!("node-{number}"), Ipv4Addr::new(10, 77, 1, number));
    let file = cluster.path(&format!("{id}.yaml"));
    let text = format!(
        "server:\n  host: {address}\n  port: 8080\n  metrics_port: 9090\n\ncluster:\n  node_id: ${{NODE_ID}}\n  \
         node_ip: ${{NODE_IP}}\n  heartbeat_interval: 1s\n  node_timeout: 3s\n\n\
         ovn:\n  northbound:\n    endpoints: [\"tcp:127.0.0.1:6641\"]\n  southbound:\n    \
         endpoints: [\"tcp:127.0.0.1:6642\"]\n"
    );
    std::fs::write(&file, text).expect("the folder is ours");
    let data = cluster.path(&id);
    let mut command = bound_to_us("purlin", "KILL");
    command.args([
        "as",
        "ovncp",
        "--data-dir",
        &text_of(&data),
        "--config",
        &text_of(&file),
    ]);
    command.env("NODE_ID", &id).env("NODE_IP", address.to_string());
    command.env("REDIS_URL", cluster.redis_url());
    command.env("DATABASE_URL", cluster.database_url("s3cret"));
    command.env("PURLIN__CLUSTER__TAKEOVER", "fast");
    command.env("PURLIN__SESSIONS__CLOSE_SPREAD", "500ms");
    let ports = Ports {
        api: 8080,
        metrics: 9090,
        peers: 8067,
    };
    let process = Process::start(command, data.with_extension("1.log"));
    Member::running(&id, process, address, ports, &data)
}

/// HAProxy with the shipped file, and the clients' end of its TLS.
fn fronts(cluster: &Cluster) -> (Process, Process) {
    let folder = cluster.path("front");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let names: String = (1..=3).map(|n| format!("10.77.1.{n} ovncp-{n}\n")).collect();
    let hosts = format!("127.0.0.1 localhost\n{names}");
    std::fs::write(folder.join("hosts"), hosts).expect("the folder is ours");
    std::fs::write(folder.join("client.cfg"), CLIENTS_END).expect("the folder is ours");
    let mut certificate = Command::new("openssl");
    certificate.current_dir(&folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-days",
        "2",
        "-subj",
        "/CN=ovncp.example.com",
    ]);
    let made = run(&mut certificate);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut front = bound_to_us("unshare", "TERM");
    front.current_dir(&folder);
    front.args([
        "-m",
        "sh",
        "-c",
        DRESS,
        "sh",
        "haproxy",
        "-db",
        "-f",
        &shipped("haproxy/haproxy.cfg"),
    ]);
    let front = Process::start(front, folder.join("front.log"));
    let mut client = bound_to_us("haproxy", "TERM");
    client.current_dir(&folder).args(["-db", "-f", "client.cfg"]);
    (front, Process::start(client, folder.join("client.log")))
}
