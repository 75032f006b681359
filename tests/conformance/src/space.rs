//! A network namespace.

use crate::process::{Process, kill, run};
use crate::wait::within;
use purlin_netio::netns::Namespace;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

/// A network namespace with a loopback; gone, with all that runs in it, when dropped.
#[derive(Debug)]
pub struct Space {
    namespace: Namespace,
    /// Where logs of its programs go.
    folder: PathBuf,
}

impl Space {
    pub(crate) fn make(what: &str, folder: PathBuf) -> Self {
        let namespace = Namespace::new(what).expect("root: checked before the laboratory was made");
        let space = Self { namespace, folder };
        space.ip("link set lo up");
        space
    }

    /// Joins this namespace's interface `own` with `theirs` of the other by a cable.
    pub fn join(&self, own: &str, other: &Self, theirs: &str) {
        self.namespace.join(own, &other.namespace, theirs);
    }

    /// `ip ...` in this namespace.
    ///
    /// # Panics
    ///
    /// When the kernel refuses.
    pub fn ip(&self, words: &str) {
        self.namespace.ip(words);
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
            .args(["netns", "exec", self.namespace.name(), program])
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

    /// Runs `work` on a thread of its own in this namespace; sockets made there stay there.
    pub(crate) fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(work)
    }

    /// Processes in this namespace, only ever ours.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let output = run(Command::new("ip").args(["netns", "pids", self.namespace.name()]));
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
    }
}
