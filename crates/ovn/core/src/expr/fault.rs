//! What is wrong with an expression, where, and what would be right.

use std::fmt;
use std::ops::Range;

/// Octets of the text from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// One fault of an expression. `Display` shows the line with a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What would be right, or the nearest known name.
    pub help: Option<String>,
    pub span: Span,
    /// The line that `span` starts in, cut around the place when it is long.
    pub snippet: String,
    /// Column of the caret in `snippet`, in characters from 0, and its length.
    pub caret: (usize, usize),
}

/// Characters of a line that are shown before and behind the place.
const AROUND: usize = 60;

impl Fault {
    pub(crate) fn new(text: &str, span: Span, message: impl Into<String>) -> Self {
        let (snippet, caret) = cut(text, span);
        Self {
            message: message.into(),
            help: None,
            span,
            snippet,
            caret,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Help that names the nearest of the known names, if one is near.
    pub(crate) fn nearest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match purlin_config::nearest(word, known) {
            Some(near) => {
                let help = format!("did you mean `{near}`?");
                self.help(help)
            }
            None => self,
        }
    }
}

/// The line of the place, and where in it the caret stands.
fn cut(text: &str, span: Span) -> (String, (usize, usize)) {
    let start = floor_boundary(text, span.start);
    let end = floor_boundary(text, span.end).max(start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let before: Vec<char> = text[line_start..start].chars().collect();
    let marked: Vec<char> = text[start..end.min(line_end)].chars().take(AROUND).collect();
    let rest: Vec<char> = text[start..line_end].chars().take(2 * AROUND).collect();
    let skipped = before.len().saturating_sub(AROUND);
    let mut snippet = String::new();
    if skipped > 0 {
        snippet.push_str("... ");
    }
    snippet.extend(&before[skipped..]);
    let column = snippet.chars().count();
    snippet.extend(&rest);
    if text[start..line_end].chars().nth(2 * AROUND).is_some() {
        snippet.push_str(" ...");
    }
    // Tabs and other control characters would move the caret away from its place.
    let snippet = snippet
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    (snippet, (column, marked.len().max(1)))
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (column, length) = self.caret;
        writeln!(f, "{} (at character {})", self.message, self.span.start + 1)?;
        writeln!(f, "  | {}", self.snippet)?;
        write!(f, "  | {}{}", " ".repeat(column), "^".repeat(length))?;
        if let Some(help) = &self.help {
            write!(f, "\n  = {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{} wrong {}", "a ".repeat(200), "b ".repeat(200));
        let fault = Fault::new(&text, Span { start: 401, end: 406 }, "no such word");
        assert!(fault.snippet.starts_with("... ") && fault.snippet.ends_with(" ..."));
        let at: String = fault
            .snippet
            .chars()
            .skip(fault.caret.0)
            .take(fault.caret.1)
            .collect();
        assert_eq!(at, "wrong");
    }

    #[test]
    fn a_place_outside_the_text_or_within_a_character_is_harmless() {
        for (start, end) in [(0, 0), (1, 2), (2, 1), (99, 100)] {
            Fault::new("äö\nü", Span { start, end }, "x").to_string();
        }
    }
}
