//! Rules in the notation of tftpd-hpa's map files: `FLAGS PATTERN [REPLACEMENT]`, one a line.
//!
//! Flags, as in.tftpd(8) describes them: `r` replace, `g` again until nothing fits, `i` ignore case, `e` end here, `s` start
//! over, `a` refuse, `G` reads only, `P` writes only, `4` and `6` one version of IP, `~` when the pattern does not fit. `#`
//! begins a comment; a backslash takes the meaning from white space and `#`.
//!
//! Two things differ. A name that never comes to rest is refused, where tftpd-hpa may go on for ever. And `s` starts at
//! the very first rule, as its manual says, where its code goes on with the second.

use super::{Pattern, Replacement};
use crate::settings::{Action, Family, On, Rule, Who};

/// A line that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Octets into the text, and how many.
    pub at: usize,
    pub len: usize,
    pub message: String,
    pub help: String,
}

/// Most rules of a map; thousands of patterns for each request would be a mistake.
pub const RULES_MAX: usize = 1024;

/// Reads a map file.
///
/// # Errors
/// Every line that is wrong.
pub fn parse(text: &str) -> Result<Vec<Rule>, Vec<LineFault>> {
    let mut rules = Vec::new();
    let mut faults = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        match rule(line) {
            Ok(found) => rules.extend(found),
            Err(fault) => faults.push(LineFault {
                at: fault.at + start,
                ..fault
            }),
        }
        start += line.len();
    }
    if rules.len() > RULES_MAX {
        faults.push(fault(
            (0, text.len()),
            format!("{} rules, at most {RULES_MAX} are possible", rules.len()),
            "",
        ));
    }
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

#[derive(Default)]
struct Flags {
    replace: bool,
    global: bool,
    ignore_case: bool,
    end: bool,
    start_over: bool,
    refuse: bool,
    inverse: bool,
    reads: bool,
    writes: bool,
    v4: bool,
    v6: bool,
}

fn rule(line: &str) -> Result<Option<Rule>, LineFault> {
    let mut at = 0;
    let Some(flags_at) = word(line, &mut at) else {
        return Ok(None);
    };
    let flags = flags(line, flags_at)?;
    let Some(pattern_at) = word(line, &mut at) else {
        return Err(fault(
            flags_at,
            "the line has no pattern".to_owned(),
            "write FLAGS PATTERN [REPLACEMENT]",
        ));
    };
    let written = &line[pattern_at.0..pattern_at.0 + pattern_at.1];
    let plain = unescaped(written);
    let pattern = Pattern::parse(&plain, flags.ignore_case).map_err(|why| {
        // Where the pattern lost backslashes, places in it are no places in the line.
        let (from, len) = why.at.filter(|_| plain == written).unwrap_or((0, written.len()));
        fault((pattern_at.0 + from, len), why.message, &why.help)
    })?;
    let with_at = word(line, &mut at);
    let with = Replacement::parse(with_at.map_or("", |(from, len)| &line[from..from + len]));
    if let Some(place) = with_at
        && usize::from(with.group_max()) > pattern.groups()
    {
        let message = format!(
            "\\{} names a group that the pattern does not have",
            with.group_max()
        );
        return Err(fault(
            place,
            message,
            "groups are counted from 1, by their opening parentheses",
        ));
    }
    if let Some((from, len)) = word(line, &mut at) {
        return Err(fault(
            (from, len),
            "the line has more than three parts".to_owned(),
            "write a backslash before white space that belongs to a part",
        ));
    }
    let action = match (flags.refuse, flags.replace) {
        (true, _) => Action::Refuse,
        (false, true) => Action::Replace {
            with,
            all: flags.global,
        },
        (false, false) => Action::Keep,
    };
    Ok(Some(Rule {
        who: Who::default(),
        pattern,
        inverse: flags.inverse,
        on: match (flags.reads, flags.writes) {
            (true, false) => On::Read,
            (false, true) => On::Write,
            _ => On::All,
        },
        family: match (flags.v4, flags.v6) {
            (true, false) => Family::V4,
            (false, true) => Family::V6,
            _ => Family::Any,
        },
        action,
        restart: flags.start_over,
        last: flags.end,
    }))
}

fn flags(line: &str, (from, len): (usize, usize)) -> Result<Flags, LineFault> {
    let mut flags = Flags::default();
    for (at, c) in line[from..from + len].char_indices() {
        let flag = match c {
            'r' => &mut flags.replace,
            'g' => &mut flags.global,
            'i' => &mut flags.ignore_case,
            'e' => &mut flags.end,
            's' => &mut flags.start_over,
            'a' => &mut flags.refuse,
            '~' => &mut flags.inverse,
            'G' => &mut flags.reads,
            'P' => &mut flags.writes,
            '4' => &mut flags.v4,
            '6' => &mut flags.v6,
            other => {
                let message = format!("there is no flag {other:?}");
                return Err(fault(
                    (from + at, other.len_utf8()),
                    message,
                    "flags are r g i e s a G P 4 6 ~",
                ));
            }
        };
        *flag = true;
    }
    if flags.inverse && flags.replace {
        let message = "r and ~ exclude each other: there is nothing to replace where nothing fits".to_owned();
        return Err(fault((from, len), message, ""));
    }
    Ok(flags)
}

/// The place of the next part: up to white space or a comment that no backslash stands before.
fn word(line: &str, at: &mut usize) -> Option<(usize, usize)> {
    let rest = &line[*at..];
    let start = *at + (rest.len() - rest.trim_start().len());
    let mut escaped = false;
    let mut end = line.len();
    for (i, c) in line[start..].char_indices() {
        if !escaped && (c.is_whitespace() || c == '#') {
            end = start + i;
            break;
        }
        escaped = !escaped && c == '\\';
    }
    // At a comment the place stays, so that no further part is found.
    *at = end;
    (end > start).then_some((start, end - start))
}

/// A pattern without the backslashes that only the line needed.
fn unescaped(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                if !(next.is_whitespace() || next == '#') {
                    out.push('\\');
                }
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

fn fault((at, len): (usize, usize), message: String, help: &str) -> LineFault {
    LineFault {
        at,
        len,
        message,
        help: help.to_owned(),
    }
}
