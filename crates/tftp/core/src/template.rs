//! Files that are made for whoever asks: texts with marks such as `{{hostname|unnamed}}`, and the names they answer to.

mod mark_name;
mod name;
mod values;

pub use mark_name::MarkName;
pub use name::{NamePattern, Seen};
pub use values::{Unfilled, Values};

use purlin_config::TextFault;

/// Names that are known without a profile.
pub const MARKS: [&str; 15] = [
    "ip",
    "ip_hex",
    "mac",
    "mac_dashed",
    "uuid",
    "hostname",
    "arch",
    "user_class",
    "subnet",
    "server",
    "url",
    "file",
    "file_url",
    "profile",
    "name",
];

/// A text with marks: `{{name}}`, or `{{name|text}}` with the text that stands when the name has no value. A backslash
/// before two braces makes them plain: `\{{`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    text: Box<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Mark {
        name: String,
        default: Option<String>,
        at: usize,
    },
}

/// One mark of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark<'a> {
    pub name: &'a str,
    pub has_default: bool,
    /// Octets into the text.
    pub at: usize,
}

impl Text {
    /// Reads a text.
    ///
    /// # Errors
    /// At a mark that does not end, or whose name is none.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut at = 0;
        while let Some(open) = text[at..].find("{{").map(|open| at + open) {
            if text[..open].ends_with('\\') {
                plain.push_str(&text[at..open - 1]);
                plain.push_str("{{");
                at = open + 2;
                continue;
            }
            plain.push_str(&text[at..open]);
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            let end = text[open..]
                .find("}}")
                .map(|end| open + end)
                .ok_or_else(|| TextFault {
                    at: Some((open, 2)),
                    message: "the mark does not end".to_owned(),
                    help: "write {{name}}, or \\{{ for braces that stand for themselves".to_owned(),
                })?;
            pieces.push(mark(text, open, end)?);
            at = end + 2;
        }
        plain.push_str(&text[at..]);
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Self {
            text: text.into(),
            pieces,
        })
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its marks in order.
    pub fn marks(&self) -> impl Iterator<Item = Mark<'_>> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Mark { name, default, at } => Some(Mark {
                name,
                has_default: default.is_some(),
                at: *at,
            }),
            Piece::Plain(_) => None,
        })
    }

    /// The text with values for its marks.
    ///
    /// # Errors
    /// The name of the first mark that has neither a value nor a default.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, &str> {
        let mut out = String::with_capacity(self.text.len());
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => out.push_str(plain),
                Piece::Mark { name, default, .. } => {
                    out.push_str(value(name).or(default.as_deref()).ok_or(name.as_str())?);
                }
            }
        }
        Ok(out)
    }
}

fn mark(text: &str, open: usize, end: usize) -> Result<Piece, TextFault> {
    let inside = &text[open + 2..end];
    let (name, default) = match inside.split_once('|') {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (inside, None),
    };
    let name = name.trim();
    if !is_name(name) {
        return Err(TextFault {
            at: Some((open, end + 2 - open)),
            message: format!("{name:?} is no name of a value"),
            help: "names are letters, digits, _ and -, and begin with a letter".to_owned(),
        });
    }
    Ok(Piece::Mark {
        name: name.to_owned(),
        default,
        at: open,
    })
}

/// Whether a profile may call a value so.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// What a made file is, by its name and first line: for logs and people.
#[must_use]
pub fn kind_of(name: &str, text: &str) -> &'static str {
    if text.starts_with("#!ipxe") || name.ends_with(".ipxe") {
        "ipxe"
    } else if name.contains("pxelinux.cfg/") {
        "pxelinux"
    } else if name.contains("grub.cfg") {
        "grub"
    } else {
        "text"
    }
}

#[cfg(test)]
mod tests;
