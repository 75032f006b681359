//! The sending side of a read: which blocks are under way, and what an acknowledgement means for them.
//!
//! ```text
//!        acked             sent            last
//!   ───────┼────────────────┼───────────────┼
//!   arrived│  window: at most windowsize    │ not sent yet
//! ```

use super::RoundTrip;
use purlin_tftp_proto::Rollover;
use purlin_types::BootTime;

/// Nanoseconds that an acknowledgement needs at least while no round trip is known.
const UNKNOWN_TRIP: u64 = 1_000_000;

/// Blocks to send: number of the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: u64,
    pub(crate) count: u16,
}

/// What an acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The last block has arrived.
    Done,
    /// The window has arrived: send the next.
    Next(Window),
    /// A block inside the window was lost: send again from there (RFC 7440, section 4).
    Gap(Window),
    /// Some blocks more have arrived, and what follows is under way already: send what the window has room for.
    Part(Option<Window>),
    /// The same as before: nothing is sent for it.
    Repeated,
    /// A block that is not under way.
    Unknown,
}

/// Where a read stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender {
    /// Number of the file's last block; it is shorter than the others, perhaps empty.
    pub(crate) last: u64,
    /// The last block that has arrived.
    pub(crate) acked: u64,
    /// The last block of the window under way.
    pub(crate) sent: u64,
    /// When the window was sent last.
    pub(crate) began: BootTime,
    /// The window began again because of a gap, and blocks up to this one were under way before.
    resent_to: Option<u64>,
    /// Some block of the window under way was sent more than once.
    repeated: bool,
    /// The same of the window before: copies of its last acknowledgement are still to come.
    copies_due: bool,
    windowsize: u16,
    rollover: Rollover,
    /// When the window was sent first, while its acknowledgement still measures a round trip.
    timed: Option<BootTime>,
    /// When some of it was sent last.
    copied: BootTime,
}

impl Sender {
    pub(crate) fn new(size: u64, blksize: u16, windowsize: u16, rollover: Rollover) -> Self {
        Self {
            last: size / u64::from(blksize) + 1,
            acked: 0,
            sent: 0,
            began: BootTime(0),
            resent_to: None,
            repeated: false,
            copies_due: false,
            windowsize,
            rollover,
            timed: None,
            copied: BootTime(0),
        }
    }

    /// The window after everything acknowledged, sent for the first time.
    pub(crate) fn begin(&mut self, now: BootTime) -> Window {
        let window = self.advance(now);
        self.timed = Some(now);
        self.resent_to = None;
        self.copies_due = std::mem::take(&mut self.repeated);
        window
    }

    /// The blocks under way, to be sent again.
    pub(crate) fn again(&mut self, now: BootTime) -> Window {
        let window = self.advance(now);
        self.repeated = true;
        window
    }

    /// The last block of the window, to be sent again: whoever has it answers, whoever misses others says so.
    pub(crate) fn probe(&mut self, now: BootTime) -> Window {
        self.repeated = true;
        self.copied = now;
        Window {
            first: self.sent,
            count: 1,
        }
    }

    /// Whether more than one block is under way.
    pub(crate) fn is_window(&self) -> bool {
        self.sent - self.acked > 1
    }

    fn advance(&mut self, now: BootTime) -> Window {
        (self.began, self.copied) = (now, now);
        self.sent = (self.acked + u64::from(self.windowsize)).min(self.last);
        Window {
            first: self.acked + 1,
            count: (self.sent - self.acked) as u16,
        }
    }

    /// An acknowledgement of `wire` came. The round trip is measured when that can be told.
    pub(crate) fn hear(&mut self, now: BootTime, wire: u16, round: &mut RoundTrip) -> (Heard, Option<u32>) {
        let under_way = self.sent - self.acked;
        let Some(ahead) = self.rollover.ahead(self.acked, wire).map(u64::from) else {
            return (Heard::Unknown, None);
        };
        if ahead > under_way {
            return (Heard::Unknown, None);
        }
        if ahead == 0 {
            return (self.hear_again(now, round), None);
        }
        let sample = self.measure(now, round);
        self.acked += ahead;
        let heard = if self.acked == self.last {
            Heard::Done
        } else if ahead == under_way {
            Heard::Next(self.begin(now))
        } else if self.may_restart(now, round) {
            Heard::Gap(self.restart(now))
        } else {
            Heard::Part(self.slide())
        };
        (heard, sample)
    }

    /// The round trip of what was sent. Where blocks went twice, nobody knows which copy was answered, and Karn's rule
    /// would measure nothing. But in a storm every answer is late: blocks then go twice, nothing is measured, and the
    /// estimate never learns. So an answer counts as one to the last copy, unless it came sooner after that than any
    /// answer ever did: then it is one to the first.
    fn measure(&mut self, now: BootTime, round: &mut RoundTrip) -> Option<u32> {
        let first = self.timed.take()?;
        let since_copy = now.0.saturating_sub(self.copied.0);
        let too_soon = round.shortest() != 0 && since_copy < round.shortest();
        Some(round.sample(if too_soon { first } else { self.copied }, now))
    }

    /// The client counts its window from what it acknowledged: it may wait for blocks that were not sent yet.
    fn slide(&mut self) -> Option<Window> {
        let first = self.sent + 1;
        self.sent = (self.acked + u64::from(self.windowsize)).min(self.last);
        let count = (self.sent + 1 - first) as u16;
        (count > 0).then_some(Window { first, count })
    }

    /// The acknowledgement of before once more. When the first block of a window was lost, this is how the client
    /// says so; a copy made by the network comes too early for that. Where blocks of the window before went twice, many
    /// clients acknowledge each copy: beginning again for one would make the copies go on for ever.
    fn hear_again(&mut self, now: BootTime, round: &RoundTrip) -> Heard {
        if self.is_window() && !self.copies_due && self.may_restart(now, round) {
            Heard::Gap(self.restart(now))
        } else {
            Heard::Repeated
        }
    }

    /// Whether an acknowledgement that arrives now can speak of a gap in the window as it was sent last.
    ///
    /// What arrives within half a round trip was on its way before. And after a restart, the client may have had some
    /// of the blocks already and acknowledge each copy, or acknowledge every block by habit: beginning again for
    /// those would send everything twice from there on, the Sorcerer's Apprentice with windows. A second gap among
    /// the same blocks is left to the timer.
    fn may_restart(&self, now: BootTime, round: &RoundTrip) -> bool {
        let trip = match round.shortest() {
            0 => UNKNOWN_TRIP,
            shortest => shortest / 2,
        };
        self.resent_to.is_none_or(|to| self.acked > to) && now.0.saturating_sub(self.began.0) >= trip
    }

    fn restart(&mut self, now: BootTime) -> Window {
        self.resent_to = Some(self.sent);
        // What is answered next may be either copy, and the client has told its round trip just now.
        self.timed = None;
        self.again(now)
    }
}

#[cfg(test)]
mod tests;
