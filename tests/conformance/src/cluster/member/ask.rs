//! Questions that change something, and commands that may fail.

use super::Member;
use crate::process::run;
use serde_json::Value;

impl Member {
    /// Status and body of a request with the admin token and perhaps a JSON body; `None` while it does not answer.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let token = std::fs::read_to_string(self.data.join("admin-token")).ok()?;
        self.ask_as(token.trim(), method, path, body)
    }

    /// The same with another token.
    #[must_use]
    pub fn ask_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, Value)> {
        let token = format!("authorization: Bearer {token}");
        let url = format!("http://{}{path}", self.api);
        let mut curl = self.command("curl");
        curl.args(["-s", "--max-time", "10", "-w", "\n%{http_code}", "-X", method]);
        curl.args(["-H", &token, &url]);
        if let Some(body) = body {
            curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
        }
        let said = String::from_utf8_lossy(&run(&mut curl).stdout).into_owned();
        let (body, status) = said.rsplit_once('\n')?;
        let body = if body.is_empty() { "null" } else { body };
        Some((status.parse().ok()?, serde_json::from_str(body).ok()?))
    }

    /// Whether `purlin ...` ends well when it asks this node, and what it says.
    #[must_use]
    pub fn tries(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = self.command("purlin");
        let output = run(command.args(self.asked(arguments)));
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        (output.status.success(), said.concat())
    }

    /// The port at which other nodes reach this one.
    #[must_use]
    pub fn peers_port(&self) -> u16 {
        self.peers
    }

    /// Where other nodes call this one.
    #[must_use]
    pub fn peers_url(&self) -> String {
        format!("https://{}:{}", self.metrics.ip(), self.peers)
    }

    /// `curl` on this node's machine: its exit code, and what it printed.
    #[must_use]
    pub fn curl(&self, arguments: &[&str]) -> (i32, String) {
        let mut curl = self.command("curl");
        let output = run(curl.args(["-s", "--max-time", "10"]).args(arguments));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap_or(-1), said)
    }

    /// All its metrics, as a scraper sees them; nothing while it does not answer.
    #[must_use]
    pub fn metrics_text(&self) -> String {
        let mut curl = self.command("curl");
        curl.args([
            "-s",
            "--max-time",
            "10",
            &format!("http://{}/metrics", self.metrics),
        ]);
        String::from_utf8_lossy(&run(&mut curl).stdout).into_owned()
    }
}
