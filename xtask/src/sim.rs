//! `cargo xtask sim`: builds the simulator, and runs as many of its clusters as are asked for.

use crate::check;
use crate::repo::Repo;

/// Hands `arguments` to it; whether every invariant held.
pub(crate) fn run(repo: &Repo, arguments: &[&str]) -> Result<bool, String> {
    if !check::cargo(repo, &["build", "--quiet", "-p", "purlin-sim"])? {
        return Ok(false);
    }
    let binary = repo.target()?.join("debug").join("purlin-sim");
    let status = repo.command(&binary.to_string_lossy()).args(arguments).status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run the simulator: {cause}"))
}
