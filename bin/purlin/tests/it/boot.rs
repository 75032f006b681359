//! Boot files through the command line: fetched, recorded, explained, measured.

mod api;
mod honoured;
mod numbers;

use crate::harness::{Ended, Node};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// A node with a boot tree of its own.
struct Boot {
    node: Node,
    server: String,
}

impl Boot {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join("boot.bin"), content(200_000)).unwrap();
        Self::of(dir, &config(&tree))
    }

    fn of(dir: TempDir, config: &str) -> Self {
        let node = Node::start_in(dir, config);
        let file: Value =
            serde_json::from_slice(&std::fs::read(node.path("purlin-data/node.json")).unwrap()).unwrap();
        let server = file["tftp"][0].as_str().expect("it listens").to_owned();
        Self { node, server }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.node.run(arguments)
    }

    fn get(&self, name: &str, to: &str) -> Ended {
        self.run(&["tftp", "get", &self.server, name, to])
    }
}

fn config(tree: &Path) -> String {
    format!(
        r#"
[api]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
metrics = ["127.0.0.1:0"]

[tftp]
listen = ["127.0.0.1:0"]
root = "{}"

[[tftp.rules]]
pattern = "^/*old/"
replace = ""

[[tftp.templates]]
name = "hello.txt"
text = "hello {{{{ip}}}}"

[tftp.uploads]
allow = ["up/*"]
"#,
        tree.display()
    )
}

fn content(len: u32) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn a_file_is_fetched_whole_and_every_way_of_failing_has_its_exit_code() {
    let boot = Boot::start();
    let got = boot.get("boot.bin", "copy.bin");
    assert_eq!(got.code, 0, "{}", got.err);
    assert!(got.out.starts_with("copy.bin: 200000 octets from"), "{}", got.out);
    assert_eq!(
        std::fs::read(boot.node.path("copy.bin")).unwrap(),
        content(200_000)
    );
    let report = boot
        .node
        .json(&["tftp", "get", &boot.server, "boot.bin", "--blksize", "8192"]);
    assert_eq!(report["blksize"], 8192, "{report}");
    assert_eq!(boot.get("hello.txt", "-").out, "hello 127.0.0.1");
    assert_eq!(boot.get("nothing.bin", "x").code, 3);
    assert!(
        !boot.node.path("x").exists(),
        "nothing is left of what did not come"
    );
    let gone = [
        "tftp",
        "get",
        "127.0.0.1:1",
        "f",
        "--attempts",
        "1",
        "--timeout",
        "50ms",
    ];
    assert_eq!(boot.run(&gone).code, 6);
}

#[test]
fn an_upload_is_stored_where_it_may_be_and_refused_elsewhere() {
    let boot = Boot::start();
    std::fs::write(boot.node.path("small.bin"), content(5000)).unwrap();
    std::fs::create_dir(boot.node.path("tree/up")).unwrap();
    let put = boot.run(&["tftp", "put", &boot.server, "small.bin", "up/small.bin"]);
    assert_eq!(put.code, 0, "{}", put.err);
    assert_eq!(
        std::fs::read(boot.node.path("tree/up/small.bin")).unwrap(),
        content(5000)
    );
    let again = boot.run(&["tftp", "put", &boot.server, "small.bin", "up/small.bin"]);
    assert_eq!(again.code, 4, "{}", again.err);
    let elsewhere = boot.run(&["tftp", "put", &boot.server, "small.bin"]);
    assert_eq!(elsewhere.code, 5, "{}", elsewhere.err);
}

#[test]
fn what_happened_is_on_record_in_a_story_and_in_the_event_stream() {
    let boot = Boot::start();
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    assert_eq!(boot.get("nothing.bin", "x").code, 3);
    let records = boot.node.json(&["tftp", "records"]);
    let slugs: Vec<&str> = records
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|record| record["slug"].as_str())
        .collect();
    assert_eq!(slugs, ["file_sent", "not_found"]);
    assert!(
        records[0]["first_ms"].is_number() && records[0]["took_ms"].is_number(),
        "{records}"
    );
    let missing = boot.node.json(&["tftp", "records", "--code", "PUR-2101"]);
    assert_eq!(missing.as_array().map(Vec::len), Some(1));
    assert_eq!(
        boot.node.json(&["tftp", "records", "--file", "boot"])[0]["octets"],
        200_000
    );

    let story = boot.run(&["why", "127.0.0.1"]);
    assert!(
        story.out.contains("asked for nothing.bin") && story.out.contains("the whole file was sent"),
        "{}",
        story.out
    );
    let story = boot.run(&["why", "boot.bin"]);
    assert!(story.out.contains("took boot.bin (200.0 kB)"), "{}", story.out);
    let events = boot.run(&["events", "--topics", "boot"]);
    assert!(
        events.out.contains("boot.transfer.file_sent") && events.out.contains("boot.transfer.not_found"),
        "{}",
        events.out
    );
}

#[test]
fn the_status_and_the_cache_are_shown_and_the_cache_can_be_dropped() {
    let boot = Boot::start();
    assert_eq!(boot.get("boot.bin", "copy.bin").code, 0);
    let status = boot.node.json(&["tftp", "status"]);
    assert_eq!(status["cache"]["octets"], 200_000, "{status}");
    let files = boot.node.json(&["tftp", "files"]);
    assert_eq!(files[0]["cached"], 200_000, "{files}");
    assert_eq!(boot.node.json(&["tftp", "transfers"]), serde_json::json!([]));
    let dropped = boot.run(&["boot", "drop-cache"]);
    assert_eq!(
        dropped.out, "200000 octets of 1 files dropped\n",
        "{}",
        dropped.err
    );
    assert_eq!(boot.node.json(&["tftp", "status"])["cache"]["octets"], 0);
}

#[test]
fn a_name_is_resolved_without_asking_for_it() {
    let boot = Boot::start();
    let told = boot.node.json(&["boot", "resolve", "old/boot.bin"]);
    assert_eq!(
        (told["kind"].as_str(), told["path"].as_str()),
        (Some("file"), Some("boot.bin")),
        "{told}"
    );
    assert_eq!(told["rules"].as_array().map(Vec::len), Some(1), "{told}");
    let made = boot.run(&["boot", "resolve", "hello.txt", "--client", "10.0.0.5"]);
    assert!(made.out.contains("hello 10.0.0.5"), "{} {}", made.out, made.err);
    assert_eq!(boot.run(&["boot", "resolve", "nothing.bin"]).code, 3);
    assert_eq!(boot.run(&["boot", "resolve", "../etc/passwd"]).code, 5);
    assert_eq!(
        boot.node.json(&["tftp", "records"]),
        serde_json::json!([]),
        "nobody asked for anything"
    );
}

#[test]
fn boot_profiles_are_added_listed_shown_and_removed_live() {
    let boot = Boot::start();
    let add = [
        "boot",
        "profile",
        "add",
        "--match",
        "arch=uefi-x64,user-class=iPXE",
        "--file",
        "boot.ipxe",
    ];
    let added = boot.run(&add);
    assert_eq!(
        added.out, "profile uefi-x64-ipxe added (revision 2; undo: purlin config rollback 1)\n",
        "{}",
        added.err
    );
    assert_eq!(boot.run(&add).code, 4, "a second one of that name is a conflict");
    let first = [
        "boot",
        "profile",
        "add",
        "all",
        "--file",
        "x.efi",
        "--first",
        "--value",
        "console=ttyS0",
    ];
    assert_eq!(boot.run(&first).code, 0);
    let names = boot.run(&["boot", "profile", "list", "-o", "name"]);
    assert_eq!(names.out, "all\nuefi-x64-ipxe\n");
    let shown = boot.node.json(&["boot", "profile", "show", "uefi-x64-ipxe"]);
    assert_eq!(shown["user_class"], "iPXE", "{shown}");
    let late = [
        "boot",
        "profile",
        "add",
        "late",
        "--match",
        "arch=uefi-x64,user-class=iPXE,mac=02:00:00:00:00:07",
        "--file",
        "late.ipxe",
    ];
    let told = boot.run(&late).out;
    assert!(
        told.contains("warning: boot.profiles[2].name: no client gets here")
            && told.contains("(PUR-9212); fix:"),
        "{told}"
    );
    let listed = boot.run(&["boot", "profile", "list"]).out;
    assert!(
        listed.contains("MACS") && listed.contains("02:00:00:00:00:07"),
        "{listed}"
    );
    let wrong = [
        "boot",
        "profile",
        "add",
        "bad",
        "--match",
        "arch=toaster",
        "--file",
        "x",
    ];
    let refused = boot.run(&wrong);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("toaster"), "{}", refused.err);
    let dry = boot.run(&["boot", "profile", "remove", "all", "--dry-run"]);
    assert!(dry.out.contains("would be removed"), "{} {}", dry.out, dry.err);
    assert_eq!(boot.run(&["boot", "profile", "remove", "all"]).code, 0);
    assert_eq!(boot.run(&["boot", "profile", "show", "all"]).code, 3);
}

#[test]
fn s2_78_a_baseline_is_stored_and_compared() {
    let boot = Boot::start();
    let made = boot.run(&["bench", "tftp", "--make-files", "tree", "--file", "b.bin=64Ki"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let load = [
        "bench",
        "tftp",
        &boot.server,
        "--file",
        "b.bin=64Ki",
        "--clients",
        "4",
        "--boots",
        "40",
    ];
    let base = boot.node.json(&[&load[..], &["--save", "base.json"]].concat());
    assert_eq!(base["clean"], true, "{base}");
    assert_eq!(base["phases"][0]["boots_done"], 40);
    let compared = boot.node.json(&[&load[..], &["--compare", "base.json"]].concat());
    let figures: Vec<&str> = compared["changes"]
        .as_array()
        .expect("they are told")
        .iter()
        .filter_map(|change| change["figure"].as_str())
        .collect();
    assert!(
        figures.contains(&"octets/s") && figures.contains(&"first block p99 us"),
        "{figures:?}"
    );
    let table = boot.run(&[&load[..], &["--compare", "base.json"]].concat());
    assert!(
        table.out.contains("compared with the baseline"),
        "{} {}",
        table.out,
        table.err
    );
    let none = boot.run(&[&load[..], &["--compare", "none.json"]].concat());
    assert_eq!(
        none.code, 1,
        "a baseline that is not there is told before the load"
    );
}

#[test]
fn s2_77_the_doctor_prints_the_tuning_checklist() {
    let boot = Boot::start();
    let findings = boot.run(&["doctor", "-o", "json"]);
    let findings: Value = serde_json::from_str(&findings.out).unwrap();
    let names: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|finding| finding["name"].as_str())
        .collect();
    let boxes: Vec<&&str> = names.iter().filter(|name| name.starts_with("tune/")).collect();
    assert_eq!(boxes.len(), 11, "{names:?}");
    for name in [
        "load/cpu",
        "load/memory",
        "load/latency",
        "load/rate",
        "files",
        "kernel",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

/// Everything about HTTP that is said to change live does.
#[test]
fn s2_45_http_boot_changes_its_terms_while_it_serves() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("boot.txt"), "line\n".repeat(5000)).unwrap();
    let with = |http: &str| {
        format!(
            "{}\n[tftp.http]\nlisten = [\"127.0.0.1:0\"]\n{http}",
            config(&tree)
        )
    };
    let boot = Boot::of(dir, &with("per_ip = 1"));
    let note = std::fs::read(boot.node.path("purlin-data/node.json")).unwrap();
    let note: Value = serde_json::from_slice(&note).unwrap();
    let url = note["boot_http"].as_str().expect("it listens").to_owned();
    let address = url.trim_start_matches("http://").to_owned();
    let ask = |stream: &mut TcpStream| {
        let request = "GET /boot.txt HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n";
        let _ = stream.write_all(request.as_bytes());
        let mut some = [0; 4096];
        let read = stream.read(&mut some).unwrap_or(0);
        String::from_utf8_lossy(&some[..read]).into_owned()
    };
    let open = || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    };
    let mut first = open();
    let answer = ask(&mut first);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("Content-Encoding: gzip"),
        "{answer}"
    );
    let refused = ask(&mut open());
    assert!(
        refused.starts_with("HTTP/1.1 503"),
        "the address has its one: {refused}"
    );
    std::fs::write(
        boot.node.path("next.toml"),
        with("per_ip = 0\ncompression = { enabled = false }"),
    )
    .unwrap();
    let applied = boot.run(&["config", "apply", "next.toml"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    let answer = ask(&mut open());
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("Content-Encoding"),
        "{answer}"
    );
}
