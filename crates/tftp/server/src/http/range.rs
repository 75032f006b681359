//! One range of octets (RFC 9110, section 14).

use std::ops::Range;

/// What of a file is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    Part(Range<u64>),
    /// No octet of the file: 416.
    Nothing,
}

/// Reads a `Range` header against a file's size. Several ranges, other units and what does not parse are ignored, as
/// section 14.2 allows: the whole file is a good answer to all of them.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = header.and_then(octet_ranges) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-') else {
        return Wanted::Whole;
    };
    if first.is_empty() {
        return suffix(last, size);
    }
    let Some(first) = position(first) else {
        return Wanted::Whole;
    };
    let last = match last {
        "" => size.saturating_sub(1),
        text => match position(text) {
            Some(last) if last >= first => last.min(size.saturating_sub(1)),
            _ => return Wanted::Whole,
        },
    };
    if first >= size {
        return Wanted::Nothing;
    }
    Wanted::Part(first..last + 1)
}

/// The last octets.
fn suffix(count: &str, size: u64) -> Wanted {
    match position(count) {
        Some(0) => Wanted::Nothing,
        Some(count) if size > 0 => Wanted::Part(size.saturating_sub(count)..size),
        Some(_) => Wanted::Nothing,
        None => Wanted::Whole,
    }
}

/// What is behind `bytes=`; names of units have no case (section 14.1).
fn octet_ranges(header: &str) -> Option<&str> {
    let (unit, ranges) = header.trim().split_once('=')?;
    unit.eq_ignore_ascii_case("bytes").then(|| ranges.trim())
}

/// Digits alone: Rust would read a sign, too.
fn position(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-499"), Wanted::Part(0..500)),
            (Some("bytes=500-"), Wanted::Part(500..1000)),
            (Some("bytes=-1"), Wanted::Part(999..1000)),
            (Some("bytes=-5000"), Wanted::Part(0..1000)),
            (Some("bytes=990-5000"), Wanted::Part(990..1000)),
            (Some("bytes=1000-"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            (Some("bytes=5-4"), Wanted::Whole),
            (Some("bytes=0-1,5-6"), Wanted::Whole),
            (Some("lines=1-2"), Wanted::Whole),
            (Some("bytes=x-"), Wanted::Whole),
            (Some("BYTES=0-1"), Wanted::Part(0..2)),
            (Some("Bytes= 2-3 "), Wanted::Part(2..4)),
            (Some("bytes=+1-2"), Wanted::Whole),
            (Some("bytes=1-+2"), Wanted::Whole),
            (Some("bytes=-+2"), Wanted::Whole),
            (Some("bytes=1 - 2"), Wanted::Whole),
            (Some("bytes"), Wanted::Whole),
            (Some("bytes=99999999999999999999-"), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 1000), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
    }
}
