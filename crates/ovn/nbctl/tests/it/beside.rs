//! Hundreds of command lines, each run by us and by the packaged `ovn-nbctl` on databases of their own: the same exit
//! code, the same words, the same rows afterwards.

use crate::rows::{clear, dump, find};
use crate::world::{Server, installed, ours, theirs, words};
use purlin_ovn_nbctl::shell::{Environment, Told};
use purlin_ovsdb::Uuid;

/// Puts the names of rows into a line: `{TABLE COLUMN TEXT}`.
fn filled(server: &Server, line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}").expect("a closed {{");
        let parts: Vec<&str> = inside.split(' ').collect();
        let [table, column, name] = parts[..] else {
            panic!("{{{{TABLE COLUMN TEXT}}}} is wanted: {line}")
        };
        let uuid = find(server, table, column, name);
        text.push_str(before);
        text.push_str(&uuid.unwrap_or_else(|| panic!("no {inside}: {line}")));
        rest = after;
    }
    text + rest
}

/// Without what differs from run to run: names of rows, times of log lines, the order of rows.
fn normal(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(nameless).collect();
    lines.sort();
    lines
}

fn nameless(line: &str) -> String {
    // A log line begins with its time and a number.
    let line = match line.splitn(3, '|').collect::<Vec<_>>()[..] {
        [time, _, rest] if time.starts_with("20") && time.ends_with('Z') => rest,
        _ => line,
    };
    // Which of two rows is the first hangs on their names; and links show the beginnings of names.
    let line = line.split("  First row").next().unwrap_or(line);
    let line = line.split("\">").next().unwrap_or(line);
    let mut text = String::new();
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let length = match rest.get(..36).filter(|name| Uuid::parse(name).is_some()) {
            Some(_) => {
                text.push_str("<uuid>");
                36
            }
            None => {
                text.push(letter);
                letter.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    text
}

fn seen(told: &Told) -> (u8, Vec<String>, Vec<String>) {
    (told.code, normal(&told.out), normal(&told.err))
}

/// Runs the lines of a text; a line that begins with `==` begins anew with empty databases.
fn beside(script: &str) {
    if !installed() {
        return;
    }
    let (mine, other) = (Server::start(), Server::start());
    let (mut count, mut faults, mut apart) = (0, Vec::new(), false);
    for line in script
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with("==") {
            clear(&mine);
            clear(&other);
            apart = false;
            continue;
        }
        if apart {
            continue;
        }
        count += 1;
        let run = |server: &Server| {
            let mut all = vec![format!("--db={}", server.database())];
            all.extend(words(&filled(server, line)));
            all
        };
        let told = seen(&ours(Environment::default(), &run(&mine)));
        let expected = seen(&theirs(&run(&other)));
        if told != expected {
            faults.push(format!("{line}\n  {told:?}\n  {expected:?}"));
        }
        let (rows, wanted) = (dump(&mine), dump(&other));
        // What comes after would only say so again.
        apart = rows != wanted;
        if apart {
            let only = |a: &[String], b: &[String]| -> Vec<String> {
                a.iter().filter(|row| !b.contains(row)).cloned().collect()
            };
            faults.push(format!(
                "{line}\n  {:#?}\n  {:#?}",
                only(&rows, &wanted),
                only(&wanted, &rows)
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults, ours first:\n{}",
        faults.len(),
        faults.join("\n")
    );
    assert!(count > 20, "only {count} lines");
}

#[test]
fn any_table() {
    beside(include_str!("lines/tables.txt"));
}

#[test]
fn switches_and_their_ports() {
    beside(include_str!("lines/switches.txt"));
}

#[test]
fn rules() {
    beside(include_str!("lines/rules.txt"));
}

#[test]
fn routers() {
    beside(include_str!("lines/routers.txt"));
}

#[test]
fn load_balancers() {
    beside(include_str!("lines/balancers.txt"));
}

#[test]
fn everything_else() {
    beside(include_str!("lines/others.txt"));
}

#[test]
fn the_lists_for_completion_scripts_are_the_same() {
    if !installed() {
        return;
    }
    for option in ["--commands", "--options"] {
        let (mine, other) = (
            ours(Environment::default(), &words(option)),
            theirs(&words(option)),
        );
        assert_eq!(normal(&mine.out), normal(&other.out), "{option}");
    }
}
