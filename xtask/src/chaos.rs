//! `cargo xtask chaos`: builds what the long trial needs, and runs it.

use crate::check;
use crate::repo::Repo;

/// The built binary, for programs that start it.
const BINARY: &str = "PURLIN_BIN";

/// Hands `arguments` to the trial; whether no promise was broken.
pub(crate) fn run(repo: &Repo, arguments: &[&str]) -> Result<bool, String> {
    let built = check::cargo(repo, &["build", "--quiet", "-p", "purlin"])?
        && check::cargo(
            repo,
            &["build", "--quiet", "-p", "purlin-conformance", "--bin", "chaos"],
        )?;
    if !built {
        return Ok(false);
    }
    let folder = repo.target()?.join("debug");
    let mut trial = repo.command(&folder.join("chaos").to_string_lossy());
    trial.args(arguments).env(BINARY, folder.join("purlin"));
    let status = trial.status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run the trial: {cause}"))
}
