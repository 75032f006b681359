//! The receiving side of a transfer, without socket or clock: which DATA is wanted, and when to acknowledge.
//!
//! ```text
//!   behind next        next            ahead, inside the window
//!   ───────────┬───────────────────┬─────────────────────────
//!   a repeat   │ taken, in order   │ something was lost: one gap ACK (RFC 7440, section 4)
//! ```

use purlin_tftp_proto::{Rollover, Terms};

/// How far a download is. Block numbers are absolute, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver {
    blksize: u16,
    windowsize: u16,
    rollover: Rollover,
    /// The convention was neither agreed nor set: the server shows it at block 65536.
    detect: bool,
    /// The block wanted next.
    next: u64,
    /// The block acknowledged last.
    acked: u64,
    /// The block ahead of `next` seen last, 0 for none since the last progress.
    ahead: u64,
    /// How often a window began with number 1 where 0 or 1 has its turn.
    ones: u8,
}

/// Restarted windows that must begin with 1 before it is believed to follow 65535: a window that lost its 0 that often
/// in a row is far less likely.
const ONES: u8 = 3;

/// What one DATA packet was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The block wanted; its payload belongs at `offset`.
    Wanted {
        offset: u64,
        ack: Option<u16>,
        last: bool,
    },
    /// A later block: one before it is lost or late.
    Gap { ack: Option<u16> },
    /// A block received before.
    Repeat { ack: Option<u16> },
    /// More octets than were agreed.
    TooLong,
}

impl Receiver {
    /// `rollover` overrides what was agreed; without it and without an agreement the server's convention is found out.
    pub(crate) fn new(terms: &Terms, rollover: Option<Rollover>) -> Self {
        Self {
            blksize: terms.blksize,
            windowsize: terms.windowsize,
            rollover: rollover.unwrap_or(terms.rollover),
            detect: rollover.is_none(),
            next: 1,
            acked: 0,
            ahead: 0,
            ones: 0,
        }
    }

    pub(crate) fn heard(&mut self, wire: u16, length: usize) -> Heard {
        if length > usize::from(self.blksize) {
            return Heard::TooLong;
        }
        self.detect_rollover(wire);
        match self.rollover.ahead(self.next, wire) {
            Some(0) => self.wanted(length < usize::from(self.blksize)),
            Some(ahead) if ahead <= self.windowsize => self.gap(self.next + u64::from(ahead)),
            _ => self.repeat(wire),
        }
    }

    /// The ACK to send when the server has been silent too long: of the last block in order.
    pub(crate) fn again(&mut self) -> u16 {
        self.ahead = 0;
        self.acknowledge()
    }

    /// Octets taken in order, when no short block was among them.
    pub(crate) fn octets(&self) -> u64 {
        (self.next - 1) * u64::from(self.blksize)
    }

    /// Blocks taken in order.
    pub(crate) fn blocks(&self) -> u64 {
        self.next - 1
    }

    fn wanted(&mut self, last: bool) -> Heard {
        let offset = self.octets();
        self.next += 1;
        self.ahead = 0;
        let due = last || self.blocks() - self.acked >= u64::from(self.windowsize);
        Heard::Wanted {
            offset,
            ack: due.then(|| self.acknowledge()),
            last,
        }
    }

    /// The first block past a gap is answered at once. Then only a block whose number went back: the server has
    /// restarted its window, and lost the same block again.
    fn gap(&mut self, block: u64) -> Heard {
        let restarted = self.ahead == 0 || block < self.ahead;
        self.ahead = block;
        Heard::Gap {
            ack: restarted.then(|| self.acknowledge()),
        }
    }

    /// A repeat of the last block means that its ACK was lost, if there was one. Earlier blocks need no answer: the
    /// same window brings a later one.
    fn repeat(&mut self, wire: u16) -> Heard {
        let last = self.blocks();
        let lost = last > 0 && last == self.acked && self.rollover.wire(last) == wire;
        Heard::Repeat {
            ack: lost.then(|| self.acknowledge()),
        }
    }

    fn acknowledge(&mut self) -> u16 {
        self.acked = self.blocks();
        self.rollover.wire(self.acked)
    }

    /// After 65535 comes 0 or 1. In lock-step 1 can only mean the latter; in a window it may also be the block after a
    /// lost 0, so it counts only when restarted windows keep beginning with it.
    fn detect_rollover(&mut self, wire: u16) {
        if !self.detect || self.next < 65_536 {
            return;
        }
        if self.next > 65_536 {
            self.detect = false;
        } else if wire == 1 {
            let begins_window = self.ahead == 0 || self.ahead > 65_537;
            self.ones += u8::from(begins_window);
            if self.windowsize == 1 || self.ones == ONES {
                self.rollover = Rollover::One;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(windowsize: u16) -> Receiver {
        let terms = Terms {
            windowsize,
            ..Terms::default()
        };
        Receiver::new(&terms, None)
    }

    /// Each number with the ACK it caused.
    fn acks(receiver: &mut Receiver, blocks: &[u16]) -> Vec<Option<u16>> {
        let ack = |heard| match heard {
            Heard::Wanted { ack, .. } | Heard::Gap { ack } | Heard::Repeat { ack } => ack,
            Heard::TooLong => None,
        };
        blocks
            .iter()
            .map(|&block| ack(receiver.heard(block, 512)))
            .collect()
    }

    #[test]
    fn lock_step_acknowledges_each_block_and_each_repeat_of_the_last() {
        let mut receiver = receiver(1);
        assert_eq!(
            acks(&mut receiver, &[1, 2, 2, 1, 3]),
            [Some(1), Some(2), Some(2), None, Some(3)]
        );
        assert_eq!(receiver.octets(), 3 * 512);
    }

    #[test]
    fn a_window_is_acknowledged_once_and_a_short_block_at_once() {
        let mut receiver = receiver(4);
        assert_eq!(
            acks(&mut receiver, &[1, 2, 3, 4, 5]),
            [None, None, None, Some(4), None]
        );
        let last = receiver.heard(6, 0);
        assert_eq!(
            last,
            Heard::Wanted {
                offset: 5 * 512,
                ack: Some(6),
                last: true
            }
        );
    }

    #[test]
    fn a_gap_is_acknowledged_once_until_the_window_restarts() {
        let mut receiver = receiver(8);
        assert_eq!(acks(&mut receiver, &[1, 3, 4, 5]), [None, Some(1), None, None]);
        // The restarted window has lost block 2 as well.
        assert_eq!(acks(&mut receiver, &[3, 4]), [Some(1), None]);
        assert_eq!(acks(&mut receiver, &[2, 3, 4]), [None, None, None]);
    }

    #[test]
    fn a_repeated_window_is_answered_at_its_end_only() {
        let mut receiver = receiver(4);
        assert_eq!(acks(&mut receiver, &[1, 2, 3, 4]), [None, None, None, Some(4)]);
        assert_eq!(acks(&mut receiver, &[1, 2, 3, 4]), [None, None, None, Some(4)]);
        // Blocks that were never acknowledged by their own number cause nothing.
        assert_eq!(acks(&mut receiver, &[5, 6, 5, 6]), [None, None, None, None]);
    }

    #[test]
    fn either_rollover_is_found_out() {
        for (after, windowsize) in [(0, 1), (1, 1), (0, 4), (1, 4)] {
            let mut receiver = receiver(windowsize);
            for block in 1..=65_535 {
                receiver.heard(block, 512);
            }
            // In a window the server is asked again, and begins with the same number each time.
            if (after, windowsize) == (1, 4) {
                assert_eq!(acks(&mut receiver, &[1, 2, 3]), [Some(65_535), None, None]);
                assert_eq!(acks(&mut receiver, &[1, 2, 3]), [Some(65_535), None, None]);
            }
            receiver.heard(after, 512);
            assert_eq!(
                receiver.octets(),
                65_536 * 512,
                "{after} in windows of {windowsize}"
            );
            receiver.heard(after + 1, 512);
            assert_eq!(receiver.octets(), 65_537 * 512);
        }
    }

    #[test]
    fn a_block_larger_than_agreed_is_refused() {
        assert_eq!(receiver(1).heard(1, 513), Heard::TooLong);
    }

    #[test]
    fn old_numbers_far_behind_are_repeats() {
        let mut receiver = receiver(4);
        for block in 1..=70_000_u32 {
            receiver.heard(block as u16, 512);
        }
        assert_eq!(receiver.heard(4_000, 512), Heard::Repeat { ack: None });
        assert_eq!(receiver.octets(), 70_000 * 512);
    }
}
