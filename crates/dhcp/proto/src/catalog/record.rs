//! Fields of different types one behind the other.

use super::encode::{EncodeError, write_list, write_value};
use super::kind::{OptionKind, Record};
use super::render::show as show_value;

/// Fields separated by blanks; the last one takes all that is left.
pub(super) fn write(shape: &'static Record, value: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let fault = |found: &str| EncodeError::of(OptionKind::Record(shape), found);
    let (&last, leading) = shape.fields.split_last().ok_or_else(|| fault(value))?;
    let mut rest = value.trim_start();
    for &field in leading {
        let (word, behind) = rest.split_once(' ').ok_or_else(|| fault(value))?;
        write_value(field, word, out)?;
        rest = behind.trim_start();
    }
    if rest.is_empty() {
        return Err(fault(value));
    }
    if last.is_list() {
        write_list(last, &[rest], out)
    } else {
        write_value(last, rest, out)
    }
}

pub(super) fn show(shape: &'static Record, octets: &[u8]) -> Option<String> {
    let (&last, leading) = shape.fields.split_last()?;
    let mut texts = Vec::new();
    let mut rest = octets;
    for &field in leading {
        let (octets, behind) = rest.split_at_checked(width(field))?;
        texts.push(show_value(field, octets)?);
        rest = behind;
    }
    texts.push(show_value(last, rest)?);
    Some(texts.join(" "))
}

/// Octets of a field that is not the last.
fn width(kind: OptionKind) -> usize {
    match kind {
        OptionKind::U8 | OptionKind::Bool => 1,
        OptionKind::U16 => 2,
        OptionKind::Ip6 => 16,
        _ => 4,
    }
}
