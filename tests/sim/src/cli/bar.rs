//! One line that is painted over, on a terminal only.

use std::io::{IsTerminal, Write};
use std::time::Duration;

const WIDTH: usize = 30;

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) done: u64,
    /// Of all there is to do, from 0 to 1.
    pub(super) share: f64,
    pub(super) broken: u64,
    pub(super) elapsed: Duration,
}

/// The progress line on standard error.
#[derive(Debug)]
pub(super) struct Bar {
    on: bool,
    painted: bool,
}

impl Bar {
    pub(super) fn new() -> Self {
        Self {
            on: std::io::stderr().is_terminal(),
            painted: false,
        }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        if self.on {
            self.painted = true;
            eprint!("\r\x1b[2K{}", line(progress));
            // Nothing depends on the picture.
            let _ = std::io::stderr().flush();
        }
    }

    /// Makes room for a line of text.
    pub(super) fn clear(&mut self) {
        if self.painted {
            self.painted = false;
            eprint!("\r\x1b[2K");
        }
    }
}

fn line(progress: Progress) -> String {
    let share = progress.share.clamp(0.0, 1.0);
    let full = (share * WIDTH as f64) as usize;
    let rate = progress.done as f64 / progress.elapsed.as_secs_f64().max(0.001);
    format!(
        "seeds [{}{}] {:>3.0}%  {} done  {rate:.1}/s  {} broken",
        "#".repeat(full),
        "-".repeat(WIDTH - full),
        share * 100.0,
        progress.done,
        progress.broken,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_bad() {
        let progress = Progress {
            done: 50,
            share: 0.5,
            broken: 1,
            elapsed: Duration::from_secs(10),
        };
        let told = line(progress);
        assert!(told.contains(" 50%  50 done  5.0/s  1 broken"), "{told}");
    }
}
