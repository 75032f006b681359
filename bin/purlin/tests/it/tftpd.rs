//! `simple-tftpd-datacenter` as users of such daemons run it.

use crate::harness::{Ended, command, run_in};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A file of the performance guide's shape; only the API's ports are chosen, so that tests do not meet.
const GUIDE: &str = r#"{
  "api": {"http": ["127.0.0.1:0"], "https": ["127.0.0.1:0"], "metrics": ["127.0.0.1:0"]},
  "performance": {"cpu": {"affinity": "auto", "worker_threads": 2}, "memory": {"cache_size": "64Mi"}},
  "cache": {"enabled": true, "ttl": 3600},
  "limits": {"max_connections_per_client": 10}
}"#;

const NAME: [&str; 2] = ["as", "simple-tftpd-datacenter"];

fn dir() -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("guide.json"), GUIDE).unwrap();
    dir
}

fn tftpd(dir: &Path, arguments: &[&str]) -> Ended {
    run_in(dir, &[&NAME[..], arguments].concat())
}

/// Serving in the foreground; killed when the test ends before it.
struct Foreground {
    dir: TempDir,
    child: Child,
}

impl Foreground {
    fn start() -> Self {
        let dir = dir();
        let mut child = command(dir.path())
            .args(NAME)
            .args(["-c", "guide.json", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built for this test");
        let out = child.stdout.take().expect("it is piped");
        let up = BufReader::new(out)
            .lines()
            .map_while(Result::ok)
            .find(|line| line.contains(" is up "));
        assert!(up.is_some(), "it did not come up");
        Self { dir, child }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        tftpd(self.dir.path(), arguments)
    }

    /// Where it listens for TFTP.
    fn server(&self) -> String {
        let node = std::fs::read_to_string(self.dir.path().join("purlin-data/node.json")).unwrap();
        let node: serde_json::Value = serde_json::from_str(&node).unwrap();
        node["tftp"][0].as_str().expect("it listens").to_owned()
    }

    /// Fetches a file that it serves, so that there is something to count.
    fn serve_one(&self) {
        let server = &*self.server();
        std::fs::write(self.dir.path().join("purlin-data/boot/f.bin"), [7; 3000]).unwrap();
        let got = run_in(self.dir.path(), &["tftp", "get", server, "f.bin", "copy.bin"]);
        assert_eq!(got.code, 0, "{}", got.err);
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn s2_68_run_alone_it_serves_in_the_foreground_by_a_guide_shaped_file() {
    let daemon = Foreground::start();
    daemon.serve_one();
    let status = daemon.run(&["status"]);
    assert!(
        status.out.starts_with("running as process"),
        "{} {}",
        status.out,
        status.err
    );
}

#[test]
fn s2_69_metrics_are_lines_of_numbers() {
    let daemon = Foreground::start();
    let metrics = daemon.run(&["metrics"]);
    assert_eq!(metrics.code, 0, "{}", metrics.err);
    assert!(metrics.out.lines().count() > 20);
    for line in metrics.out.lines() {
        let number = line.rsplit(' ').next().unwrap_or_default();
        assert!(number.parse::<f64>().is_ok(), "{line}");
    }
}

/// Lines of the metrics that `grep WORD` would show, each with its number.
fn grep(word: &str) -> Vec<String> {
    let daemon = Foreground::start();
    let metrics = daemon.run(&["metrics"]);
    metrics
        .out
        .lines()
        .filter(|line| line.contains(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn s2_70_grep_finds_throughput() {
    assert!(!grep("throughput").is_empty());
}

#[test]
fn s2_71_grep_finds_latency() {
    assert!(!grep("latency").is_empty());
}

#[test]
fn s2_72_grep_finds_connections() {
    assert!(grep("connections").contains(&"connections 0".to_owned()));
}

#[test]
fn s2_73_an_interrupt_ends_a_bare_run_cleanly() {
    let mut daemon = Foreground::start();
    daemon.serve_one();
    kill_process(Pid::from_child(&daemon.child), Signal::INT).unwrap();
    let status = daemon.child.wait().unwrap();
    assert_eq!(
        status.code(),
        Some(0),
        "a profiler writes its data when the program ends by itself"
    );
    assert!(!daemon.dir.path().join("purlin-data/node.json").exists());
}

/// A client of its own, so that a transfer stands still for as long as the test likes.
struct Slow {
    socket: UdpSocket,
    server: Option<std::net::SocketAddr>,
}

impl Slow {
    fn ask(server: &str, name: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request = [b"\0\x01", name.as_bytes(), b"\0octet\0"].concat();
        socket.send_to(&request, server).unwrap();
        Self { socket, server: None }
    }

    /// The next block's payload that is not a copy of one before.
    fn block(&mut self, number: u16) -> Vec<u8> {
        let head = [&[0, 3][..], &number.to_be_bytes()].concat();
        let mut buffer = [0; 600];
        loop {
            let (len, from) = self.socket.recv_from(&mut buffer).expect("a block");
            self.server = Some(from);
            if let Some(payload) = buffer[..len].strip_prefix(&head[..]) {
                return payload.to_vec();
            }
        }
    }

    fn acknowledge(&self, number: u16) {
        let packet = [&[0, 4][..], &number.to_be_bytes()].concat();
        self.socket
            .send_to(&packet, self.server.expect("it has answered"))
            .unwrap();
    }
}

/// Whether a new request is looked at. A packet thread without transfers ends at once when the server stops, and what
/// was queued for it has no answer at all.
fn serves(server: &str) -> bool {
    let client = Slow::ask(server, "missing");
    let patience = Some(Duration::from_millis(500));
    client.socket.set_read_timeout(patience).unwrap();
    let mut buffer = [0; 600];
    let answer = client.socket.recv(&mut buffer);
    answer.is_ok_and(|len| buffer[..len].starts_with(&[0, 5, 0, 1]))
}

#[test]
fn an_interrupt_that_a_profiler_passes_on_as_a_termination_lets_transfers_finish() {
    let mut daemon = Foreground::start();
    daemon.serve_one();
    let server = daemon.server();
    let mut client = Slow::ask(&server, "f.bin");
    let mut got = client.block(1);
    kill_process(Pid::from_child(&daemon.child), Signal::INT).unwrap();
    kill_process(Pid::from_child(&daemon.child), Signal::TERM).unwrap();
    until("its stop", || !serves(&server));
    for number in 1..=5 {
        client.acknowledge(number);
        got.extend(client.block(number + 1));
    }
    client.acknowledge(6);
    assert_eq!(got, [7; 3000]);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
}

impl Foreground {
    /// The setting in effect, as the node itself says it.
    fn limit(&self) -> serde_json::Value {
        let shown = self.run_purlin(&["config", "show", "-o", "json"]);
        let config: serde_json::Value = serde_json::from_str(&shown.out).expect(&shown.err);
        config
            .pointer("/limits/max_connections_per_client")
            .cloned()
            .unwrap_or_default()
    }

    fn run_purlin(&self, arguments: &[&str]) -> Ended {
        run_in(self.dir.path(), arguments)
    }
}

#[test]
fn a_hangup_reads_the_file_that_was_named_and_not_the_copy_of_it() {
    let daemon = Foreground::start();
    assert_eq!(daemon.limit(), 10);
    let file = daemon.dir.path().join("guide.json");
    let with = |limit: &str| GUIDE.replace("client\": 10", &format!("client\": {limit}"));
    std::fs::write(&file, with("7")).unwrap();
    kill_process(Pid::from_child(&daemon.child), Signal::HUP).unwrap();
    until("the new limit", || daemon.limit() == 7);
    // A file that cannot be read changes nothing, and the next good one counts.
    std::fs::write(&file, "{ \"limits\": ").unwrap();
    kill_process(Pid::from_child(&daemon.child), Signal::HUP).unwrap();
    daemon.serve_one();
    assert_eq!(daemon.limit(), 7);
    std::fs::write(&file, with("8")).unwrap();
    kill_process(Pid::from_child(&daemon.child), Signal::HUP).unwrap();
    until("the next limit", || daemon.limit() == 8);
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < end, "in vain: {what}");
    }
}

#[test]
fn events_of_a_topic_that_nothing_has_are_said_to_be_none() {
    let daemon = Foreground::start();
    daemon.serve_one();
    let none = daemon.run_purlin(&["events", "--topics", "nope"]);
    assert_eq!((none.code, &*none.out), (0, ""));
    assert!(none.err.contains("no event of nope"), "{}", none.err);
    let some = daemon.run_purlin(&["events", "--topics", "boot"]);
    assert!(some.out.contains("boot.transfer.file_sent"), "{}", some.out);
    assert_eq!(some.err, "");
}

#[test]
fn it_starts_reloads_and_stops_in_the_background() {
    let dir = dir();
    let started = tftpd(
        dir.path(),
        &["start", "-c", "guide.json", "--listen", "127.0.0.1:0"],
    );
    assert_eq!(started.code, 0, "{} {}", started.out, started.err);
    let again = tftpd(
        dir.path(),
        &["start", "-c", "guide.json", "--listen", "127.0.0.1:0"],
    );
    let status = tftpd(dir.path(), &["status"]);
    let stats = tftpd(dir.path(), &["stats"]);
    let connections = tftpd(dir.path(), &["connections", "-o", "json"]);
    let changed = GUIDE.replace(
        "\"max_connections_per_client\": 10",
        "\"max_connections_per_client\": 7",
    );
    std::fs::write(dir.path().join("guide.json"), changed).unwrap();
    let reloaded = tftpd(dir.path(), &["reload"]);
    let stopped = tftpd(dir.path(), &["stop"]);
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    assert_eq!(again.code, 4, "{}", again.err);
    assert_eq!(status.code, 0, "{}", status.err);
    assert!(
        stats.out.contains("open transfers"),
        "{} {}",
        stats.out,
        stats.err
    );
    assert_eq!(connections.out, "[]\n", "{}", connections.err);
    assert_eq!(reloaded.code, 0, "{}", reloaded.err);
    let served = std::fs::read_to_string(dir.path().join("purlin-data/tftpd.json")).unwrap();
    assert!(served.contains("\"max_connections_per_client\": 7"), "{served}");
    // What another node at the usual port says would be no answer.
    for command in ["status", "stop", "metrics", "stats", "connections"] {
        let ended = tftpd(dir.path(), &[command]);
        assert_eq!(ended.code, 3, "{command}: {}", ended.err);
        assert!(ended.err.contains("nothing runs from"), "{}", ended.err);
    }
}

impl Foreground {
    /// As a power cut or the kernel's out-of-memory killer would: `node.json` stays, and nobody has reaped the process.
    fn kill(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).unwrap();
        let stat = format!("/proc/{}/stat", self.child.id());
        until("its end", || {
            std::fs::read_to_string(&stat).unwrap().contains(") Z ")
        });
    }
}

#[test]
fn what_is_left_of_a_killed_one_is_not_taken_for_it() {
    let daemon = Foreground::start();
    daemon.kill();
    assert!(daemon.dir.path().join("purlin-data/node.json").exists());
    for command in ["status", "stop", "reload"] {
        let ended = daemon.run(&[command]);
        assert_eq!(ended.code, 3, "{command}: {} {}", ended.out, ended.err);
    }
}

#[test]
fn a_stranger_with_the_number_of_a_killed_one_is_left_alone() {
    let daemon = Foreground::start();
    daemon.kill();
    let mut stranger = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let file = daemon.dir.path().join("purlin-data/node.json");
    let mut node: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    node["pid"] = stranger.id().into();
    std::fs::write(&file, node.to_string()).unwrap();
    let stopped = daemon.run(&["stop"]);
    let reloaded = daemon.run(&["reload"]);
    let lives = stranger.try_wait().unwrap().is_none();
    let started = daemon.run(&["start", "-c", "guide.json", "--listen", "127.0.0.1:0"]);
    let ended = daemon.run(&["stop"]);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(lives, "it was signalled");
    assert_eq!((stopped.code, reloaded.code), (3, 3), "{}", stopped.err);
    assert_eq!(started.code, 0, "{} {}", started.out, started.err);
    assert_eq!(ended.code, 0, "{}", ended.err);
}

#[test]
fn a_configuration_is_tested_with_every_fault() {
    let dir = dir();
    assert_eq!(tftpd(dir.path(), &["test", "-c", "guide.json"]).code, 0);
    let faulty = r#"{"compression": {"level": 10}, "limits": {"max_conections_per_ip": 1}}"#;
    std::fs::write(dir.path().join("bad.json"), faulty).unwrap();
    let tested = tftpd(dir.path(), &["test", "-c", "bad.json"]);
    assert_eq!(tested.code, 1);
    assert!(
        tested.err.contains("level") && tested.err.contains("max_connections_per_ip"),
        "{}",
        tested.err
    );
}
