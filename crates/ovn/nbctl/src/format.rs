//! Columns of fixed width, as C's `printf` makes them.

/// At most this many octets, without cutting a letter in two.
#[must_use]
pub(crate) fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.unwrap_or(0)]
}

/// `%-WIDTH.MOSTs`.
#[must_use]
pub(crate) fn left(text: &str, width: usize, most: usize) -> String {
    padded(cut(text, most), width)
}

/// `%-WIDTHs`: octets are counted, not letters.
#[must_use]
pub(crate) fn padded(text: &str, width: usize) -> String {
    let spaces = " ".repeat(width.saturating_sub(text.len()));
    format!("{text}{spaces}")
}
