//! A heap profiler watches a server that somebody runs under it, as the performance guide tells its readers to.

use purlin_conformance::{LIMIT, met_plainly, program, purlin, within};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const GUIDE: &str = r#"{
  "api": {"http": ["127.0.0.1:0"], "https": ["127.0.0.1:0"], "metrics": ["127.0.0.1:0"]},
  "performance": {"cpu": {"worker_threads": 1}, "memory": {"cache_size": "64Mi"}}
}"#;

/// Each packet thread has a buffer for a batch of the longest datagrams: 64 of 64 KiB.
const BUFFER: u64 = 64 << 16;

/// The most that the heap was, over all of massif's snapshots.
fn peak(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let sizes = text.lines().filter_map(|line| line.strip_prefix("mem_heap_B="));
    sizes.filter_map(|size| size.parse().ok()).max()
}

#[test]
fn s2_74_massif_sees_the_heap() {
    if !met_plainly(&["valgrind"]) {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder can be made");
    std::fs::write(dir.path().join("guide.json"), GUIDE).expect("the folder can be written");
    let valgrind = program("valgrind").expect("it was looked for");
    let mut child = Command::new(valgrind)
        .args(["--tool=massif", "--massif-out-file=massif.out"])
        .arg(purlin().expect("it was looked for"))
        .args(["as", "simple-tftpd-datacenter", "-c", "guide.json"])
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started");
    let out = child.stdout.take().expect("it is piped");
    let up = BufReader::new(out)
        .lines()
        .map_while(Result::ok)
        .any(|line| line.contains(" is up "));
    let asked = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    let ended = child.wait().expect("it is our child");
    assert!(up && ended.success() && asked.is_ok_and(|status| status.success()));
    let peak = within(LIMIT, || peak(&dir.path().join("massif.out"))).expect("massif writes its file");
    assert!(peak > BUFFER, "{peak} octets are not all of a server's heap");
}
