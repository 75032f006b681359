//! Documents: links lead somewhere, commands exist.

mod markdown;

use crate::repo::Repo;
use markdown::{anchors, commands as commands_in, links as links_in};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Every relative link in every document names a file that is there, and a heading in it.
pub(crate) fn links(repo: &Repo) -> Result<bool, String> {
    let mut faults = Vec::new();
    for file in repo.files_ending(&[".md"])? {
        let text = repo.read(&file)?;
        for (line, target) in links_in(&text) {
            if let Some(fault) = dead(repo, &file, &text, &target) {
                faults.push(format!("{file}:{line}: {fault}"));
            }
        }
    }
    Ok(told(&faults))
}

fn dead(repo: &Repo, file: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target
        .split_once('#')
        .map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let (name, other) = if path.is_empty() {
        (file.to_owned(), text.to_owned())
    } else {
        let found = normal(&folder.join(path));
        if !repo.root.join(&found).exists() {
            return Some(format!("the link to {target} leads nowhere"));
        }
        let name = found.to_string_lossy().into_owned();
        let other = if name.ends_with(".md") {
            repo.read(&name).ok()?
        } else {
            return None;
        };
        (name, other)
    };
    let anchor = anchor?;
    (!anchors(&other).iter().any(|known| known == anchor))
        .then(|| format!("{name} has no heading for #{anchor}"))
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// Every `purlin ...` line in a code block is a command that the binary has, with options that it knows.
pub(crate) fn commands(repo: &Repo, binary: &Path) -> Result<bool, String> {
    let mut faults = Vec::new();
    let mut help: BTreeMap<Vec<String>, Option<String>> = BTreeMap::new();
    for file in repo.files_ending(&[".md"])? {
        for (line, words) in commands_in(&repo.read(&file)?) {
            let verbs: Vec<String> = words.iter().take_while(|word| is_verb(word)).cloned().collect();
            let text = help
                .entry(verbs.clone())
                .or_insert_with(|| help_of(binary, &verbs));
            faults.extend(unknown(&words, text.as_deref()).map(|fault| format!("{file}:{line}: {fault}")));
        }
    }
    Ok(told(&faults))
}

fn is_verb(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

fn help_of(binary: &Path, verbs: &[String]) -> Option<String> {
    let output = Command::new(binary).args(verbs).arg("--help").output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn unknown(words: &[String], help: Option<&str>) -> Option<String> {
    let Some(help) = help else {
        return Some(format!("there is no command `purlin {}`", words.join(" ")));
    };
    let mut options = words
        .iter()
        .filter(|word| word.starts_with("--") && word.len() > 2);
    let name = |word: &str| word.split('=').next().unwrap_or(word).to_owned();
    options.find(|word| !help.contains(&name(word))).map(|word| {
        format!(
            "`purlin {}` has an option {word} that its help does not know",
            words.join(" ")
        )
    })
}

fn told(faults: &[String]) -> bool {
    for fault in faults {
        println!("   {fault}");
    }
    faults.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_up_and_down() {
        assert_eq!(
            normal(Path::new("docs/howto/../adr/./a.md")),
            Path::new("docs/adr/a.md")
        );
    }

    #[test]
    fn an_option_must_stand_in_the_help() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let help = Some("Usage: purlin why [OPTIONS]\n  --limit <N>");
        assert_eq!(unknown(&words("why 1.2.3.4 --limit=3"), help), None);
        assert!(
            unknown(&words("why --colour"), help)
                .unwrap()
                .contains("--colour")
        );
        assert!(
            unknown(&words("what"), None)
                .unwrap()
                .contains("no command `purlin what`")
        );
    }
}
