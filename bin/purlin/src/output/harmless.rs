//! Text of strangers, such as a host name in a DHCP request, as a terminal may be given it: characters that would move
//! the cursor, change colours or turn the direction of writing are shown instead of obeyed.

use std::borrow::Cow;
use std::fmt::Write;

/// C0, DEL and C1 (ECMA-48), and what overrides the direction of writing (Unicode, UAX #9).
fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// On one line: `\n`, `\r`, tabs as blanks, anything else that is hostile as `\x1b` or `\u{202e}`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same with line breaks and tabs as they are, for forms that quote them and texts of several lines.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c: char| is_hostile(c) && !stays(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = match c {
            c if !bad(c) => out.write_char(c),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_char(' '),
            c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)),
            c => write!(out, "\\u{{{:x}}}", u32::from(c)),
        };
    }
    Cow::Owned(out)
}

/// Text of JSON: what its writer has left as it is, and only strings can hold, escaped as JSON and YAML have it.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_hostile(c) && !c.is_ascii_control() || c == '\u{7f}';
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        // Writing to a string cannot fail.
        let _ = if bad(c) {
            write!(out, "\\u{:04x}", u32::from(c))
        } else {
            out.write_char(c)
        };
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(line("\x1b[31mRED\x07"), "\\x1b[31mRED\\x07");
        assert_eq!(line("a\u{9b}2J\u{7f}"), "a\\x9b2J\\x7f");
        assert_eq!(line("txt\u{202e}exe\u{2066}"), "txt\\u{202e}exe\\u{2066}");
        assert_eq!(line("a\r\n\tb"), "a\\r\\n b");
        assert_eq!(lines("a\r\n\tb"), "a\\r\n\tb");
        assert!(matches!(line("büro-日本"), Cow::Borrowed("büro-日本")));
    }

    #[test]
    fn json_says_the_same_in_its_own_escapes() {
        let value = serde_json::json!({ "name": "a\u{9b}\u{7f}\u{202e}\x1b", "n": [1] });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let safe = json(&text);
        assert!(safe.chars().all(|c| c == '\n' || !is_hostile(c)), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
    }
}
