//! The commands alone, under the name that scripts know: for trials without the whole of Purlin.

use purlin_ovn_nbctl::shell::{Called, Environment, main as run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    ExitCode::from(run(&Called {
        name: "ovn-nbctl",
        words: &words,
        environment: Environment::read(),
        node: None,
    }))
}
