//! How far a load is.

use crate::cli::bench::share_over;
use crate::output::bar;
use purlin_tftp_client::bench::Progress;

/// One line of it.
pub(super) fn line(progress: &Progress<'_>) -> String {
    let share = share_over(progress.done, progress.total, progress.time_share);
    format!(
        "{} {:>3.0}%  {} booted, {} under way  {:.0} Mbit/s  first block p99 {:.2} ms",
        bar(share),
        share * 100.0,
        progress.done,
        progress.in_flight,
        progress.octets_per_second * 8.0 / 1e6,
        progress.first_block_p99_us / 1000.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_latency() {
        let progress = Progress {
            phase: "load",
            index: 0,
            done: 50,
            total: Some(100),
            in_flight: 7,
            octets: 1,
            elapsed_seconds: 1.0,
            time_share: None,
            boots_per_second: 50.0,
            octets_per_second: 125e6,
            first_block_p99_us: 1500.0,
        };
        let line = line(&progress);
        assert!(
            line.contains("50%") && line.contains("1000 Mbit/s") && line.contains("1.50 ms"),
            "{line}"
        );
    }
}
