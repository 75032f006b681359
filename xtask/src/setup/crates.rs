//! Programs that no Debian package has: built from the Rust crate index into the target folder.

use crate::repo::Repo;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A crate, the version that the tests are written for, its features, and the programs it brings.
struct Crate {
    name: &'static str,
    version: &'static str,
    features: &'static str,
    programs: &'static [&'static str],
}

const NEEDED: &[Crate] = &[Crate {
    name: "tftpd",
    version: "1.0.0",
    features: "client",
    programs: &["tftpc", "tftpd"],
}];

/// Installs what is missing, a few seconds once; `false` when something could not be had.
pub(super) fn run(repo: &Repo) -> Result<bool, String> {
    let tools = repo.target()?.join("tools");
    let mut whole = true;
    for wanted in NEEDED {
        let there = || {
            wanted
                .programs
                .iter()
                .all(|program| tools.join("bin").join(program).is_file())
        };
        if there() && noted(&tools, wanted) {
            continue;
        }
        println!("   building {} {}", wanted.name, wanted.version);
        if !install(repo, wanted, &tools)? || !there() {
            whole = false;
            println!(
                "   cargo could not install {} {}; its tests will be skipped",
                wanted.name, wanted.version
            );
        }
    }
    Ok(whole)
}

fn install(repo: &Repo, wanted: &Crate, tools: &Path) -> Result<bool, String> {
    let status = repo
        .cargo()
        .args(["install", wanted.name, "--locked", "--quiet", "--force"])
        .args(["--version", &format!("={}", wanted.version)])
        .args(["--features", wanted.features])
        .arg("--root")
        .arg(tools)
        .arg("--target-dir")
        .arg(tools.join("build"))
        .stdout(Stdio::null())
        .status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run cargo: {cause}"))
}

/// Whether cargo has noted that just this version is there, in its own list beside the programs.
fn noted(tools: &Path, wanted: &Crate) -> bool {
    let list: PathBuf = tools.join(".crates.toml");
    let line = format!("\"{} {} ", wanted.name, wanted.version);
    std::fs::read_to_string(list).is_ok_and(|list| list.contains(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_than_wanted_is_not_taken_for_it() {
        let tools = std::env::temp_dir().join(format!("purlin-xtask-{}", std::process::id()));
        std::fs::create_dir_all(&tools).unwrap();
        let said = |text: &str| {
            std::fs::write(tools.join(".crates.toml"), text).unwrap();
            noted(&tools, &NEEDED[0])
        };
        assert!(said("[v1]\n\"tftpd 1.0.0 (registry+x)\" = [\"tftpc\"]\n"));
        assert!(!said("[v1]\n\"tftpd 1.0.01 (registry+x)\" = [\"tftpc\"]\n"));
        assert!(!said("[v1]\n\"atftpd 1.0.0 (registry+x)\" = []\n"));
        std::fs::remove_dir_all(&tools).unwrap();
    }
}
