//! The long trial: faults by a seed under clients that remember. `cargo xtask chaos` builds and runs it.

use purlin_conformance::{Fault, Orders, Plan, Standby, Trial};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "\
Thousands of clients that remember what they were promised, over three nodes, PostgreSQL with a standby and Redis with
Sentinels on hosts of their own, while faults that a seed chooses come and go. Needs root (network namespaces) and the
programs of `cargo xtask setup`. Ends with 0 when no promise was broken, 1 when one was, 2 when nothing could be tried.

  cargo xtask chaos [--minutes N] [--seed S] [--scenario NAME]... [--asynchronous] [--normal] [-o table|json]

  --minutes N       how long faults come (5); without effect when scenarios are named
  --seed S          which faults, at whom, for how long (1): the same seed, the same choice
  --scenario NAME   this fault; repeated: these, in this order; NAME+NAME: both at once
  --asynchronous    commits do not wait for the standby
  --normal          nodes take over within 20 s (default times) instead of 5 s (takeover = \"fast\")
  -o json           the report as JSON on standard output; what happens is told on standard error either way

Examples

  cargo xtask chaos                                    five minutes by seed 1
  cargo xtask chaos --minutes 60 --seed 4711           a long one
  cargo xtask chaos --scenario node-killed --normal    one fault, with the default times
  cargo xtask chaos --seed 7 --scenario primary-killed --scenario node-paused+redis-killed -o json

Scenarios
";

/// What was asked for, and how to say what came of it.
struct Asked {
    orders: Orders,
    json: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|word| ["--help", "-h", "help"].contains(&word.as_str()))
    {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    match read(&arguments) {
        Ok(asked) => try_it(&asked, &format!("cargo xtask chaos {}", arguments.join(" "))),
        Err(message) => {
            eprintln!("{message}; `cargo xtask chaos --help` tells more");
            ExitCode::from(2)
        }
    }
}

fn try_it(asked: &Asked, command: &str) -> ExitCode {
    let orders = &asked.orders;
    eprintln!("seed {}, {:?}, {:?}", orders.seed, orders.length, orders.plan);
    // Whatever goes wrong in between, the command that does it again and the folder with the logs are the last words.
    let tried = std::panic::catch_unwind(|| Trial::begin(orders).map(Trial::run));
    let good = match &tried {
        Ok(Some(outcome)) if asked.json => {
            let mut report = outcome.json();
            report["seed"] = json!(orders.seed);
            report["replay"] = json!(command.trim());
            println!("{report:#}");
            outcome.faults.is_empty()
        }
        Ok(Some(outcome)) => {
            println!("{outcome}");
            outcome.faults.is_empty()
        }
        Ok(None) => return ExitCode::from(2),
        Err(_) => {
            eprintln!("the trial ended before its time");
            false
        }
    };
    if good {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "FAILED with seed {}; again with the same choice of faults: {}",
        orders.seed,
        command.trim()
    );
    ExitCode::FAILURE
}

fn usage() -> String {
    let line = |fault: Fault| format!("  {:<23} {}\n", fault.name(), fault.says());
    [USAGE.to_owned(), Fault::ALL.map(line).concat()].concat()
}

fn read(arguments: &[String]) -> Result<Asked, String> {
    let mut json = false;
    let mut orders = Orders {
        seed: 1,
        plan: Plan::default(),
        faults: Vec::new(),
        length: Duration::from_secs(300),
        linger: Duration::from_secs(3),
        warm_up: Duration::from_secs(8),
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
            "--scenario" => orders.faults.push(scenarios(value()?)?),
            "--asynchronous" => orders.plan.standby = Standby::Asynchronous,
            "--normal" => orders.plan.takeover = "normal",
            "-o" | "--output" => {
                json = match value()?.as_str() {
                    "json" => true,
                    "table" => false,
                    other => return Err(format!("-o is table or json, not \"{other}\"")),
                }
            }
            _ => return Err(format!("{word} is not known")),
        }
    }
    let wants_lag = orders
        .faults
        .iter()
        .flatten()
        .any(|fault| fault.needs_asynchronous());
    if orders.plan.standby == Standby::Synchronous && wants_lag {
        orders.plan.standby = Standby::Asynchronous;
    }
    let unfit = orders
        .faults
        .iter()
        .flatten()
        .find(|fault| !orders.plan.fitting().contains(fault));
    if let Some(fault) = unfit {
        return Err(format!(
            "{fault} makes no sense with a standby that is {:?}",
            orders.plan.standby
        ));
    }
    Ok(Asked { orders, json })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no number"))
}

/// One, or several at once: `node-killed+redis-killed`.
fn scenarios(names: &str) -> Result<Vec<Fault>, String> {
    names.split('+').map(scenario).collect()
}

fn scenario(name: &str) -> Result<Fault, String> {
    let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    Fault::named(name)
        .ok_or_else(|| format!("no scenario is called \"{name}\"; there are {}", names.join(", ")))
}
