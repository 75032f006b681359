//! The list of promises, `docs/acceptance.md`, and the tests that carry their numbers.
//!
//! A row `S0-6` is proved by tests named `s0_6_...`. A row that says `done` without one is a lie and fails.

use crate::repo::Repo;
use crate::rust_text::code_only;
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "docs/acceptance.md";

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// Seed and number: `(0, 6)` for S0-6.
    id: (u32, u32),
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Done,
    Partly,
    Later,
}

pub(crate) fn run(repo: &Repo) -> Result<bool, String> {
    let mut tests: BTreeMap<(u32, u32), BTreeSet<String>> = BTreeMap::new();
    for file in repo.files_ending(&[".rs"])? {
        for (id, name) in numbered_tests(&code_only(&repo.read(&file)?)) {
            tests.entry(id).or_default().insert(name);
        }
    }
    let (rows, mut faults) = rows(&repo.read(LIST)?);
    faults.extend(contradictions(&rows, &tests));
    for line in summary(&rows, &tests) {
        println!("   {line}");
    }
    for fault in &faults {
        println!("   {fault}");
    }
    Ok(faults.is_empty())
}

/// Rows of the tables, and lines that look like rows but are none.
fn rows(text: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for (at, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("| S"))
    {
        match row(line) {
            Some(row) => rows.push(row),
            None => faults.push(format!(
                "{LIST}:{}: want | S0-1 | kind | item | done, partly or later | tests |",
                at + 1
            )),
        }
    }
    (rows, faults)
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [id, _kind, _item, state, ..] = cells[..] else {
        return None;
    };
    let (seed, number) = id.strip_prefix('S')?.split_once('-')?;
    let state = match state.split([':', ' ']).next()? {
        "done" => State::Done,
        "partly" => State::Partly,
        "later" => State::Later,
        _ => return None,
    };
    Some(Row {
        id: (seed.parse().ok()?, number.parse().ok()?),
        state,
    })
}

/// Functions whose names start with the number of a row, or with those of several: `s4_104_s4_105_...`.
fn numbered_tests(code: &str) -> Vec<((u32, u32), String)> {
    let names = code.match_indices("fn s").map(|(at, _)| {
        code[at + 3..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect::<String>()
    });
    names
        .flat_map(|name| {
            let ids = numbers_of(&name);
            ids.into_iter().map(move |id| (id, name.clone()))
        })
        .collect()
}

fn numbers_of(name: &str) -> Vec<(u32, u32)> {
    let (mut ids, mut rest) = (Vec::new(), name);
    while let Some((id, more)) = number_of(rest) {
        ids.push(id);
        rest = more;
    }
    ids
}

/// The first number, and what comes after it.
fn number_of(name: &str) -> Option<((u32, u32), &str)> {
    let (seed, rest) = name.strip_prefix('s')?.split_once('_')?;
    let (number, rest) = rest.split_once('_')?;
    Some(((seed.parse().ok()?, number.parse().ok()?), rest))
}

fn contradictions(rows: &[Row], tests: &BTreeMap<(u32, u32), BTreeSet<String>>) -> Vec<String> {
    let known: BTreeSet<(u32, u32)> = rows.iter().map(|row| row.id).collect();
    let lies = rows
        .iter()
        .filter(|row| row.state == State::Done && !tests.contains_key(&row.id));
    let lies = lies.map(|row| {
        format!(
            "S{}-{} is marked done, but no test is named s{}_{}_...",
            row.id.0, row.id.1, row.id.0, row.id.1
        )
    });
    let strays = tests.iter().filter(|(id, _)| !known.contains(id));
    let strays = strays.map(|(id, names)| format!("there is no row S{}-{} for {}", id.0, id.1, first(names)));
    let twice = rows.windows(2).filter(|pair| pair[0].id >= pair[1].id);
    let twice = twice.map(|pair| format!("S{}-{} is out of order", pair[1].id.0, pair[1].id.1));
    lies.chain(strays).chain(twice).collect()
}

fn first(names: &BTreeSet<String>) -> &str {
    names.first().map_or("", String::as_str)
}

fn summary(rows: &[Row], tests: &BTreeMap<(u32, u32), BTreeSet<String>>) -> Vec<String> {
    let seeds: BTreeSet<u32> = rows.iter().map(|row| row.id.0).collect();
    let line = |seed: u32| {
        let of = |state: Option<State>| {
            rows.iter()
                .filter(|r| r.id.0 == seed && state.is_none_or(|s| s == r.state))
                .count()
        };
        let tested = rows
            .iter()
            .filter(|row| row.id.0 == seed && tests.contains_key(&row.id))
            .count();
        let (all, done, partly) = (of(None), of(Some(State::Done)), of(Some(State::Partly)));
        format!(
            "S{seed}: {all} rows, {tested} with a test of their name, {} without; {done} done, {partly} partly",
            all - tested
        )
    };
    seeds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "| # | kind |\n| S0-5 | cli | name | done | `s0_5_name` |\n| S0-6 | cli | add a node | later: cluster | |\n";

    #[test]
    fn rows_are_read_and_bad_ones_named() {
        let (rows, faults) = rows(PAGE);
        assert_eq!(
            rows[0],
            Row {
                id: (0, 5),
                state: State::Done
            }
        );
        assert_eq!(rows[1].state, State::Later);
        assert!(faults.is_empty());
        assert_eq!(super::rows("| S0-x | a | b | done |").1.len(), 1);
        assert_eq!(super::rows("| S0-1 | a | b | perhaps |").1.len(), 1);
    }

    #[test]
    fn tests_are_known_by_their_number() {
        let code = "fn s0_5_name_answers() {} async fn s1_27_sites() {} fn send() {} fn s0_5() {} fn s4_1_s4_2_both() {}";
        let names = [
            ((0, 5), "s0_5_name_answers".to_owned()),
            ((1, 27), "s1_27_sites".to_owned()),
            ((4, 1), "s4_1_s4_2_both".to_owned()),
            ((4, 2), "s4_1_s4_2_both".to_owned()),
        ];
        assert_eq!(numbered_tests(code), names);
    }

    #[test]
    fn done_without_a_test_is_a_lie() {
        let (rows, _) = rows(PAGE);
        let faults = contradictions(&rows, &BTreeMap::new());
        assert_eq!(faults, ["S0-5 is marked done, but no test is named s0_5_..."]);
        let tests = BTreeMap::from([((0, 5), BTreeSet::from(["s0_5_name".to_owned()]))]);
        assert!(contradictions(&rows, &tests).is_empty());
        assert_eq!(
            summary(&rows, &tests),
            ["S0: 2 rows, 1 with a test of their name, 1 without; 1 done, 0 partly"]
        );
    }

    #[test]
    fn a_test_of_an_unknown_row_is_named() {
        let tests = BTreeMap::from([((9, 1), BTreeSet::from(["s9_1_x".to_owned()]))]);
        assert!(contradictions(&[], &tests)[0].contains("no row S9-1"));
    }
}
