//! The receiving side of an upload: which blocks have come, and when to acknowledge.

use purlin_tftp_proto::netascii::Decoder;
use purlin_tftp_proto::{Rollover, Terms};
use purlin_types::BootTime;

/// Copies of old blocks are answered once per this many nanoseconds: one answer tells as much as many.
const ANSWER_GAP: u64 = 1_000_000;

/// What a DATA packet means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The next block. `due`: the window is full, an acknowledgement is due. `last`: the file is whole.
    Next { due: bool, last: bool },
    /// A block that came before; `answer`: acknowledge once more.
    Repeated { answer: bool },
    /// A block between is missing; `answer`: say so.
    Gap { answer: bool },
    /// A block that cannot be meant.
    Unknown,
}

/// Where an upload stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receiver {
    /// The last block in order.
    pub(crate) received: u64,
    /// The last block that was acknowledged.
    pub(crate) acked: u64,
    /// Octets given to be stored, and of these the ones that are.
    pub(crate) octets: u64,
    pub(crate) stored: u64,
    /// An acknowledgement waits until more is stored.
    pub(crate) owed: bool,
    /// The last block has come.
    pub(crate) whole: bool,
    pub(crate) decoder: Decoder,
    /// When the last acknowledgement left.
    pub(crate) answered: BootTime,
    /// Whether `answered` can measure a round trip: it was the first answer for its block (Karn).
    pub(crate) timed: bool,
    /// The block that a gap was told behind.
    gap: Option<u64>,
    blksize: u16,
    windowsize: u16,
    rollover: Rollover,
}

impl Receiver {
    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            received: 0,
            acked: 0,
            octets: 0,
            stored: 0,
            owed: false,
            whole: false,
            decoder: Decoder::default(),
            answered: BootTime(0),
            timed: false,
            gap: None,
            blksize: terms.blksize,
            windowsize: terms.windowsize,
            rollover: terms.rollover,
        }
    }

    /// The number of the block to acknowledge.
    pub(crate) fn wire(&self) -> u16 {
        self.rollover.wire(self.received)
    }

    /// Everything up to here is acknowledged now.
    pub(crate) fn answer(&mut self, now: BootTime) {
        self.timed = self.received > self.acked || self.answered == BootTime(0);
        self.acked = self.received;
        self.answered = now;
        self.owed = false;
    }

    /// A block with `len` octets came, not more than agreed.
    pub(crate) fn take(&mut self, now: BootTime, wire: u16, len: usize) -> Taken {
        let Some(ahead) = self.rollover.ahead(self.received, wire) else {
            return Taken::Unknown;
        };
        match ahead {
            1 if !self.whole => {
                self.received += 1;
                self.whole = len < usize::from(self.blksize);
                let full = self.received - self.acked >= u64::from(self.windowsize);
                Taken::Next {
                    due: full || self.whole,
                    last: self.whole,
                }
            }
            ahead if ahead > 1 && ahead <= self.windowsize && !self.whole => {
                let answer = self.gap != Some(self.received);
                self.gap = Some(self.received);
                Taken::Gap { answer }
            }
            ahead if ahead == 0 || ahead > u16::MAX / 2 => Taken::Repeated {
                answer: now.0.saturating_sub(self.answered.0) >= ANSWER_GAP,
            },
            _ => Taken::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> BootTime {
        BootTime(millis * 1_000_000)
    }

    fn receiver(windowsize: u16, rollover: Rollover) -> Receiver {
        Receiver::new(&Terms {
            blksize: 8,
            windowsize,
            rollover,
            tsize: None,
        })
    }

    #[test]
    fn a_window_is_acknowledged_once_and_the_short_block_ends_the_file() {
        let mut upload = receiver(2, Rollover::Zero);
        let next = |due, last| Taken::Next { due, last };
        assert_eq!(upload.take(ms(1), 1, 8), next(false, false));
        assert_eq!(upload.take(ms(1), 2, 8), next(true, false));
        upload.answer(ms(1));
        assert_eq!(upload.take(ms(2), 3, 7), next(true, true));
        assert_eq!(
            upload.take(ms(9), 4, 8),
            Taken::Unknown,
            "nothing follows the last block"
        );
    }

    #[test]
    fn a_gap_is_told_once_per_block() {
        let mut upload = receiver(4, Rollover::Zero);
        upload.take(ms(1), 1, 8);
        assert_eq!(upload.take(ms(1), 3, 8), Taken::Gap { answer: true });
        assert_eq!(upload.take(ms(1), 4, 8), Taken::Gap { answer: false });
        upload.answer(ms(1));
        assert_eq!(
            upload.take(ms(2), 2, 8),
            Taken::Next {
                due: false,
                last: false
            }
        );
        assert_eq!(upload.take(ms(2), 4, 8), Taken::Gap { answer: true });
        assert_eq!(upload.take(ms(2), 60, 8), Taken::Unknown);
    }

    #[test]
    fn copies_of_old_blocks_are_answered_one_at_a_time() {
        let mut upload = receiver(1, Rollover::Zero);
        upload.take(ms(1), 1, 8);
        upload.answer(ms(1));
        assert_eq!(upload.take(ms(1), 1, 8), Taken::Repeated { answer: false });
        assert_eq!(upload.take(ms(2), 1, 8), Taken::Repeated { answer: true });
        assert_eq!(upload.take(ms(2), 0, 8), Taken::Repeated { answer: true });
    }

    #[test]
    fn numbers_wrap_as_agreed() {
        for rollover in [Rollover::Zero, Rollover::One] {
            let mut upload = receiver(1, rollover);
            for block in 1..=140_000 {
                let taken = upload.take(ms(block), rollover.wire(block), 8);
                assert_eq!(
                    taken,
                    Taken::Next {
                        due: true,
                        last: false
                    },
                    "{block}"
                );
                upload.answer(ms(block));
            }
        }
    }
}
