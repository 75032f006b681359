//! The comparison with other servers runs, so that nobody finds it broken on the day it is wanted.

use super::words;
use purlin_conformance::{Lab, purlin, run};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench/tftp-side-by-side.py");

/// CPU time per request is what tells whether a name that is not there costs more than one that is. Its size says
/// nothing here: other tests share the machine.
#[test]
fn hits_and_misses_are_loaded_and_counted_per_request() {
    let Some(lab) = Lab::new(&["python3", "tftpd", "unshare"]) else {
        return;
    };
    let out = lab.path("out.json").to_string_lossy().into_owned();
    let purlin = purlin().expect("checked before the laboratory was made");
    let tools = std::env::current_exe().expect("this test has a program");
    let target = tools.ancestors().nth(3).unwrap_or(Path::new("target"));
    // A namespace of its own, but the machine's /sys: control groups count the CPU time.
    let script = format!("ip link set lo up && exec timeout -k 5 120 python3 {SCRIPT} \"$@\"");
    let output = run(Command::new("unshare")
        .args(["--net", "sh", "-c", &script, "sh"])
        .env("PURLIN", purlin)
        .env("CARGO_TARGET_DIR", target)
        .args([
            "--servers",
            "purlin,rs-tftpd",
            "--loads",
            "hits,misses",
            "--rounds",
            "1",
            "--seconds",
            "1",
            "--out",
            &out,
        ]));
    let text = std::fs::read_to_string(&out).unwrap_or_else(|cause| panic!("{cause}: {}", words(&output)));
    let found: Value = serde_json::from_str(&text).expect("it writes JSON");
    for cell in ["hits/purlin", "misses/purlin", "hits/rs-tftpd", "misses/rs-tftpd"] {
        let round = &found[cell][0];
        assert!(round["done"].as_u64() > Some(0), "{cell}: {}", words(&output));
        assert!(round["us/request"].as_f64() > Some(0.0), "{cell}: {round}");
    }
    assert_eq!(found["misses/purlin"][0]["MB/s"], 0.0, "nothing is sent for them");
}
