//! Clients behind a relay, and what they found: `purlin bench dhcp` against one of the nodes.

use super::{Cluster, Member, RELAY, bound_to_us};
use crate::lab::text_of;
use crate::process::{Process, run};
use serde_json::Value;

/// What a run of `purlin bench dhcp -o json` says.
#[derive(Debug)]
pub struct Report(pub Value);

impl Report {
    /// A report in what a finished run printed.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let begin = text.find('{').unwrap_or_else(|| panic!("no report in {text}"));
        let mut values = serde_json::Deserializer::from_str(&text[begin..]).into_iter();
        let value = values.next().and_then(Result::ok);
        Self(value.unwrap_or_else(|| panic!("no report in {text}")))
    }

    /// Operations of a phase that came to their good end.
    #[must_use]
    pub fn done(&self, phase: &str) -> u64 {
        let phases = self.0["phases"].as_array().into_iter().flatten();
        let named = phases.filter(|one| one["name"] == phase);
        named.filter_map(|one| one["done"].as_u64()).sum()
    }

    /// Operations of a phase whose client was left alone until it gave up. One that is refused (NAK) begins anew at once.
    #[must_use]
    pub fn timed_out(&self, phase: &str) -> u64 {
        let phases = self.0["phases"].as_array().into_iter().flatten();
        let named = phases.filter(|one| one["name"] == phase);
        let operations = named.filter_map(|one| one["operations"].as_array()).flatten();
        operations.filter_map(|one| one["timed_out"].as_u64()).sum()
    }

    /// Datagrams of a phase that were sent once more because no answer had come.
    #[must_use]
    pub fn retransmitted(&self, phase: &str) -> u64 {
        let phases = self.0["phases"].as_array().into_iter().flatten();
        let named = phases.filter(|one| one["name"] == phase);
        named.filter_map(|one| one["retransmitted"].as_u64()).sum()
    }

    /// Addresses that clients believe to be theirs.
    #[must_use]
    pub fn leases(&self) -> u64 {
        self.0["verification"]["leases"].as_u64().unwrap_or_default()
    }

    /// No promise was broken, whatever else.
    ///
    /// # Panics
    /// When one was.
    pub fn kept_every_promise(&self) {
        let found = self.0["verification"]["violations"].as_array();
        assert!(found.is_some_and(Vec::is_empty), "{:#}", self.0);
    }
}

impl Cluster {
    /// Runs a load of `arguments` through a node to its end.
    #[must_use]
    pub fn load(&self, node: &Member, arguments: &[&str]) -> Report {
        let mut command = self.bench(node, arguments);
        let output = run(&mut command);
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8_lossy(&octets).into_owned());
        Report::read(&said.concat())
    }

    /// Starts a load of `arguments` through a node.
    #[must_use]
    pub fn start_load(&self, node: &Member, arguments: &[&str]) -> Process {
        let command = self.bench(node, arguments);
        Process::start(command, self.path("load.log"))
    }

    /// Gives `clients` their addresses through a node; the file with what they have then.
    ///
    /// # Panics
    /// When one is not served, or a promise is broken.
    #[must_use]
    pub fn give(&self, node: &Member, seed: u32, clients: u64) -> String {
        let file = text_of(&self.path(&format!("leases-{seed}")));
        let (clients_text, operations) = (clients.to_string(), (2 * clients).to_string());
        let report = self.load(
            node,
            &[
                "--clients",
                &clients_text,
                "--operations",
                &operations,
                "--seed",
                &seed.to_string(),
                "--save-leases",
                &file,
            ],
        );
        report.kept_every_promise();
        assert_eq!(report.done("load"), 2 * clients, "{:#}", report.0);
        assert_eq!(report.leases(), clients, "{:#}", report.0);
        file
    }

    /// Asks through a node whether everybody in `file` still has its address; strangers go first.
    ///
    /// # Panics
    /// When one of `owners` has another or none, or a promise is broken.
    pub fn verify(&self, node: &Member, file: &str, owners: u64) {
        let report = self.load(node, &["--verify-leases", file]);
        report.kept_every_promise();
        assert_eq!(report.done("owners"), owners, "{:#}", report.0);
        assert!(report.done("strangers") > 0, "{:#}", report.0);
    }

    fn bench(&self, node: &Member, arguments: &[&str]) -> std::process::Command {
        let mut command = bound_to_us("purlin", "KILL");
        command
            .args([
                "bench",
                "dhcp",
                &format!("127.0.0.1:{}", node.dhcp),
                "--relay",
                RELAY,
            ])
            .args(["-q", "-o", "json"])
            .args(arguments)
            .current_dir(self.path(""));
        command
    }
}
