//! Runs test programs: most of them one after the other, and beside them those that only compute.
//!
//! ```text
//!   first lane   ■ api ■■ dhcp/server ■■ ... ■■■■■■ conformance ■   waits for real parts; prints as it goes
//!   modest lane  □□ chain/evm □□□ fabric □□ sim □                   what is left of the machine; prints what has ended
//! ```

use super::Tally;
use super::build::CONFORMANCE;
use super::outcome::{Outcome, Watcher};
use super::programs::Program;
use crate::repo::Repo;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Packages whose tests wait for nobody and for no clock: however slow they are, they come to the same end.
const MODEST: &[&str] = &[
    "purlin-chain-core",
    "purlin-chain-evm",
    "purlin-dhcp-core",
    "purlin-fabric",
    "purlin-ovn-core",
    "purlin-sim",
];

/// How many tests the harness runs at a time.
pub(super) const THREADS: &str = "RUST_TEST_THREADS";

/// More failures than these, of thousands, are no accident of a busy machine.
const AGAIN_MAX: usize = 10;

/// What every program is told, and how long it may be silent: a test that hangs is found out, and the others are run.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) environment: Vec<(&'static str, OsString)>,
    pub(super) silence: Duration,
    /// What the names of conformance's tests must have; nothing for all of them.
    pub(super) conformance: Option<&'static str>,
}

impl Conditions {
    /// What the names of this program's tests must have.
    fn filter(&self, program: &Program) -> Option<&'static str> {
        self.conformance.filter(|_| program.package == CONFORMANCE)
    }
}

/// A program and what came of it.
struct Ended<'a> {
    program: &'a Program,
    outcome: Outcome,
}

/// Runs all of them; those that failed once more, if they are few.
pub(super) fn run(repo: &Repo, programs: &[Program], conditions: &Conditions) -> Result<Tally, String> {
    let mut programs: Vec<&Program> = programs.iter().collect();
    // Cargo names them as it has finished them. What has most real parts and clocks runs when the modest have ended.
    programs.sort_by_key(|program| (program.package == CONFORMANCE, &program.name));
    let (modest, first): (Vec<&Program>, Vec<&Program>) = programs
        .into_iter()
        .partition(|program| MODEST.contains(&program.package.as_str()));
    let ended = thread::scope(|scope| {
        let beside = scope.spawn(|| lane(repo, &modest, conditions, true));
        let mut ended = lane(repo, &first, conditions, false)?;
        let beside = beside.join().map_err(|_| "a lane of tests panicked")?;
        ended.extend(beside?);
        Ok::<_, String>(ended)
    })?;
    again(repo, ended, conditions)
}

fn lane<'a>(
    repo: &Repo,
    programs: &[&'a Program],
    conditions: &Conditions,
    modest: bool,
) -> Result<Vec<Ended<'a>>, String> {
    let mut ended = Vec::new();
    for program in programs {
        let mut command = program.command(repo, modest);
        with(&mut command, conditions);
        command.args(conditions.filter(program));
        let heading = format!("     Running {}", program.name);
        let outcome = if modest {
            let mut said = vec![heading];
            let outcome = follow(&mut command, conditions.silence, |line| {
                said.push(line.to_owned());
            })?;
            println!("{}", said.join("\n"));
            outcome
        } else {
            println!("{heading}");
            follow(&mut command, conditions.silence, |line| println!("{line}"))?
        };
        ended.push(Ended { program, outcome });
    }
    Ok(ended)
}

/// Half as many tests again as there are cores, unless somebody says another number: tests with real parts mostly wait for
/// them.
pub(super) fn with(command: &mut Command, conditions: &Conditions) {
    command.envs(conditions.environment.iter().map(|(name, value)| (name, value)));
    if std::env::var_os(THREADS).is_none() {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        command.env(THREADS, (cores + cores.div_ceil(2)).to_string());
    }
}

/// Runs the few tests that failed once more, alone: with real databases, switches and clocks beside them, some come too late
/// when the machine stands still for seconds. Those that pass alone count as passed, and are named: they want a look, not a
/// red light.
fn again(repo: &Repo, ended: Vec<Ended<'_>>, conditions: &Conditions) -> Result<Tally, String> {
    let failures: u64 = ended.iter().map(|one| one.outcome.tally.failed).sum();
    let few = failures <= AGAIN_MAX as u64;
    let mut sum = Tally::default();
    for Ended { program, outcome } in ended {
        let Outcome { tally, hung_after } = outcome;
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
        with(&mut command, conditions);
        command.arg("--exact");
        match &hung_after {
            Some(passed) => {
                let left = left(repo, program, conditions, passed)?;
                // Without a name the harness would run all of them.
                if left.is_empty() {
                    sum.add(tally);
                    continue;
                }
                command.args(left)
            }
            None => command.args(&tally.faults).env(THREADS, "1"),
        };
        let second = follow(&mut command, conditions.silence, |line| println!("{line}"))?.tally;
        sum.add(match hung_after {
            Some(passed) => resumed(&tally, passed.len(), second),
            None => settled(tally, &second),
        });
    }
    Ok(sum)
}

/// The tests that a program was to run and had not passed.
fn left(
    repo: &Repo,
    program: &Program,
    conditions: &Conditions,
    passed: &[String],
) -> Result<Vec<String>, String> {
    let mut command = program.command(repo, false);
    command.args(conditions.filter(program));
    let output = command.args(["--list", "--format", "terse"]).output();
    let output = output.map_err(|cause| format!("cannot ask {} for its tests: {cause}", program.name))?;
    let mut names = listed(&String::from_utf8_lossy(&output.stdout));
    names.retain(|name| !passed.contains(name));
    Ok(names)
}

/// The names in `a::b: test`, one in a line.
fn listed(said: &str) -> Vec<String> {
    let names = said.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
}

/// What had passed before the program hung, and what became of all others.
fn resumed(first: &Tally, passed: usize, second: Tally) -> Tally {
    if second.failed == 0 {
        for fault in &first.faults {
            println!("LATE {fault}: passed when it was run again");
        }
    }
    Tally {
        passed: passed as u64 + second.passed,
        ..second
    }
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

/// Runs a command and gives every line that a reader needs to `say`. One that says nothing for `silence` hangs: it is ended,
/// and has failed.
pub(super) fn follow(
    command: &mut Command,
    silence: Duration,
    mut say: impl FnMut(&str),
) -> Result<Outcome, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("cannot run {name}: {cause}"))?;
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| format!("{name} has no output"))?;
    let (sender, lines) = mpsc::channel();
    // Ends with the output; what a hanging program started may hold that open for longer than anybody waits.
    thread::spawn(move || {
        let all = BufReader::new(stdout).split(b'\n');
        let _ = all
            .map(|line| sender.send(line))
            .take_while(Result::is_ok)
            .count();
    });
    let mut watcher = Watcher::default();
    let hangs = loop {
        match lines.recv_timeout(silence) {
            Ok(line) => {
                let line = line.map_err(|cause| format!("cannot read what {name} says: {cause}"))?;
                let line = String::from_utf8_lossy(&line);
                if watcher.line(&line) {
                    say(&line);
                }
            }
            Err(RecvTimeoutError::Timeout) => break true,
            Err(RecvTimeoutError::Disconnected) => break false,
        }
    };
    if hangs {
        say(&format!(
            "HANGS {name}: no word for {} s; it is ended",
            silence.as_secs()
        ));
        child
            .kill()
            .map_err(|cause| format!("cannot end {name}: {cause}"))?;
    }
    let status = child
        .wait()
        .map_err(|cause| format!("{name} went missing: {cause}"))?;
    Ok(if hangs {
        watcher.hung(&name)
    } else {
        watcher.ended(&name, status)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

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
        let silence = Duration::from_secs(60);
        let found = follow(&mut command, silence, |line| lines.push(line.to_owned()));
        let found = found.expect("it runs").tally;
        assert_eq!(
            (found.passed, found.failed, lines),
            (0, 1, vec!["said".to_owned()])
        );
        assert!(found.faults[0].contains("signal: 6"), "{:?}", found.faults);
    }

    #[test]
    fn a_program_that_hangs_is_ended_and_the_rest_is_run() {
        let mut command = Command::new("sh");
        // A child that holds the output open for longer than its parent lives.
        command.args([
            "-c",
            "echo 'test a ... ok'; echo 'test b has been running for over 60 seconds'; sleep 30 & wait",
        ]);
        let start = Instant::now();
        let found = follow(&mut command, Duration::from_millis(200), |_| ()).expect("it runs");
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(
            (found.tally.passed, found.tally.faults),
            (1, vec!["sh hangs in b".to_owned()])
        );
        assert_eq!(found.hung_after, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn a_list_of_tests_has_names_only() {
        let said = "a::b: test\na::speed: benchmark\na::c: test\n\n2 tests, 1 benchmark\n";
        assert_eq!(listed(said), ["a::b", "a::c"]);
    }

    #[test]
    fn what_a_hanging_program_had_passed_counts_once() {
        assert_eq!(
            resumed(&tally(3, &["it hangs in b"]), 3, tally(2, &[])),
            tally(5, &[])
        );
        let again = tally(1, &["it hangs in b"]);
        assert_eq!(
            resumed(&tally(3, &["it hangs in b"]), 3, again),
            tally(4, &["it hangs in b"])
        );
    }
}
