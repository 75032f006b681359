//! What rules are made of: patterns over names, and texts that replace what they fit.
//!
//! Patterns are regular expressions in linear time. Most names are touched by no rule, so a pattern first looks for
//! the literal text without which it cannot fit; only then does the expression run.

pub mod hpa;
mod literal;
mod replacement;

pub use replacement::{Client, Replacement};
pub(crate) use replacement::{dashed, hex};

use literal::Need;
use purlin_config::TextFault;
use regex_lite::{Regex, RegexBuilder};
use std::fmt;

/// Longest pattern in octets.
pub const PATTERN_MAX: usize = 1024;

/// A regular expression that may fit anywhere in a name (`^` and `$` tie it to the ends).
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    ignore_case: bool,
    regex: Regex,
    need: Need,
}

impl Pattern {
    /// Compiles an expression; `ignore_case` makes ASCII letters of both cases alike.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn parse(text: &str, ignore_case: bool) -> Result<Self, TextFault> {
        if text.len() > PATTERN_MAX {
            let message = format!(
                "the pattern has {} octets, at most {PATTERN_MAX} are allowed",
                text.len()
            );
            return Err(TextFault::from(message));
        }
        let regex = compile(text, ignore_case).map_err(|why| fault(text, ignore_case, &why))?;
        Ok(Self {
            text: text.into(),
            ignore_case,
            regex,
            need: Need::of(text, ignore_case),
        })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether it fits anywhere in the name.
    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        self.need.is_in(name) && (self.need.is_whole() || self.regex.is_match(name))
    }

    /// Groups in parentheses, at most 9 of which can be named.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The name with the first match, or every match, replaced; `None` when nothing fits.
    pub(crate) fn replace(
        &self,
        name: &str,
        with: &Replacement,
        client: &Client<'_>,
        all: bool,
    ) -> Option<String> {
        if !self.need.is_in(name) {
            return None;
        }
        // What nearly every map does with backslashes. A name of nothing else must not cost a hundred times more.
        if let (Some(plain), Some(with)) = (self.need.plain(), with.plain()) {
            let times = if all { usize::MAX } else { 1 };
            return Some(name.replacen(plain, with, times));
        }
        let mut out = String::with_capacity(name.len() + 32);
        let mut done = 0;
        for found in self.regex.captures_iter(name) {
            let whole = found.get(0).expect("group 0 is the whole match");
            out.push_str(&name[done..whole.start()]);
            with.write(
                &mut out,
                |group| found.get(group).map(|group| group.as_str()),
                client,
            );
            done = whole.end();
            if !all {
                break;
            }
        }
        if done == 0 && out.is_empty() && !self.regex.is_match(name) {
            return None;
        }
        out.push_str(&name[done..]);
        Some(out)
    }

    /// What the groups of the first match are, for a text that is not part of the name.
    pub(crate) fn fill(
        &self,
        name: &str,
        with: &Replacement,
        client: &Client<'_>,
        each: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let found = self.regex.captures(name);
        let group = |group: usize| found.as_ref()?.get(group).map(|group| group.as_str());
        with.fill(group, client, each)
    }
}

fn compile(text: &str, ignore_case: bool) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(text)
        .case_insensitive(ignore_case)
        .size_limit(1 << 20)
        .nest_limit(32)
        .build()
}

/// The compiler does not say where it stopped: the longest part that is good by itself ends there.
fn fault(text: &str, ignore_case: bool, why: &regex_lite::Error) -> TextFault {
    let ends = text.char_indices().map(|(at, _)| at).rev();
    let good = ends
        .filter(|&end| compile(&text[..end], ignore_case).is_ok())
        .max()
        .unwrap_or(0);
    TextFault {
        at: Some((good, text.len() - good)),
        message: format!("the pattern cannot be understood: {why}"),
        help: "patterns are regular expressions as in egrep; write a backslash in front of . * + ? ( ) [ ] { } | ^ $ \\ \
               that stand for themselves"
            .to_owned(),
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ignore_case == other.ignore_case
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Pattern({:?}{})",
            self.text,
            if self.ignore_case { ", i" } else { "" }
        )
    }
}

#[cfg(test)]
mod tests;
