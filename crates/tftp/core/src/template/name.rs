//! The names that a template answers to, or that may be written.

use purlin_config::TextFault;
use purlin_types::Mac;
use std::net::Ipv4Addr;

/// A name, or a pattern of names: `*` stands for any run without `/`, `**` for any run, `{mac}` for a hardware address
/// (`02-00-00-00-00-01`, also with colons), `{ip_hex}` for an IPv4 address in eight hexadecimal digits, `{uuid}` for a
/// UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    text: Box<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Part,
    Any,
    Mac,
    IpHex,
    Uuid,
}

/// What a name itself says about the machine it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    pub mac: Option<Mac>,
    pub ip: Option<Ipv4Addr>,
    pub uuid: Option<[u8; 16]>,
}

/// More would make a hostile name expensive and no pattern clearer.
const PIECES_MAX: usize = 16;

impl NamePattern {
    /// Reads a pattern; separators in front and `\` are treated as in names.
    ///
    /// # Errors
    /// When it cannot fit any name, with the place.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        let fault = |at: Option<(usize, usize)>, message: &str, help: &str| TextFault {
            at,
            message: message.to_owned(),
            help: help.to_owned(),
        };
        if text.is_empty() || text.len() > crate::plan::NAME_MAX {
            return Err(fault(None, "a name has 1 to 512 octets", ""));
        }
        if text.split('/').any(|part| part == "..") {
            return Err(fault(None, "no name with \"..\" is ever served", ""));
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut at = text.len() - text.trim_start_matches('/').len();
        while let Some(c) = text[at..].chars().next() {
            let rest = &text[at..];
            let (piece, len) = match c {
                '*' if rest.starts_with("**") => (Piece::Any, 2),
                '*' => (Piece::Part, 1),
                '{' => named(rest).ok_or_else(|| {
                    fault(
                        Some((at, 1)),
                        "there is no such mark in names",
                        "write {mac}, {ip_hex} or {uuid}",
                    )
                })?,
                '\\' => {
                    return Err(fault(
                        Some((at, 1)),
                        "a backslash in a name",
                        "write / between directories",
                    ));
                }
                c => {
                    plain.push(c);
                    at += c.len_utf8();
                    continue;
                }
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            pieces.push(piece);
            at += len;
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        match pieces.len() {
            0 => Err(fault(None, "the name is empty", "")),
            1..=PIECES_MAX => Ok(Self {
                text: text.into(),
                pieces,
            }),
            _ => Err(fault(
                None,
                "the pattern has too many marks",
                "at most 8 marks are possible",
            )),
        }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name itself, when there is only one.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether the name itself says for which machine it is.
    #[must_use]
    pub fn names_machine(&self) -> bool {
        self.pieces.contains(&Piece::Mac)
    }

    /// Fits a normalised name: what it says about the machine, or `None`.
    #[must_use]
    pub fn fits(&self, name: &str) -> Option<Seen> {
        if let Some(Piece::Text(lead)) = self.pieces.first()
            && !name.starts_with(&**lead)
        {
            return None;
        }
        let width = name.len() + 1;
        // A place that failed once fails again, whatever led there: so the work is at most pieces times octets.
        let mut failed = vec![false; width * self.pieces.len()];
        let mut seen = Seen::default();
        fit(&self.pieces, name, 0, &mut failed, &mut seen).then_some(seen)
    }
}

fn named(rest: &str) -> Option<(Piece, usize)> {
    let marks = [
        ("{mac}", Piece::Mac),
        ("{ip_hex}", Piece::IpHex),
        ("{uuid}", Piece::Uuid),
    ];
    marks
        .into_iter()
        .find_map(|(mark, piece)| rest.starts_with(mark).then_some((piece, mark.len())))
}

/// Fits `pieces` to the name from octet `at` on. `failed` has a row for each piece, the last piece's row last.
fn fit(pieces: &[Piece], name: &str, at: usize, failed: &mut [bool], seen: &mut Seen) -> bool {
    let Some((piece, rest)) = pieces.split_first() else {
        return at == name.len();
    };
    let width = name.len() + 1;
    let row = failed.len() - pieces.len() * width;
    if failed[row + at] {
        return false;
    }
    let left = &name[at..];
    let good = match piece {
        Piece::Text(text) => left.starts_with(&**text) && fit(rest, name, at + text.len(), failed, seen),
        Piece::Part | Piece::Any => {
            let end = match piece {
                Piece::Part => left.find('/').unwrap_or(left.len()),
                _ => left.len(),
            };
            let ends = left.char_indices().map(|(i, _)| i).chain([left.len()]);
            let mut ends = ends.take_while(|i| *i <= end);
            let good = ends.any(|i| fit(rest, name, at + i, failed, seen));
            if !good {
                // Every end was tried, so a start in between has no other: the work stays linear in the name.
                failed[row + at..=row + at + end].fill(true);
            }
            good
        }
        Piece::Mac => fixed(left, 17).and_then(mac).is_some_and(|mac| {
            seen.mac = Some(mac);
            fit(rest, name, at + 17, failed, seen)
        }),
        Piece::IpHex => fixed(left, 8).and_then(hex_octets::<4>).is_some_and(|ip| {
            seen.ip = Some(Ipv4Addr::from(ip));
            fit(rest, name, at + 8, failed, seen)
        }),
        Piece::Uuid => fixed(left, 36).and_then(uuid).is_some_and(|uuid| {
            seen.uuid = Some(uuid);
            fit(rest, name, at + 36, failed, seen)
        }),
    };
    failed[row + at] = !good;
    good
}

fn fixed(text: &str, octets: usize) -> Option<&str> {
    text.get(..octets)
}

fn mac(text: &str) -> Option<Mac> {
    let separators = text.bytes().skip(2).step_by(3);
    let alike = separators.clone().all(|c| c == b'-') || separators.clone().all(|c| c == b':');
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    alike.then(|| hex_octets::<6>(&digits)).flatten().map(Mac)
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let dashes = [8, 13, 18, 23];
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    dashes
        .iter()
        .all(|at| text.as_bytes()[*at] == b'-')
        .then(|| hex_octets::<16>(&digits))
        .flatten()
}

fn hex_octets<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N || !digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; N];
    for (octet, at) in octets.iter_mut().zip((0..).step_by(2)) {
        *octet = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
    }
    Some(octets)
}
