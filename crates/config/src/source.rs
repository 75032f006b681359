//! Where configuration text came from, and how a place in it is named to people.

/// Index of a [`Source`] in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A half-open byte range in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub source: SourceId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// A span of `range`, cut at 4 GiB.
    #[must_use]
    pub fn new(source: SourceId, range: std::ops::Range<usize>) -> Self {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            source,
            start: cut(range.start),
            end: cut(range.end),
        }
    }
}

/// What kind of thing a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A file; its name is a path.
    File,
    /// One environment variable; its name is the variable's, its text the value.
    Environment,
    /// A document that came through the API or from the revision store.
    Api,
    /// Text that Purlin itself carries, such as the demo configuration.
    Builtin,
}

/// One named text. The text is kept because faults show the line they talk about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub name: String,
    pub kind: SourceKind,
    pub text: String,
}

/// A place for people: line and column count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Source {
    /// The place of a byte offset; offsets behind the end are at the end.
    #[must_use]
    pub fn place(&self, offset: u32) -> Place {
        let at = self.char_floor(offset as usize);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The whole line around a byte offset and where that line starts.
    #[must_use]
    pub fn line_at(&self, offset: u32) -> (&str, usize) {
        let at = self.char_floor(offset as usize);
        let start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let end = self.text[at..].find('\n').map_or(self.text.len(), |i| at + i);
        (self.text[start..end].trim_end_matches('\r'), start)
    }

    /// The text of a span of this source.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let start = self.char_floor(span.start as usize);
        let end = self.char_floor(span.end as usize).max(start);
        &self.text[start..end]
    }

    /// `offset`, moved back onto a character boundary inside the text.
    fn char_floor(&self, offset: usize) -> usize {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// `file:line:column`, or the bare name where lines mean nothing.
    #[must_use]
    pub fn describe(&self, offset: u32) -> String {
        match self.kind {
            SourceKind::Environment => format!("environment variable {}", self.name),
            _ => {
                let place = self.place(offset);
                format!("{}:{}:{}", self.name, place.line, place.column)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let source = Source {
            name: "x".into(),
            kind: SourceKind::File,
            text: "a\näb = 1\n".into(),
        };
        assert_eq!(source.describe(5), "x:2:3");
        assert_eq!(source.line_at(5), ("äb = 1", 2));
        assert_eq!(source.place(4000), Place { line: 3, column: 1 });
    }
}
