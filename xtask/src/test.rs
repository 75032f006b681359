//! `cargo xtask test`: all checks, then all tests, then one line with the sum.

mod build;
mod lanes;
mod outcome;
mod programs;

use crate::check::{self, step};
use crate::repo::Repo;
use crate::{docs, setup};
use lanes::Conditions;
use programs::Program;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// What to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Everything,
    /// Everything, and the tests that take minutes.
    All,
    /// The packages in `crates/NAME` and what conformance says of them.
    Service(&'static Service),
}

/// One service of the binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    name: &'static str,
    /// Of the binary that conformance runs: whoever changes one service does not wait for all others to compile.
    features: &'static str,
    /// The conformance tests about it.
    conformance: &'static str,
}

const SERVICES: &[Service] = &[
    Service {
        name: "dhcp",
        features: "dhcp,tftp",
        conformance: "dhcp::",
    },
    Service {
        name: "tftp",
        features: "dhcp,tftp",
        conformance: "boot::",
    },
    Service {
        name: "ovn",
        features: "dhcp,ovn",
        conformance: "ovn::",
    },
    Service {
        name: "chain",
        features: "chain",
        conformance: "chain::",
    },
];

impl Scope {
    /// As it is asked for: `cargo xtask test chain`.
    pub(crate) fn service(name: &str) -> Option<Self> {
        SERVICES
            .iter()
            .find(|service| service.name == name)
            .map(Self::Service)
    }

    /// One service alone needs no set-up, and is not what a change must pass.
    const fn is_whole(self) -> bool {
        !matches!(self, Self::Service(_))
    }
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

/// A program of which no test ends for so long hangs. The longest test takes a minute or two.
const SILENCE: Duration = Duration::from_secs(600);
/// The same among tests that take minutes.
const SILENCE_ALL: Duration = Duration::from_secs(3600);

pub(crate) fn run(repo: &Repo, scope: Scope) -> Result<bool, String> {
    let start = Instant::now();
    let mut tally = Tally::default();
    if scope.is_whole() {
        step(&mut tally, "setup", || setup::run(repo));
        tally.add(check::form(repo));
        step(&mut tally, "services apart", || {
            build::services_apart(repo, scope)
        });
    }
    let mut programs = Vec::new();
    step(&mut tally, "build", || {
        programs = build::all(repo, scope)?;
        Ok(!programs.is_empty())
    });
    if scope.is_whole() {
        step(&mut tally, "examples", || build::examples(repo));
    }
    let binary = repo.target()?.join("debug").join("purlin");
    if tally.faults.iter().any(|fault| fault == "build") {
        println!("   no tests were run, because not everything compiles without a finding");
    } else {
        if scope.is_whole() {
            step(&mut tally, "commands in documents", || {
                docs::commands(repo, &binary)
            });
        }
        println!("== tests");
        tally.add(tests(repo, scope, &programs, &binary)?);
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

/// Runs all programs, then the examples in comments.
fn tests(repo: &Repo, scope: Scope, programs: &[Program], binary: &Path) -> Result<Tally, String> {
    let skips = repo.target()?.join("skipped-tests");
    let _ = std::fs::remove_file(&skips);
    let mut conditions = Conditions {
        environment: vec![(SKIPS, skips.clone().into_os_string()), (BINARY, binary.into())],
        silence: SILENCE,
        conformance: None,
    };
    if let Scope::Service(service) = scope {
        conditions.conformance = Some(service.conformance);
    }
    if scope == Scope::All {
        conditions.environment.push((ALL, "1".into()));
        conditions.silence = SILENCE_ALL;
    }
    let mut tally = lanes::run(repo, programs, &conditions)?;
    let mut documents = build::cargo(repo, scope)?;
    documents
        .args(["test", "--no-fail-fast", "--doc"])
        .args(build::packages(repo, scope)?);
    lanes::with(&mut documents, &conditions);
    // These are compiled now, in silence.
    tally.add(lanes::follow(&mut documents, SILENCE_ALL, |line| println!("{line}"))?.tally);
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
