//! Where options go when the options field is full, and how long values are split.

use crate::code;

/// Octets kept free at the end of the options field: option 52 (3) and the end option (1).
pub(super) const TAIL_LEN: usize = 4;

/// Octets of an option with its code and length octets, split as often as needed (RFC 3396, section 6).
#[inline]
pub(super) fn encoded_len(value_len: usize) -> usize {
    value_len + 2 * value_len.div_ceil(255).max(1)
}

/// Fills `slot`, which has [`encoded_len`] octets, with `value` in pieces of at most 255 octets.
pub(super) fn write_split(slot: &mut [u8], code: u8, value: &[u8]) {
    if value.is_empty() {
        slot.copy_from_slice(&[code, 0]);
        return;
    }
    let mut at = 0;
    for piece in value.chunks(255) {
        let end = at + 2 + piece.len();
        slot[at] = code;
        slot[at + 1] = piece.len() as u8;
        slot[at + 2..end].copy_from_slice(piece);
        at = end;
    }
}

/// The encoded options of a block, neighbours of one code together.
pub(super) fn groups(block: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let &code = rest.first()?;
        let mut len = 0;
        while rest.get(len) == Some(&code) {
            let Some(&value_len) = rest.get(len + 1) else {
                break;
            };
            let end = len + 2 + usize::from(value_len);
            if end > rest.len() {
                break;
            }
            len = end;
        }
        if len == 0 {
            return None;
        }
        let (group, behind) = rest.split_at(len);
        rest = behind;
        Some((code, group))
    })
}

/// `file` or `sname`: free, or with a text, or with options.
#[derive(Debug)]
pub(super) struct Field {
    start: usize,
    len: usize,
    used: usize,
    open: bool,
}

impl Field {
    pub(super) const fn sname() -> Self {
        Self {
            start: 44,
            len: 64,
            used: 0,
            open: true,
        }
    }

    pub(super) const fn file() -> Self {
        Self {
            start: 108,
            len: 128,
            used: 0,
            open: true,
        }
    }

    /// No options here from now on; those already placed stay.
    pub(super) fn close(&mut self) {
        self.open = false;
    }

    pub(super) fn set_text(&mut self, out: &mut [u8], text: &[u8]) -> bool {
        if self.used > 0 || text.len() >= self.len {
            return false;
        }
        let field = &mut out[self.start..self.start + self.len];
        field[..text.len()].copy_from_slice(text);
        field[text.len()..].fill(0);
        self.open = self.open && text.is_empty();
        true
    }

    /// The offset of `len` octets, one being kept for the end option.
    pub(super) fn claim(&mut self, len: usize) -> Option<usize> {
        if !self.open || self.used + len >= self.len {
            return None;
        }
        let at = self.start + self.used;
        self.used += len;
        Some(at)
    }

    /// Writes the end option behind options placed here; 1 when there are any (RFC 2132, 9.3).
    #[inline]
    pub(super) fn end(&self, out: &mut [u8]) -> u8 {
        if self.used == 0 {
            return 0;
        }
        out[self.start + self.used] = code::END;
        1
    }
}
