//! The numbers of ERROR packets.

/// What an ERROR packet says in its code (RFC 1350, appendix; 8 from RFC 2347).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 0: the text says what.
    Undefined,
    /// 1: there is no such file.
    NotFound,
    /// 2: access violation.
    Denied,
    /// 3: disk full or allocation exceeded.
    Full,
    /// 4: illegal TFTP operation.
    Illegal,
    /// 5: unknown transfer ID: the packet belongs to no transfer here.
    UnknownTransfer,
    /// 6: the file exists already.
    Exists,
    /// 7: no such user; only `mail` ever used it.
    NoUser,
    /// 8: an option or its value is refused.
    Option,
    /// A number that no RFC gives a meaning.
    Other(u16),
}

impl ErrorCode {
    /// The two octets on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Undefined => 0,
            Self::NotFound => 1,
            Self::Denied => 2,
            Self::Full => 3,
            Self::Illegal => 4,
            Self::UnknownTransfer => 5,
            Self::Exists => 6,
            Self::NoUser => 7,
            Self::Option => 8,
            Self::Other(number) => number,
        }
    }

    /// The meaning of a number from the wire.
    #[must_use]
    pub const fn of(number: u16) -> Self {
        match number {
            0 => Self::Undefined,
            1 => Self::NotFound,
            2 => Self::Denied,
            3 => Self::Full,
            4 => Self::Illegal,
            5 => Self::UnknownTransfer,
            6 => Self::Exists,
            7 => Self::NoUser,
            8 => Self::Option,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_the_way_through_its_meaning() {
        for number in 0..=u16::MAX {
            assert_eq!(ErrorCode::of(number).number(), number);
        }
    }
}
