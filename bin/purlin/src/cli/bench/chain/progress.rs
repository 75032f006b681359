//! How far a run is.

use crate::cli::bench::share_over;
use crate::output::bar;
use purlin_chain_client::bench::{Progress, Stage};

/// One line of it.
pub(super) fn line(progress: &Progress) -> String {
    let share = share_over(progress.done, Some(progress.total), None);
    let (bar, percent, done, total) = (bar(share), share * 100.0, progress.done, progress.total);
    match progress.stage {
        Stage::Prepare => {
            format!("{bar} {percent:>3.0}%  paying the senders: {done} of {total} transactions")
        }
        Stage::Sign => format!("{bar} {percent:>3.0}%  signing {total} transactions"),
        Stage::Load => format!(
            "{bar} {percent:>3.0}%  {done} in blocks, {} waiting  accepted {:.0}/s  mined {:.0}/s  inclusion p99 {:.0} ms  {:.0} s left",
            progress.in_flight,
            progress.accepted_per_second,
            progress.mined_per_second,
            progress.inclusion_p99_ms,
            progress.seconds_left,
        ),
        Stage::Verify => format!("{bar} {percent:>3.0}%  verifying: {done} of {total} receipts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rates_and_what_waits() {
        let progress = Progress {
            stage: Stage::Load,
            done: 50,
            total: 100,
            accepted: 70,
            in_flight: 20,
            accepted_per_second: 5000.0,
            mined_per_second: 4000.0,
            inclusion_p99_ms: 1200.0,
            elapsed_seconds: 1.0,
            seconds_left: 119.0,
        };
        let line = line(&progress);
        assert!(
            line.contains("50%") && line.contains("mined 4000/s") && line.contains("20 waiting"),
            "{line}"
        );
    }
}
