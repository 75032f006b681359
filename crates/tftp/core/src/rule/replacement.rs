//! The text that replaces what a pattern fits, with its marks.

use purlin_types::Mac;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Who asks, as far as the marks of a replacement go.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub address: IpAddr,
    pub mac: Option<&'a Mac>,
}

/// A text with marks: `\0` the whole match, `\1` to `\9` its groups, `\i` the client's address, `\x` the same in
/// hexadecimal (`C00002A9`), `\m` its hardware address (`02-00-00-00-00-01`), `\U` and `\L` upper and lower case until
/// `\E`. A backslash before any other character gives that character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    text: Box<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Group(u8),
    Address,
    Hex,
    Mac,
    Case(Case),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Kept,
    Upper,
    Lower,
}

impl Replacement {
    /// Reads a text; every text is one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let mark = match c {
                '\\' => chars.next().unwrap_or('\\'),
                c => {
                    plain.push(c);
                    continue;
                }
            };
            let piece = match mark {
                '0'..='9' => Piece::Group(mark as u8 - b'0'),
                'i' => Piece::Address,
                'x' => Piece::Hex,
                'm' => Piece::Mac,
                'U' => Piece::Case(Case::Upper),
                'L' => Piece::Case(Case::Lower),
                'E' => Piece::Case(Case::Kept),
                other => {
                    plain.push(other);
                    continue;
                }
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self {
            text: text.into(),
            pieces,
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text itself, when it has no marks.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text in front of the first mark.
    #[must_use]
    pub fn lead(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }

    /// The highest group it names, 0 when none.
    #[must_use]
    pub fn group_max(&self) -> u8 {
        let groups = self.pieces.iter().map(|piece| match piece {
            Piece::Group(group) => *group,
            _ => 0,
        });
        groups.max().unwrap_or(0)
    }

    /// Whether it names the client's address or hardware address.
    #[must_use]
    pub fn names_client(&self) -> bool {
        self.names_mac()
            || self
                .pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Address | Piece::Hex))
    }

    /// Whether it names the client's hardware address.
    #[must_use]
    pub fn names_mac(&self) -> bool {
        self.pieces.contains(&Piece::Mac)
    }

    /// Writes the text; what is not known is empty, as with tftpd-hpa.
    pub(super) fn write<'t>(
        &self,
        out: &mut String,
        group: impl Fn(usize) -> Option<&'t str>,
        client: &Client<'_>,
    ) {
        let mut case = Case::Kept;
        for piece in &self.pieces {
            match piece {
                Piece::Case(next) => case = *next,
                piece => add(out, &piece.value(&group, client).unwrap_or_default(), case),
            }
        }
    }

    /// The text, when every mark has a value that `each` likes.
    pub(super) fn fill<'t>(
        &self,
        group: impl Fn(usize) -> Option<&'t str>,
        client: &Client<'_>,
        each: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let mut out = String::new();
        let mut case = Case::Kept;
        for piece in &self.pieces {
            match piece {
                Piece::Case(next) => case = *next,
                Piece::Text(text) => add(&mut out, text, case),
                piece => add(
                    &mut out,
                    &piece.value(&group, client).filter(|value| each(value))?,
                    case,
                ),
            }
        }
        Some(out)
    }
}

impl Piece {
    fn value<'t>(&self, group: &impl Fn(usize) -> Option<&'t str>, client: &Client<'_>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Group(number) => group(usize::from(*number)).map(str::to_owned),
            Self::Address => Some(client.address.to_string()),
            Self::Hex => Some(hex(client.address)),
            Self::Mac => client.mac.map(|mac| dashed(*mac)),
            Self::Case(_) => None,
        }
    }
}

fn add(out: &mut String, value: &str, case: Case) {
    match case {
        Case::Kept => out.push_str(value),
        Case::Upper => out.extend(value.chars().map(|c| c.to_ascii_uppercase())),
        Case::Lower => out.extend(value.chars().map(|c| c.to_ascii_lowercase())),
    }
}

/// `C00002A9`, or 32 digits for IPv6.
pub(crate) fn hex(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("{:08X}", u32::from(v4)),
        IpAddr::V6(v6) => format!("{:032X}", u128::from(v6)),
    }
}

/// `02-00-00-00-00-01`, as PXELINUX writes it.
pub(crate) fn dashed(mac: Mac) -> String {
    let mut text = String::with_capacity(17);
    for (i, octet) in mac.0.iter().enumerate() {
        let dash = if i == 0 { "" } else { "-" };
        let _ = write!(text, "{dash}{octet:02x}");
    }
    text
}
