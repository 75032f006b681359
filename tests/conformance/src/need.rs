//! What a test needs of its machine, and how it says that something is missing.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// File to which skipped tests are written, for the sum at the end of `cargo xtask test`.
const SKIPS: &str = "PURLIN_TEST_SKIPS";

/// Set by `cargo xtask test --all`: tests that take minutes run too.
const ALL: &str = "PURLIN_TEST_ALL";

/// Where a program is, system folders included that are not on everybody's path, and what `cargo xtask setup` built.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]).map(PathBuf::from);
    let built = profile_folder().and_then(|folder| Some(folder.parent()?.join("tools/bin")));
    folders
        .chain(built)
        .chain(database_folders())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Where Debian keeps PostgreSQL's server, which is not on the path: a folder per version, newest first.
fn database_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<PathBuf> = versions.flatten().map(|version| version.path()).collect();
    folders.sort();
    folders
        .into_iter()
        .rev()
        .map(|folder| folder.join("bin"))
        .collect()
}

/// The built binary: `PURLIN_BIN`, else the one beside this test's own.
#[must_use]
pub fn purlin() -> Option<PathBuf> {
    let named = std::env::var_os("PURLIN_BIN").map(PathBuf::from);
    let beside = || Some(profile_folder()?.join("purlin"));
    named.or_else(beside).filter(|file| file.is_file())
}

/// `target/debug`, where this test's own program was built.
fn profile_folder() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    Some(own.parent()?.parent()?.to_owned())
}

/// Whether this test is one of those that only `cargo xtask test --all` runs, and this is not such a run. Says so; the
/// test then returns. It does not count as skipped: nothing is missing here.
#[must_use]
pub fn left_for_all() -> bool {
    let all = std::env::var(ALL).is_ok_and(|value| value == "true" || value == "1");
    if !all {
        // Not `eprintln`: the harness keeps that to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "left for --all: {}", own_name());
    }
    !all
}

/// Whether all of `programs` can be run here in namespaces. If not, says so; the test then returns.
pub(crate) fn met(programs: &[&str]) -> bool {
    let namespaces = || {
        let missing = !programs.is_empty() && !may_make_namespaces();
        missing.then(|| "network namespaces need root".to_owned())
    };
    told(lacking(programs).or_else(namespaces))
}

/// Whether all of `programs` can be run here, without namespaces. If not, says so; the test then returns.
pub fn met_plainly(programs: &[&str]) -> bool {
    told(lacking(programs))
}

/// What is not there of the binary and `programs`.
fn lacking(programs: &[&str]) -> Option<String> {
    if purlin().is_none() {
        return Some("the binary is not built (cargo build -p purlin)".to_owned());
    }
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|name| program(name).is_none())
        .collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(" ")))
}

/// Where `cargo xtask setup` puts the libraries and tools that judge the chain.
pub(crate) fn judges() -> Option<PathBuf> {
    Some(profile_folder()?.parent()?.join("judges"))
}

pub(crate) fn told(reason: Option<String>) -> bool {
    reason.is_none_or(|reason| {
        skip(&reason);
        false
    })
}

fn may_make_namespaces() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn skip(reason: &str) {
    let name = own_name();
    let ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    assert!(!ci, "{name} cannot run: {reason}");
    eprintln!("skipped {name}: {reason}");
    if let Some(file) = std::env::var_os(SKIPS) {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
        // Only the sum at the end suffers when this cannot be written.
        let _ = opened.and_then(|mut file| writeln!(file, "{name}: {reason}"));
    }
}

/// The harness runs every test on a thread of its name.
fn own_name() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}
