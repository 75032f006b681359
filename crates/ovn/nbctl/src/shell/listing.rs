//! `--commands`: what there is, in the form that completion scripts read.

use crate::commands;

/// One command a line: options, name, arguments with `!` for what must be there, `?` for what may, `+` and `*` for
/// what may be repeated.
pub(super) fn commands() -> String {
    let mut text = String::new();
    for syntax in commands::all() {
        for option in syntax.options.split(',').filter(|option| !option.is_empty()) {
            text.push_str(&format!("[{option}] "));
        }
        text.push_str(&format!(",{},{}\n", syntax.name, arguments(syntax.arguments)));
    }
    text
}

/// Reads from the end, since what repeats or closes an argument stands behind it.
fn arguments(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = Vec::new();
    let (mut whole_words, mut repeated, mut whole) = (Vec::new(), false, false);
    for (at, letter) in letters.iter().enumerate().rev() {
        match letter {
            ']' => {
                let after = letters.get(at + 1);
                whole_words.push(matches!(after, None | Some(' ' | '.')));
            }
            '[' => {
                let begins = at == 0 || letters[at - 1] == ' ';
                whole = begins && whole_words.last() == Some(&true);
                out.push(if whole && repeated { '*' } else { '?' });
                whole_words.pop();
            }
            ' ' => {
                if !whole {
                    out.push(if repeated { '+' } else { '!' });
                }
                out.push(' ');
                (repeated, whole) = (false, false);
            }
            '.' => repeated = true,
            letter => out.push(*letter),
        }
    }
    if !out.is_empty() && letters.first() != Some(&'[') {
        out.push(if repeated { '+' } else { '!' });
    }
    out.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn arguments_say_whether_they_must_be_there_and_may_be_repeated() {
        for (text, marked) in [
            ("", ""),
            ("ROUTER [LB]", "!ROUTER ?LB"),
            ("[ARG]...", "*ARG"),
            ("TARGET...", "+TARGET"),
            ("TABLE RECORD [COLUMN[:KEY]]...", "!TABLE !RECORD *COLUMN?:KEY"),
            (
                "ROUTER PORT MAC NETWORK... [COLUMN[:KEY]=VALUE]...",
                "!ROUTER !PORT !MAC +NETWORK *COLUMN?:KEY=VALUE",
            ),
        ] {
            assert_eq!(arguments(text), marked, "{text}");
        }
    }
}
