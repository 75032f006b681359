//! Two network namespaces joined by a veth pair, for tests: `s0` 10.77.0.1/24 and `c0` 10.77.0.2/24.

use crate::{Poller, Ready, Trigger};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether a test that needs root can run; says so when not, and insists under CI.
pub(crate) fn root_only(what: &str) -> bool {
    // SAFETY: takes nothing, cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let insist = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(root || !insist, "{what} need root, and CI=true insists");
    if !root {
        eprintln!("skipped: {what} need root");
    }
    root
}

/// Waits until `source` can be read.
pub(crate) fn readable(source: &impl AsFd, at_most: Duration) {
    let poller = Poller::new().unwrap();
    poller.add(source, 0, Trigger::Level).unwrap();
    let mut ready = Ready::default();
    poller.wait(&mut ready, Some(at_most)).unwrap();
    assert_eq!(ready.tokens(), [0], "nothing arrived within {at_most:?}");
}

/// The pair; removed when dropped.
pub(crate) struct Pair {
    server: String,
    client: String,
}

impl Pair {
    /// `None` when not root. `name` keeps tests that run at once apart.
    pub(crate) fn new(name: &str) -> Option<Self> {
        if !root_only("network namespaces") {
            return None;
        }
        let base = format!("nio-{name}-{}", std::process::id());
        let pair = Self {
            server: format!("{base}-s"),
            client: format!("{base}-c"),
        };
        let (s, c) = (pair.server.as_str(), pair.client.as_str());
        for line in [
            format!("netns add {s}"),
            format!("netns add {c}"),
            format!("-n {s} link add s0 type veth peer name c0 netns {c}"),
            format!("-n {s} addr add 10.77.0.1/24 dev s0"),
            format!("-n {c} addr add 10.77.0.2/24 dev c0"),
            format!("-n {s} link set s0 up"),
            format!("-n {c} link set c0 up"),
        ] {
            let status = Command::new("ip")
                .args(line.split(' '))
                .status()
                .expect("iproute2 is installed");
            assert!(status.success(), "ip {line}");
        }
        await_link(s, "s0");
        await_link(c, "c0");
        Some(pair)
    }

    pub(crate) fn in_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(&self.server, work)
    }

    pub(crate) fn in_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        within(&self.client, work)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for name in [&self.server, &self.client] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

/// Waits until the kernel has noticed that both ends are up: what is sent before that is dropped without a word.
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

/// Runs `work` on a thread of its own inside a namespace; sockets opened there stay there.
fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = scope.spawn(move || {
            let file = File::open(format!("/run/netns/{namespace}")).unwrap();
            // SAFETY: a live descriptor; only this thread changes namespace.
            assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            work()
        });
        inside.join().unwrap()
    })
}
