//! Everything that needs no running program: format, lints, form, documents, acceptance list, dependencies.

use crate::repo::Repo;
use crate::test::Tally;
use crate::{acceptance, docs, tidy, tools};
use std::process::Command;
use std::time::Instant;

const BINARY_MANIFEST: &str = "bin/purlin/Cargo.toml";

/// Runs all checks and counts them.
pub(crate) fn run(repo: &Repo) -> Result<Tally, String> {
    let mut tally = form(repo);
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
    step(&mut tally, "services apart", || {
        let linted = |service: &str| {
            let only = ["-p", "purlin", "--no-default-features", "--features", service];
            cargo(
                repo,
                &[&["clippy", "--quiet"], &only[..], &["--", "-D", "warnings"]].concat(),
            )
        };
        each(services(repo)?, linted)
    });
    Ok(tally)
}

/// Those that compile nothing.
pub(crate) fn form(repo: &Repo) -> Tally {
    let mut tally = Tally::default();
    step(&mut tally, "format", || cargo(repo, &["fmt", "--all", "--check"]));
    step(&mut tally, "tidy", || tidy::run(repo));
    step(&mut tally, "acceptance list", || acceptance::run(repo));
    step(&mut tally, "documents", || docs::links(repo));
    step(&mut tally, "dependencies", || tools::deny(repo));
    step(&mut tally, "service unit", || tools::unit(repo));
    tally
}

/// The services, by the features of the binary.
pub(crate) fn services(repo: &Repo) -> Result<Vec<String>, String> {
    let services = default_features(&repo.read(BINARY_MANIFEST)?);
    if services.is_empty() {
        return Err(format!(
            "{BINARY_MANIFEST} has no line `default = [...]` under [features]"
        ));
    }
    Ok(services)
}

/// The binary with each of its services alone: what is missing must be refused in words, not in the build.
pub(crate) fn each(
    services: Vec<String>,
    mut good: impl FnMut(&str) -> Result<bool, String>,
) -> Result<bool, String> {
    let mut all = true;
    for service in services {
        all &= good(&service)?;
    }
    Ok(all)
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
    succeeds(repo.cargo().args(arguments))
}

pub(crate) fn succeeds(command: &mut Command) -> Result<bool, String> {
    let status = command.status();
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
