//! The performance guide's keys, read back from the running process.

use super::Boot;
use crate::schema::Api;
use serde_json::Value;
use std::collections::BTreeMap;
use tempfile::TempDir;

const PORTS: &str = r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]
[tftp]
listen = ["127.0.0.1:0"]
"#;

/// A node by the guide's keys beside `PORTS`.
fn guided(keys: &str) -> Boot {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("boot.bin"), super::content(200_000)).unwrap();
    let root = format!("root = \"{}\"\n", tree.display());
    Boot::of(dir, &format!("{PORTS}{root}{keys}"))
}

impl Boot {
    /// The cores that each thread may run on, by the thread's name.
    fn threads(&self) -> BTreeMap<String, String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.node.pid())).unwrap();
        let read = |task: std::fs::DirEntry| {
            let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
            let status = std::fs::read_to_string(task.path().join("status")).ok()?;
            let cores = status
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
            Some((name.trim().to_owned(), cores.trim().to_owned()))
        };
        tasks.filter_map(|task| read(task.ok()?)).collect()
    }

    /// The threads that are this and a number.
    fn numbered(&self, prefix: &str) -> Vec<(String, String)> {
        let is = |name: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|n| n.parse::<u16>().is_ok())
        };
        self.threads().into_iter().filter(|(name, _)| is(name)).collect()
    }

    fn status(&self) -> Value {
        Api::of(&self.node).ask("GET", "/api/v1/tftp/status", None).1
    }
}

#[test]
fn s2_14_packet_threads_run_on_the_cores_that_are_asked_for() {
    let boot = guided("[performance.cpu]\naffinity = [0]\nworker_threads = 2");
    let cores: Vec<_> = boot
        .numbered("tftp-")
        .into_iter()
        .map(|(_, cores)| cores)
        .collect();
    assert_eq!(cores, ["0", "0"]);
    let boot = guided("[performance.cpu]\naffinity = \"auto\"\nworker_threads = 1");
    assert_eq!(boot.numbered("tftp-"), [("tftp-0".to_owned(), "0".to_owned())]);
    let boot = guided("[performance.cpu]\naffinity = \"off\"\nworker_threads = 1");
    let main = boot.threads()["purlin"].clone();
    assert_eq!(boot.numbered("tftp-"), [("tftp-0".to_owned(), main)]);
}

#[test]
fn s2_16_there_are_as_many_packet_threads_as_asked_for() {
    let boot = guided("[performance.cpu]\nworker_threads = 3");
    assert_eq!(boot.numbered("tftp-").len(), 3);
    assert_eq!(boot.status()["threads"], 3);
    let boot = guided("[performance.cpu]\nworker_threads = 0");
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(boot.numbered("tftp-").len(), cores);
}

#[test]
fn s2_15_s2_51_disks_have_their_threads_and_no_more_than_the_pool_allows() {
    let boot = guided("[io]\nio_threads = 2");
    assert_eq!(boot.numbered("purlin-files-").len(), 2);
    let boot = guided("[performance.cpu]\nthread_pool_size = 3\n[io]\nio_threads = 8");
    assert_eq!(boot.numbered("purlin-files-").len(), 3);
}

#[test]
fn s2_17_a_cache_larger_than_the_machine_is_cut_to_it() {
    let status = guided("[performance.memory]\ncache_size = \"32Ti\"").status();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap();
    let kib: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    let most = status["cache"]["octets_max"].as_u64().expect("a number");
    assert!(most > 0 && most <= kib * 1024 / 4 * 3, "{most}");
}

#[test]
fn s2_22_s2_23_the_kernels_answer_about_buffers_is_told() {
    let boot = guided("[performance.network]\nreceive_buffer_size = \"1Gi\"\nsend_buffer_size = 65536");
    let status = boot.status();
    let of = |which: &str, what: &str| status[which][what].as_u64().unwrap_or(0);
    assert_eq!(of("receive_buffer", "asked"), 1 << 30);
    assert!(of("receive_buffer", "granted") > 0, "{status}");
    assert!(of("send_buffer", "granted") >= 65_536, "{status}");
    if of("receive_buffer", "granted") < 1 << 30 {
        let doctor = boot.run(&["doctor"]);
        assert!(doctor.out.contains("net.core.rmem_max"), "{}", doctor.out);
    }
}

#[test]
fn s2_52_s2_53_s2_54_the_way_of_input_and_output_is_shown_with_its_reason() {
    let boot = guided("[network]\nepoll = true\nio_uring = true\nzero_copy = true");
    let status = boot.status();
    assert_eq!(status["backend"], "epoll");
    let notes = status["notes"].to_string();
    assert!(
        notes.contains("io_uring") && notes.contains("MSG_ZEROCOPY"),
        "{notes}"
    );
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    let copy = std::fs::read(boot.node.path("copy.bin")).unwrap();
    assert!(copy == super::content(200_000), "the octets are the same");
    let boot = guided("[network]\nepoll = true\nio_uring = false\nzero_copy = false");
    assert_eq!(boot.status()["notes"], serde_json::json!([]));
}
