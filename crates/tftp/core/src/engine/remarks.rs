//! Which strange packets leave a record. Anybody can send them from any address, so they must not push out the records
//! of requests.

use super::shared::later;
use purlin_types::{BootTime, Now};

/// Addresses share so many places; each place is for one record a second.
const PLACES: usize = 256;
const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3600 * SECOND;
/// The part of the ring that an hour of them takes at most.
const SHARE: u64 = 16;
/// The part of the ring that may come at once.
const BURST: u64 = 256;

/// See the module.
#[derive(Debug)]
pub(super) struct Remarks {
    /// Until when a place has had its record.
    until: Vec<BootTime>,
    left: u64,
    most: u64,
    /// Nanoseconds until one more may come.
    every: u64,
    earned: BootTime,
}

impl Remarks {
    /// For a ring of so many records.
    pub(super) fn new(records: u32) -> Self {
        let records = u64::from(records).max(1);
        let most = (records / BURST).max(1);
        Self {
            until: vec![BootTime(0); PLACES],
            left: most,
            most,
            every: HOUR * SHARE / records,
            earned: BootTime(0),
        }
    }

    /// Whether a packet of the address with this hash may leave a record now.
    pub(super) fn may(&mut self, now: &Now, hash: u64) -> bool {
        let more = now.boot.0.saturating_sub(self.earned.0) / self.every;
        if self.left + more >= self.most {
            (self.left, self.earned) = (self.most, now.boot);
        } else {
            self.left += more;
            self.earned = later(self.earned, more * self.every);
        }
        let until = &mut self.until[hash as usize % PLACES];
        if self.left == 0 || now.boot < *until {
            return false;
        }
        *until = later(now.boot, SECOND);
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_types::WallTime;

    fn at(millis: u64) -> Now {
        Now {
            boot: BootTime(millis * 1_000_000),
            wall: WallTime(millis),
        }
    }

    #[test]
    fn an_address_has_one_record_a_second() {
        let mut remarks = Remarks::new(65_536);
        let told = (10_000..15_000)
            .filter(|millis| remarks.may(&at(*millis), 7))
            .count();
        assert_eq!(told, 5);
    }

    #[test]
    fn an_hour_of_packets_from_everywhere_takes_a_sixteenth_of_the_ring() {
        for records in [1024, 65_536, 16_777_216] {
            let mut remarks = Remarks::new(records);
            let hour = (0..3_600_000u64).filter(|millis| remarks.may(&at(*millis), millis * 0x9e37_79b9));
            let told = hour.count() as u32;
            assert!(
                told > 0 && told <= records / 16 + records / 256,
                "{told} of {records}"
            );
        }
    }
}
