//! The name of a mark, in a value that refusals and records can carry.

use std::fmt;

/// Octets that are kept of a name; longer ones are cut.
const KEPT: usize = 23;

/// A mark's name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MarkName {
    len: u8,
    octets: [u8; KEPT],
}

impl MarkName {
    /// Names of marks are ASCII; what is not is cut off.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let plain = name.bytes().take(KEPT).take_while(u8::is_ascii);
        let mut mark = Self {
            len: 0,
            octets: [0; KEPT],
        };
        for octet in plain {
            mark.octets[usize::from(mark.len)] = octet;
            mark.len += 1;
        }
        mark
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..usize::from(self.len)]).expect("only ASCII was taken")
    }
}

impl fmt::Debug for MarkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{{}}}}}", self.as_str())
    }
}
