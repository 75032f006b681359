//! The public cases of execution-apis against the public chain: see `data/README.md`.

use crate::served::{Served, public, settings};
use purlin_chain_server::{Pace, Production, Settings};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Cases that are known to fail, and why. One that begins to pass must leave this list.
const FAILING: &[(&str, &str)] = &[];

struct Case {
    name: String,
    by_shape: bool,
    /// Request and expected answer.
    turns: Vec<(String, Value)>,
}

fn case(root: &Path, path: &Path) -> Case {
    let text = fs::read_to_string(path).expect("a case");
    let mut turns = Vec::new();
    let mut asked = None;
    for line in text.lines() {
        if let Some(request) = line.strip_prefix(">> ") {
            asked = Some(request.to_owned());
        } else if let Some(answer) = line.strip_prefix("<< ") {
            let answer = serde_json::from_str(answer).expect("JSON");
            turns.push((asked.take().expect("a request before"), answer));
        }
    }
    let name = path.strip_prefix(root).expect("inside").with_extension("");
    Case {
        name: name.to_string_lossy().into_owned(),
        by_shape: text.lines().any(|line| line.starts_with("// speconly:")),
        turns,
    }
}

fn cases(root: &Path) -> Vec<Case> {
    let entries = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let folders = entries(root).into_iter().filter(|path| path.is_dir());
    let mut paths: Vec<_> = folders
        .flat_map(|folder| entries(&folder))
        .filter(|path| path.extension().is_some_and(|extension| extension == "io"))
        .collect();
    paths.sort();
    paths.iter().map(|path| case(root, path)).collect()
}

/// What differs, in words; none when the answer is as expected.
fn difference(case: &Case, expected: &Value, got: &Value) -> Option<String> {
    match (expected.get("error"), got.get("error")) {
        (Some(expected), Some(got)) => {
            (expected["code"] != got["code"]).then(|| format!("error {got}, expected {expected}"))
        }
        (Some(expected), None) => Some(format!(
            "no error, expected {expected}; got {}",
            short(&got["result"])
        )),
        (None, Some(got)) => Some(format!("error {got}")),
        (None, None) if case.by_shape => shape("result", &expected["result"], &got["result"]),
        (None, None) => exact("result", &expected["result"], &got["result"]),
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(200).collect()
}

fn exact(at: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let keys: std::collections::BTreeSet<_> = expected.keys().chain(got.keys()).collect();
            keys.into_iter()
                .find_map(|key| match (expected.get(key), got.get(key)) {
                    (Some(expected), Some(got)) => exact(&format!("{at}.{key}"), expected, got),
                    (Some(_), None) => Some(format!("{at}.{key} is missing")),
                    (None, _) => Some(format!("{at}.{key} is too much")),
                })
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            let pairs = expected.iter().zip(got).enumerate();
            pairs
                .into_iter()
                .find_map(|(index, (expected, got))| exact(&format!("{at}[{index}]"), expected, got))
        }
        (expected, got) if expected == got => None,
        (expected, got) => Some(format!("{at} is {}, expected {}", short(got), short(expected))),
    }
}

/// Keys and types; of lists the first entries.
fn shape(at: &str, expected: &Value, got: &Value) -> Option<String> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            let keys: std::collections::BTreeSet<_> = expected.keys().chain(got.keys()).collect();
            keys.into_iter()
                .find_map(|key| match (expected.get(key), got.get(key)) {
                    (Some(expected), Some(got)) => shape(&format!("{at}.{key}"), expected, got),
                    (Some(_), None) => Some(format!("{at}.{key} is missing")),
                    (None, _) => Some(format!("{at}.{key} is too much")),
                })
        }
        (Value::Array(expected), Value::Array(got)) => {
            let first = expected.first().zip(got.first());
            first.and_then(|(expected, got)| shape(&format!("{at}[0]"), expected, got))
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => None,
        (expected, got) => Some(format!("{at} is {}, expected {}", short(got), short(expected))),
    }
}

#[test]
fn the_public_cases_are_answered_as_expected() {
    let given = std::env::var_os("PURLIN_RPC_CASES").map(PathBuf::from);
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data");
    let settings = Settings {
        production: Production {
            pace: Pace::Off,
            ..Production::default()
        },
        ..settings()
    };
    let served = Served::new(settings, public());
    let cases = cases(given.as_deref().unwrap_or(&own));
    assert!(cases.len() >= 86, "{} cases", cases.len());
    let mut wrong = Vec::new();
    let mut passed = 0;
    for case in &cases {
        let differs = case.turns.iter().find_map(|(request, expected)| {
            let got = served.post(request).json();
            difference(case, expected, &got)
        });
        let known = FAILING.iter().find(|(name, _)| *name == case.name);
        match (differs, known) {
            (None, None) => passed += 1,
            (Some(_), Some(_)) => {}
            (None, Some(_)) => wrong.push(format!("{}: passes now, take it from the list", case.name)),
            (Some(why), None) => wrong.push(format!("{}: {why}", case.name)),
        }
    }
    assert!(
        wrong.is_empty(),
        "{passed} of {} as expected; not so:\n{}",
        cases.len(),
        wrong.join("\n")
    );
}
