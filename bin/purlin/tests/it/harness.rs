//! Starting the binary, and waiting for what it says.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A configuration that binds nothing fixed.
pub(crate) const CONFIG: &str = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]

[dhcp]
listen = ["127.0.0.1:0"]

[[dhcp.subnets]]
name = "lab"
network = "10.9.0.0/16"
pools = ["10.9.1.0-10.9.250.255"]
relays = ["127.0.0.0/8"]
gateway = "10.9.0.1"
lease_time = "1h"
"#;

/// A node that keeps a northbound in its own process.
pub(crate) const OVN: &str = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]

[ovn]
enabled = true
own = "in_process"
"#;

/// A command in `dir` without the environment of whoever runs the tests.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_purlin"));
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    command
}

/// How a finished command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the binary to its end in `dir`.
pub(crate) fn run_in<S: AsRef<OsStr>>(dir: &Path, arguments: &[S]) -> Ended {
    command(dir)
        .args(arguments)
        .output()
        .expect("the binary was built for this test")
        .into()
}

/// Runs the binary to its end in an empty directory.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    let dir = TempDir::new().expect("there is room for an empty directory");
    run_in(dir.path(), arguments)
}

/// A node of its own directory; killed when the test ends before it.
pub(crate) struct Node {
    pub(crate) dir: TempDir,
    pub(crate) ready_after: Duration,
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Node {
    /// Starts with this configuration and waits until it is up.
    pub(crate) fn start(config: &str) -> Self {
        let dir = TempDir::new().expect("there is room for a data directory");
        Self::start_in(dir, config)
    }

    /// Starts in a directory that may hold an earlier life.
    pub(crate) fn start_in(dir: TempDir, config: &str) -> Self {
        std::fs::write(dir.path().join("purlin.toml"), config).expect("the directory is ours");
        let began = Instant::now();
        let mut child = command(dir.path())
            .args(["up", "--config", "purlin.toml"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built for this test");
        let out = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let err = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut node = Self {
            dir,
            ready_after: Duration::ZERO,
            child,
            out,
            err,
        };
        node.wait_up();
        node.ready_after = began.elapsed();
        node
    }

    fn wait_up(&mut self) {
        let up = self
            .out
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains(" is up "));
        if up.is_none() {
            let said: Vec<String> = self.err.by_ref().map_while(Result::ok).collect();
            panic!("the node did not come up: {}", said.join("\n"));
        }
    }

    /// Reads what is printed at the start, up to the advice that ends it.
    pub(crate) fn facts(&mut self) -> String {
        let lines = self.out.by_ref().map_while(Result::ok);
        let facts: Vec<String> = lines.take_while(|line| !line.contains("try next")).collect();
        facts.join("\n")
    }

    /// Runs a command against this node, by its directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        run_in(self.dir.path(), arguments)
    }

    /// The command's JSON answer.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let ended = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        serde_json::from_str(&ended.out).unwrap_or_else(|cause| panic!("{cause}: {}", ended.out))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the node runs");
    }

    /// Reads the log until a line holds `part`.
    pub(crate) fn wait_log(&mut self, part: &str) -> String {
        let found = self
            .err
            .by_ref()
            .map_while(Result::ok)
            .find(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("the node ended without saying {part:?}"))
    }

    /// Asks it to stop and waits for the end; the directory stays for another life.
    pub(crate) fn stop(self) -> (ExitStatus, TempDir) {
        self.stop_by(Signal::TERM)
    }

    pub(crate) fn stop_by(mut self, signal: Signal) -> (ExitStatus, TempDir) {
        self.signal(signal);
        let status = self.child.wait().expect("the node was started by us");
        let empty = TempDir::new().expect("there is room for an empty directory");
        (status, std::mem::replace(&mut self.dir, empty))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(mut out) = self.child.stdout.take() {
            let _ = out.read_to_string(&mut String::new());
        }
    }
}
