//! Prometheus, looking at every node of a [`Cluster`] once a second.

use super::{Cluster, bound_to_us, free_port};
use crate::lab::text_of;
use crate::need;
use crate::process::{Process, run};
use crate::wait::within;
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// A running Prometheus.
#[derive(Debug)]
pub struct Watcher {
    process: Process,
    port: u16,
}

impl Cluster {
    /// Starts one. `None` when this machine has none.
    #[must_use]
    pub fn watched(&self) -> Option<Watcher> {
        if !need::met_plainly(&["prometheus", "curl"]) {
            return None;
        }
        let targets: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("'{}'", node.metrics))
            .collect();
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: purlin\n  static_configs:\n  - targets: [{}]\n",
            targets.join(", ")
        );
        let (file, port) = (self.path("prometheus.yml"), free_port());
        std::fs::write(&file, text).expect("the folder is ours");
        let mut command = bound_to_us("prometheus", "KILL");
        command
            .arg(format!("--config.file={}", text_of(&file)))
            .arg(format!(
                "--storage.tsdb.path={}",
                text_of(&self.path("prometheus"))
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let process = Process::start(command, self.path("prometheus.log"));
        Some(Watcher { process, port })
    }
}

impl Watcher {
    /// Waits until a query has this value at every series of its answer, and as many series as wanted.
    ///
    /// # Panics
    /// When it does not come to that.
    pub fn until(&self, query: &str, series: usize, value: &str) {
        let mut last = Value::Null;
        let found = within(Duration::from_secs(30), || {
            last = self.ask(query)?;
            let all = last.as_array()?;
            let right = all.iter().filter(|one| one["value"][1] == value).count();
            (right == all.len() && right == series).then_some(())
        });
        let said = self.process.said();
        assert!(
            found.is_some(),
            "{query} is not {value} at {series} series: {last:#}\n{said}"
        );
    }

    /// Whether it is a query that Prometheus can answer, if only by nothing.
    #[must_use]
    pub fn reads(&self, query: &str) -> bool {
        self.ask(query).is_some_and(|result| result.is_array())
    }

    fn ask(&self, query: &str) -> Option<Value> {
        let mut curl = Command::new("curl");
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.port);
        curl.args([
            "-s",
            "--max-time",
            "5",
            "-G",
            "--data-urlencode",
            &format!("query={query}"),
            &url,
        ]);
        let mut said: Value = serde_json::from_slice(&run(&mut curl).stdout).ok()?;
        Some(said["data"]["result"].take())
    }
}
