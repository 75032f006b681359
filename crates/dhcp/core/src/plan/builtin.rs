//! Classes that every configuration has, under the names that Kea gives them.
//!
//! A client's memberships are one `u128`: configured classes count from its low end, the built-in ones take its
//! highest bits, so that a guard of a subnet or pool is one comparison whatever it names.

/// Before the text of option 60, a class that only expressions can name.
pub(crate) const VENDOR_CLASS: &str = "VENDOR_CLASS_";

/// A class that needs no definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BuiltIn {
    /// Every client.
    All,
    /// The client has a reservation.
    Known,
    /// The client has no reservation.
    Unknown,
    /// The packet has no message type (RFC 1534).
    Bootp,
}

impl BuiltIn {
    pub(crate) const EVERY: [Self; 4] = [Self::All, Self::Known, Self::Unknown, Self::Bootp];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Known => "KNOWN",
            Self::Unknown => "UNKNOWN",
            Self::Bootp => "BOOTP",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|class| class.name() == name)
    }

    /// Its bit among a client's memberships.
    pub(crate) const fn bit(self) -> u128 {
        1 << (u128::BITS - 1 - self as u32)
    }

    /// The memberships of a client before any test is done.
    pub(crate) fn of_client(known: bool, bootp: bool) -> u128 {
        let reserved = if known { Self::Known } else { Self::Unknown };
        let plain = if bootp { Self::Bootp.bit() } else { 0 };
        Self::All.bit() | reserved.bit() | plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_bits_lie_above_those_of_configured_classes() {
        let all = BuiltIn::EVERY.into_iter().fold(0, |all, class| all | class.bit());
        assert_eq!(all.count_ones() as usize, BuiltIn::EVERY.len());
        assert_eq!(all.trailing_zeros() as usize, crate::CLASSES_MAX);
    }

    #[test]
    fn a_client_is_known_or_unknown_and_never_both() {
        for (known, bootp) in [(false, false), (false, true), (true, false), (true, true)] {
            let bits = BuiltIn::of_client(known, bootp);
            assert_eq!(bits & BuiltIn::Known.bit() != 0, known);
            assert_eq!(bits & BuiltIn::Unknown.bit() != 0, !known);
            assert_eq!(bits & BuiltIn::Bootp.bit() != 0, bootp);
        }
    }
}
