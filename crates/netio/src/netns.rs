//! Network namespaces for tests, joined by veth pairs. Behind the feature `netns`: nothing of it is in the product.
//!
//! ```text
//!   Pair:  server ── s0 10.77.0.1/24 ═══ c0 ── client
//! ```
//!
//! Tests need root for this; without it they say so and pass, except where `CI=true` insists.

use crate::{Poller, Ready, Trigger};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a link may take to come up.
const LINK_LIMIT: Duration = Duration::from_secs(10);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Whether a test that needs root can run; says so when not.
///
/// # Panics
/// Without root when `CI=true`.
#[must_use]
pub fn root_only(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    let insist = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(root || !insist, "{what} need root, and CI=true insists");
    if !root {
        eprintln!("skipped: {what} need root");
    }
    root
}

/// Waits until `source` can be read.
///
/// # Panics
/// When nothing arrives in time.
pub fn readable(source: &impl AsFd, at_most: Duration) {
    let poller = Poller::new().expect("a poller can be opened");
    poller
        .add(source, 0, Trigger::Level)
        .expect("a socket can be watched");
    let mut ready = Ready::default();
    poller.wait(&mut ready, Some(at_most)).expect("waiting works");
    assert_eq!(ready.tokens(), [0], "nothing arrived within {at_most:?}");
}

/// One namespace; removed when dropped. Programs in it must have ended by then.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// `None` when not root. `what` is for whoever looks at `ip netns`.
    ///
    /// # Panics
    /// When the kernel refuses, or without root when `CI=true`.
    #[must_use]
    pub fn new(what: &str) -> Option<Self> {
        if !root_only("network namespaces") {
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pu{}-{what}{number}", std::process::id());
        ip(&format!("netns add {name}"));
        Some(Self { name })
    }

    /// As `ip netns` knows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `ip ...` in this namespace.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn ip(&self, words: &str) {
        ip(&format!("-n {} {words}", self.name));
    }

    /// Joins a new interface `own` here with `theirs` in the other namespace; both are up afterwards.
    ///
    /// # Panics
    /// When the kernel refuses, or the link does not come up.
    pub fn join(&self, own: &str, other: &Self, theirs: &str) {
        self.ip(&format!(
            "link add {own} type veth peer name {theirs} netns {}",
            other.name
        ));
        self.ip(&format!("link set {own} up"));
        other.ip(&format!("link set {theirs} up"));
        self.await_link(own);
        other.await_link(theirs);
    }

    /// Runs `work` on a thread of its own inside; sockets and threads made there stay there.
    ///
    /// # Panics
    /// When `work` does.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let file = File::open(format!("/run/netns/{}", self.name)).expect("the namespace is there");
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                    .expect("root may move");
                work()
            });
            inside
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Waits until the kernel has noticed that an end is up: what is sent before that is dropped without a word.
    fn await_link(&self, interface: &str) {
        let deadline = Instant::now() + LINK_LIMIT;
        loop {
            let shown = Command::new("ip")
                .args(["-n", &self.name, "-br", "link", "show", interface])
                .output()
                .expect("iproute2 is installed");
            if String::from_utf8_lossy(&shown.stdout).contains(" UP ") {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{interface} in {} does not come up",
                self.name
            );
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

/// A server's and a client's namespace: `s0` with 10.77.0.1/24, joined with `c0`, which has no address.
#[derive(Debug)]
pub struct Pair {
    pub server: Namespace,
    pub client: Namespace,
}

impl Pair {
    /// `None` when not root.
    ///
    /// # Panics
    /// As [`Namespace::new`] and [`Namespace::join`].
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let pair = Self {
            server: Namespace::new(&format!("{name}-s"))?,
            client: Namespace::new(&format!("{name}-c"))?,
        };
        pair.server.join("s0", &pair.client, "c0");
        pair.server.ip("addr add 10.77.0.1/24 dev s0");
        Some(pair)
    }

    /// The same, and 10.77.0.2/24 on `c0`.
    ///
    /// # Panics
    /// As [`Self::new`].
    #[must_use]
    pub fn addressed(name: &str) -> Option<Self> {
        let pair = Self::new(name)?;
        pair.client.ip("addr add 10.77.0.2/24 dev c0");
        Some(pair)
    }

    /// [`Namespace::run`] as the server.
    pub fn in_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.server.run(work)
    }

    /// [`Namespace::run`] as the client.
    pub fn in_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.client.run(work)
    }
}

fn ip(words: &str) {
    let output = Command::new("ip")
        .args(words.split_whitespace())
        .output()
        .expect("iproute2 is installed");
    assert!(
        output.status.success(),
        "ip {words}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
