//! The long trial: faults by a seed under clients that remember. `cargo xtask chaos` builds and runs it.
//!
//! `chaos --minutes N --seed S [--scenario NAME] [--asynchronous] [--normal]`

use purlin_conformance::{Fault, Orders, Plan, Standby, Trial};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let orders = match read(&arguments) {
        Ok(orders) => orders,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    println!("seed {}, {:?}, {:?}", orders.seed, orders.length, orders.plan);
    // Whatever goes wrong in between, the seed and the folder with the logs are the last words.
    let tried = std::panic::catch_unwind(|| Trial::begin(&orders).map(Trial::run));
    match tried {
        Ok(Some(outcome)) => {
            println!("{outcome}");
            if outcome.faults.is_empty() {
                return ExitCode::SUCCESS;
            }
        }
        Ok(None) => return ExitCode::from(2),
        Err(_) => println!("the trial ended before its time"),
    }
    println!("FAILED with seed {}", orders.seed);
    ExitCode::FAILURE
}

fn read(arguments: &[String]) -> Result<Orders, String> {
    let mut orders = Orders {
        seed: 1,
        plan: Plan::default(),
        faults: Vec::new(),
        length: Duration::from_secs(300),
        loud: true,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
        match word.as_str() {
            "--minutes" => {
                let minutes: u64 = number(value()?)?;
                orders.length = Duration::from_secs(minutes.saturating_mul(60));
            }
            "--seed" => orders.seed = number(value()?)?,
            "--scenario" => orders.faults.push(scenario(value()?)?),
            "--asynchronous" => orders.plan.standby = Standby::Asynchronous,
            "--normal" => orders.plan.takeover = "normal",
            _ => {
                return Err(format!(
                    "{word} is not known; --minutes, --seed, --scenario, --asynchronous, --normal are"
                ));
            }
        }
    }
    if orders.plan.standby == Standby::Synchronous
        && orders.faults.iter().any(|fault| fault.needs_asynchronous())
    {
        orders.plan.standby = Standby::Asynchronous;
    }
    Ok(orders)
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no number"))
}

fn scenario(name: &str) -> Result<Fault, String> {
    let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    Fault::named(name)
        .ok_or_else(|| format!("no scenario is called \"{name}\"; there are {}", names.join(", ")))
}
