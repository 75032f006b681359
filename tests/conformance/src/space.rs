//! A network namespace.

use crate::process::{Process, kill, run};
use crate::wait::within;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A network namespace with a loopback; gone, with all that runs in it, when dropped.
#[derive(Debug)]
pub struct Space {
    name: String,
    /// Where logs of its programs go.
    folder: PathBuf,
}

impl Space {
    pub(crate) fn make(what: &str, folder: PathBuf) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pu{}-{what}{number}", std::process::id());
        ip(&format!("netns add {name}"));
        let space = Self { name, folder };
        space.ip("link set lo up");
        space
    }

    /// Joins this namespace's interface `own` with `theirs` of the other by a cable.
    pub fn join(&self, own: &str, other: &Self, theirs: &str) {
        self.ip(&format!(
            "link add {own} type veth peer name {theirs} netns {}",
            other.name
        ));
        self.ip(&format!("link set {own} up"));
        other.ip(&format!("link set {theirs} up"));
        await_link(&self.name, own);
        await_link(&other.name, theirs);
    }

    /// `ip ...` in this namespace.
    ///
    /// # Panics
    ///
    /// When the kernel refuses.
    pub fn ip(&self, words: &str) {
        ip(&format!("-n {} {words}", self.name));
    }

    /// One more host on the wire of `link`, with a hardware address of its own.
    pub fn host(&self, name: &str, link: &str, mac: &str) {
        self.ip(&format!("link add {name} link {link} type macvlan mode bridge"));
        self.ip(&format!("link set {name} address {mac}"));
        self.ip(&format!("link set {name} up"));
    }

    /// A command in this namespace.
    #[must_use]
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.name, program])
            .args(arguments);
        command.current_dir(&self.folder);
        command
    }

    /// Runs a command to its end, for a minute and a half at most.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let all: Vec<&str> = ["-k", "5", "90", program]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        run(&mut self.command("timeout", &all))
    }

    /// Starts a program whose words go to `log` in the laboratory's folder.
    #[must_use]
    pub fn start(&self, log: &str, program: &str, arguments: &[&str]) -> Process {
        Process::start(self.command(program, arguments), self.folder.join(log))
    }

    /// Processes in this namespace, only ever ours.
    fn processes(&self) -> Vec<u32> {
        let output = run(Command::new("ip").args(["netns", "pids", &self.name]));
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| line.trim().parse().ok())
            .collect()
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        // Clients that went into the background (dhcpcd) are still in the namespace.
        for signal in ["TERM", "KILL"] {
            for pid in self.processes() {
                kill(pid, signal);
            }
            if within(Duration::from_secs(1), || {
                self.processes().is_empty().then_some(())
            })
            .is_some()
            {
                break;
            }
        }
        let _ = run(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

fn ip(words: &str) {
    let output = run(Command::new("ip").args(words.split_whitespace()));
    assert!(
        output.status.success(),
        "ip {words}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Waits until the kernel has noticed that an end is up: what is sent before that is dropped without a word.
fn await_link(namespace: &str, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let shown = Command::new("ip")
            .args(["-n", namespace, "-br", "link", "show", name])
            .output()
            .expect("iproute2 is installed");
        if String::from_utf8_lossy(&shown.stdout).contains(" UP ") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{name} in {namespace} does not come up"
        );
    }
}
