//! A configuration document: one tree, merged from several texts, in which every value knows its origin.

use crate::fault::Faults;
use crate::format::{self, Format};
use crate::node::{Node, Table, Value};
use crate::path::Step;
use crate::source::{Source, SourceId, SourceKind, Span};

/// One text to read.
#[derive(Debug, Clone)]
pub struct Input {
    /// How faults name it: a path as the operator wrote it.
    pub name: String,
    pub text: String,
    pub kind: SourceKind,
    /// `None` goes by the name's extension, then by the look of the text.
    pub format: Option<Format>,
}

impl Input {
    /// The text of a file.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
            kind: SourceKind::File,
            format: None,
        }
    }

    /// Text that Purlin carries itself.
    pub fn builtin(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            kind: SourceKind::Builtin,
            ..Self::file(name, text)
        }
    }
}

/// The merged tree and the texts it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub(crate) sources: Vec<Source>,
    pub(crate) root: Node,
    /// Places that faults do not show, in the order of the texts.
    pub(crate) secrets: Vec<Span>,
    /// Texts with syntax errors, of which the tree knows nothing.
    pub(crate) broken: Vec<SourceId>,
}

impl Default for Document {
    fn default() -> Self {
        Self::empty()
    }
}

impl Document {
    /// A document in which nothing is set.
    #[must_use]
    pub fn empty() -> Self {
        let span = Span {
            source: SourceId(0),
            start: 0,
            end: 0,
        };
        let root = Node {
            value: Value::Table(Table::default()),
            span,
        };
        Self {
            sources: Vec::new(),
            root,
            secrets: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// Reads `inputs` in order; later ones win, tables are merged, lists replaced. A text with syntax errors
    /// contributes its faults only.
    #[must_use]
    pub fn parse(inputs: impl IntoIterator<Item = Input>, faults: &mut Faults) -> Self {
        let mut document = Self::empty();
        for input in inputs {
            document.add(input, faults);
        }
        document
    }

    /// Lays one more text over the document.
    pub fn add(&mut self, input: Input, faults: &mut Faults) {
        let format = input
            .format
            .unwrap_or_else(|| Format::detect(&input.name, &input.text));
        let mut text = input.text;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        let id = self.add_source(Source {
            name: input.name,
            kind: input.kind,
            text,
        });
        let errors = faults.errors();
        let node = format::parse(self.source(id), id, format, faults);
        if faults.errors() > errors {
            self.broken.push(id);
        }
        if let (Value::Table(below), Value::Table(above)) = (&mut self.root.value, node.value) {
            below.merge(above);
        }
        if self.sources.len() == 1 {
            self.root.span = node.span;
        }
    }

    /// A document from canonical JSON, as the API and the revision store hold it. `name` is how faults call it.
    #[must_use]
    pub fn from_json(name: impl Into<String>, value: &serde_json::Value, faults: &mut Faults) -> Self {
        // The printed text is what faults show: a caller sees the lines it sent, in canonical layout.
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        let format = Some(Format::Json);
        let input = Input {
            name: name.into(),
            text,
            kind: SourceKind::Api,
            format,
        };
        Self::parse([input], faults)
    }

    /// The whole tree as canonical JSON: strings as written, keys in the order in which they were written.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.root.to_json()
    }

    /// The top table.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The texts the document came from.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The source of an id.
    ///
    /// # Panics
    /// When the id belongs to another document.
    #[must_use]
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.0 as usize]
    }

    pub(crate) fn add_source(&mut self, source: Source) -> SourceId {
        self.sources.push(source);
        SourceId(u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX))
    }

    /// The value at a path such as `dhcp.subnets[0].lease_time` or `dhcp.subnets[main].lease_time`; `None` when it is not set or the path is none.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        let mut node = &self.root;
        for step in crate::path::steps(path)? {
            node = match (step, &node.value) {
                (Step::Key(key), Value::Table(table)) => table.get(&key)?,
                (Step::Index(index), Value::List(items)) => items.get(index)?,
                (Step::Item(id), Value::List(items)) => items.iter().find(|item| is_named(item, &id))?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Where a value was written: `purlin.toml:3:9` or `environment variable PURLIN__DHCP__ACK`.
    #[must_use]
    pub fn origin(&self, span: Span) -> String {
        self.sources
            .get(span.source.0 as usize)
            .map_or_else(|| "default".to_owned(), |s| s.describe(span.start))
    }
}

impl Document {
    /// The place of `len` octets, `at` octets into the string that was written at `span`. Where escapes make the
    /// way from text to string longer than its quotes (and the line end behind three of them), the whole string is the
    /// place.
    #[must_use]
    pub fn inside(&self, span: Span, text: &str, at: usize, len: usize) -> Span {
        let Some(source) = self.sources.get(span.source.0 as usize) else {
            return span;
        };
        let raw = source.slice(span);
        let Some(lead) = [0, 1, 3, 4, 5]
            .into_iter()
            .find(|lead| raw.get(*lead..).is_some_and(|r| r.starts_with(text)))
        else {
            return span;
        };
        let start = span.start as usize + lead + at.min(text.len());
        let end = (start + len.max(1)).min(span.end as usize).max(start);
        Span::new(span.source, start..end)
    }
}

/// Whether a list item goes by that identity; the same keys as when two documents are compared.
fn is_named(item: &Node, id: &str) -> bool {
    match (&item.value, item.as_table()) {
        (Value::String(text), _) => text == id,
        (_, Some(table)) => {
            let keys = crate::diff::IDENTITY.iter();
            keys.filter_map(|key| table.get(key))
                .next()
                .and_then(Node::as_str)
                == Some(id)
        }
        _ => false,
    }
}
