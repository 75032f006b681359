//! The sending side of a transfer, without socket or clock: which blocks an ACK calls for.

use std::ops::Range;

use purlin_tftp_proto::{Rollover, Terms};

/// How far an upload is. Block numbers are absolute, from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    blksize: u16,
    windowsize: u16,
    rollover: Rollover,
    /// Octets in all.
    size: u64,
    acked: u64,
    /// The last block sent.
    sent: u64,
}

/// What one ACK was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// These blocks are to be sent now.
    Send(Range<u64>),
    /// Everything has arrived.
    Done,
    /// An old or repeated ACK. Answering it would double every packet from here on (the Sorcerer's Apprentice bug,
    /// RFC 1123, section 4.2.3.1).
    Nothing,
}

impl Sender {
    pub(crate) fn new(terms: &Terms, rollover: Option<Rollover>, size: u64) -> Self {
        let rollover = rollover.unwrap_or(terms.rollover);
        Self {
            blksize: terms.blksize,
            windowsize: terms.windowsize.min(rollover.window_max()),
            rollover,
            size,
            acked: 0,
            sent: 0,
        }
    }

    /// The first window, once the server has accepted the request.
    pub(crate) fn begin(&mut self) -> Range<u64> {
        self.window()
    }

    pub(crate) fn told(&mut self, wire: u16) -> Told {
        match self.rollover.ahead(self.acked, wire) {
            Some(ahead) if ahead > 0 && self.acked + u64::from(ahead) <= self.sent => {
                self.acked += u64::from(ahead);
                if self.acked == self.last() {
                    Told::Done
                } else {
                    Told::Send(self.window())
                }
            }
            _ => Told::Nothing,
        }
    }

    /// What to send again when the server has been silent too long.
    pub(crate) fn again(&self) -> Range<u64> {
        self.acked + 1..self.sent + 1
    }

    /// Where a block's octets lie in the file.
    pub(crate) fn range(&self, block: u64) -> Range<u64> {
        let start = (block - 1) * u64::from(self.blksize);
        start..(start + u64::from(self.blksize)).min(self.size)
    }

    pub(crate) fn wire(&self, block: u64) -> u16 {
        self.rollover.wire(block)
    }

    /// Octets known to have arrived.
    pub(crate) fn octets(&self) -> u64 {
        (self.acked * u64::from(self.blksize)).min(self.size)
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.acked
    }

    pub(crate) fn blksize(&self) -> u16 {
        self.blksize
    }

    /// The short block at the end, which may be empty.
    fn last(&self) -> u64 {
        self.size / u64::from(self.blksize) + 1
    }

    fn window(&mut self) -> Range<u64> {
        self.sent = (self.acked + u64::from(self.windowsize)).min(self.last());
        self.acked + 1..self.sent + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(windowsize: u16, size: u64) -> Sender {
        let terms = Terms {
            windowsize,
            ..Terms::default()
        };
        Sender::new(&terms, None, size)
    }

    #[test]
    fn a_file_that_fills_its_blocks_ends_with_an_empty_one() {
        let mut sender = sender(1, 1024);
        assert_eq!(sender.begin(), 1..2);
        assert_eq!(sender.told(1), Told::Send(2..3));
        assert_eq!(sender.told(2), Told::Send(3..4));
        assert_eq!(sender.range(3), 1024..1024);
        assert_eq!(sender.told(3), Told::Done);
    }

    #[test]
    fn a_repeated_ack_sends_nothing() {
        let mut sender = sender(4, 100_000);
        sender.begin();
        assert_eq!(sender.told(0), Told::Nothing);
        assert_eq!(sender.told(4), Told::Send(5..9));
        assert_eq!(sender.told(4), Told::Nothing);
        assert_eq!(sender.told(3), Told::Nothing);
        assert_eq!(sender.told(9), Told::Nothing);
        assert_eq!(sender.again(), 5..9);
    }

    #[test]
    fn an_ack_inside_the_window_restarts_it_there() {
        let mut sender = sender(4, 100_000);
        sender.begin();
        assert_eq!(sender.told(2), Told::Send(3..7));
        assert_eq!(sender.octets(), 1024);
    }

    #[test]
    fn numbers_roll_over() {
        let mut sender = sender(1, 512 * 70_000);
        sender.begin();
        for block in 1..70_000_u32 {
            assert_eq!(
                sender.told(block as u16),
                Told::Send(u64::from(block) + 1..u64::from(block) + 2)
            );
        }
        assert_eq!(sender.wire(65_537), 1);
    }
}
