//! Redis on three hosts, each with a Sentinel beside it.

use super::wire::Host;
use crate::cluster::program;
use crate::lab::text_of;
use crate::process::Process;
use crate::wait::until;
use std::path::Path;
use std::sync::Arc;

const PORT: &str = "6379";
const SENTINEL_PORT: &str = "26379";
const MASTER: &str = "hints";

/// A master, two replicas, three Sentinels.
#[derive(Debug)]
pub struct Hints {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    host: Arc<Host>,
    lives: u32,
    server: Process,
    _sentinel: Process,
}

impl Hints {
    pub(super) fn start(hosts: &[Arc<Host>], folder: &Path) -> Self {
        let first = &hosts[0];
        let servers: Vec<Process> = hosts
            .iter()
            .map(|host| serve(host, (host.name != first.name).then_some(first), 1, folder))
            .collect();
        let question = ["INFO", "replication"];
        until("the replicas followed", || {
            ask(first, PORT, &question).matches("state=online").count() == hosts.len() - 1
        });
        let sentinels: Vec<Process> = hosts.iter().map(|host| watch(host, first, folder)).collect();
        let question = ["SENTINEL", "ckquorum", MASTER];
        until("the Sentinels agreed", || {
            ask(first, SENTINEL_PORT, &question).starts_with("OK")
        });
        let processes = servers.into_iter().zip(sentinels);
        let places = hosts
            .iter()
            .zip(processes)
            .map(|(host, (server, sentinel))| Place {
                host: Arc::clone(host),
                lives: 1,
                server,
                _sentinel: sentinel,
            });
        Self {
            places: places.collect(),
        }
    }

    /// For `coordination.url`: all of them, of which a node takes the master.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self
            .places
            .iter()
            .map(|one| one.host.address.to_string())
            .collect();
        format!("redis://{}", hosts.join(","))
    }

    /// Name of the host whose Redis takes writes, as most Sentinels see it.
    #[must_use]
    pub fn master(&self) -> String {
        let question = ["SENTINEL", "get-master-addr-by-name", MASTER];
        let seen: Vec<String> = self
            .places
            .iter()
            .map(|one| ask(&one.host, SENTINEL_PORT, &question))
            .collect();
        let votes = |place: &&Place| {
            let address = place.host.address.to_string();
            seen.iter()
                .filter(|said| said.lines().next() == Some(&address))
                .count()
        };
        let master = self.places.iter().max_by_key(votes).expect("three of them");
        master.host.name.clone()
    }

    /// Forgets everything.
    pub fn flush(&self) {
        let master = self.master();
        let _ = ask(&self.place(&master).host, PORT, &["FLUSHALL"]);
    }

    /// Ends a Redis at once.
    pub fn kill(&mut self, name: &str) {
        self.place_mut(name).server.crash();
    }

    /// Starts it again, empty; its Sentinel tells it whom to follow.
    pub fn revive(&mut self, name: &str, folder: &Path) {
        let place = self.place_mut(name);
        place.lives += 1;
        place.server = serve(&place.host, None, place.lives, folder);
    }

    /// Sends a signal to a Redis.
    pub fn signal(&self, name: &str, signal: &str) {
        self.place(name).server.signal(signal);
    }

    fn place(&self, name: &str) -> &Place {
        let found = self.places.iter().find(|one| one.host.name == name);
        found.unwrap_or_else(|| panic!("no Redis at {name}"))
    }

    fn place_mut(&mut self, name: &str) -> &mut Place {
        let found = self.places.iter_mut().find(|one| one.host.name == name);
        found.unwrap_or_else(|| panic!("no Redis at {name}"))
    }
}

fn serve(host: &Host, master: Option<&Arc<Host>>, life: u32, folder: &Path) -> Process {
    let mut command = host.bound_to_us(&program("redis-server"), "KILL");
    let all = [
        "--bind",
        "0.0.0.0",
        "--protected-mode",
        "no",
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    command
        .args(all)
        .args(["--repl-diskless-sync-delay", "0", "--port", PORT]);
    if let Some(master) = master {
        command.args(["--replicaof", &master.address.to_string(), PORT]);
    }
    let process = Process::start(command, folder.join(format!("{}.{life}.log", host.name)));
    until("Redis answered", || ask(host, PORT, &["PING"]) == "PONG");
    process
}

fn watch(host: &Host, master: &Host, folder: &Path) -> Process {
    let file = folder.join(format!("{}-sentinel.conf", host.name));
    let address = master.address;
    let text = format!(
        "port {SENTINEL_PORT}\nbind 0.0.0.0\nprotected-mode no\nsentinel monitor {MASTER} {address} {PORT} 2\n\
         sentinel down-after-milliseconds {MASTER} 1500\nsentinel failover-timeout {MASTER} 5000\n"
    );
    std::fs::write(&file, text).expect("the folder is ours");
    let mut command = host.bound_to_us(&program("redis-sentinel"), "KILL");
    command.arg(&file);
    let process = Process::start(command, file.with_extension("log"));
    until("a Sentinel answered", || {
        ask(host, SENTINEL_PORT, &["PING"]) == "PONG"
    });
    process
}

/// What a server on `host` says, asked from beside it.
fn ask(host: &Host, port: &str, words: &[&str]) -> String {
    let all = [&["-h", "127.0.0.1", "-p", port][..], words].concat();
    let output = host.space.run(&text_of(&program("redis-cli")), &all);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
