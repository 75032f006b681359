//! Vendor-identifying classes and options, 124 and 125.
//!
//! ```text
//!   +----+----+----+----+----------+------------- - -+
//!   | enterprise number | data-len | data            |   repeated
//!   +----+----+----+----+----------+------------- - -+
//! ```
//!
//! Source: RFC 3925, sections 3 and 4.

/// The part of one vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enterprise<'a> {
    /// IANA private enterprise number; 4491 is CableLabs, 3561 the Broadband Forum.
    pub number: u32,
    /// Option 125: suboptions. Option 124: class strings, each behind its length octet.
    pub data: &'a [u8],
}

/// The vendors of an option 124 or 125, in wire order; stops where the structure breaks.
#[derive(Debug, Clone, Copy)]
pub struct Enterprises<'a> {
    rest: &'a [u8],
}

impl<'a> Enterprises<'a> {
    #[must_use]
    pub fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    /// The data of the first part of that vendor.
    #[must_use]
    pub fn find(mut self, number: u32) -> Option<&'a [u8]> {
        self.by_ref()
            .find(|part| part.number == number)
            .map(|part| part.data)
    }
}

impl<'a> Iterator for Enterprises<'a> {
    type Item = Enterprise<'a>;

    fn next(&mut self) -> Option<Enterprise<'a>> {
        let (number, behind) = self.rest.split_first_chunk::<4>()?;
        let (&len, behind) = behind.split_first()?;
        let (data, rest) = behind.split_at_checked(usize::from(len))?;
        self.rest = rest;
        Some(Enterprise {
            number: u32::from_be_bytes(*number),
            data,
        })
    }
}
