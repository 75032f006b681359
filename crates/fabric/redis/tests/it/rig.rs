//! Real servers for one test each.

mod cluster;
mod sentinel;
mod server;

pub(crate) use cluster::Cluster;
pub(crate) use sentinel::Watched;
pub(crate) use server::Server;

use purlin_fabric_redis::{Address, RedisHints, Settings, State, Topology};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest that anything may take, on the most loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether Redis can be started here. If not, says so; the test then returns. In CI it fails instead.
pub(crate) fn met() -> bool {
    // The last one ends a server whose test was killed.
    let missing: Vec<&str> = ["redis-server", "setpriv"]
        .into_iter()
        .filter(|name| program(name).is_none())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let reason = format!("not installed: {}", missing.join(" "));
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!ci, "{test} cannot run: {reason}");
    eprintln!("skipped {test}: {reason}");
    if let Some(file) = std::env::var_os("PURLIN_TEST_SKIPS") {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // Only the sum at the end suffers when this cannot be written.
        let _ = opened.and_then(|mut file| {
            use std::io::Write;
            writeln!(file, "{test}: {reason}")
        });
    }
    false
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders
        .map(|folder| Path::new(folder).join(name))
        .find(|file| file.is_file())
}

/// Settings with short times, for tests that wait for recoveries.
pub(crate) fn quick(topology: Topology) -> Settings {
    let mut settings = Settings::new(topology);
    settings.timeout = Duration::from_millis(1000);
    settings.probe_every = Duration::from_millis(200);
    settings.back_off = (Duration::from_millis(20), Duration::from_millis(200));
    settings
}

pub(crate) fn single(address: &Address) -> Settings {
    quick(Topology::Single(vec![address.clone()]))
}

pub(crate) fn connect(settings: Settings) -> RedisHints {
    RedisHints::connect(settings).expect("good settings")
}

/// Connects and waits until both lines are ready.
pub(crate) async fn ready(settings: Settings) -> RedisHints {
    let hints = connect(settings);
    becomes_ready(&hints).await;
    hints
}

pub(crate) async fn becomes_ready(hints: &RedisHints) {
    for mut line in [hints.state(), hints.listening()] {
        let ready = line.wait_for(|state| *state == State::Ready);
        let outcome = tokio::time::timeout(PATIENCE, ready).await.map(|_| ());
        assert!(outcome.is_ok(), "{}", hints.state().borrow().clone());
    }
}

pub(crate) async fn becomes_away(hints: &RedisHints) -> State {
    let mut state = hints.state();
    let away = state.wait_for(|state| matches!(state, State::Away { .. }));
    let away = tokio::time::timeout(PATIENCE, away).await;
    away.expect("away in time").expect("the line is tended").clone()
}

/// Tries until it is so; the time between tries is the machine's to give.
pub(crate) async fn eventually<T>(what: &str, mut try_it: impl AsyncFnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    while Instant::now() < until {
        if let Some(value) = try_it().await {
            return value;
        }
        pause.tick().await;
    }
    panic!("not in time: {what}");
}

/// What it gives, if it does not hang.
pub(crate) async fn promptly<T>(what: impl Future<Output = T>) -> T {
    let bounded = tokio::time::timeout(PATIENCE, what).await;
    bounded.expect("nothing hangs")
}
