//! A command line into commands: `[--option]... NAME [ARGUMENT]... [-- ...]`.

use crate::commands;
use crate::syntax::{Command, Syntax};
use std::collections::BTreeMap;

/// Options of a command with their values.
pub type Options = BTreeMap<String, Option<String>>;

const MISSING: &str = "missing command name (use --help for help)";

/// Reads the commands; `local` are options of the first one that stood among the program's own.
///
/// # Errors
/// The first mistake, in a sentence.
pub fn parse(words: &[String], mut local: Options) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    for part in words.split(|word| word == "--") {
        if !part.is_empty() {
            commands.push(one(part, std::mem::take(&mut local))?);
        } else if !local.is_empty() {
            return Err(MISSING.to_owned());
        }
    }
    if commands.is_empty() {
        return Err(MISSING.to_owned());
    }
    Ok(commands)
}

fn one(words: &[String], mut options: Options) -> Result<Command, String> {
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if options.insert(name.to_owned(), value).is_some() {
            return Err(format!("'{word}' option specified multiple times"));
        }
        at += 1;
    }
    let Some(name) = words.get(at) else {
        return Err(MISSING.to_owned());
    };
    let Some(syntax) = commands::by_name(name) else {
        return Err(format!("unknown command '{name}'; use --help for help"));
    };
    check_options(syntax, &options)?;
    let arguments = &words[at + 1..];
    check_count(syntax, arguments)?;
    Ok(Command {
        syntax,
        options,
        argv: words[at..].to_vec(),
    })
}

fn check_options(syntax: &Syntax, options: &Options) -> Result<(), String> {
    let command = syntax.name;
    for (option, value) in options {
        match (syntax.takes(option), value) {
            (None, _) => return Err(format!("'{command}' command has no '{option}' option")),
            (Some('='), None) => {
                return Err(format!(
                    "missing argument to '{option}' option on '{command}' command"
                ));
            }
            (Some(' '), Some(_)) => {
                return Err(format!(
                    "'{option}' option on '{command}' does not accept an argument"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_count(syntax: &Syntax, arguments: &[String]) -> Result<(), String> {
    let (name, least, most) = (syntax.name, syntax.min, syntax.max);
    if arguments.len() < least {
        return Err(format!("'{name}' command requires at least {least} arguments"));
    }
    if arguments.len() <= most {
        return Ok(());
    }
    let hint = if arguments.iter().any(|argument| argument.starts_with('-')) {
        " (note that options must precede command names and follow a \"--\" argument)"
    } else {
        ""
    };
    Err(format!("'{name}' command takes at most {most} arguments{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<Command>, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words, Options::new())
    }

    #[test]
    fn several_commands_stand_in_one_line() {
        let commands = read("ls-add a -- --may-exist ls-add b -- -- list NB_Global").unwrap();
        assert_eq!(commands.len(), 3);
        assert!(commands[1].has("--may-exist") && !commands[0].has("--may-exist"));
    }

    #[test]
    fn mistakes_are_told_in_the_words_that_scripts_know() {
        for (line, why) in [
            ("", MISSING),
            ("--", MISSING),
            ("--if-exists", MISSING),
            ("foo", "unknown command 'foo'; use --help for help"),
            ("--foo list X", "'list' command has no '--foo' option"),
            (
                "--columns list X",
                "missing argument to '--columns' option on 'list' command",
            ),
            (
                "--if-exists=x list X",
                "'--if-exists' option on 'list' does not accept an argument",
            ),
            (
                "--if-exists --if-exists list X",
                "'--if-exists' option specified multiple times",
            ),
            ("list", "'list' command requires at least 1 arguments"),
            ("show a b", "'show' command takes at most 1 arguments"),
        ] {
            assert_eq!(read(line).unwrap_err(), why, "{line}");
        }
        assert!(
            read("show a --b")
                .unwrap_err()
                .ends_with("follow a \"--\" argument)")
        );
    }
}
