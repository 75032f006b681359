//! A chain for a look at it: processes that come and go together.

use crate::harness::command;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Stdio;
use tempfile::TempDir;

/// A port from which on those of these validators are free (each one's peers, JSON-RPC twice, the API), below those that the
/// kernel hands out.
pub(crate) fn base_port(validators: &[u16]) -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let of_one = |n: &u16| [*n, 100 + 2 * n, 101 + 2 * n, 200 + n];
    let wanted: Vec<u16> = validators.iter().flat_map(of_one).collect();
    // Tests look at the same time, each from a place of its own.
    let first = (std::process::id() % 40) as u16 + 7 * wanted.len() as u16;
    let mut bases = (0..40).map(|step| 20_000 + (first + step) % 40 * 300);
    bases
        .find(|base| wanted.iter().all(|more| free(base + more)))
        .expect("some ports are free")
}

#[test]
fn whoever_ends_the_demo_ends_its_validators_too() {
    let dir = TempDir::new().expect("a directory");
    let mut demo = command(dir.path())
        .args(["chain", "demo", "--validators", "1", "--period", "100ms"])
        .args(["-o", "json", "--base-port", &base_port(&[0]).to_string()])
        .env("TMPDIR", dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(demo.stdout.take().expect("piped")).lines();
    let told = lines.map_while(Result::ok).find_map(|line| {
        let (_, after) = line.split_once("\"process\":")?;
        let digits = after.trim_start().split(|c: char| !c.is_ascii_digit());
        digits.into_iter().next()?.parse::<i32>().ok()
    });
    let validator = told.and_then(Pid::from_raw).expect("its validator is shown");
    test_kill_process(validator).expect("it runs");
    let of_demo = Pid::from_child(&demo);
    kill_process(of_demo, Signal::TERM).expect("it runs");
    let status = demo.wait().expect("it is ours");
    assert!(status.success(), "{status}");
    test_kill_process(validator).expect_err("nobody is left behind");
    let left = std::fs::read_dir(dir.path()).expect("ours").count();
    assert_eq!(left, 0, "nor anything on the disk");
}
