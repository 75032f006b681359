//! The README boots a machine in three commands: those, as they are written there.

use purlin_conformance::{Lab, Machine, left_for_all, machine_programs, purlin, until};
use std::path::{Path, PathBuf};

const SECTION: &str = "## Boot a machine in three commands";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands of the section, without the `sudo` that a test run by root does not need.
fn commands(page: &str) -> Vec<String> {
    let section = page.split(SECTION).nth(1).expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or(section);
    let lines = section.lines().filter_map(|line| line.strip_prefix("sudo "));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_three_commands_boot_a_machine() {
    if left_for_all() {
        return;
    }
    let Some(lab) = Lab::new(&machine_programs()) else {
        return;
    };
    let page = std::fs::read_to_string(root().join("README.md")).expect("the page is part of the project");
    let lines = commands(&page);
    let [interface, node, machine] = &lines[..] else {
        panic!("three commands: {lines:#?}")
    };
    let output = lab.server.run("sh", &["-c", interface]);
    assert!(output.status.success(), "{}", super::words(&output));
    let (binary, data) = (purlin().expect("checked with the laboratory"), lab.path("data"));
    let here = |line: &str| {
        line.replace("target/release/purlin", &binary.to_string_lossy())
            .replace("target/virtual-machine", &data.to_string_lossy())
    };
    let line = format!("cd {} && exec {}", root().display(), here(node));
    let mut node = lab.server.start("node.log", "sh", &["-c", &line]);
    until("the node was up", || {
        assert!(node.is_running(), "{}", node.said());
        data.join("node.json").is_file()
    });
    let process = lab
        .server
        .start("qemu.log", "sh", &["-c", &format!("exec {machine}")]);
    let mut machine = Machine::running(process, lab.path("qemu.log"));
    let mark = "Purlin says hello to 52:54:00:12:34:56 at 10.99.1.10";
    if let Err(screen) = machine.tries(mark) {
        panic!("{screen}\n{}", node.said());
    }
}
