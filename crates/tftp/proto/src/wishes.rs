//! What a request asks for, and what both sides agree on.

use crate::option::{OptionName, Options, number};
use crate::{BLKSIZE_DEFAULT, BLKSIZE_MAX, BLKSIZE_MIN, Rollover};
use std::fmt;

/// The known options of a request, or of an OACK, with values in their legal ranges. Unknown options are not here
/// (RFC 2347: they are ignored).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wishes {
    pub blksize: Option<u16>,
    /// 8 to 65464; whoever answers rounds down to a power of two.
    pub blksize2: Option<u16>,
    /// Octets; any value.
    pub tsize: Option<u64>,
    /// Seconds, 1 to 255.
    pub timeout: Option<u8>,
    /// Microseconds, 10,000 to 255,000,000.
    pub utimeout: Option<u32>,
    /// Blocks, 1 to 65535.
    pub windowsize: Option<u16>,
    pub rollover: Option<Rollover>,
}

/// A known option with a value outside what its RFC allows, or an answer that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(pub OptionName);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad value of option {}", self.0)
    }
}

impl std::error::Error for Fault {}

impl Wishes {
    /// Reads the known options; of a repeated one the first.
    ///
    /// # Errors
    /// The first option whose value is no number or out of range.
    pub fn of(options: Options<'_>) -> Result<Self, Fault> {
        let mut wishes = Self::default();
        for (name, value) in options {
            if let Some(name) = OptionName::of(name) {
                wishes.take(name, value).ok_or(Fault(name))?;
            }
        }
        Ok(wishes)
    }

    /// `None` when the value is refused.
    fn take(&mut self, name: OptionName, value: &[u8]) -> Option<()> {
        let value = number(value)?;
        let within = |low: u64, high: u64| (low..=high).contains(&value).then_some(value);
        let blksize = || within(BLKSIZE_MIN.into(), BLKSIZE_MAX.into()).map(|v| v as u16);
        match name {
            OptionName::Blksize => first(&mut self.blksize, blksize()?),
            OptionName::Blksize2 => first(&mut self.blksize2, blksize()?),
            OptionName::Tsize => first(&mut self.tsize, value),
            OptionName::Timeout => first(&mut self.timeout, within(1, 255)? as u8),
            OptionName::Utimeout => first(&mut self.utimeout, within(10_000, 255_000_000)? as u32),
            OptionName::Windowsize => first(&mut self.windowsize, within(1, 65_535)? as u16),
            OptionName::Rollover => first(&mut self.rollover, Rollover::of(value)?),
        }
        Some(())
    }

    /// Whether nothing was asked for: the transfer then starts without an OACK.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The values to send, in the order of [`OptionName::ALL`].
    pub fn values(&self) -> impl Iterator<Item = (OptionName, u64)> + use<> {
        let value = |name: OptionName, value: Option<u64>| value.map(|value| (name, value));
        [
            value(OptionName::Blksize, self.blksize.map(u64::from)),
            value(OptionName::Blksize2, self.blksize2.map(u64::from)),
            value(OptionName::Tsize, self.tsize),
            value(OptionName::Timeout, self.timeout.map(u64::from)),
            value(OptionName::Utimeout, self.utimeout.map(u64::from)),
            value(OptionName::Windowsize, self.windowsize.map(u64::from)),
            value(
                OptionName::Rollover,
                self.rollover.map(|rollover| rollover.number().into()),
            ),
        ]
        .into_iter()
        .flatten()
    }

    /// The client's side: what an OACK to these wishes means for the transfer. What the server left out has its
    /// default.
    ///
    /// # Errors
    /// An option that was not asked for, or a value above the wish (for `timeout`, `utimeout` and `rollover`: another
    /// one). RFC 2347 has the client answer with ERROR 8.
    pub fn agree(&self, answer: &Self) -> Result<Terms, Fault> {
        let check = |name, holds: bool| if holds { Ok(()) } else { Err(Fault(name)) };
        check(OptionName::Blksize, at_most(answer.blksize, self.blksize))?;
        check(OptionName::Blksize2, at_most(answer.blksize2, self.blksize2))?;
        check(
            OptionName::Windowsize,
            at_most(answer.windowsize, self.windowsize),
        )?;
        check(OptionName::Tsize, answer.tsize.is_none() || self.tsize.is_some())?;
        check(OptionName::Timeout, same(answer.timeout, self.timeout))?;
        check(OptionName::Utimeout, same(answer.utimeout, self.utimeout))?;
        check(OptionName::Rollover, same(answer.rollover, self.rollover))?;
        Ok(Terms {
            blksize: answer.blksize.or(answer.blksize2).unwrap_or(BLKSIZE_DEFAULT),
            windowsize: answer.windowsize.unwrap_or(1),
            rollover: answer.rollover.unwrap_or_default(),
            tsize: answer.tsize,
        })
    }
}

/// The first value of an option stays.
fn first<T>(wish: &mut Option<T>, value: T) {
    if wish.is_none() {
        *wish = Some(value);
    }
}

fn at_most<T: PartialOrd>(answer: Option<T>, wish: Option<T>) -> bool {
    answer.is_none_or(|answer| wish.is_some_and(|wish| answer <= wish))
}

fn same<T: PartialEq + Copy>(answer: Option<T>, wish: Option<T>) -> bool {
    answer.is_none() || answer == wish
}

/// What a transfer goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub blksize: u16,
    pub windowsize: u16,
    pub rollover: Rollover,
    /// The file's size, when the server told it.
    pub tsize: Option<u64>,
}

impl Default for Terms {
    /// RFC 1350 alone: 512 octets, every block acknowledged.
    fn default() -> Self {
        Self {
            blksize: BLKSIZE_DEFAULT,
            windowsize: 1,
            rollover: Rollover::Zero,
            tsize: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(text: &[u8]) -> Result<Wishes, Fault> {
        Wishes::of(Options::new(text))
    }

    #[test]
    fn edk2_asks_for_size_block_and_window() {
        let asked = wishes(b"tsize\x000\0blksize\x001468\0windowsize\x004\0").unwrap();
        let expected = Wishes {
            blksize: Some(1468),
            tsize: Some(0),
            windowsize: Some(4),
            ..Wishes::default()
        };
        assert_eq!(asked, expected);
    }

    #[test]
    fn unknown_options_are_ignored() {
        assert!(wishes(b"multicast\0\0password\0secret\0").unwrap().is_empty());
    }

    #[test]
    fn values_outside_their_rfc_are_refused() {
        for (text, name) in [
            (&b"blksize\x007\0"[..], OptionName::Blksize),
            (b"blksize\x0065465\0", OptionName::Blksize),
            (b"blksize\0x\0", OptionName::Blksize),
            (b"blksize2\x004\0", OptionName::Blksize2),
            (b"windowsize\x000\0", OptionName::Windowsize),
            (b"windowsize\x0065536\0", OptionName::Windowsize),
            (b"timeout\x000\0", OptionName::Timeout),
            (b"timeout\x00256\0", OptionName::Timeout),
            (b"utimeout\x009999\0", OptionName::Utimeout),
            (b"tsize\0-1\0", OptionName::Tsize),
            (b"tsize\0\0", OptionName::Tsize),
            (b"rollover\x002\0", OptionName::Rollover),
        ] {
            assert_eq!(wishes(text), Err(Fault(name)), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn an_answer_may_only_lower_what_was_asked() {
        let asked = wishes(b"blksize\x001468\0windowsize\x0016\0timeout\x002\0").unwrap();
        let agree = |answer: &[u8]| asked.agree(&wishes(answer).unwrap());
        let terms = agree(b"blksize\x001024\0windowsize\x004\0").unwrap();
        assert_eq!((terms.blksize, terms.windowsize), (1024, 4));
        assert_eq!(agree(b"").unwrap(), Terms::default());
        assert_eq!(agree(b"blksize\x001469\0"), Err(Fault(OptionName::Blksize)));
        assert_eq!(agree(b"windowsize\x0017\0"), Err(Fault(OptionName::Windowsize)));
        assert_eq!(agree(b"timeout\x003\0"), Err(Fault(OptionName::Timeout)));
        assert_eq!(agree(b"tsize\x0099\0"), Err(Fault(OptionName::Tsize)));
    }
}
