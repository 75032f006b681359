//! The values that fill a template for one client.

use super::{MarkName, Text};
use std::borrow::Cow;

/// Names and values for one client; the first of a name counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    pairs: Vec<(Cow<'static, str>, String)>,
}

impl Values {
    pub(crate) fn add(&mut self, name: impl Into<Cow<'static, str>>, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.pairs.push((name.into(), value.into()));
        }
    }

    /// Adds what a client or its lease says of itself. A value that is more than one plain word could add lines to a
    /// boot script, so it counts as unknown.
    pub(crate) fn add_word(&mut self, name: &'static str, value: Option<&str>) {
        let plain = |text: &&str| {
            (1..=255).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':'))
        };
        self.add(name, value.filter(plain));
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|pair| pair.0 == name).map(|pair| &*pair.1)
    }

    /// Fills a text that was read from a file.
    ///
    /// # Errors
    /// The text is no template, or one of its marks has no value.
    pub fn fill(&self, text: &str) -> Result<String, Unfilled> {
        let text = Text::parse(text).map_err(|why| Unfilled::Text(why.message))?;
        text.fill(|name| self.get(name))
            .map_err(|name| Unfilled::NoValue(MarkName::of(name)))
    }
}

/// Why a text could not be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// A mark cannot be read, in a sentence.
    Text(String),
    /// This mark has neither a value for the client nor a default.
    NoValue(MarkName),
}
