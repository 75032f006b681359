//! Code, length, value inside an option: relay agent information, vendor information and their like.
//!
//! ```text
//!   +------+------+------------- - -+------+------+------------- - -+
//!   | code | len  | value           | code | len  | value           |
//!   +------+------+------------- - -+------+------+------------- - -+
//! ```
//!
//! Source: RFC 3046 section 2.0; RFC 2132 section 8.4 for vendor information.

use std::fmt;

/// One suboption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suboption<'a> {
    pub code: u8,
    pub value: &'a [u8],
}

/// The suboptions of a value, in wire order. Stops silently where the structure breaks; [`Suboptions::checked`]
/// tells whether it does.
#[derive(Debug, Clone, Copy)]
pub struct Suboptions<'a> {
    rest: &'a [u8],
    /// Whether 0 and 255 are pad and end, as in vendor information, or ordinary codes, as in option 82.
    framed: bool,
}

/// A suboption reaches beyond its option; `at` is the offset of its code in the option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuboptionsError {
    pub code: u8,
    pub at: usize,
}

impl fmt::Display for SuboptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "suboption {} at offset {} reaches beyond its option",
            self.code, self.at
        )
    }
}

impl std::error::Error for SuboptionsError {}

impl<'a> Suboptions<'a> {
    /// Plain suboptions: every code has a length (RFC 3046, section 2.0: no pad, no end).
    #[must_use]
    pub fn plain(value: &'a [u8]) -> Self {
        Self {
            rest: value,
            framed: false,
        }
    }

    /// Suboptions with pad (0) and end (255) as vendor information may have them (RFC 2132, 8.4).
    #[must_use]
    pub fn framed(value: &'a [u8]) -> Self {
        Self {
            rest: value,
            framed: true,
        }
    }

    /// The same suboptions when every one of them is complete.
    ///
    /// # Errors
    /// Names the first suboption that reaches beyond the value.
    pub fn checked(self) -> Result<Self, SuboptionsError> {
        let whole = self.rest.len();
        let mut walk = self;
        while walk.next().is_some() {}
        match walk.rest.first() {
            Some(&code) if !(walk.framed && code == crate::code::END) => Err(SuboptionsError {
                code,
                at: whole - walk.rest.len(),
            }),
            _ => Ok(self),
        }
    }

    /// The value of the first suboption of that code.
    #[must_use]
    pub fn find(mut self, code: u8) -> Option<&'a [u8]> {
        self.by_ref()
            .find(|suboption| suboption.code == code)
            .map(|suboption| suboption.value)
    }
}

impl<'a> Iterator for Suboptions<'a> {
    type Item = Suboption<'a>;

    #[inline]
    fn next(&mut self) -> Option<Suboption<'a>> {
        if self.framed {
            let pads = self
                .rest
                .iter()
                .take_while(|&&octet| octet == crate::code::PAD)
                .count();
            self.rest = &self.rest[pads..];
            if self.rest.first() == Some(&crate::code::END) {
                return None;
            }
        }
        let (&[code, len], behind) = self.rest.split_first_chunk()?;
        let (value, rest) = behind.split_at_checked(usize::from(len))?;
        self.rest = rest;
        Some(Suboption { code, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suboption_beyond_its_option_is_named() {
        let fault = Suboptions::plain(&[1, 2, 9, 9, 2, 5, 1]).checked().unwrap_err();
        assert_eq!(fault, SuboptionsError { code: 2, at: 4 });
        assert_eq!(
            fault.to_string(),
            "suboption 2 at offset 4 reaches beyond its option"
        );
    }

    #[test]
    fn pad_and_end_count_only_where_they_are_defined() {
        let octets = [0, 0, 6, 1, 8, 255, 77];
        let framed: Vec<_> = Suboptions::framed(&octets)
            .map(|s| (s.code, s.value.to_vec()))
            .collect();
        assert_eq!(framed, [(6, vec![8])]);
        assert!(Suboptions::framed(&octets).checked().is_ok());
        assert_eq!(Suboptions::plain(&[0, 0, 255, 1, 7]).find(255), Some(&[7][..]));
    }
}
