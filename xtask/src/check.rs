//! Everything that needs no running program: format, lints, form, documents, acceptance list, dependencies.

use crate::repo::Repo;
use crate::test::Tally;
use crate::{acceptance, docs, tidy, tools};
use std::time::Instant;

/// Runs all checks and counts them.
pub(crate) fn run(repo: &Repo) -> Result<Tally, String> {
    let mut tally = Tally::default();
    step(&mut tally, "format", || cargo(repo, &["fmt", "--all", "--check"]));
    step(&mut tally, "tidy", || tidy::run(repo));
    step(&mut tally, "acceptance list", || acceptance::run(repo));
    step(&mut tally, "documents", || docs::links(repo));
    step(&mut tally, "dependencies", || tools::deny(repo));
    step(&mut tally, "service unit", || tools::unit(repo));
    step(&mut tally, "lints", || {
        cargo(
            repo,
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ],
        )
    });
    Ok(tally)
}

/// Runs one step, says how it went and how long it took.
pub(crate) fn step(tally: &mut Tally, name: &str, run: impl FnOnce() -> Result<bool, String>) {
    println!("== {name}");
    let start = Instant::now();
    let good = run().unwrap_or_else(|message| {
        eprintln!("{message}");
        false
    });
    println!(
        "   {name}: {} after {:.1} s",
        if good { "ok" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    );
    if good {
        tally.passed += 1;
    } else {
        tally.failed += 1;
        tally.faults.push(name.to_owned());
    }
}

pub(crate) fn cargo(repo: &Repo, arguments: &[&str]) -> Result<bool, String> {
    let status = repo.cargo().args(arguments).status();
    status
        .map(|status| status.success())
        .map_err(|cause| format!("cannot run cargo: {cause}"))
}
