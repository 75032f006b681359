//! The little JSON that this floor writes by itself; reading is for others.

use std::fmt::Write;

/// Writes `"name":` with a comma before it when it is not the first, then the value.
pub(crate) fn field(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    if !out.ends_with(['{', '[']) {
        out.push(',');
    }
    text(out, name);
    out.push(':');
    value(out);
}

/// Writes a string with its quotes (RFC 8259, section 7).
pub(crate) fn text(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let written = write!(out, "\\u{:04x}", u32::from(c));
                written.expect("a String takes everything");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
