//! Where each option of a message lies: filled by one pass, asked many times.
//!
//! A server asks for about twenty codes per packet, most of which are absent, while a client sends about ten. So
//! there is a set of codes present (32 octets, answers "absent" in one load) beside a short table of places in wire
//! order (4 octets each). A table by code, `[u16; 256]`, would have to be cleared for every packet and could not
//! hold the pieces of a split option.

use super::OPTIONS_AT;
use super::error::{Area, ParseError};
use crate::code::{CodeSet, END, OVERLOAD, PAD};

/// Most option instances accepted in one message. The longest list seen from a real client has 23 options.
pub const OPTIONS_MAX: usize = 64;

/// One option instance; `at` is the offset of its value in the payload.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Entry {
    pub(super) at: u16,
    pub(super) len: u8,
    pub(super) code: u8,
}

impl Entry {
    #[inline]
    pub(super) fn value<'a>(&self, payload: &'a [u8]) -> &'a [u8] {
        let at = usize::from(self.at);
        &payload[at..at + usize::from(self.len)]
    }
}

#[derive(Clone)]
pub(super) struct Index {
    present: CodeSet,
    entries: [Entry; OPTIONS_MAX],
    len: u8,
    /// Whether any code occurs more than once.
    repeats: bool,
    /// The value of option 52, 0 when absent: bit 0 is `file`, bit 1 is `sname`.
    overload: u8,
}

impl Index {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            present: CodeSet::new(),
            entries: [Entry {
                at: 0,
                len: 0,
                code: 0,
            }; OPTIONS_MAX],
            len: 0,
            repeats: false,
            overload: 0,
        }
    }

    /// Walks the options field, then the overloaded fields in the order of RFC 3396 section 5: `file`, `sname`.
    #[inline]
    pub(super) fn fill(&mut self, payload: &[u8]) -> Result<(), ParseError> {
        self.walk(payload, OPTIONS_AT, Area::Options)?;
        if self.has(OVERLOAD) {
            self.fill_overloaded(payload)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn fill_overloaded(&mut self, payload: &[u8]) -> Result<(), ParseError> {
        let values = self.first(OVERLOAD).map(|at| self.entries[at].value(payload));
        let overload = match values {
            Some(&[value @ 1..=3]) => value,
            other => {
                let value = other.and_then(|octets| octets.first().copied()).unwrap_or(0);
                return Err(ParseError::Overload { value });
            }
        };
        self.overload = overload;
        if overload & 1 != 0 {
            self.walk(&payload[..236], 108, Area::File)?;
        }
        if overload & 2 != 0 {
            self.walk(&payload[..108], 44, Area::Sname)?;
        }
        Ok(())
    }

    /// Records the options from `at` to the end of `field`, which starts where the payload starts.
    #[inline]
    fn walk(&mut self, field: &[u8], mut at: usize, area: Area) -> Result<(), ParseError> {
        while let Some(&code) = field.get(at) {
            if code == PAD {
                at += 1;
                continue;
            }
            if code == END {
                break;
            }
            let truncated = ParseError::TruncatedOption {
                code,
                at: at as u16,
                area,
            };
            let Some(&len) = field.get(at + 1) else {
                return Err(truncated);
            };
            let next = at + 2 + usize::from(len);
            if next > field.len() {
                return Err(truncated);
            }
            self.push(Entry {
                at: (at + 2) as u16,
                len,
                code,
            })?;
            at = next;
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, entry: Entry) -> Result<(), ParseError> {
        let Some(slot) = self.entries.get_mut(usize::from(self.len)) else {
            return Err(ParseError::TooManyOptions { at: entry.at - 2 });
        };
        *slot = entry;
        self.len += 1;
        self.repeats |= !self.present.insert(entry.code);
        Ok(())
    }

    #[inline]
    pub(super) fn has(&self, code: u8) -> bool {
        self.present.contains(code)
    }

    /// Position of the first instance of `code`.
    #[inline]
    pub(super) fn first(&self, code: u8) -> Option<usize> {
        if !self.has(code) {
            return None;
        }
        self.entries().iter().position(|entry| entry.code == code)
    }

    #[inline]
    pub(super) fn entries(&self) -> &[Entry] {
        // `len` never passes the array: `push` checks; the minimum lets the compiler know.
        &self.entries[..usize::from(self.len).min(OPTIONS_MAX)]
    }

    pub(super) fn present(&self) -> &CodeSet {
        &self.present
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    #[inline]
    pub(super) fn overload(&self) -> u8 {
        self.overload
    }

    #[inline]
    pub(super) fn repeats(&self) -> bool {
        self.repeats
    }
}
