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
    let Some(spec) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return suffix(last, size);
    }
    let Ok(first) = first.parse::<u64>() else {
        return Wanted::Whole;
    };
    let last = match last {
        "" => size.saturating_sub(1),
        text => match text.parse::<u64>() {
            Ok(last) if last >= first => last.min(size.saturating_sub(1)),
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
    match count.parse::<u64>() {
        Ok(0) => Wanted::Nothing,
        Ok(count) if size > 0 => Wanted::Part(size.saturating_sub(count)..size),
        Ok(_) => Wanted::Nothing,
        Err(_) => Wanted::Whole,
    }
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
            (Some("bytes=99999999999999999999-"), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 1000), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
    }
}
