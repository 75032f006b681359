//! `cargo xtask test`: all checks, then all tests, then one line with the sum.

mod build;
mod outcome;

use crate::check::{self, step};
use crate::repo::Repo;
use crate::{docs, setup};
use outcome::Watcher;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Everything,
    /// Everything, and the tests that take minutes.
    All,
    Dhcp,
}

/// How many steps and tests passed, failed, were skipped; and the names of those that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    pub(crate) faults: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.faults.extend(other.faults);
    }
}

/// File to which tests that cannot run here append `name: reason`.
const SKIPS: &str = "PURLIN_TEST_SKIPS";
/// Tells tests that take minutes to run.
const ALL: &str = "PURLIN_TEST_ALL";
/// The built binary, for tests that start it.
const BINARY: &str = "PURLIN_BIN";

/// How many tests the harness runs at a time.
const THREADS: &str = "RUST_TEST_THREADS";

/// Half as many again as there are cores: tests with real parts mostly wait for them.
fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores + cores.div_ceil(2)
}

pub(crate) fn run(repo: &Repo, scope: Scope) -> Result<bool, String> {
    let start = Instant::now();
    let mut tally = Tally::default();
    if scope != Scope::Dhcp {
        step(&mut tally, "setup", || setup::run(repo));
        tally.add(check::form(repo));
        step(&mut tally, "services apart", || {
            build::services_apart(repo, scope)
        });
    }
    step(&mut tally, "build", || build::all(repo, scope));
    let binary = repo.target()?.join("debug").join("purlin");
    if tally.faults.iter().any(|fault| fault == "build") {
        println!("   no tests were run, because not everything compiles without a finding");
    } else {
        if scope != Scope::Dhcp {
            step(&mut tally, "commands in documents", || {
                docs::commands(repo, &binary)
            });
        }
        println!("== tests");
        tally.add(tests(repo, scope, &binary)?);
    }
    for fault in &tally.faults {
        println!("FAILED {fault}");
    }
    println!("   {:.0} s in all", start.elapsed().as_secs_f64());
    println!(
        "{} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.skipped
    );
    Ok(tally.failed == 0)
}

/// Runs cargo and follows what its test binaries say.
fn tests(repo: &Repo, scope: Scope, binary: &Path) -> Result<Tally, String> {
    let skips = repo.target()?.join("skipped-tests");
    let _ = std::fs::remove_file(&skips);
    let mut tally = Tally::default();
    for targets in [build::TARGETS, &["--doc"]] {
        let mut command = build::cargo(repo, scope)?;
        command
            .args(["test", "--no-fail-fast"])
            .args(build::packages(scope))
            .args(targets);
        command.env(SKIPS, &skips).env(BINARY, binary);
        if std::env::var_os(THREADS).is_none() {
            command.env(THREADS, threads().to_string());
        }
        if scope == Scope::All {
            command.env(ALL, "1");
        }
        let first = follow(&mut command)?;
        tally.add(again(&mut command, first)?);
    }
    let skipped: BTreeSet<String> = std::fs::read_to_string(&skips)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    for line in &skipped {
        println!("skipped {line}");
    }
    // The test harness has no word for a test that could not run: it counted as passed.
    tally.skipped += skipped.len() as u64;
    tally.passed = tally.passed.saturating_sub(skipped.len() as u64);
    Ok(tally)
}

/// More failures than these, of thousands, are no accident of a busy machine.
const AGAIN_MAX: usize = 10;

/// Runs the few tests that failed once more, alone: with real databases, switches and clocks beside them, some come too late
/// when the machine stands still for seconds. Those that pass alone count as passed, and are named: they want a look, not a red light.
fn again(command: &mut Command, first: Tally) -> Result<Tally, String> {
    let named = first.faults.len() as u64 == first.failed;
    if first.failed == 0 || first.faults.len() > AGAIN_MAX || !named {
        return Ok(first);
    }
    println!("== once more, alone: {}", first.faults.join(", "));
    command
        .args(["--", "--exact"])
        .args(&first.faults)
        .env(THREADS, "1");
    let second = follow(command)?;
    Ok(settled(first, &second))
}

/// The first run, corrected by what the second said of its failures.
fn settled(mut first: Tally, second: &Tally) -> Tally {
    let (failed, late): (Vec<String>, Vec<String>) = first
        .faults
        .iter()
        .cloned()
        .partition(|name| second.faults.contains(name));
    // Of a second run that broke off nothing is known.
    if second.passed < late.len() as u64 {
        return first;
    }
    for name in &late {
        println!("LATE {name}: failed beside other tests, passed alone");
    }
    first.passed += late.len() as u64;
    first.failed -= late.len() as u64;
    first.faults = failed;
    first
}

fn follow(command: &mut Command) -> Result<Tally, String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cannot run cargo: {cause}"))?;
    let stdout = child.stdout.take().ok_or("cargo has no output")?;
    let mut watcher = Watcher::default();
    for line in BufReader::new(stdout).lines() {
        let line = line.map_err(|cause| format!("cannot read what cargo says: {cause}"))?;
        if watcher.line(&line) {
            println!("{line}");
        }
    }
    let status = child
        .wait()
        .map_err(|cause| format!("cargo went missing: {cause}"))?;
    let mut tally = watcher.tally();
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
        tally
            .faults
            .push("cargo test ended with an error of its own".to_owned());
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, faults: &[&str]) -> Tally {
        Tally {
            passed,
            failed: faults.len() as u64,
            skipped: 0,
            faults: faults.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_passes_alone_has_passed_and_what_fails_twice_has_failed() {
        let first = || tally(7, &["a", "b"]);
        assert_eq!(settled(first(), &tally(2, &[])), tally(9, &[]));
        assert_eq!(settled(first(), &tally(1, &["b"])), tally(8, &["b"]));
        assert_eq!(settled(first(), &tally(0, &["a", "b"])), first());
    }

    #[test]
    fn a_second_run_that_did_not_run_them_settles_nothing() {
        let first = tally(7, &["a", "b"]);
        let broken = tally(0, &["cargo test ended with an error of its own"]);
        assert_eq!(settled(first, &broken), tally(7, &["a", "b"]));
        assert_eq!(settled(tally(7, &["a"]), &broken), tally(7, &["a"]));
        assert_eq!(settled(tally(7, &["a"]), &tally(0, &[])), tally(7, &["a"]));
    }
}
