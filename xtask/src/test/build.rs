//! What is run is compiled first, and linted on the way.

use super::Scope;
use super::programs::Program;
use crate::check;
use crate::lints;
use crate::repo::Repo;
use std::process::{Command, Stdio};

/// Everything that has tests.
const TARGETS: &[&str] = &["--lib", "--bins", "--tests"];

/// What runs the binary with real clients.
pub(super) const CONFORMANCE: &str = "purlin-conformance";

/// Cargo, the same for the build and for the run that follows: another environment would compile the house again.
pub(super) fn cargo(repo: &Repo, scope: Scope) -> Result<Command, String> {
    if scope.is_whole() {
        lints::cargo(repo)
    } else {
        Ok(repo.cargo())
    }
}

pub(super) fn packages(repo: &Repo, scope: Scope) -> Result<Vec<String>, String> {
    let Scope::Service(service) = scope else {
        return Ok(vec!["--workspace".to_owned()]);
    };
    let folder = format!("crates/{}/", service.name);
    let all = repo.packages()?.into_iter();
    let its = all.filter(|package| package.folder.starts_with(&folder));
    let names = its.map(|package| package.name).chain([CONFORMANCE.to_owned()]);
    Ok(names.flat_map(|name| ["-p".to_owned(), name]).collect())
}

/// The programs to run; none when something does not compile. With all tests cargo builds the binary too, because it has tests
/// of its own. A build of the binary alone would compile most of the house a second time: without the tests, some
/// dependencies have fewer features.
pub(super) fn all(repo: &Repo, scope: Scope) -> Result<Vec<Program>, String> {
    if let Scope::Service(service) = scope {
        let words = [
            "build",
            "--quiet",
            "-p",
            "purlin",
            "--no-default-features",
            "--features",
        ];
        if !check::cargo(repo, &[&words[..], &[service.features]].concat())? {
            return Ok(Vec::new());
        }
    }
    let mut command = cargo(repo, scope)?;
    command
        .args(["test", "--no-run", "--quiet"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(packages(repo, scope)?)
        .args(TARGETS);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|cause| format!("cannot run cargo: {cause}"))?;
    if !output.status.success() {
        return Ok(Vec::new());
    }
    Ok(Program::all(&String::from_utf8_lossy(&output.stdout)))
}

/// Measurements and the like, which no test runs: linted, and they compile.
pub(super) fn examples(repo: &Repo) -> Result<bool, String> {
    check::succeeds(lints::cargo(repo)?.args(["build", "--quiet", "--workspace", "--examples"]))
}

/// The service that is compiled alone in the long run only: each costs the better part of a minute.
const SLOWEST: &str = "chain";

/// The binary with each of its services alone. The other packages are what they were, so nothing but the binary is compiled
/// (tests/conformance/Cargo.toml says how). This goes before [`all`]: the binary that is left is the one with everything.
pub(super) fn services_apart(repo: &Repo, scope: Scope) -> Result<bool, String> {
    let others: Vec<String> = repo.packages_with_defaults()?;
    let mut services = check::services(repo)?;
    services.retain(|service| scope == Scope::All || service != SLOWEST);
    check::each(services, |service| {
        let features: Vec<String> = others
            .iter()
            .filter(|package| *package != "purlin")
            .map(|package| format!("{package}/default"))
            .chain([format!("purlin/{service}")])
            .collect();
        let mut command = lints::cargo(repo)?;
        command
            .args(["build", "--quiet", "--workspace", "--lib", "--bins"])
            .args(["--no-default-features", "--features", &features.join(",")]);
        check::succeeds(&mut command)
    })
}
