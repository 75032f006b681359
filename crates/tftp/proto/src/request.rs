//! RRQ and WRQ: a file's name, a mode and options.

use crate::option::{Options, terminated};
use std::fmt;

/// How the octets of a file are sent (RFC 1350, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Text with CR LF line ends; see [`crate::netascii`].
    Netascii,
    /// The octets as they are.
    Octet,
    /// To a user instead of a file. Obsolete; nobody may implement it (RFC 1350, section 1).
    Mail,
}

impl Mode {
    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Netascii => "netascii",
            Self::Octet => "octet",
            Self::Mail => "mail",
        }
    }

    /// The mode with this name, in any case.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        [Self::Octet, Self::Netascii, Self::Mail]
            .into_iter()
            .find(|mode| mode.as_str().as_bytes().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What follows the opcode of an RRQ or WRQ (RFC 1350, figure 5-1; RFC 2347).
///
/// ```text
///  +----------+---+------+---+------+---+-------+---+ ...
///  | filename | 0 | mode | 0 | opt1 | 0 | value | 0 |
///  +----------+---+------+---+------+---+-------+---+ ...
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    name: &'a [u8],
    mode: &'a [u8],
    options: Options<'a>,
}

impl<'a> Request<'a> {
    /// `None` when name or mode is not terminated, or the name is empty.
    pub(crate) fn parse(octets: &'a [u8]) -> Option<Self> {
        let (name, rest) = terminated(octets)?;
        let (mode, rest) = terminated(rest)?;
        (!name.is_empty()).then_some(Self {
            name,
            mode,
            options: Options::new(rest),
        })
    }

    /// The file's name as sent: at least one octet, none of them zero, in no particular encoding.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// `None` for a mode that no RFC knows.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        Mode::of(self.mode)
    }

    #[must_use]
    pub fn options(&self) -> Options<'a> {
        self.options
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("name", &self.name.escape_ascii().to_string())
            .field("mode", &self.mode.escape_ascii().to_string())
            .field("options", &self.options)
            .finish()
    }
}
