//! Values that have to be made or cut out.

use super::{Eval, Piece};
use crate::expr::VALUE_MAX;
use crate::expr::node::{Conversion, Id, Node};
use crate::expr::subject::Subject;
use std::io::Write;
use std::net::Ipv4Addr;

impl<'a, S: Subject + ?Sized> Eval<'a, '_, S> {
    /// Makes the value at the end of the scratch.
    pub(super) fn make(&mut self, node: &Node) -> Piece<'a> {
        let from = self.scratch.len();
        match node {
            Node::Concat(parts) => self.concat(from, parts),
            Node::HexString(value, separator) => {
                self.copy(from, *value);
                self.hexadecimal(from, separator.as_bytes());
            }
            Node::Convert(value, conversion) => {
                self.copy(from, *value);
                self.convert(from, *conversion);
            }
            // The parser puts no test where a value is wanted.
            _ => {}
        }
        self.scratch.truncate(from + VALUE_MAX);
        Piece::Made {
            from,
            to: self.scratch.len(),
        }
    }

    /// Leaves exactly the value of `id` in the scratch from `from` on.
    fn copy(&mut self, from: usize, id: Id) {
        match self.piece(id) {
            Piece::Borrowed(octets) => {
                self.scratch.truncate(from);
                self.scratch.extend_from_slice(octets);
            }
            Piece::Made { from: start, to } => {
                self.scratch.copy_within(start..to, from);
                self.scratch.truncate(from + (to - start));
            }
            Piece::Address(octets) | Piece::Number(octets) => {
                self.scratch.truncate(from);
                self.scratch.extend_from_slice(&octets);
            }
        }
    }

    fn concat(&mut self, from: usize, parts: &[Id]) {
        for part in parts {
            let at = self.scratch.len();
            self.copy(at, *part);
            if self.scratch.len() - from >= VALUE_MAX {
                return;
            }
        }
    }

    /// Turns the octets from `from` on into digits, from the last to the first, so that no copy is needed.
    fn hexadecimal(&mut self, from: usize, separator: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let step = 2 + separator.len();
        let count = (self.scratch.len() - from).min(VALUE_MAX / step + 1);
        self.scratch.resize(from + count * step, 0);
        for i in (0..count).rev() {
            let octet = self.scratch[from + i];
            let digits = &mut self.scratch[from + i * step..][..step];
            digits[0] = DIGITS[usize::from(octet >> 4)];
            digits[1] = DIGITS[usize::from(octet & 15)];
            digits[2..].copy_from_slice(separator);
        }
        self.scratch
            .truncate(from + (count * step).saturating_sub(separator.len()));
    }

    fn convert(&mut self, from: usize, conversion: Conversion) {
        let octets = &mut self.scratch[from..];
        match conversion {
            Conversion::Lower => return octets.make_ascii_lowercase(),
            Conversion::Upper => return octets.make_ascii_uppercase(),
            _ => {}
        }
        let mut text = [0; 16];
        let len = render(octets, conversion, &mut text);
        self.scratch.truncate(from);
        self.scratch.extend_from_slice(&text[..len]);
    }

    pub(super) fn substring(&mut self, value: Id, start: i64, length: Option<i64>) -> Piece<'a> {
        let piece = self.piece(value);
        let whole = piece.octets(self.scratch).len();
        let (from, to) = bounds(whole, start, length);
        self.part(piece, from, to)
    }

    pub(super) fn split(&mut self, value: Id, delimiters: &[u8], field: u32) -> Piece<'a> {
        let piece = self.piece(value);
        let octets = piece.octets(self.scratch);
        let mut from = 0;
        for _ in 1..field {
            match octets[from..].iter().position(|octet| delimiters.contains(octet)) {
                Some(at) => from += at + 1,
                None => return Piece::Borrowed(&[]),
            }
        }
        let rest = &octets[from..];
        let to = from
            + rest
                .iter()
                .position(|octet| delimiters.contains(octet))
                .unwrap_or(rest.len());
        self.part(piece, from, to)
    }

    fn part(&mut self, piece: Piece<'a>, from: usize, to: usize) -> Piece<'a> {
        match piece {
            Piece::Borrowed(octets) => Piece::Borrowed(&octets[from..to]),
            Piece::Made { from: start, .. } => Piece::Made {
                from: start + from,
                to: start + to,
            },
            Piece::Address(octets) | Piece::Number(octets) => {
                let start = self.scratch.len();
                self.scratch.extend_from_slice(&octets[from..to]);
                Piece::Made {
                    from: start,
                    to: self.scratch.len(),
                }
            }
        }
    }
}

/// Where `substring` cuts a value of `whole` octets. A negative start counts from the end; a negative length
/// takes what stands before the start. A start outside the value yields nothing.
fn bounds(whole: usize, start: i64, length: Option<i64>) -> (usize, usize) {
    let size = i64::try_from(whole).expect("a value is at most VALUE_MAX octets");
    if start < -size || start >= size {
        return (0, 0);
    }
    let start = if start < 0 { size + start } else { start };
    let length = length.unwrap_or(size);
    let (from, to) = if length < 0 {
        ((start + length).max(0), start)
    } else {
        (start, (start + length).min(size))
    };
    let at = |value: i64| usize::try_from(value).expect("both ends lie within the value");
    (at(from), at(to))
}

/// Writes a number or address as text; nothing when the value has another length than the conversion says.
fn render(octets: &[u8], conversion: Conversion, out: &mut [u8; 16]) -> usize {
    let space = out.len();
    let mut rest = &mut out[..];
    let one = <[u8; 1]>::try_from(octets);
    let two = <[u8; 2]>::try_from(octets);
    let four = <[u8; 4]>::try_from(octets);
    let written = match (conversion, one, two, four) {
        (Conversion::AddressToText, _, _, Ok(v)) => write!(rest, "{}", Ipv4Addr::from(v)),
        (Conversion::Int8ToText, Ok(v), _, _) => write!(rest, "{}", i8::from_be_bytes(v)),
        (Conversion::Uint8ToText, Ok(v), _, _) => write!(rest, "{}", u8::from_be_bytes(v)),
        (Conversion::Int16ToText, _, Ok(v), _) => write!(rest, "{}", i16::from_be_bytes(v)),
        (Conversion::Uint16ToText, _, Ok(v), _) => write!(rest, "{}", u16::from_be_bytes(v)),
        (Conversion::Int32ToText, _, _, Ok(v)) => write!(rest, "{}", i32::from_be_bytes(v)),
        (Conversion::Uint32ToText, _, _, Ok(v)) => write!(rest, "{}", u32::from_be_bytes(v)),
        _ => Ok(()),
    };
    written.expect("sixteen octets hold any address and any number of 32 bits");
    space - rest.len()
}
