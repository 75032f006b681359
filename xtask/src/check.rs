//! Everything that needs no running program: format, lints, form, documents, acceptance list, dependencies.

use crate::repo::Repo;
use crate::test::Tally;
use crate::{acceptance, docs, tidy, tools};
use std::time::Instant;

const BINARY_MANIFEST: &str = "bin/purlin/Cargo.toml";

/// Services whose libraries are so many that checking them once more, with the features that they have without everything
/// else, takes minutes. The lints have seen their code already.
const HEAVY: &[&str] = &["chain"];

/// Runs all checks and counts them; `heavy` services apart, too.
pub(crate) fn run(repo: &Repo, heavy: bool) -> Result<Tally, String> {
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
    step(&mut tally, "services apart", || services_apart(repo, heavy));
    Ok(tally)
}

/// The binary with each of its services alone: what is missing must be refused in words, not in the build. Only linted,
/// with what the step before has compiled.
fn services_apart(repo: &Repo, heavy: bool) -> Result<bool, String> {
    let services = default_features(&repo.read(BINARY_MANIFEST)?);
    if services.is_empty() {
        return Err(format!(
            "{BINARY_MANIFEST} has no line `default = [...]` under [features]"
        ));
    }
    let mut good = true;
    let wanted = |service: &String| heavy || !HEAVY.contains(&service.as_str());
    for service in services.into_iter().filter(wanted) {
        let only = [
            "clippy",
            "-p",
            "purlin",
            "--no-default-features",
            "--features",
            &service,
        ];
        good &= cargo(repo, &[&only[..], &["--quiet", "--", "-D", "warnings"]].concat())?;
    }
    Ok(good)
}

/// The features that are on by default.
fn default_features(manifest: &str) -> Vec<String> {
    let list = manifest.lines().find_map(|line| line.strip_prefix("default = ["));
    let names = list.unwrap_or_default().trim_end_matches(']').split(',');
    names
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_the_default_features() {
        let manifest = "[features]\ndefault = [\"dhcp\", \"tftp\"]\ndhcp = []\n";
        assert_eq!(default_features(manifest), ["dhcp", "tftp"]);
        assert!(default_features("[features]\n").is_empty());
    }
}
