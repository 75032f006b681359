//! One option of a message, in one piece or in several.

use super::index::{Entry, Index};

/// An option that is there. Its value is in one piece unless the sender split it (RFC 3396).
#[derive(Clone, Copy)]
pub struct OptionRef<'m, 'a> {
    payload: &'a [u8],
    /// From the first instance of the code on.
    rest: &'m [Entry],
    repeats: bool,
}

impl std::fmt::Debug for OptionRef<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OptionRef")
            .field("code", &self.code())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl<'m, 'a> OptionRef<'m, 'a> {
    #[inline]
    pub(super) fn new(payload: &'a [u8], index: &'m Index, first: usize) -> Self {
        Self {
            payload,
            rest: &index.entries()[first..],
            repeats: index.repeats(),
        }
    }

    #[must_use]
    #[inline]
    pub fn code(&self) -> u8 {
        self.rest[0].code
    }

    /// The value of the first instance: what a fixed-length option means, however often a client repeats it.
    #[must_use]
    #[inline]
    pub fn first(&self) -> &'a [u8] {
        self.rest[0].value(self.payload)
    }

    /// The values of all instances, in the order in which RFC 3396 joins them.
    pub fn parts(&self) -> impl Iterator<Item = &'a [u8]> + use<'m, 'a> {
        let (code, payload) = (self.code(), self.payload);
        self.rest
            .iter()
            .filter(move |entry| entry.code == code)
            .map(move |entry| entry.value(payload))
    }

    /// Whether the value is spread over more than one instance.
    #[must_use]
    #[inline]
    pub fn is_split(&self) -> bool {
        self.repeats && self.parts().nth(1).is_some()
    }

    /// The value when it is in one piece.
    #[must_use]
    #[inline]
    pub fn whole(&self) -> Option<&'a [u8]> {
        if self.is_split() { None } else { Some(self.first()) }
    }

    /// Octets of the whole value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts().map(<[u8]>::len).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole value: in place when in one piece, else joined in `buffer`; `None` when that is too small.
    #[must_use]
    pub fn concat<'b>(&self, buffer: &'b mut [u8]) -> Option<&'b [u8]>
    where
        'a: 'b,
    {
        if let Some(value) = self.whole() {
            return Some(value);
        }
        let mut len = 0;
        for part in self.parts() {
            buffer.get_mut(len..len + part.len())?.copy_from_slice(part);
            len += part.len();
        }
        Some(&buffer[..len])
    }
}
