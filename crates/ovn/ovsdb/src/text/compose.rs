//! Values to text.

use crate::types::{AtomicType, BaseType, ColumnType};
use crate::uuid::Uuid;
use crate::value::{Atom, Datum};
use serde_json::Value;
use std::fmt::Write as _;

/// Significant digits of a double that survive a round trip through text.
const DIGITS: usize = 15;

/// An atom as it can be read back: in quotes where it would be misunderstood.
#[must_use]
pub fn quoted(atom: &Atom) -> String {
    match atom {
        Atom::Text(text) if needs_quotes(text) => Value::from(&**text).to_string(),
        other => bare_atom(other),
    }
}

fn bare_atom(atom: &Atom) -> String {
    match atom {
        Atom::Integer(integer) => integer.to_string(),
        Atom::Real(real) => decimal(*real),
        Atom::Boolean(boolean) => boolean.to_string(),
        Atom::Text(text) | Atom::Named(text) => text.to_string(),
        Atom::Uuid(uuid) => uuid.to_string(),
    }
}

/// As C's `%.15g`: shortest of plain and exponent, without trailing zeros.
fn decimal(real: f64) -> String {
    let scientific = format!("{real:.*e}", DIGITS - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..15).contains(&exponent) {
        let places = usize::try_from(14 - exponent).unwrap_or(0);
        return trim(&format!("{real:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
}

fn needs_quotes(text: &str) -> bool {
    let mut letters = text.bytes();
    let starts = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == b'_');
    let goes_on = letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    !starts || !goes_on || matches!(text, "true" | "false") || Uuid::parse(text).is_some()
}

/// A column's value as it can be read back.
#[must_use]
pub fn datum_text(value: &Datum, kind: &ColumnType) -> String {
    let (open, close) = if kind.value.is_some() {
        ('{', '}')
    } else {
        ('[', ']')
    };
    let closed = kind.max > 1 || value.is_empty();
    let mut text = String::new();
    if closed {
        text.push(open);
    }
    for (at, atom) in value.atoms().iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}", quoted(atom));
    }
    for (at, (key, atom)) in value.pairs().iter().enumerate() {
        let comma = if at > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{}={}", quoted(key), quoted(atom));
    }
    if closed {
        text.push(close);
    }
    text
}

/// A column's value without brackets and quotes, for scripts.
#[must_use]
pub fn bare(value: &Datum) -> String {
    let atoms = value.atoms().iter().map(bare_atom);
    let pairs = value.pairs().iter();
    let pairs = pairs.map(|(key, atom)| format!("{}={}", bare_atom(key), bare_atom(atom)));
    atoms.chain(pairs).collect::<Vec<_>>().join(" ")
}

/// A column's type in words, for faults.
pub(super) fn kind_text(kind: &ColumnType) -> String {
    let key = described(&kind.key);
    if kind.is_scalar() {
        return key;
    }
    let amount = match (kind.min, kind.max) {
        (0, ColumnType::UNLIMITED) => String::new(),
        (least, ColumnType::UNLIMITED) => format!("{least} or more "),
        (0, most) => format!("up to {most} "),
        (least, most) if least == most => format!("{least} "),
        (least, most) => format!("{least} to {most} "),
    };
    match &kind.value {
        Some(value) => {
            let value = described(value);
            format!("map of {amount}{key}-{value} pairs")
        }
        None => format!("set of {amount}{}", plural(&key)),
    }
}

fn plural(word: &str) -> String {
    match word.split_once(',') {
        Some((first, rest)) => format!("{first}s,{rest}"),
        None => format!("{word}s"),
    }
}

fn described(base: &BaseType) -> String {
    if let Some(allowed) = &base.allowed {
        let all: Vec<String> = allowed.atoms().iter().map(quoted).collect();
        return match all.as_slice() {
            [one] => format!("must be {one}"),
            [a, b] => format!("either {a} or {b}"),
            [first @ .., last] => format!("one of {}, or {last}", first.join(", ")),
            [] => "nothing".to_owned(),
        };
    }
    match (base.atomic, base.integers) {
        (AtomicType::Integer, (Some(least), Some(most))) => {
            format!("integer, in range {least} to {most}")
        }
        (AtomicType::Integer, (Some(least), None)) => format!("integer, at least {least}"),
        (AtomicType::Integer, (None, Some(most))) => format!("integer, at most {most}"),
        (kind, _) => kind.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_as_in_c() {
        for (real, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e20, "1e+20"),
            (1.5e-7, "1.5e-07"),
            (0.0, "0"),
        ] {
            assert_eq!(decimal(real), text);
        }
    }

    #[test]
    fn only_plain_words_stand_without_quotes() {
        for plain in ["a", "a-b.c_1", "_x"] {
            assert_eq!(quoted(&Atom::from(plain)), plain);
        }
        for other in [
            "",
            "1a",
            "a b",
            "true",
            "a:b",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(quoted(&Atom::from(other)), format!("\"{other}\""));
        }
    }
}
