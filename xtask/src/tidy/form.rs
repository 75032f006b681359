//! Lengths, words that mark unfinished work, and places that only one machine has.

use crate::rust_text::{code_only, functions, has_word};
use std::path::Path;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 90;

/// Functions that were longer when the rule came, with the length they may keep. The list only gets shorter.
const LONG: &[(&str, &str, usize)] = &[("crates/dhcp/core/src/engine/admit.rs", "admit", 92)];

/// Cut in two, so that this file obeys its own rule.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("dum", "my"),
    concat!("place", "holder"),
];

/// Home folders, and hosts of package registries (a mirror may stand in for any of them).
const PLACES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Use", "rs/"),
    concat!("static", ".crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("py", "pi.org"),
    concat!("registry.np", "mjs"),
    concat!("deb.deb", "ian.org"),
    concat!("proxy.gol", "ang"),
];

/// Texts that people write; generated files and byte vectors have no style.
const TEXTS: &[&str] = &[
    ".rs", ".toml", ".md", ".sh", ".py", ".yml", ".yaml", ".service", ".conf",
];

pub(super) fn lengths(file: &str, source: &str) -> Vec<String> {
    let lines = source.lines().count();
    let mut faults = Vec::new();
    if lines > FILE_LINES {
        faults.push(format!(
            "{file} has {lines} lines, at most {FILE_LINES} are allowed: which of its ideas can stand alone?"
        ));
    }
    for (name, line, length) in functions(&code_only(source)) {
        let kept = LONG
            .iter()
            .find(|(f, n, _)| *f == file && *n == name)
            .map_or(FUNCTION_LINES, |(_, _, kept)| *kept);
        if length > kept {
            faults.push(format!(
                "{file}:{line}: {name} has {length} lines, at most {kept} are allowed"
            ));
        }
    }
    faults
}

pub(super) fn words(file: &str, text: &str) -> Vec<String> {
    if !TEXTS.iter().any(|ending| file.ends_with(ending)) {
        return Vec::new();
    }
    // The kernel calls a kind of interface so: `ip link add NAME type ...`.
    let unlike_ours = |line: &str, word: &str| !line.contains(&format!("type {word}"));
    let found = |line: &str| {
        UNFINISHED
            .iter()
            .find(|word| has_word(line, word) && unlike_ours(line, word))
            .copied()
    };
    named(file, text, found, |word| {
        format!("the word {word} marks unfinished work: finish it, or say plainly what is missing")
    })
}

pub(super) fn places(file: &str, text: &str, root: &Path) -> Vec<String> {
    let root = root.to_string_lossy().into_owned();
    let found = |line: &str| {
        PLACES
            .iter()
            .copied()
            .chain([root.as_str()])
            .find(|place| line.contains(place))
            .map(str::to_owned)
    };
    named(file, text, found, |place| {
        format!("{place} is a place of one machine or one registry")
    })
}

fn named<T>(
    file: &str,
    text: &str,
    find: impl Fn(&str) -> Option<T>,
    say: impl Fn(T) -> String,
) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(at, line)| find(line).map(|word| format!("{file}:{}: {}", at + 1, say(word))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_functions_are_named() {
        let faults = lengths("a.rs", &"// line\n".repeat(501));
        assert!(faults[0].starts_with("a.rs has 501 lines"));
        let long = format!("fn a() {{\n{}}}\n", "    b();\n".repeat(90));
        assert_eq!(
            lengths("a.rs", &long),
            ["a.rs:1: a has 92 lines, at most 90 are allowed"]
        );
        assert!(lengths("a.rs", "fn a() { b() }\n").is_empty());
    }

    #[test]
    fn unfinished_work_is_named_in_texts_only() {
        let line = format!("a\n// {}: later\n", UNFINISHED[0]);
        assert!(words("a.rs", &line)[0].starts_with("a.rs:2: the word"));
        assert!(words("corpus/x.bin", &line).is_empty());
        assert!(words("a.rs", &format!("{}S are a kind of list", UNFINISHED[0])).is_empty());
    }

    #[test]
    fn places_of_one_machine_are_named() {
        let root = Path::new("/build/of/someone");
        assert_eq!(places("a.md", "see /build/of/someone/x", root).len(), 1);
        assert_eq!(places("a.md", &format!("see {}me", PLACES[0]), root).len(), 1);
        assert!(places("a.md", "see /var/lib/purlin", root).is_empty());
    }
}
