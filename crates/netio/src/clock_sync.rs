//! Whether something keeps the wall clock right.

use std::mem::MaybeUninit;

/// What the kernel knows about its wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSync {
    /// A time source disciplines it (`STA_UNSYNC` is not set).
    pub synchronised: bool,
    /// Largest error that the time source admits, in microseconds.
    pub max_error_micros: i64,
}

/// Asks the kernel (adjtimex(2), changing nothing); `None` when it may not be asked.
#[must_use]
pub fn clock_sync() -> Option<ClockSync> {
    let mut asked = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: all zeroes is a valid `timex` whose empty `modes` only reads; the pointer is live for the call.
    let (state, answer) = unsafe {
        let state = libc::adjtimex(asked.as_mut_ptr());
        (state, asked.assume_init())
    };
    (state >= 0).then_some(ClockSync {
        synchronised: state != libc::TIME_ERROR && answer.status & libc::STA_UNSYNC == 0,
        max_error_micros: answer.maxerror,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsynchronised_clock_admits_no_small_error() {
        // Whatever this machine says, it says it without changing the clock.
        if let Some(sync) = clock_sync() {
            assert!(sync.max_error_micros >= 0);
        }
    }
}
