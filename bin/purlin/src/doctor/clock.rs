//! The wall clock: leases are dated by it, and clients count from it after a restart.

use super::Finding;
use purlin_netio::{ClockSync, clock_sync};

const CHECK: &str = "clock";
/// Before this the clock has surely never been set (1 January 2025).
const PLAUSIBLE_SECS: i64 = 1_735_689_600;
/// Beyond this, lease times told to clients and kept in records drift apart noticeably.
const ERROR_WANTED_MICROS: i64 = 1_000_000;

pub(super) fn check() -> Vec<Finding> {
    let now = jiff::Timestamp::now();
    if now.as_second() < PLAUSIBLE_SECS {
        let said = format!("the clock says {now}, which is before this program was written");
        return vec![Finding::fail(CHECK, said, "timedatectl set-ntp true")];
    }
    vec![judged(clock_sync())]
}

fn judged(sync: Option<ClockSync>) -> Finding {
    match sync {
        None => Finding::warn(
            CHECK,
            "the kernel does not say whether it is synchronised",
            "timedatectl, on the host",
        ),
        Some(ClockSync {
            synchronised: false, ..
        }) => Finding::warn(
            CHECK,
            "not synchronised: leases written here may be dated wrongly for other machines",
            "timedatectl set-ntp true, or run chronyd (in a container or virtual machine: on the host)",
        ),
        Some(ClockSync { max_error_micros, .. }) if max_error_micros > ERROR_WANTED_MICROS => Finding::warn(
            CHECK,
            format!("synchronised, but possibly {} ms wrong", max_error_micros / 1000),
            "choose a nearer time source: chronyc sources",
        ),
        Some(ClockSync { max_error_micros, .. }) => Finding::pass(
            CHECK,
            format!("synchronised, at most {} ms wrong", max_error_micros / 1000),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn only_a_disciplined_clock_passes() {
        let sync = |synchronised, max_error_micros| {
            Some(ClockSync {
                synchronised,
                max_error_micros,
            })
        };
        assert_eq!(judged(None).grade, Grade::Warn);
        assert_eq!(judged(sync(false, 0)).grade, Grade::Warn);
        assert_eq!(judged(sync(true, 16_000_000)).grade, Grade::Warn);
        assert_eq!(judged(sync(true, 500)).grade, Grade::Pass);
    }
}
