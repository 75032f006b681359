//! Both clocks in one reading.

use purlin_types::{BootTime, Now, WallTime};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Reads `CLOCK_BOOTTIME` and `CLOCK_REALTIME`; once per batch, not per packet.
#[must_use]
pub fn now() -> Now {
    let boot = clock_gettime(ClockId::Boottime);
    let wall = clock_gettime(ClockId::Realtime);
    Now {
        boot: BootTime(nanos(boot)),
        wall: WallTime(nanos(wall) / 1_000_000),
    }
}

/// Nanoseconds; a clock set before 1970 reads as 0.
fn nanos(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boot_time_never_goes_back_and_wall_time_is_of_this_century() {
        let (first, second) = (now(), now());
        assert!(second.boot >= first.boot);
        assert!(first.wall.secs() > 1_600_000_000);
    }
}
