//! How far a transfer is.

use purlin_tftp_client::TransferProgress;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

/// A line on standard error that is painted over, for whoever waits at a terminal.
pub(super) struct Line {
    on: bool,
    painted: bool,
}

impl Line {
    pub(super) fn new(quiet: bool) -> Self {
        Self {
            on: !quiet && std::io::stderr().is_terminal(),
            painted: false,
        }
    }

    pub(super) fn show(&mut self, progress: &TransferProgress) -> ControlFlow<()> {
        if self.on {
            self.painted = true;
            eprint!("\r\x1b[2K{}", told(progress));
            // Nothing depends on the picture.
            let _ = std::io::stderr().flush();
        }
        ControlFlow::Continue(())
    }

    pub(super) fn finish(&mut self) {
        if self.painted {
            eprint!("\r\x1b[2K");
        }
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
