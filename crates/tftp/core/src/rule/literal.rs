//! The literal text without which a pattern cannot fit: looked for first, because it costs nanoseconds.

/// What a name must have in it for a pattern to be worth running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// Empty when nothing is known.
    text: Box<str>,
    /// The text stands at the very beginning.
    first: bool,
    /// The pattern is nothing but this text: where it is, the pattern fits.
    whole: bool,
    ignore_case: bool,
}

impl Need {
    /// Reads a pattern that compiles. Whatever it does not understand, it needs nothing for.
    pub(super) fn of(pattern: &str, ignore_case: bool) -> Self {
        let found = longest(pattern).unwrap_or_default();
        Self {
            text: found.text.into_boxed_str(),
            first: found.first,
            whole: found.whole,
            ignore_case,
        }
    }

    /// The pattern is plain text, so that the expression need not run.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The plain text that a pattern is, when case counts and it may stand anywhere.
    pub(super) fn plain(&self) -> Option<&str> {
        (self.whole && !self.first && !self.ignore_case).then_some(&*self.text)
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        let text = &*self.text;
        match (self.ignore_case, self.first) {
            _ if text.is_empty() => true,
            (false, true) => name.starts_with(text),
            (false, false) => name.contains(text),
            (true, true) => name
                .as_bytes()
                .get(..text.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes())),
            (true, false) => name
                .as_bytes()
                .windows(text.len())
                .any(|part| part.eq_ignore_ascii_case(text.as_bytes())),
        }
    }
}

/// The longest literal run of a pattern.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    text: String,
    first: bool,
    whole: bool,
}

/// Collects literal runs outside of groups and classes.
struct Runs {
    best: Run,
    run: String,
    /// The run began right behind a leading `^`.
    first: bool,
}

impl Runs {
    fn end(&mut self) {
        if self.run.len() > self.best.text.len() {
            self.best.text = std::mem::take(&mut self.run);
            self.best.first = self.first;
        }
        self.run.clear();
        self.first = false;
    }
}

/// The longest literal that every match holds, and whether it is the start of the name. `None` when the pattern has
/// alternatives or flags, which make the question harder than it is worth.
fn longest(pattern: &str) -> Option<Run> {
    let mut runs = Runs {
        best: Run::default(),
        run: String::new(),
        first: pattern.starts_with('^'),
    };
    let mut chars = pattern.strip_prefix('^').unwrap_or(pattern).chars().peekable();
    let mut depth = 0usize;
    let mut whole = true;
    while let Some(c) = chars.next() {
        let literal = match c {
            '(' => {
                // Flags may change what the rest means.
                let mut ahead = chars.clone();
                if ahead.next() == Some('?') && ahead.next() != Some(':') {
                    return None;
                }
                depth += 1;
                None
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                None
            }
            '|' if depth == 0 => return None,
            '[' => {
                skip_class(&mut chars)?;
                None
            }
            '{' => {
                chars.by_ref().find(|c| *c == '}')?;
                None
            }
            '\\' => match chars.next()? {
                c if c.is_ascii_punctuation() => Some(c),
                'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'b' | 'B' => None,
                _ => return None,
            },
            '.' | '^' | '$' | '|' | '*' | '?' | '+' => None,
            c => Some(c),
        };
        match (literal, chars.peek()) {
            (Some(_), _) if depth > 0 => {}
            (Some(_), Some('*' | '?' | '{')) | (None, _) => {
                whole = false;
                runs.end();
            }
            (Some(c), Some('+')) => {
                whole = false;
                runs.run.push(c);
                runs.end();
            }
            (Some(c), _) => runs.run.push(c),
        }
    }
    runs.end();
    runs.best.whole = whole && !runs.best.text.is_empty();
    Some(runs.best)
}

/// Goes behind the `]` of a class whose `[` was read.
fn skip_class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<()> {
    if chars.peek() == Some(&'^') {
        chars.next();
    }
    // A `]` in the first place stands for itself.
    if chars.peek() == Some(&']') {
        chars.next();
    }
    loop {
        match chars.next()? {
            '\\' => {
                chars.next()?;
            }
            '[' => skip_class(chars)?,
            ']' => return Some(()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::compile;
    use proptest::prelude::*;

    #[test]
    fn the_longest_literal_of_a_pattern_is_found() {
        let cases = [
            ("^pxelinux\\.cfg/", "pxelinux.cfg/", true),
            ("\\\\", "\\", false),
            ("^[a-z]:", ":", false),
            ("^/?images/(.*)\\.iso$", "images/", false),
            ("ab+c", "ab", false),
            ("abc?d", "ab", false),
            ("ab{2,3}cde", "cde", false),
            ("x(foo|bar)yz", "yz", false),
            ("[]abc]long", "long", false),
        ];
        for (pattern, text, first) in cases {
            let found = longest(pattern).expect("the pattern is understood");
            assert_eq!((found.text.as_str(), found.first), (text, first), "{pattern}");
        }
        for pattern in ["a|b", "(?i)abc", "\\x41bc", "foo[a]|bar"] {
            assert_eq!(longest(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_fits_has_what_is_needed(
            pattern in "\\^?([ab/.]|[ab][+*?]|\\\\[./]|\\[\\^?[ab\\]]+\\]|\\([ab]{1,2}(\\|[ab])?\\)[?*]?|b\\{0,2\\}|\\|){1,7}\\$?",
            name in "[abAB/.]{0,10}",
            ignore_case in any::<bool>(),
        ) {
            if let Ok(regex) = compile(&pattern, ignore_case) {
                let need = Need::of(&pattern, ignore_case);
                let fits = regex.is_match(&name);
                prop_assert!(!fits || need.is_in(&name), "{} in {}", pattern, name);
                prop_assert!(!need.is_whole() || need.is_in(&name) == fits, "{} in {}", pattern, name);
            }
        }
    }
}
