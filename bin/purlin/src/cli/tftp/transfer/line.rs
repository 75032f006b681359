//! How far a transfer is.

use crate::output::Painted;
use purlin_tftp_client::TransferProgress;
use std::ops::ControlFlow;

/// Shows each step in `line`; a transfer is never ended by whoever watches it.
pub(super) fn shown(line: &mut Painted) -> impl FnMut(&TransferProgress) -> ControlFlow<()> {
    |progress| {
        line.show(|| told(progress));
        ControlFlow::Continue(())
    }
}

fn told(progress: &TransferProgress) -> String {
    match progress.total.filter(|total| *total > 0) {
        Some(total) => {
            let share = progress.octets as f64 / total as f64 * 100.0;
            format!("{} of {total} octets  {share:>3.0}%", progress.octets)
        }
        None => format!("{} octets", progress.octets),
    }
}
