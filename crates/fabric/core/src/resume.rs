//! A session's recent events, so that a client that comes back gets what it missed: each event once, or the plain word
//! that some are gone.
//!
//! ```text
//!   confirmed by the client ──► 17 │ 18 19 20 │ 21 next
//!                            dropped   kept
//!   resume from 18  ──► 19, 20        resume from 12 ──► Gap        resume from 33 ──► Gap (another ring's number)
//! ```

use std::collections::VecDeque;
use std::fmt;

/// How much a ring keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingLimits {
    /// Defaults to 256.
    pub events: usize,
    /// Of all bodies together; defaults to 256 KiB. The newest event is kept even if it alone is longer.
    pub octets: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self {
            events: 256,
            octets: 256 * 1024,
        }
    }
}

/// The last events of one session, numbered from 1 on without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRing {
    limits: RingLimits,
    /// Of the oldest event kept, or of the next one if none is.
    first: u64,
    events: VecDeque<Vec<u8>>,
    octets: usize,
}

/// Events after the client's cursor are not there: it fetches the whole state anew and goes on from `newest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub asked: u64,
    /// The lowest cursor that could have been resumed from.
    pub oldest: u64,
    pub newest: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            asked,
            oldest,
            newest,
        } = self;
        write!(
            f,
            "events after {asked} are not kept: only those after {oldest} to {newest} are"
        )
    }
}

impl std::error::Error for Gap {}

impl EventRing {
    /// Empty: the first event will be number 1.
    #[must_use]
    pub fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            first: 1,
            events: VecDeque::new(),
            octets: 0,
        }
    }

    /// Empty, where another ring was lost that had given numbers up to `newest` at most.
    #[must_use]
    pub fn after(limits: RingLimits, newest: u64) -> Self {
        Self {
            first: newest.saturating_add(1),
            ..Self::new(limits)
        }
    }

    /// The number of the newest event ever; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// Keeps an event; its number.
    pub fn push(&mut self, body: Vec<u8>) -> u64 {
        self.octets += body.len();
        self.events.push_back(body);
        while self.events.len() > self.limits.events.max(1)
            || (self.octets > self.limits.octets && self.events.len() > 1)
        {
            self.drop_oldest();
        }
        self.newest()
    }

    /// The client has everything up to `cursor`; a number of no event changes nothing.
    pub fn confirm(&mut self, cursor: u64) {
        if cursor <= self.newest() {
            while self.first <= cursor {
                self.drop_oldest();
            }
        }
    }

    /// The events after `cursor`, oldest first, with their numbers.
    ///
    /// # Errors
    /// [`Gap`] when one of them is not kept any more, or when this ring has not given `cursor` yet.
    pub fn since(&self, cursor: u64) -> Result<impl Iterator<Item = (u64, &[u8])>, Gap> {
        let (oldest, newest) = (self.first - 1, self.newest());
        if cursor < oldest || cursor > newest {
            return Err(self.gap(cursor));
        }
        let skipped = usize::try_from(cursor - oldest).expect("at most as many as are kept");
        let events = self.events.iter().skip(skipped).map(Vec::as_slice);
        Ok((cursor + 1..).zip(events))
    }

    /// What a client that asked for the events after `cursor` is told when it must fetch everything anew.
    #[must_use]
    pub fn gap(&self, cursor: u64) -> Gap {
        Gap {
            asked: cursor,
            oldest: self.first - 1,
            newest: self.newest(),
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(body) = self.events.pop_front() {
            self.octets -= body.len();
            self.first += 1;
        }
    }

    /// For the node that the session moves to: number of the first event (8 octets), then for each its length (4 octets)
    /// and body; integers big-endian.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(8 + self.octets + 4 * self.events.len());
        octets.extend(self.first.to_be_bytes());
        for body in &self.events {
            let length = u32::try_from(body.len()).expect("events are far below 4 GiB");
            octets.extend(length.to_be_bytes());
            octets.extend(body);
        }
        octets
    }

    /// What [`Self::encode`] made; `None` for anything else.
    #[must_use]
    pub fn decode(limits: RingLimits, octets: &[u8]) -> Option<Self> {
        let (first, mut rest) = octets.split_first_chunk()?;
        let first = u64::from_be_bytes(*first);
        let mut ring = Self::after(limits, first.checked_sub(1)?);
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk()?;
            let (body, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            ring.first.checked_add(ring.events.len() as u64 + 1)?;
            ring.push(body.to_vec());
            rest = after;
        }
        Some(ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: RingLimits = RingLimits {
        events: 4,
        octets: 20,
    };

    fn numbers(ring: &EventRing, cursor: u64) -> Result<Vec<u64>, Gap> {
        Ok(ring.since(cursor)?.map(|(number, _)| number).collect())
    }

    #[test]
    fn an_old_cursor_and_a_future_one_are_gaps() {
        let mut ring = EventRing::new(SMALL);
        assert_eq!(numbers(&ring, 0), Ok(vec![]));
        for n in 1..=6 {
            assert_eq!(ring.push(vec![0]), n);
        }
        assert_eq!(numbers(&ring, 2), Ok(vec![3, 4, 5, 6]));
        assert_eq!(numbers(&ring, 6), Ok(vec![]));
        let gap = |asked| {
            Err(Gap {
                asked,
                oldest: 2,
                newest: 6,
            })
        };
        assert_eq!((numbers(&ring, 1), numbers(&ring, 7)), (gap(1), gap(7)));
    }

    #[test]
    fn octets_are_bounded_and_one_event_is_always_kept() {
        let mut ring = EventRing::new(SMALL);
        ring.push(vec![0; 15]);
        ring.push(vec![0; 5]);
        assert_eq!(numbers(&ring, 0), Ok(vec![1, 2]));
        ring.push(vec![0; 100]);
        assert_eq!(numbers(&ring, 2), Ok(vec![3]));
    }

    #[test]
    fn a_ring_that_was_lost_says_so() {
        let mut ring = EventRing::after(SMALL, 10);
        assert_eq!(numbers(&ring, 10), Ok(vec![]));
        assert!(numbers(&ring, 9).is_err());
        assert_eq!(ring.push(vec![]), 11);
    }

    #[derive(Debug, Clone)]
    enum Act {
        Push(u8),
        Confirm,
        Disconnect,
        Resume,
        Move,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            4 => (0..12_u8).prop_map(Act::Push),
            1 => Just(Act::Confirm),
            1 => Just(Act::Disconnect),
            2 => Just(Act::Resume),
            1 => Just(Act::Move),
        ]
    }

    proptest! {
        #[test]
        fn no_event_is_lost_or_doubled_without_a_word(acts in prop::collection::vec(act(), 0..80)) {
            let mut ring = EventRing::new(SMALL);
            let (mut connected, mut cursor, mut sent) = (true, 0, 0_u64);
            for act in acts {
                match act {
                    Act::Push(length) => {
                        sent += 1;
                        let number = ring.push(vec![sent as u8; length.into()]);
                        prop_assert_eq!(number, sent);
                        if connected {
                            cursor = number;
                        }
                    }
                    Act::Confirm => ring.confirm(cursor),
                    Act::Disconnect => connected = false,
                    Act::Resume => {
                        match ring.since(cursor) {
                            Ok(events) => {
                                for (number, body) in events {
                                    prop_assert_eq!(number, cursor + 1);
                                    prop_assert!(body.iter().all(|&octet| octet == number as u8));
                                    cursor = number;
                                }
                            }
                            Err(gap) => {
                                prop_assert!(cursor < gap.oldest, "a gap is said where one is");
                                cursor = gap.newest;
                            }
                        }
                        prop_assert_eq!(cursor, sent);
                        connected = true;
                    }
                    Act::Move => {
                        let moved = EventRing::decode(SMALL, &ring.encode());
                        prop_assert_eq!(moved.as_ref(), Some(&ring));
                    }
                }
            }
        }

        #[test]
        fn any_octets_are_a_ring_or_none(octets in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(ring) = EventRing::decode(SMALL, &octets) {
                prop_assert!(ring.events.len() <= SMALL.events);
            }
        }
    }
}
