//! How much content is held, and who has to go: a clock with a second chance over all chunks.
//!
//! A chunk that was read since the hand last passed stays for another round, and so does one that is being sent right
//! now: giving it up would free nothing.

use crate::content::{Content, Eviction};
use crate::stats::Count;
use crate::{CHUNK, FileError};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The least cap: with less, a chunk would be gone before whoever waited for it comes back.
pub(crate) const OCTETS_MIN: u64 = 4 * CHUNK as u64;

/// What chunks that are being sent, and thus cannot go, may take beyond the cap. Past it, loads are answered "busy".
const HEADROOM: u64 = 64 << 20;

type Place = (Weak<Content>, u32);

#[derive(Debug)]
pub(crate) struct Ring {
    octets: AtomicU64,
    cap: AtomicU64,
    /// The hand is at the front.
    hand: Mutex<VecDeque<Place>>,
}

impl Ring {
    pub(crate) fn new(cap: u64) -> Self {
        let ring = Self {
            octets: AtomicU64::new(0),
            cap: AtomicU64::new(0),
            hand: Mutex::default(),
        };
        ring.set_cap(cap);
        ring
    }

    pub(crate) fn set_cap(&self, cap: u64) {
        self.cap.store(cap.max(OCTETS_MIN), Ordering::Relaxed);
    }

    pub(crate) fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    pub(crate) fn cap(&self) -> u64 {
        self.cap.load(Ordering::Relaxed)
    }

    /// Counts `octets` in before they are read, so that loads at the same time see each other, and makes room.
    ///
    /// # Errors
    /// `Busy` when everything held is in use.
    pub(crate) fn charge(&self, octets: u64, evictions: &Count) -> Result<(), FileError> {
        let held = self.octets.fetch_add(octets, Ordering::Relaxed) + octets;
        if held > self.cap() {
            self.make_room(evictions);
            if self.octets() > self.cap().saturating_add(HEADROOM) {
                self.release(octets);
                return Err(FileError::Busy);
            }
        }
        Ok(())
    }

    pub(crate) fn release(&self, octets: u64) {
        self.octets.fetch_sub(octets, Ordering::Relaxed);
    }

    /// Puts something that was charged under the hand.
    pub(crate) fn push(&self, content: &Arc<Content>, index: u32) {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        // Content that ended without the hand's doing leaves its places behind: two looks per push keep them few.
        for _ in 0..2 {
            let Some(place) = hand.pop_front() else { break };
            if place.0.strong_count() > 0 {
                hand.push_back(place);
            }
        }
        hand.push_back((Arc::downgrade(content), index));
    }

    pub(crate) fn make_room(&self, evictions: &Count) {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        // Twice round: once to take the second chances away, once to collect.
        let mut looks = 2 * hand.len();
        while self.octets() > self.cap() && looks > 0 {
            looks -= 1;
            let Some((content, index)) = hand.pop_front() else {
                break;
            };
            match content.upgrade().map(|held| held.evict(index)) {
                Some(Eviction::Kept) => hand.push_back((content, index)),
                Some(Eviction::Freed(octets)) => {
                    self.release(octets);
                    evictions.one();
                }
                // A variant counts itself out when the last one who sends it is done.
                Some(Eviction::Dropped) => evictions.one(),
                Some(Eviction::Nothing) | None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use purlin_tftp_core::settings::Settings;
    use purlin_types::WallTime;

    #[test]
    fn places_of_what_is_gone_do_not_pile_up() {
        let settings = Settings::default();
        let machine = Machine::new(&settings.cache, &settings.io);
        for _ in 0..1_000 {
            let made = Content::made(&machine, "a", b"text", "text", WallTime(0)).expect("room");
            machine.ring.push(&made, 0);
        }
        assert!(machine.ring.hand.lock().expect("no panic").len() < 10);
        assert_eq!(machine.ring.octets(), 0);
    }

    #[test]
    fn too_much_that_cannot_go_is_refused() {
        let ring = Ring::new(OCTETS_MIN);
        let evictions = Count::default();
        assert_eq!(ring.charge(OCTETS_MIN + HEADROOM, &evictions), Ok(()));
        assert_eq!(ring.charge(1, &evictions), Err(FileError::Busy));
        assert_eq!(ring.octets(), OCTETS_MIN + HEADROOM);
        ring.release(1);
        assert_eq!(ring.charge(1, &evictions), Ok(()));
    }
}
