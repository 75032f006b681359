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
        wall: set_off(WallTime(nanos(wall) / 1_000_000)),
    }
}

#[cfg(not(debug_assertions))]
const fn set_off(wall: WallTime) -> WallTime {
    wall
}

/// Builds for tests can have a wall clock that is wrong, alone of all processes of a machine: by as many ms as the file
/// says that the environment names. No file, no number: a clock that is right.
#[cfg(debug_assertions)]
fn set_off(wall: WallTime) -> WallTime {
    use std::path::PathBuf;
    static FILE: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("PURLIN_TEST_WALL_OFFSET").map(PathBuf::from));
    let text = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let off = text.and_then(|text| text.trim().parse().ok());
    WallTime(wall.0.saturating_add_signed(off.unwrap_or(0)))
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
