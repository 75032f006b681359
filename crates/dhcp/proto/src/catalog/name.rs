//! Domain names as DNS labels, alone and as compressed search lists.
//!
//! ```text
//!   3 e n g 5 a p p l e 3 c o m 0 | 9 m a r k e t i n g C0 04
//!   └ "eng.apple.com"             └ "marketing" + pointer to offset 4: "marketing.apple.com"
//! ```
//!
//! Source: RFC 1035 sections 3.1 and 4.1.4; RFC 3397 section 2 for lists, whose pointers count from the start of the
//! option's (joined) value.

use std::fmt;

/// Octets of a name at most, with length octets and root (RFC 1035, 2.3.4).
const NAME_MAX: usize = 255;
/// Longest label (RFC 1035, 2.3.4).
const LABEL_MAX: usize = 63;
/// Largest offset a 14-bit pointer reaches.
const POINTER_MAX: usize = 0x3fff;

/// Why a text is no domain name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Two dots in a row, a leading dot, or nothing at all.
    EmptyLabel,
    /// A label above 63 octets.
    LongLabel(usize),
    /// A name above 255 octets.
    LongName(usize),
    /// A character that is not printable ASCII, or a blank.
    Character(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyLabel => f.write_str("a label is empty; write names as a.example.com"),
            Self::LongLabel(len) => write!(f, "a label has {len} octets; 63 are allowed"),
            Self::LongName(len) => write!(f, "the name has {len} octets; 255 are allowed"),
            Self::Character(c) => write!(f, "{c:?} cannot be in a name; use the ASCII (xn--) form"),
        }
    }
}

impl std::error::Error for NameError {}

/// Appends `text` as labels with the root, uncompressed. A final dot is allowed; `.` alone is the root.
///
/// # Errors
/// When the text is no name; `out` is then unchanged.
pub fn write_name(text: &str, out: &mut Vec<u8>) -> Result<(), NameError> {
    let start = out.len();
    for label in labels(text)? {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    let len = out.len() - start;
    if len > NAME_MAX {
        out.truncate(start);
        return Err(NameError::LongName(len));
    }
    Ok(())
}

/// Appends a list of names; endings already in `out` are pointed to, so `out` must be the option's value from its
/// start.
///
/// # Errors
/// When one of them is no name.
pub fn write_names<'t>(names: impl IntoIterator<Item = &'t str>, out: &mut Vec<u8>) -> Result<(), NameError> {
    // Offset of every ending written as labels, as the lower-case text from there on.
    let mut endings: Vec<(String, usize)> = Vec::new();
    for text in names {
        write_name(text, &mut Vec::new())?;
        let labels = labels(text)?;
        let mut pointed = false;
        for (at, label) in labels.iter().enumerate() {
            let ending = labels[at..].join(".").to_ascii_lowercase();
            if let Some((_, offset)) = endings.iter().find(|(known, _)| *known == ending) {
                out.extend_from_slice(&(0xc000 | *offset as u16).to_be_bytes());
                pointed = true;
                break;
            }
            if out.len() <= POINTER_MAX {
                endings.push((ending, out.len()));
            }
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        if !pointed {
            out.push(0);
        }
    }
    Ok(())
}

fn labels(text: &str) -> Result<Vec<&str>, NameError> {
    if text == "." {
        return Ok(Vec::new());
    }
    let labels: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    for label in &labels {
        if label.is_empty() {
            return Err(NameError::EmptyLabel);
        }
        if let Some(bad) = label.chars().find(|c| !c.is_ascii_graphic() || *c == ',') {
            return Err(NameError::Character(bad));
        }
        if label.len() > LABEL_MAX {
            return Err(NameError::LongLabel(label.len()));
        }
    }
    Ok(labels)
}

/// One uncompressed name as text without the final dot (the root is `.`). A missing root at the end is tolerated, as
/// clients that give a partial name send it (RFC 4702, section 3.1). `None` when broken or not printable.
#[must_use]
pub fn name_to_text(wire: &[u8]) -> Option<String> {
    let (text, used) = read_name(wire, 0)?;
    (used == wire.len()).then_some(text)
}

/// The names of a list, with or without compression. `None` when any part is broken.
#[must_use]
pub fn names_to_text(wire: &[u8]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < wire.len() {
        let (text, next) = read_name(wire, at)?;
        names.push(text);
        at = next;
    }
    Some(names)
}

/// The name at `at` and the offset behind it. Every pointer must point before the place it stands at, and the text
/// is limited, so that no input can loop.
fn read_name(wire: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut behind = None;
    let mut floor = at;
    loop {
        let Some(&len) = wire.get(at) else {
            // Running off the end is a partial name when there was at least one label and no pointer.
            return (behind.is_none() && !text.is_empty()).then_some((text, at));
        };
        match len {
            0 => {
                at += 1;
                break;
            }
            1..=63 => {
                let label = wire.get(at + 1..at + 1 + usize::from(len))?;
                push_label(&mut text, label)?;
                at += 1 + usize::from(len);
            }
            0xc0..=0xff => {
                let low = *wire.get(at + 1)?;
                let target = usize::from(u16::from_be_bytes([len & 0x3f, low]));
                behind.get_or_insert(at + 2);
                if target >= floor {
                    return None;
                }
                floor = target;
                at = target;
            }
            _ => return None,
        }
    }
    if text.is_empty() {
        text.push('.');
    }
    Some((text, behind.unwrap_or(at)))
}

fn push_label(text: &mut String, label: &[u8]) -> Option<()> {
    if !label
        .iter()
        .all(|&octet| octet.is_ascii_graphic() && !matches!(octet, b'.' | b','))
    {
        return None;
    }
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(std::str::from_utf8(label).ok()?);
    (text.len() < NAME_MAX).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3397, section 2, example.
    const APPLE: &[u8] = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04";

    #[test]
    fn the_example_of_rfc_3397_is_read_and_written() {
        assert_eq!(
            names_to_text(APPLE).unwrap(),
            ["eng.apple.com", "marketing.apple.com"]
        );
        let mut out = Vec::new();
        write_names(["eng.apple.com.", "marketing.apple.com."], &mut out).unwrap();
        assert_eq!(out, APPLE);
    }

    #[test]
    fn pointers_that_do_not_go_back_are_refused() {
        for looping in [
            &b"\xc0\x00"[..],
            b"\x01a\xc0\x00",
            b"\x01a\xc0\x02",
            b"\x01a\x00\xc0\x05\xc0\x03",
            b"\xc0",
        ] {
            assert_eq!(names_to_text(looping), None, "{looping:02x?}");
        }
    }

    #[test]
    fn a_partial_name_without_root_is_a_name() {
        assert_eq!(name_to_text(b"\x04host").as_deref(), Some("host"));
        assert_eq!(name_to_text(b"\x00").as_deref(), Some("."));
        assert_eq!(name_to_text(b""), None);
        assert_eq!(name_to_text(b"\x05host"), None);
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        let fault = |text: &str| write_name(text, &mut Vec::new()).unwrap_err();
        assert_eq!(fault("a..b"), NameError::EmptyLabel);
        assert_eq!(fault(""), NameError::EmptyLabel);
        assert_eq!(fault("bü.example"), NameError::Character('ü'));
        assert_eq!(fault(&"x".repeat(64)), NameError::LongLabel(64));
        assert!(matches!(
            fault(&["abcdefgh"; 32].join(".")),
            NameError::LongName(_)
        ));
    }
}
