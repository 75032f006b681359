//! The project's chores, the same words on a desk and in CI: `cargo xtask test`.
//!
//! ```text
//!   test:  setup ─► fmt ─► tidy ─► docs ─► acceptance ─► build with clippy ─► cargo test ─► "N passed, N failed, N skipped"
//!   check:          fmt ─► tidy ─► docs ─► acceptance ─► cargo clippy
//! ```

mod acceptance;
mod chaos;
mod check;
mod docs;
mod lints;
mod repo;
mod rust_text;
mod setup;
mod sim;
mod test;
mod tidy;
mod tools;

use repo::Repo;
use std::process::ExitCode;

const USAGE: &str = "\
Chores of this project.

  cargo xtask test          everything a change must pass; ends with 'N passed, N failed, N skipped'
  cargo xtask test --all    the same, and every way that machines boot from the network (minutes more)
  cargo xtask test chain    the crates of one service and its conformance tests only: dhcp, tftp, ovn or chain
  cargo xtask chaos         clients that remember what they were promised, while everything fails (root):
                            chaos --help has its options, examples and scenarios
  cargo xtask sim           whole clusters from seeds, simulated: --seeds N (1000), --minutes M, --seed N --trace;
                            --help says more
  cargo xtask check         format, lints, tidy, documents, acceptance list; no tests
  cargo xtask tidy          the form of the repository: floors, purity, lengths, words
  cargo xtask acceptance    per seed: which promises have a test of their name
  cargo xtask setup         install the programs that conformance tests use (Debian packages: root)

With CI=true in the environment a missing component fails; elsewhere its tests are skipped with a line.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = Repo::open().and_then(|repo| match words[..] {
        ["test"] => test::run(&repo, test::Scope::Everything),
        ["test", "--all"] => test::run(&repo, test::Scope::All),
        ["test", service] if let Some(scope) = test::Scope::service(service) => test::run(&repo, scope),
        ["chaos", ref arguments @ ..] => chaos::run(&repo, arguments),
        ["sim", ref arguments @ ..] => sim::run(&repo, arguments),
        ["check"] => check::run(&repo).map(|tally| tally.failed == 0),
        ["tidy"] => tidy::run(&repo),
        ["acceptance"] => acceptance::run(&repo),
        ["setup"] => setup::run(&repo),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(true)
        }
        _ => Err(USAGE.to_owned()),
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Whether a missing component is a failure rather than a skipped test.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
