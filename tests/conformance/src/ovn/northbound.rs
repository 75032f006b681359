//! A northbound database with nothing behind it.

use crate::need::program;
use crate::process::Process;
use std::path::Path;
use std::process::Command;

/// One member of a cluster that has no others, so that transactions have names that all nodes know.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn northbound(folder: &Path) -> Process {
    let at = |name: &str| folder.join(name).display().to_string();
    let command = |name: &str| Command::new(program(name).expect("asked for before"));
    let made = command("ovsdb-tool")
        .args(["create-cluster", &at("nb.db"), super::NORTHBOUND])
        .arg(format!("unix:{}", at("raft.sock")))
        .status();
    assert!(made.expect("ovsdb-tool runs").success());
    let mut server = command("ovsdb-server");
    server.arg(format!("--remote=punix:{}", at("db.sock")));
    server.arg(format!("--unixctl={}", at("db.ctl")));
    server.arg(at("nb.db"));
    Process::begun(server, folder.join("nb.log"))
}
