//! Runs test programs: most of them one after the other, and beside them those that only compute.
//!
//! ```text
//!   first lane   ■ api ■■ dhcp/server ■■ ... ■■■■■■ conformance ■   waits for real parts; prints as it goes
//!   modest lane  □□ chain/evm □□□ fabric □□ sim □                   what is left of the machine; prints what has ended
//! ```

use super::Tally;
use super::outcome::Watcher;
use super::programs::Program;
use crate::repo::Repo;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::thread;

/// Packages whose tests wait for nobody and for no clock: however slow they are, they come to the same end.
const MODEST: &[&str] = &[
    "purlin-chain-core",
    "purlin-chain-evm",
    "purlin-dhcp-core",
    "purlin-fabric",
    "purlin-ovn-core",
    "purlin-sim",
];

/// What has most real parts and clocks runs when the modest have ended.
const LAST: &str = "purlin-conformance";

/// How many tests the harness runs at a time.
pub(super) const THREADS: &str = "RUST_TEST_THREADS";

/// More failures than these, of thousands, are no accident of a busy machine.
const AGAIN_MAX: usize = 10;

/// What every program is told.
pub(super) type Environment = Vec<(&'static str, OsString)>;

/// A program and what came of it.
struct Ended<'a> {
    program: &'a Program,
    tally: Tally,
}

/// Runs all of them; those that failed once more, if they are few.
pub(super) fn run(repo: &Repo, programs: &[Program], environment: &Environment) -> Result<Tally, String> {
    let mut programs: Vec<&Program> = programs.iter().collect();
    // Cargo names them as it has finished them.
    programs.sort_by_key(|program| (program.package == LAST, &program.name));
    let (modest, first): (Vec<&Program>, Vec<&Program>) = programs
        .into_iter()
        .partition(|program| MODEST.contains(&program.package.as_str()));
    let ended = thread::scope(|scope| {
        let beside = scope.spawn(|| lane(repo, &modest, environment, true));
        let mut ended = lane(repo, &first, environment, false)?;
        let beside = beside.join().map_err(|_| "a lane of tests panicked")?;
        ended.extend(beside?);
        Ok::<_, String>(ended)
    })?;
    again(repo, ended, environment)
}

fn lane<'a>(
    repo: &Repo,
    programs: &[&'a Program],
    environment: &Environment,
    modest: bool,
) -> Result<Vec<Ended<'a>>, String> {
    let mut ended = Vec::new();
    for program in programs {
        let mut command = program.command(repo, modest);
        with(&mut command, environment);
        let heading = format!("     Running {}", program.name);
        let tally = if modest {
            let mut said = vec![heading];
            let tally = follow(&mut command, |line| said.push(line.to_owned()))?;
            println!("{}", said.join("\n"));
            tally
        } else {
            println!("{heading}");
            follow(&mut command, |line| println!("{line}"))?
        };
        ended.push(Ended { program, tally });
    }
    Ok(ended)
}

/// Half as many tests again as there are cores, unless somebody says another number: tests with real parts mostly wait for
/// them.
pub(super) fn with(command: &mut Command, environment: &Environment) {
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    if std::env::var_os(THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        command.env(THREADS, (cores + cores.div_ceil(2)).to_string());
    }
}

/// Runs the few tests that failed once more, alone: with real databases, switches and clocks beside them, some come too late
/// when the machine stands still for seconds. Those that pass alone count as passed, and are named: they want a look, not a
/// red light.
fn again(repo: &Repo, ended: Vec<Ended<'_>>, environment: &Environment) -> Result<Tally, String> {
    let failures: u64 = ended.iter().map(|one| one.tally.failed).sum();
    let few = failures <= AGAIN_MAX as u64;
    let mut sum = Tally::default();
    for Ended { program, tally } in ended {
        let named = tally.faults.len() as u64 == tally.failed;
        if tally.failed == 0 || !few || !named {
            sum.add(tally);
            continue;
        }
        println!(
            "== once more, alone: {}: {}",
            program.name,
            tally.faults.join(", ")
        );
        let mut command = program.command(repo, false);
        with(&mut command, environment);
        command.arg("--exact").args(&tally.faults).env(THREADS, "1");
        let second = follow(&mut command, |line| println!("{line}"))?;
        sum.add(settled(tally, &second));
    }
    Ok(sum)
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

/// Runs a command and gives every line that a reader needs to `say`.
pub(super) fn follow(command: &mut Command, mut say: impl FnMut(&str)) -> Result<Tally, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cannot run {name}: {cause}"))?;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| format!("{name} has no output"))?;
    let mut watcher = Watcher::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.map_err(|cause| format!("cannot read what {name} says: {cause}"))?;
        let line = String::from_utf8_lossy(&line);
        if watcher.line(&line) {
            say(&line);
        }
    }
    let status = child
        .wait()
        .map_err(|cause| format!("{name} went missing: {cause}"))?;
    let mut tally = watcher.tally();
    if !status.success() && tally.failed == 0 {
        tally.failed = 1;
        tally.faults.push(format!("{name} ended with {status}"));
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
        let broken = tally(0, &["it ended with signal: 6"]);
        assert_eq!(settled(first, &broken), tally(7, &["a", "b"]));
        assert_eq!(settled(tally(7, &["a"]), &broken), tally(7, &["a"]));
        assert_eq!(settled(tally(7, &["a"]), &tally(0, &[])), tally(7, &["a"]));
    }

    #[test]
    fn a_program_that_breaks_off_has_failed() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test a ... ok'; echo said; kill -ABRT $$"]);
        let mut lines = Vec::new();
        let found = follow(&mut command, |line| lines.push(line.to_owned())).expect("it runs");
        assert_eq!(
            (found.passed, found.failed, lines),
            (0, 1, vec!["said".to_owned()])
        );
        assert!(found.faults[0].contains("signal: 6"), "{:?}", found.faults);
    }
}
