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
    format!("{:<width$}", cut(text, most))
}
