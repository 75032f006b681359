//! The program's own options, read as `getopt_long` does: abbreviated names, `-t5`, an end at the first other word.

use crate::commands;

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Value,
    Perhaps,
}

/// What an option means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Db,
    NoSyslog,
    Help,
    Commands,
    Options,
    LeaderOnly,
    AnyMember,
    Shuffle,
    NoShuffle,
    Version,
    Socket,
    NoWait,
    Wait,
    PrintWaitTime,
    DryRun,
    OneLine,
    Timeout,
    Detach,
    NoSelfConfinement,
    NoChdir,
    PidFile,
    OverwritePidFile,
    Monitor,
    User,
    Verbose,
    LogFile,
    Syslog,
    PrivateKey,
    Certificate,
    Authority,
    TlsDetail,
    BootstrapAuthority,
    Format,
    Data,
    NoHeadings,
    Pretty,
    Bare,
    ColumnMax,
    /// An option of the first command.
    Local,
}

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// In lines for a daemon too.
    Line,
    /// Only when the program is started.
    Program,
}

/// An option that there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) name: &'static str,
    short: Option<char>,
    takes: Takes,
    pub(super) what: What,
    scope: Scope,
}

/// An option that was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) what: What,
    pub(super) value: Option<String>,
}

/// The options, and where what comes after them begins.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) options: Vec<Given>,
    pub(super) rest: usize,
}

const fn flag(name: &'static str, what: What, scope: Scope) -> Known {
    Known {
        name,
        short: None,
        takes: Takes::Nothing,
        what,
        scope,
    }
}

const fn value(name: &'static str, short: Option<char>, what: What, scope: Scope) -> Known {
    Known {
        short,
        takes: Takes::Value,
        ..flag(name, what, scope)
    }
}

const fn perhaps(name: &'static str, short: Option<char>, what: What, scope: Scope) -> Known {
    Known {
        short,
        takes: Takes::Perhaps,
        ..flag(name, what, scope)
    }
}

const GLOBAL: [Known; 40] = {
    use Scope::{Line, Program};
    [
        value("db", None, What::Db, Program),
        flag("no-syslog", What::NoSyslog, Program),
        Known {
            short: Some('h'),
            ..flag("help", What::Help, Program)
        },
        flag("commands", What::Commands, Program),
        flag("options", What::Options, Program),
        flag("leader-only", What::LeaderOnly, Program),
        flag("no-leader-only", What::AnyMember, Program),
        flag("shuffle-remotes", What::Shuffle, Program),
        flag("no-shuffle-remotes", What::NoShuffle, Program),
        Known {
            short: Some('V'),
            ..flag("version", What::Version, Program)
        },
        value("unixctl", Some('u'), What::Socket, Program),
        flag("no-wait", What::NoWait, Line),
        value("wait", None, What::Wait, Line),
        flag("print-wait-time", What::PrintWaitTime, Line),
        flag("dry-run", What::DryRun, Line),
        flag("oneline", What::OneLine, Line),
        value("timeout", Some('t'), What::Timeout, Line),
        flag("detach", What::Detach, Program),
        flag("no-self-confinement", What::NoSelfConfinement, Program),
        flag("no-chdir", What::NoChdir, Program),
        perhaps("pidfile", None, What::PidFile, Program),
        flag("overwrite-pidfile", What::OverwritePidFile, Program),
        flag("monitor", What::Monitor, Program),
        value("user", None, What::User, Program),
        perhaps("verbose", Some('v'), What::Verbose, Line),
        perhaps("log-file", None, What::LogFile, Line),
        value("syslog-method", None, What::Syslog, Line),
        value("syslog-target", None, What::Syslog, Line),
        value("private-key", Some('p'), What::PrivateKey, Program),
        value("certificate", Some('c'), What::Certificate, Program),
        value("ca-cert", Some('C'), What::Authority, Program),
        value("ssl-protocols", None, What::TlsDetail, Program),
        value("ssl-ciphers", None, What::TlsDetail, Program),
        value("bootstrap-ca-cert", None, What::BootstrapAuthority, Program),
        value("format", Some('f'), What::Format, Line),
        value("data", Some('d'), What::Data, Line),
        flag("no-headings", What::NoHeadings, Line),
        flag("pretty", What::Pretty, Line),
        flag("bare", What::Bare, Line),
        value("max-column-width", None, What::ColumnMax, Line),
    ]
};

/// Those of the program, then those of all commands.
fn known(scope: Scope) -> Vec<Known> {
    let mut all: Vec<Known> = GLOBAL.into_iter().filter(|known| known.scope <= scope).collect();
    for option in commands::all().flat_map(|syntax| syntax.options.split(',')) {
        let Some(name) = option.strip_prefix("--") else {
            continue;
        };
        let (name, takes) = match name.strip_suffix(['=', '?']) {
            Some(bare) if name.ends_with('=') => (bare, Takes::Value),
            Some(bare) => (bare, Takes::Perhaps),
            None => (name, Takes::Nothing),
        };
        if !all.iter().any(|known| known.name == name) {
            all.push(Known {
                takes,
                ..flag(name, What::Local, Scope::Line)
            });
        }
    }
    all
}

/// `--options`: what there is, one a line.
pub(super) fn listing() -> String {
    let mut text = String::new();
    for known in known(Scope::Program) {
        let (long, short) = match known.takes {
            Takes::Nothing => ("", ""),
            _ => ("=ARG", " ARG"),
        };
        text.push_str(&format!("--{}{long}\n", known.name));
        if let Some(letter) = known.short {
            text.push_str(&format!("-{letter}{short}\n"));
        }
    }
    text
}

/// Reads options up to the first word that is none.
pub(super) fn parse(words: &[String], scope: Scope) -> Result<Parsed, String> {
    let known = known(scope);
    let mut options = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if word == "--" {
            return Ok(Parsed { options, rest: at });
        }
        if let Some(long) = word.strip_prefix("--") {
            options.push(long_option(&known, word, long, words, &mut at)?);
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            short_options(&known, letters, words, &mut at, &mut options)?;
        } else {
            return Ok(Parsed {
                options,
                rest: at - 1,
            });
        }
    }
    Ok(Parsed { options, rest: at })
}

fn long_option(
    known: &[Known],
    word: &str,
    long: &str,
    words: &[String],
    at: &mut usize,
) -> Result<Given, String> {
    let (name, inline) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (long, None),
    };
    let unknown = || format!("unrecognized option '{word}'");
    let found = find(known, name).ok_or_else(unknown)?;
    let value = match (found.takes, inline) {
        (Takes::Nothing, Some(_)) => return Err(format!("option '{word}' doesn't allow an argument")),
        (Takes::Value, None) => {
            let value = words.get(*at).cloned();
            *at += 1;
            Some(value.ok_or_else(|| format!("option '{word}' requires an argument"))?)
        }
        (_, inline) => inline,
    };
    Ok(Given {
        name: found.name,
        what: found.what,
        value,
    })
}

/// The option of this name, or the only one that begins so. Among options of commands any will do: which one is meant
/// the command tells.
fn find(known: &[Known], name: &str) -> Option<Known> {
    if let Some(exact) = known.iter().find(|known| known.name == name) {
        return Some(*exact);
    }
    let mut fitting = known.iter().filter(|known| known.name.starts_with(name));
    let first = fitting.next()?;
    let same = |other: &Known| other.what == first.what && other.takes == first.takes;
    fitting.all(same).then_some(*first)
}

fn short_options(
    known: &[Known],
    letters: &str,
    words: &[String],
    at: &mut usize,
    options: &mut Vec<Given>,
) -> Result<(), String> {
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let found = known.iter().find(|known| known.short == Some(letter));
        let found = found.ok_or_else(|| format!("unrecognized option '{letter}'"))?;
        let after = rest.as_str();
        let value = match found.takes {
            Takes::Nothing => None,
            _ if !after.is_empty() => Some(after.to_owned()),
            Takes::Perhaps => None,
            Takes::Value => {
                let value = words.get(*at).cloned();
                *at += 1;
                Some(value.ok_or_else(|| format!("option '-{letter}' requires an argument"))?)
            }
        };
        let ends = found.takes != Takes::Nothing;
        options.push(Given {
            name: found.name,
            what: found.what,
            value,
        });
        if ends {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Seen = Vec<(What, Option<String>)>;

    fn read(line: &str) -> Result<(Seen, usize), String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let parsed = parse(&words, Scope::Program)?;
        let options = parsed.options.into_iter().map(|given| (given.what, given.value));
        Ok((options.collect(), parsed.rest))
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let (options, rest) = read("-t5 --db unix:x --if-exists ls-del a --b").unwrap();
        assert_eq!(rest, 4);
        assert_eq!(options[0], (What::Timeout, Some("5".to_owned())));
        assert_eq!(options[1], (What::Db, Some("unix:x".to_owned())));
        assert_eq!(options[2].0, What::Local);
        assert_eq!(read("-- --x").unwrap().1, 1);
        assert_eq!(read("--onel list x").unwrap().0[0].0, What::OneLine);
    }

    #[test]
    fn mistakes_are_told_in_the_words_that_scripts_know() {
        for (line, why) in [
            ("--foo list", "unrecognized option '--foo'"),
            ("-z list", "unrecognized option 'z'"),
            ("--columns", "option '--columns' requires an argument"),
            (
                "--if-exists=x list",
                "option '--if-exists=x' doesn't allow an argument",
            ),
        ] {
            assert_eq!(read(line).unwrap_err(), why, "{line}");
        }
    }
}
