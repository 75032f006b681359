//! Values as people write and read them on a command line.
//!
//! ```text
//!   [a, "b c"]      a set; brackets may be left out        1-3       several integers
//!   {k=v, "x y"=z}  a map; braces may be left out          @name     a row that this transaction brings
//! ```
//!
//! Source: ovs-vsctl(8), "Database Values".

mod compose;
mod token;

pub use compose::{bare, datum_text, quoted};
pub use token::{Token, token};

use crate::types::{AtomicType, BaseType, ColumnType};
use crate::uuid::Uuid;
use crate::value::{Atom, Datum};
use std::fmt::Write as _;

/// Most integers that one range may stand for.
const RANGE_MAX: i64 = 4096;

/// Who knows which rows the names of one command line mean.
pub trait RowNames {
    /// The row that `@name` means. `strong`: whether the column that points to it keeps it alive; `None` for columns
    /// that point to nothing in particular.
    fn refer(&mut self, name: &str, strong: Option<bool>) -> Option<Uuid>;
}

/// No name means a row.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl RowNames for NoNames {
    fn refer(&mut self, _: &str, _: Option<bool>) -> Option<Uuid> {
        None
    }
}

/// Reads an atom, with the constraints of its type.
///
/// # Errors
/// What is wrong with the text, in a sentence.
pub fn atom(base: &BaseType, text: &str, names: &mut dyn RowNames) -> Result<Atom, String> {
    let atom = match base.atomic {
        AtomicType::Integer => integer(text)
            .map(Atom::Integer)
            .ok_or_else(|| format!("\"{text}\" is not a valid integer or range"))?,
        AtomicType::Real => real(text)?,
        AtomicType::Boolean => boolean(text)?,
        AtomicType::String => Atom::from(string(text)?),
        AtomicType::Uuid => uuid(base, text, names)?,
    };
    check(base, &atom)?;
    Ok(atom)
}

fn real(text: &str) -> Result<Atom, String> {
    let real = text
        .trim_start()
        .parse::<f64>()
        .ok()
        .filter(|real| real.is_finite());
    // There is one zero.
    real.map(|real| Atom::Real(real + 0.0))
        .ok_or_else(|| format!("\"{text}\" is not a valid real number"))
}

fn boolean(text: &str) -> Result<Atom, String> {
    match text {
        "true" | "yes" | "on" | "1" => Ok(Atom::Boolean(true)),
        "false" | "no" | "off" | "0" => Ok(Atom::Boolean(false)),
        _ => Err(format!(
            "\"{text}\" is not a valid boolean (use \"true\" or \"false\")"
        )),
    }
}

fn string(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(
            "An empty string is not valid as input; use \"\" to represent the empty string".to_owned(),
        );
    }
    if !text.starts_with('"') {
        return Ok(text.to_owned());
    }
    if text.len() < 2 || !text.ends_with('"') {
        return Err(format!("{text}: missing quote at end of quoted string"));
    }
    let inside = &text[1..text.len() - 1];
    if unescaped(inside).any(|letter| letter == '"') {
        return Err(format!("{text}: quoted string may not include unescaped \""));
    }
    let slashes = inside.bytes().rev().take_while(|octet| *octet == b'\\').count();
    if slashes % 2 == 1 {
        return Err(format!("{text}: quoted string may not end with backslash"));
    }
    // A line break or the like inside the quotes is no JSON, but everybody means what it is.
    let mut json = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\u{0}'..='\u{1f}' => {
                let _ = write!(json, "\\u{:04x}", u32::from(letter));
            }
            letter => json.push(letter),
        }
    }
    serde_json::from_str(&json).map_err(|_| format!("{text}: bad escape in quoted string"))
}

/// The letters that no backslash stands before.
fn unescaped(text: &str) -> impl Iterator<Item = char> {
    let mut escaped = false;
    text.chars().filter(move |letter| {
        let plain = !escaped;
        escaped = plain && *letter == '\\';
        plain
    })
}

fn uuid(base: &BaseType, text: &str, names: &mut dyn RowNames) -> Result<Atom, String> {
    if text.starts_with('@') {
        let strong = base.reference.as_ref().map(|reference| reference.strong);
        if let Some(row) = names.refer(text, strong) {
            return Ok(Atom::Uuid(row));
        }
    }
    Uuid::parse(text)
        .map(Atom::Uuid)
        .ok_or_else(|| format!("\"{text}\" is not a valid UUID"))
}

/// The constraints of a type, in the words of a command line.
fn check(base: &BaseType, atom: &Atom) -> Result<(), String> {
    if let Some(allowed) = &base.allowed {
        if allowed.contains(atom) {
            return Ok(());
        }
        let kind = ColumnType {
            min: 0,
            max: ColumnType::UNLIMITED,
            ..ColumnType::scalar(BaseType::any(base.atomic))
        };
        return Err(format!(
            "constraint violation: {} is not one of the allowed values ({})",
            quoted(atom),
            datum_text(allowed, &kind)
        ));
    }
    base.check(atom).map_err(|error| error.to_string())
}

/// Reads a value of a column of this type.
///
/// # Errors
/// What is wrong with the text, in a sentence.
pub fn datum(kind: &ColumnType, text: &str, names: &mut dyn RowNames) -> Result<Datum, String> {
    let mut reader = Reader::open(kind, text)?;
    let mut pairs: Vec<Element> = Vec::new();
    while let Some(element) = reader.next(names)? {
        pairs.extend(element);
    }
    reader.close()?;
    let word = if kind.value.is_some() {
        "pair(s)"
    } else {
        "value(s)"
    };
    let count = pairs.len();
    if count < kind.min as usize {
        let least = kind.min;
        return Err(format!(
            "{text}: {count} {word} specified but the minimum number is {least}"
        ));
    }
    if kind.max != ColumnType::UNLIMITED && count > kind.max as usize {
        let most = kind.max;
        return Err(format!(
            "{text}: {count} {word} specified but the maximum number is {most}"
        ));
    }
    let value = if kind.value.is_some() {
        Datum::map(pairs.into_iter().filter_map(|(key, value)| Some((key, value?))))
    } else {
        Datum::set(pairs.into_iter().map(|(key, _)| key))
    };
    if value.len() < count {
        return Err(if kind.value.is_some() {
            format!("{text}: map contains duplicate key")
        } else {
            format!("{text}: set contains duplicate value")
        });
    }
    Ok(value)
}

/// An element of a set; a pair of a map.
type Element = (Atom, Option<Atom>);

/// One pass over a value's text.
struct Reader<'a> {
    kind: &'a ColumnType,
    all: &'a str,
    rest: &'a str,
    end: Option<char>,
}

impl<'a> Reader<'a> {
    fn open(kind: &'a ColumnType, all: &'a str) -> Result<Self, String> {
        let is_map = kind.value.is_some();
        let (open, close) = if is_map { ('{', '}') } else { ('[', ']') };
        let rest = spaces(all);
        if rest.is_empty() {
            let (empty, what) = if is_map { ("{}", "map") } else { ("[]", "set") };
            return Err(format!("use \"{empty}\" to specify the empty {what}"));
        }
        let (rest, end) = match rest.strip_prefix(open) {
            Some(inner) => (spaces(inner), Some(close)),
            None => (rest, None),
        };
        Ok(Self { kind, all, rest, end })
    }

    /// The next element, which may be a range of several.
    fn next(&mut self, names: &mut dyn RowNames) -> Result<Option<Vec<Element>>, String> {
        let Some(first) = self.rest.chars().next().filter(|c| Some(*c) != self.end) else {
            return Ok(None);
        };
        if token::is_delimiter(first) {
            return Err(format!(
                "{}: unexpected \"{first}\" parsing {}",
                self.all,
                compose::kind_text(self.kind)
            ));
        }
        let start = self.rest;
        let keys = self.keys(names)?;
        let value = match &self.kind.value {
            None => None,
            Some(base) => {
                let rest = spaces(self.rest);
                let Some(rest) = rest.strip_prefix('=') else {
                    let found = rest.chars().next().map_or_else(String::new, String::from);
                    return Err(format!("{start}: syntax error at \"{found}\" expecting \"=\""));
                };
                let Token { text, rest } = token(spaces(rest))?;
                self.rest = rest;
                Some(atom(base, &text, names)?)
            }
        };
        self.rest = spaces(self.rest);
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = spaces(rest);
        }
        Ok(Some(keys.into_iter().map(|key| (key, value.clone())).collect()))
    }

    fn keys(&mut self, names: &mut dyn RowNames) -> Result<Vec<Atom>, String> {
        let Token { text, rest } = token(self.rest)?;
        self.rest = rest;
        atoms(&self.kind.key, &text, names)
    }

    fn close(&self) -> Result<(), String> {
        let all = self.all;
        let Some(end) = self.end else { return Ok(()) };
        let Some(rest) = self.rest.strip_prefix(end) else {
            return Err(format!("{all}: missing \"{end}\" at end of data"));
        };
        if spaces(rest).is_empty() {
            return Ok(());
        }
        Err(format!("{all}: trailing garbage after \"{end}\""))
    }
}

/// Reads an atom, or of integers the several that a range stands for.
///
/// # Errors
/// As [`atom`].
pub fn atoms(base: &BaseType, text: &str, names: &mut dyn RowNames) -> Result<Vec<Atom>, String> {
    let range = Some(text)
        .filter(|_| base.atomic == AtomicType::Integer)
        .and_then(range);
    match range {
        Some((least, most)) => integers(base, text, least, most),
        None => Ok(vec![atom(base, text, names)?]),
    }
}

fn integers(base: &BaseType, text: &str, least: i64, most: i64) -> Result<Vec<Atom>, String> {
    if most < least {
        return Err(format!(
            "\"{text}\" is not a valid range. Range end cannot be before start."
        ));
    }
    check(base, &Atom::Integer(least))?;
    check(base, &Atom::Integer(most))?;
    if most.saturating_sub(least) >= RANGE_MAX {
        return Err(format!(
            "constraint violation: Range \"{least}-{most}\" is too big. Maximum allowed size is {RANGE_MAX}."
        ));
    }
    let all = (least..=most).map(Atom::Integer);
    // Of a type that lists its values each one must be among them.
    all.map(|one| check(base, &one).map(|()| one)).collect()
}

fn range(text: &str) -> Option<(i64, i64)> {
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '-')?.0;
    Some((integer(&text[..at])?, integer(&text[at + 1..])?))
}

/// The whole text as a decimal number, spaces before it allowed.
#[must_use]
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace());
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

fn spaces(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DatabaseSchema;
    use crate::schemas;

    fn read(table: &str, column: &str, text: &str) -> Result<String, String> {
        let json = serde_json::from_str(schemas::NB).unwrap();
        let schema = DatabaseSchema::parse(&json).unwrap();
        let kind = &schema.table(table).unwrap().column(column).unwrap().kind;
        datum(kind, text, &mut NoNames).map(|value| datum_text(&value, kind))
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        for (column, text, shown) in [
            ("name", "p1", "p1"),
            ("name", "\"a b\"", "\"a b\""),
            ("addresses", "[a,\"b c\"]", "[a, \"b c\"]"),
            ("addresses", "[]", "[]"),
            ("options", "k=v, x=\"y z\"", "{k=v, x=\"y z\"}"),
            ("options", "{}", "{}"),
            ("tag", "[]", "[]"),
            ("tag", "7", "7"),
            ("enabled", "yes", "true"),
        ] {
            assert_eq!(
                read("Logical_Switch_Port", column, text).as_deref(),
                Ok(shown),
                "{text}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (column, text, why) in [
            ("name", "", "use \"[]\" to specify the empty set"),
            ("options", "k", "k: syntax error at \"\" expecting \"=\""),
            (
                "options",
                "k=",
                "An empty string is not valid as input; use \"\" to represent the empty string",
            ),
            (
                "enabled",
                "maybe",
                "\"maybe\" is not a valid boolean (use \"true\" or \"false\")",
            ),
            (
                "tag",
                "5000",
                "constraint violation: 5000 is not in the valid range 1 to 4095 (inclusive)",
            ),
            ("tag", "x", "\"x\" is not a valid integer or range"),
            (
                "tag",
                "[1,2]",
                "[1,2]: 2 value(s) specified but the maximum number is 1",
            ),
            ("addresses", "[a,a]", "[a,a]: set contains duplicate value"),
            ("addresses", "[a", "[a: missing \"]\" at end of data"),
        ] {
            assert_eq!(
                read("Logical_Switch_Port", column, text).unwrap_err(),
                why,
                "{text}"
            );
        }
    }
}
