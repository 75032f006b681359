//! The little of Markdown that the checks need.

/// Line and target of every inline link outside code.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, content) in prose(text) {
        let content = without_code(content);
        for (at, _) in content.match_indices("](") {
            let target = content[at + 2..].split([')', ' ']).next().unwrap_or_default();
            found.push((line, target.to_owned()));
        }
    }
    found
}

/// Names that headings can be reached by: lower case, blanks as hyphens, no punctuation.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len() && title.starts_with(' ')).then(|| title.trim())
    });
    headings.map(slug).collect()
}

fn slug(title: &str) -> String {
    let kept = title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// Line and words (without `purlin`) of every `purlin` command in a block of shell.
pub(super) fn commands(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (line, content) in shell(text) {
        let content = content
            .trim_start()
            .trim_start_matches("$ ")
            .trim_start_matches("sudo ")
            .trim_start_matches("target/release/");
        let built = "cargo run --release -- ";
        let rest = content
            .strip_prefix("purlin ")
            .or_else(|| content.strip_prefix(built));
        let Some(rest) = rest else { continue };
        let ends = |word: &&str| {
            !matches!(*word, "|" | "&" | "&&" | ">" | ">>" | "<" | "\\" | ";") && !word.starts_with('#')
        };
        found.push((
            line,
            rest.split_whitespace()
                .take_while(ends)
                .map(str::to_owned)
                .collect(),
        ));
    }
    found
}

/// Lines outside fenced blocks, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    fenced(text)
        .filter(|(_, _, fence)| fence.is_none())
        .map(|(line, content, _)| (line, content))
}

/// Lines inside fenced blocks of shell.
fn shell(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = fenced(text).filter(|(_, _, fence)| matches!(*fence, Some("sh" | "console" | "bash")));
    inside.map(|(line, content, _)| (line, content))
}

/// Every line with the language of the block it stands in.
fn fenced(text: &str) -> impl Iterator<Item = (usize, &str, Option<&str>)> {
    let mut open: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(at, line)| {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            open = if open.is_some() {
                None
            } else {
                Some(language.trim())
            };
            return None;
        }
        Some((at + 1, line, open))
    })
}

fn without_code(line: &str) -> String {
    line.split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 { part } else { "" })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# A first: page\n[one](a.md#x) `[no](b.md)` [two](c.md)\n```sh\n$ purlin dhcp lease list -o json | jq . # all\n# purlin no\n```\n```text\npurlin not this\n[no](d.md)\n```\n";

    #[test]
    fn links_outside_code_are_found() {
        assert_eq!(links(PAGE), [(2, "a.md#x".to_owned()), (2, "c.md".to_owned())]);
    }

    #[test]
    fn headings_become_anchors() {
        assert_eq!(anchors(PAGE), ["a-first-page"]);
    }

    #[test]
    fn commands_stand_in_shell_blocks() {
        let words: Vec<String> = "dhcp lease list -o json".split(' ').map(str::to_owned).collect();
        assert_eq!(commands(PAGE), [(4, words)]);
        let built = "```sh\nsudo target/release/purlin up\n```\n";
        assert_eq!(commands(built), [(2, vec!["up".to_owned()])]);
    }
}
