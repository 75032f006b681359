//! Checks by programs that not every machine has: each is run where it is, and says so where it is not.

use crate::repo::Repo;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Licences, forbidden crates and sources of all dependencies, against `deny.toml`. Advisories are left out: they
/// need a network, and change without a change here.
pub(crate) fn deny(repo: &Repo) -> Result<bool, String> {
    let asked = repo.cargo().args(["deny", "--version"]).output();
    if !asked.is_ok_and(|output| output.status.success()) {
        return Ok(absent("cargo-deny (cargo install cargo-deny --locked)"));
    }
    let arguments = ["deny", "--log-level", "error", "check", "--hide-inclusion-graph"];
    let status = repo
        .cargo()
        .args(arguments)
        .args(["licenses", "bans", "sources"])
        .status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run cargo deny: {cause}"))
}

/// The service unit, read by systemd itself.
pub(crate) fn unit(repo: &Repo) -> Result<bool, String> {
    // The node is not installed here, and systemd looks for it.
    let text = repo
        .read("deploy/systemd/purlin.service")?
        .replace("/usr/local/bin/purlin", "/bin/true");
    let folder = repo.target()?.join("unit");
    let copy = folder.join("purlin.service");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&copy, text))
        .map_err(|cause| format!("{}: {cause}", copy.display()))?;
    let Ok(output) = verify(&copy) else {
        return Ok(absent("systemd-analyze (package systemd)"));
    };
    let says = String::from_utf8_lossy(&output.stderr);
    // A misspelt key is only a warning to systemd; other units of this machine are not our business.
    let ours: Vec<&str> = says
        .lines()
        .filter(|line| line.contains("purlin.service"))
        .collect();
    ours.iter().for_each(|line| eprintln!("{line}"));
    Ok(ours.is_empty())
}

fn verify(unit: &Path) -> std::io::Result<Output> {
    Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(unit)
        .stdin(Stdio::null())
        .output()
}

/// Says what is missing. No failure anywhere: neither is among the packages of `setup`.
fn absent(what: &str) -> bool {
    println!("   skipped: {what} is not installed");
    true
}
