//! Two network namespaces joined by a cable: `s0` with 10.77.0.1/24 and `c0`.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::time::{Duration, Instant};

/// The pair; removed when dropped.
pub(crate) struct Pair {
    server: String,
    client: String,
}

impl Pair {
    /// `None` when not root, which CI=true does not allow. `name` keeps tests that run at once apart.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        let insist = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(
            root || !insist,
            "network namespaces need root, and CI=true insists"
        );
        if !root {
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let base = format!("dhcp-{name}-{}", std::process::id());
        let pair = Self {
            server: format!("{base}-s"),
            client: format!("{base}-c"),
        };
        let (s, c) = (&pair.server, &pair.client);
        ip(&format!("netns add {s}"));
        ip(&format!("netns add {c}"));
        ip(&format!("-n {s} link add s0 type veth peer name c0 netns {c}"));
        ip(&format!("-n {s} addr add 10.77.0.1/24 dev s0"));
        ip(&format!("-n {s} link set s0 up"));
        pair.ip_client("link set c0 up");
        await_link(s, "s0");
        await_link(c, "c0");
        Some(pair)
    }

    pub(crate) fn ip_client(&self, line: &str) {
        ip(&format!("-n {} {line}", self.client));
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

fn ip(line: &str) {
    let status = Command::new("ip")
        .args(line.split(' '))
        .status()
        .expect("iproute2 is installed");
    assert!(status.success(), "ip {line}");
}

/// Runs `work` on a thread of its own inside a namespace; sockets and threads made there stay there.
fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = scope.spawn(move || {
            let file = File::open(format!("/run/netns/{namespace}")).expect("the namespace is there");
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("root may move");
            work()
        });
        inside.join().expect("the work inside succeeds")
    })
}
