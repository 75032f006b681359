//! Block numbers: 16 bits on the wire, 64 bits in a transfer's books.

/// Which number follows block 65535. No RFC says; 0 is what nearly everyone does, 1 what some old clients expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Rollover {
    #[default]
    Zero,
    One,
}

impl Rollover {
    /// The rollover of a setting or a `rollover` option: 0 or 1.
    #[must_use]
    pub const fn of(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Zero),
            1 => Some(Self::One),
            _ => None,
        }
    }

    /// 0 or 1.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
        }
    }

    /// The number that block `absolute` has on the wire. DATA counts from 1; 0 is the ACK of a request or an OACK.
    #[must_use]
    pub const fn wire(self, absolute: u64) -> u16 {
        match self {
            Self::Zero => absolute as u16,
            Self::One if absolute == 0 => 0,
            Self::One => ((absolute - 1) % 65_535 + 1) as u16,
        }
    }

    /// How many blocks after `from` the next block with the wire number `wire` comes: 0 when it is `from` itself.
    ///
    /// `None` for a number that no block from there on has (0 after the first rollover to 1).
    #[must_use]
    pub const fn ahead(self, from: u64, wire: u16) -> Option<u16> {
        match self {
            Self::Zero => Some(wire.wrapping_sub(from as u16)),
            Self::One => match (from, wire) {
                (0, _) => Some(wire),
                (_, 0) => None,
                _ => {
                    let here = ((from - 1) % 65_535) as u32;
                    Some(((wire as u32 - 1 + 65_535 - here) % 65_535) as u16)
                }
            },
        }
    }

    /// The most blocks a window can have so that every acknowledgement in it means one block only.
    #[must_use]
    pub const fn window_max(self) -> u16 {
        match self {
            Self::Zero => 65_535,
            Self::One => 65_534,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_after_65535_is_the_one_agreed() {
        let around = |rollover: Rollover| [65_534, 65_535, 65_536, 65_537].map(|n| rollover.wire(n));
        assert_eq!(around(Rollover::Zero), [65_534, 65_535, 0, 1]);
        assert_eq!(around(Rollover::One), [65_534, 65_535, 1, 2]);
        assert_eq!(Rollover::One.wire(0), 0);
        assert_eq!(Rollover::One.wire(131_070), 65_535);
        assert_eq!(Rollover::One.wire(131_071), 1);
    }

    #[test]
    fn a_number_is_found_ahead_across_the_border() {
        for rollover in [Rollover::Zero, Rollover::One] {
            for from in [0, 1, 2, 65_530, 65_534, 65_535, 65_536, 131_060, 131_070, 1 << 40] {
                for ahead in [0, 1, 2, 100, 32_768, rollover.window_max()] {
                    let wire = rollover.wire(from + u64::from(ahead));
                    assert_eq!(rollover.ahead(from, wire), Some(ahead), "{rollover:?} {from}");
                }
            }
        }
    }

    #[test]
    fn zero_names_no_data_after_a_rollover_to_one() {
        assert_eq!(Rollover::One.ahead(0, 0), Some(0));
        assert_eq!(Rollover::One.ahead(65_535, 0), None);
    }
}
