//! Options inside options: relay agent information, vendor options, vendor classes.

/// The value of the first sub-option `code` in a sequence of code, length, value (RFC 3046, section 2).
/// What is cut short ends the sequence.
pub(crate) fn sub_option(data: &[u8], code: u8) -> Option<&[u8]> {
    let mut rest = data;
    while let [found, len, tail @ ..] = rest {
        let value = tail.get(..usize::from(*len))?;
        if *found == code {
            return Some(value);
        }
        rest = &tail[usize::from(*len)..];
    }
    None
}

/// The blocks of option 124 or 125 (RFC 3925): enterprise number and its data.
pub(crate) fn blocks(data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (enterprise, tail) = rest.split_first_chunk::<4>()?;
        let (len, tail) = tail.split_first()?;
        let value = tail.get(..usize::from(*len))?;
        rest = &tail[usize::from(*len)..];
        Some((u32::from_be_bytes(*enterprise), value))
    })
}

/// The blocks of one enterprise, or of all.
pub(crate) fn blocks_of(data: &[u8], enterprise: Option<u32>) -> impl Iterator<Item = &[u8]> {
    blocks(data)
        .filter(move |(found, _)| enterprise.is_none_or(|wanted| wanted == *found))
        .map(|(_, value)| value)
}
