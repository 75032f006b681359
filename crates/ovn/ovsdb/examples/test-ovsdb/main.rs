//! Under the name `test-ovsdb` this program takes the place of the one that Open vSwitch's own test suite drives, so that
//! its expectations judge this crate: `tests/ovsdb-types.at`, `ovsdb-data.at`, `ovsdb-schema.at`, `ovsdb-condition.at`,
//! `ovsdb-mutation.at`, `ovsdb-idl.at`. Commands that judge a server's inside are not there.

mod idl;
mod print;
mod values;

use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let time = arguments
        .iter()
        .find_map(|word| word.strip_prefix("-t")?.parse().ok());
    let time = Duration::from_secs(time.unwrap_or(10));
    // Verbosity, and what only changes how the original reports.
    arguments.retain(|word| {
        !word.starts_with("-v") && !word.starts_with("-t") && !word.starts_with("--timeout") && word != "--"
    });
    let track = arguments
        .iter()
        .any(|word| word == "-c" || word == "--change-track");
    arguments.retain(|word| {
        !matches!(
            word.as_str(),
            "-c" | "--change-track" | "-w" | "--write-changed-only"
        )
    });
    let Some((command, arguments)) = arguments.split_first() else {
        eprintln!("usage: test-ovsdb COMMAND [ARGUMENT...]");
        return ExitCode::FAILURE;
    };
    match run(command, arguments, track, time) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            if !fault.is_empty() {
                eprintln!("test-ovsdb: {fault}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, arguments: &[String], track: bool, time: Duration) -> Outcome {
    match (command, arguments) {
        (command, arguments) if command.starts_with("idl") => idl::run(command, arguments, track, time),
        _ => values::run(command, arguments),
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|cause| format!("\"{text}\": {cause}"))
}

/// An array of one stands for what is in it: so the suite passes what is no JSON text by itself.
fn unboxed(text: &str) -> Result<Value, String> {
    Ok(match json(text)? {
        Value::Array(mut array) if array.len() == 1 => array.remove(0),
        other => other,
    })
}
