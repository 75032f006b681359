//! Clippy in the compiler's place.
//!
//! `cargo clippy` is `cargo check` with `clippy-driver` for `rustc`: beside a build it goes through every dependency a second
//! time. The driver compiles what it lints, so a test run needs one build for both:
//!
//! ```text
//!   cargo clippy + cargo build       dependencies twice, the house twice
//!   cargo build with the driver      dependencies once (by rustc), the house once (by the driver)
//! ```

use crate::repo::Repo;
use std::path::PathBuf;
use std::process::Command;

/// What `cargo clippy -- -D warnings` gives the driver; the word between the arguments is the driver's own.
const ARGUMENTS: &str = "-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__";

/// Cargo, which compiles the house with all lints, and any finding is an error. Without lines in backtraces: a panic names
/// its place by itself, and dozens of test programs are linked.
pub(crate) fn cargo(repo: &Repo) -> Result<Command, String> {
    let mut command = repo.cargo();
    command
        .env("RUSTC_WORKSPACE_WRAPPER", driver()?)
        .env("CLIPPY_ARGS", ARGUMENTS)
        .env("CARGO_PROFILE_DEV_DEBUG", "none");
    Ok(command)
}

/// Beside the cargo that runs this.
fn driver() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").ok_or("run this with cargo: cargo xtask")?;
    let driver = PathBuf::from(cargo).with_file_name("clippy-driver");
    if driver.is_file() {
        return Ok(driver);
    }
    let told = driver.display();
    Err(format!("{told} is missing: rustup component add clippy"))
}
