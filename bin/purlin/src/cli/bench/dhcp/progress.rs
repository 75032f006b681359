//! How far a load is.

use crate::cli::bench::share_over;
use crate::output::bar;
use purlin_dhcp_client::bench::Progress;

/// One line of it.
pub(super) fn line(progress: &Progress<'_>) -> String {
    let share = share_over(progress.done, progress.total, progress.time_share);
    format!(
        "{:<8} {} {:>3.0}%  {} done  {:.0}/s  p99 {:.2} ms",
        progress.phase,
        bar(share),
        share * 100.0,
        progress.done,
        progress.per_second,
        progress.p99_us / 1000.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_follows_whichever_end_is_nearer() {
        let progress = Progress {
            phase: "load",
            index: 0,
            done: 10,
            total: Some(100),
            elapsed_seconds: 5.0,
            time_share: Some(0.5),
            per_second: 2.0,
            p99_us: 1500.0,
        };
        assert!(line(&progress).contains("50%"));
        assert!(line(&progress).contains("p99 1.50 ms"));
    }
}
