//! A running `purlin up`, and the questions that tests ask it through its own command line and API.

use crate::lab::{Lab, text_of};
use crate::need;
use crate::process::Process;
use crate::space::Space;
use crate::wait::{LIMIT, within};
use serde_json::Value;
use std::process::Output;

/// A node in a namespace; stopped when dropped.
#[derive(Debug)]
pub struct Node<'lab> {
    lab: &'lab Lab,
    space: &'lab Space,
    process: Process,
}

/// A configuration for the segment of a [`Lab`]: 10.77.0.0/16 on `s0`, pool 10.77.1.0-10.77.1.255.
/// `dhcp` goes into `[dhcp]`, `subnet` into its subnet, `rest` to the end.
#[must_use]
pub fn lab_config(dhcp: &str, subnet: &str, rest: &str) -> String {
    format!(
        "[node]\nid = \"lab\"\n\n[dhcp]\ninterfaces = [\"s0\"]\n{dhcp}\n\n[[dhcp.subnets]]\nname = \"lab\"\n\
         network = \"10.77.0.0/16\"\npools = [\"10.77.1.0-10.77.1.255\"]\ngateway = \"10.77.0.1\"\n\
         dns_servers = [\"10.77.0.53\"]\n{subnet}\n\n{rest}\n"
    )
}

impl<'lab> Node<'lab> {
    pub(crate) fn start(lab: &'lab Lab, space: &'lab Space, config: &str) -> Self {
        let file = lab.write("purlin.toml", config);
        let process = Self::spawn(lab, space, &["--config", &file]);
        let mut node = Self { lab, space, process };
        node.wait_until_ready();
        node
    }

    fn spawn(lab: &Lab, space: &Space, arguments: &[&str]) -> Process {
        let (binary, data) = (binary(), text_of(&lab.path("data")));
        let mut all = vec!["up", "--data-dir", &data];
        all.extend(arguments);
        space.start("node.log", &binary, &all)
    }

    fn wait_until_ready(&mut self) {
        let ready = within(LIMIT, || {
            if !self.process.is_running() {
                return Some(false);
            }
            let file = self.lab.path("data").join("node.json").is_file();
            (file
                && self.curl(&[
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code}",
                    "http://127.0.0.1:8080/health/ready",
                ]) == "200")
                .then_some(true)
        });
        assert_eq!(
            ready,
            Some(true),
            "the node did not become ready\n{}",
            self.process.said()
        );
    }

    /// Ends it as a crash would, and starts it again on the same data.
    pub fn crash_and_restart(&mut self) {
        self.crash();
        let file = text_of(&self.lab.path("purlin.toml"));
        self.process = Self::spawn(self.lab, self.space, &["--config", &file]);
        self.wait_until_ready();
    }

    /// Ends it as a crash would.
    pub fn crash(&mut self) {
        self.process.crash();
        // It had no chance to take its note away.
        let _ = std::fs::remove_file(self.lab.path("data").join("node.json"));
    }

    /// The process itself.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// `purlin ...` on the node's machine.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let data = text_of(&self.lab.path("data"));
        let mut all = arguments.to_vec();
        all.extend(["--data-dir", &data]);
        self.space.run(&binary(), &all)
    }

    /// What a command says that must succeed.
    ///
    /// # Panics
    ///
    /// When it fails; with what it said.
    #[must_use]
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "purlin {}: {text}{errors}\n{}",
            arguments.join(" "),
            self.process.said()
        );
        text
    }

    /// The JSON that a command prints with `-o json`.
    ///
    /// # Panics
    ///
    /// When it fails or prints something else.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["-o", "json"]);
        let text = self.says(&all);
        serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{cause} in {text}"))
    }

    /// What curl says on the node's machine; quiet, bounded in time.
    #[must_use]
    pub fn curl(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-s", "--max-time", "20"];
        all.extend(arguments);
        String::from_utf8_lossy(&self.space.run("curl", &all).stdout).into_owned()
    }

    /// The body of `GET path` with the admin token.
    ///
    /// # Panics
    ///
    /// When it is not JSON.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let token = format!("authorization: Bearer {}", self.token());
        let text = self.curl(&["-H", &token, &format!("http://127.0.0.1:8080{path}")]);
        serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{cause}: {path} says {text}"))
    }

    /// Status and body of a request with the admin token and perhaps a JSON body.
    ///
    /// # Panics
    ///
    /// When the answer is no JSON.
    #[must_use]
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let token = format!("authorization: Bearer {}", self.token());
        let url = format!("http://127.0.0.1:8080{path}");
        let body = body.map(Value::to_string);
        let mut arguments = vec!["-w", "\n%{http_code}", "-X", method, "-H", &token, &url];
        if let Some(body) = &body {
            arguments.extend(["-H", "content-type: application/json", "-d", body]);
        }
        let said = self.curl(&arguments);
        let (body, status) = said.rsplit_once('\n').unwrap_or_default();
        let body = if body.is_empty() { "null" } else { body };
        let body = serde_json::from_str(body).unwrap_or_else(|cause| panic!("{cause}: {path} says {said}"));
        (status.parse().unwrap_or_default(), body)
    }

    /// The body of such a request, which must succeed.
    ///
    /// # Panics
    ///
    /// When it does not; with what was answered.
    #[must_use]
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = (!body.is_null()).then_some(body);
        let (status, answer) = self.ask(method, path, body);
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer:#}\n{}",
            self.process.said()
        );
        answer
    }

    /// The admin token that the node made.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn token(&self) -> String {
        let file = self.lab.path("data").join("admin-token");
        std::fs::read_to_string(file)
            .expect("a ready node has an admin token")
            .trim()
            .to_owned()
    }

    /// All leases in a state, as the API shows them.
    ///
    /// # Panics
    ///
    /// When the list cannot be had.
    #[must_use]
    pub fn leases(&self, state: &str) -> Vec<Value> {
        let list = self.json(&["dhcp", "lease", "list", "--state", state]);
        let items = list.get("items").unwrap_or(&list);
        items.as_array().expect("a list of leases").clone()
    }
}

fn binary() -> String {
    text_of(&need::purlin().expect("checked before the laboratory was made"))
}
