//! Three nodes, by the names and ports that the shipped files have, and a machine before them.
//!
//! ```text
//!   server namespace                                            client namespace
//!   ovncp-1  10.77.1.1   n1: API 8080, DHCP 67, TFTP 69
//!   ovncp-2  10.77.1.2   n2                                 ─── 10.77.0.1  HAProxy, nginx, lb
//!   ovncp-3  10.77.1.3   n3
//!   10.77.0.9 a client, 10.77.0.5 a relay
//! ```
//!
//! Two machines, because the shipped files listen at every address: on one, no relay could have port 67 beside them.

use crate::lab::{Lab, text_of};
use crate::need;
use crate::process::{Process, run};
use crate::wait::until;
use std::path::PathBuf;
use std::process::Command;

/// What a front's program finds instead of this machine's own files: names of nodes and a certificate.
const DRESS: &str = "set -e; mount -t tmpfs tmpfs /etc/ssl; mkdir /etc/ssl/certs /etc/ssl/private; \
                     cp cert.pem /etc/ssl/certs/ovncp.crt; cp key.pem /etc/ssl/private/ovncp.key; \
                     cat cert.pem key.pem >/etc/ssl/certs/ovncp.pem; mount --bind hosts /etc/hosts; \
                     mount -t tmpfs tmpfs /run; exec \"$@\"";

/// Nodes that know nothing of each other, but have the same tokens; ended when dropped.
#[derive(Debug)]
pub struct Trio {
    // Dropped in this order: programs live in the namespace.
    nodes: Vec<Process>,
    /// More lines of every node's `[tftp]`.
    tftp: &'static str,
    pub token: String,
    pub lab: Lab,
}

impl Trio {
    /// Three nodes that are ready. `None` when this machine cannot run the test.
    #[must_use]
    pub fn new(programs: &[&str]) -> Option<Self> {
        Self::with_tftp(programs, "")
    }

    /// The same with more lines of `[tftp]`.
    #[must_use]
    pub fn with_tftp(programs: &[&str], tftp: &'static str) -> Option<Self> {
        let all: Vec<&str> = programs.iter().copied().chain(["unshare", "openssl"]).collect();
        let lab = Lab::new(&all)?;
        lab.server.ip("addr flush dev s0");
        for address in ["1.1", "1.2", "1.3", "0.5", "0.9"] {
            lab.server.ip(&format!("addr add 10.77.{address}/16 dev s0"));
        }
        lab.client.ip("addr add 10.77.0.1/16 dev c0");
        let names: String = (1..=3).map(|n| format!("10.77.1.{n} ovncp-{n}\n")).collect();
        let _ = lab.write("hosts", &format!("127.0.0.1 localhost\n{names}"));
        let made = lab.server.run(
            "openssl",
            &words("req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=ovncp.example.com"),
        );
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::create_dir(lab.path("tree")).expect("the folder is ours");
        let mut site = Self {
            nodes: Vec::new(),
            tftp,
            token: String::new(),
            lab,
        };
        site.share_tokens();
        for n in 1..=3 {
            let node = site.begin(n);
            site.nodes.push(node);
        }
        for n in 1..=3 {
            site.until_ready(n);
        }
        Some(site)
    }

    /// Lets the first node make its tokens, and gives them to the others.
    fn share_tokens(&mut self) {
        let mut first = self.begin(1);
        self.until_ready(1);
        first.signal("TERM");
        assert!(first.ended(), "{}", first.said());
        for n in 2..=3 {
            let (from, to) = (self.lab.path("n1"), self.lab.path(&format!("n{n}")));
            let copied = run(Command::new("cp").arg("-r").args([from, to]));
            assert!(
                copied.status.success(),
                "{}",
                String::from_utf8_lossy(&copied.stderr)
            );
        }
        let token = std::fs::read_to_string(self.lab.path("n1/admin-token"));
        self.token = token.expect("the node made it").trim().to_owned();
    }

    fn begin(&self, n: usize) -> Process {
        let text = format!(
            "[node]\nid = \"n{n}\"\n\n[api]\nhttp = [\"10.77.1.{n}:8080\"]\nallow_remote_http = true\n\
             https = []\nmetrics = [\"10.77.1.{n}:9090\"]\ntrusted_proxies = [\"10.77.0.1\"]\n\n\
             [dhcp]\nlisten = [\"10.77.1.{n}:67\"]\nserver_id = \"10.77.0.1\"\n\n\
             [[dhcp.subnets]]\nname = \"all\"\nnetwork = \"10.77.0.0/16\"\ngateway = \"10.77.0.1\"\n\
             pools = [\"10.77.{}.0-10.77.{}.255\"]\n\n\
             [tftp]\nlisten = [\"10.77.1.{n}:69\"]\nroot = \"{}\"\n{}",
            n * 16,
            n * 16 + 15,
            text_of(&self.lab.path("tree")),
            self.tftp
        );
        let file = self.lab.write(&format!("n{n}.toml"), &text);
        let data = text_of(&self.lab.path(&format!("n{n}")));
        let binary = text_of(&need::purlin().expect("checked before the laboratory was made"));
        let words = ["up", "--config", &file, "--data-dir", &data];
        self.lab.server.start(&format!("n{n}.log"), &binary, &words)
    }

    fn until_ready(&self, n: usize) {
        let url = format!("{}/health/ready", Self::node(n));
        until(&format!("n{n} was ready"), || self.status(&[&url]) == "200");
    }

    /// Where the API of a node is, past every front.
    #[must_use]
    pub fn node(n: usize) -> String {
        format!("http://10.77.1.{n}:8080")
    }

    /// Ends a node as a crash would.
    pub fn crash(&mut self, n: usize) {
        self.nodes[n - 1].crash();
    }

    /// Asks a node to end, and does not wait for it.
    pub fn stop(&self, n: usize) {
        self.nodes[n - 1].signal("TERM");
    }

    /// Starts a node again that has ended.
    pub fn start_again(&mut self, n: usize) {
        self.nodes[n - 1] = self.begin(n);
        self.until_ready(n);
    }

    /// A file that is shipped.
    #[must_use]
    pub fn shipped(name: &str) -> String {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../deploy")
            .join(name);
        text_of(&path.canonicalize().expect("it is shipped"))
    }

    /// Runs a front's program to its end, where it finds names and certificates; what it said, and whether all was well.
    #[must_use]
    pub fn checked(&self, program: &str, arguments: &[&str]) -> (bool, String) {
        let output = self.lab.client.run("unshare", &dressed(program, arguments));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        (output.status.success(), said.concat())
    }

    /// Starts a front's program, where it finds names and certificates.
    #[must_use]
    pub fn front(&self, program: &str, arguments: &[&str]) -> Process {
        let log = format!("{program}.log");
        self.lab
            .client
            .start(&log, "unshare", &dressed(program, arguments))
    }

    /// A command where the front is.
    #[must_use]
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        self.lab.client.command(program, arguments)
    }

    /// What curl prints where the front is.
    #[must_use]
    pub fn curl_at_front(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-s", "--max-time", "20"];
        all.extend(arguments);
        let output = self.lab.client.run("curl", &all);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What curl prints, with the admin token; certificates are not looked at.
    #[must_use]
    pub fn curl(&self, arguments: &[&str]) -> String {
        let token = format!("Authorization: Bearer {}", self.token);
        let mut all = vec!["-s", "-k", "--max-time", "20", "-H", &token];
        all.extend(arguments);
        let output = self.lab.server.run("curl", &all);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The status of an answer; 000 when there is none.
    #[must_use]
    pub fn status(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-o", "/dev/null", "-w", "%{http_code}"];
        all.extend(arguments);
        self.curl(&all)
    }

    /// The statuses of `count` requests one after another, with their numbers.
    #[must_use]
    pub fn statuses(&self, url: &str, count: usize) -> Vec<(String, usize)> {
        let token = format!("Authorization: Bearer {}", self.token);
        // One process for all of them; each is a connection of its own, and a fragment is not sent.
        let range = format!("{url}#[1-{count}]");
        let words = [
            "-s",
            "-k",
            "-H",
            &token,
            "-H",
            "Connection: close",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}\n",
            &range,
        ];
        let output = self.lab.server.run("curl", &words);
        let mut found: Vec<(String, usize)> = Vec::new();
        for status in String::from_utf8_lossy(&output.stdout).lines() {
            match found.iter_mut().find(|(known, _)| known == status) {
                Some((_, count)) => *count += 1,
                None => found.push((status.to_owned(), 1)),
            }
        }
        found
    }

    /// Opens a WebSocket at `url` and stays for so many seconds.
    #[must_use]
    pub fn websocket(&self, log: &str, url: &str, seconds: u32) -> Process {
        let (token, seconds) = (
            format!("Authorization: Bearer {}", self.token),
            seconds.to_string(),
        );
        let words = [
            "-s",
            "-k",
            "-i",
            "-N",
            "--http1.1",
            "--max-time",
            &seconds,
            "--interface",
            "10.77.0.9",
            "-H",
            &token,
            "-H",
            "Connection: Upgrade",
            "-H",
            "Upgrade: websocket",
            "-H",
            "Sec-WebSocket-Version: 13",
            "-H",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            url,
        ];
        self.lab.server.start(log, "curl", &words)
    }
}

fn dressed<'a>(program: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["-m", "sh", "-c", DRESS, "sh", program];
    all.extend(arguments);
    all
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
