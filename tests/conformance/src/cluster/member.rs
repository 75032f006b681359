//! One node of a cluster, and the questions that tests ask it.

use super::{bound_to_us, free_port};
use crate::lab::text_of;
use crate::process::{Process, run};
use crate::wait::{LIMIT, within};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running `purlin up`.
#[derive(Debug)]
pub struct Member {
    pub id: String,
    pub process: Process,
    /// UDP port of its DHCP server.
    pub dhcp: u16,
    api: u16,
    data: PathBuf,
}

impl Member {
    pub(super) fn start(id: &str, data: &Path, database: u16, redis: Option<u16>) -> Self {
        let (api, peers, dhcp) = (free_port(), free_port(), free_port());
        let file = data.with_extension("toml");
        let coordination = redis.map_or_else(String::new, |port| {
            format!("[coordination]\nengine = \"redis\"\nurl = \"redis://127.0.0.1:{port}\"\n\n")
        });
        let text = format!(
            "[node]\nid = \"{id}\"\n\n[api]\nhttp = [\"127.0.0.1:{api}\"]\nhttps = []\nmetrics = []\n\n\
             [store]\nengine = \"postgres\"\nurl = \"postgresql://purlin@127.0.0.1:{database}/purlin\"\n\n\
             {coordination}\
             [cluster]\nenabled = true\nnode_ip = \"127.0.0.1\"\nsecret = \"a secret of sixteen octets\"\n\
             peer_port = {peers}\ntakeover = \"fast\"\n\n\
             [dhcp]\nlisten = [\"127.0.0.1:{dhcp}\"]\nserver_id = \"10.0.0.1\"\n\n\
             [[dhcp.subnets]]\nname = \"all\"\nnetwork = \"10.0.0.0/16\"\ngateway = \"10.0.0.1\"\n\
             pools = [\"10.0.1.0-10.0.255.254\"]\n"
        );
        std::fs::write(&file, text).expect("the folder is ours");
        let mut command = bound_to_us("purlin", "KILL");
        command.args(["up", "--data-dir", &text_of(data), "--config", &text_of(&file)]);
        let process = Process::start(command, data.with_extension("log"));
        Self {
            id: id.to_owned(),
            process,
            dhcp,
            api,
            data: data.to_owned(),
        }
    }

    /// Status and body of `GET path` with the admin token; `None` while it does not answer.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(u16, Value)> {
        let token = std::fs::read_to_string(self.data.join("admin-token")).ok()?;
        let token = format!("authorization: Bearer {}", token.trim());
        let url = format!("http://127.0.0.1:{}{path}", self.api);
        let mut curl = Command::new("curl");
        curl.args([
            "-s",
            "--max-time",
            "10",
            "-w",
            "\n%{http_code}",
            "-H",
            &token,
            &url,
        ]);
        let said = String::from_utf8_lossy(&run(&mut curl).stdout).into_owned();
        let (body, status) = said.rsplit_once('\n')?;
        Some((status.parse().ok()?, serde_json::from_str(body).ok()?))
    }

    /// What `purlin ...` says when it asks this node.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn says(&self, arguments: &[&str]) -> String {
        let mut command = bound_to_us("purlin", "KILL");
        let output = run(command.args(arguments).args(["--data-dir", &text_of(&self.data)]));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        assert!(
            output.status.success(),
            "{arguments:?}: {said:?}\n{}",
            self.process.said()
        );
        said.concat()
    }

    /// All nodes as this one sees them.
    #[must_use]
    pub fn members(&self) -> Option<Vec<Value>> {
        let (_, body) = self.get("/api/v1/cluster/nodes")?;
        body["items"].as_array().cloned()
    }

    /// Whether it counts as ready, and the checks that do not pass, as one text.
    #[must_use]
    pub fn readiness(&self) -> Option<(bool, String)> {
        let (status, body) = self.get("/health/ready")?;
        let failed = body["checks"]
            .as_array()?
            .iter()
            .filter(|check| check["state"] != "pass");
        let says: Vec<String> = failed.map(|check| check["says"].to_string()).collect();
        Some((status == 200, says.join("; ")))
    }

    /// Waits until `holds`.
    ///
    /// # Panics
    /// When it does not; with what the node said.
    pub fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let held = within(LIMIT, || holds().then_some(()));
        assert!(
            held.is_some(),
            "waited in vain until {what}\n{:?}\n{:?}\n{}",
            self.get("/api/v1/cluster/nodes"),
            self.get("/health"),
            self.process.said()
        );
    }
}
