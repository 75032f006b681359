//! One line on standard error that is painted over, for whoever waits at a terminal; elsewhere nothing.

use std::io::{IsTerminal, Write};

/// Characters of a bar.
const WIDTH: usize = 30;

/// The line. Whoever drops it leaves on the screen what stands there.
#[derive(Debug)]
pub(crate) struct Painted {
    on: bool,
    stands: bool,
}

impl Painted {
    /// Silent where `quiet` or where nobody looks.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            on: !quiet && std::io::stderr().is_terminal(),
            stands: false,
        }
    }

    /// Whether somebody looks.
    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Paints what `text` makes over what stood there.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if self.on {
            self.stands = true;
            put(&text());
        }
    }

    /// Goes on below the line.
    pub(crate) fn keep(&mut self) {
        if std::mem::take(&mut self.stands) {
            eprintln!();
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.stands) {
            put("");
        }
    }
}

fn put(text: &str) {
    let mut out = std::io::stderr().lock();
    // Nothing depends on the picture.
    let _ = write!(out, "\r\x1b[2K{text}");
    let _ = out.flush();
}

/// `[###------]` for a share of 0 to 1; what is beyond is cut.
pub(crate) fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * WIDTH as f64) as usize;
    format!("[{}{}]", "#".repeat(full), "-".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_its_share() {
        assert_eq!(bar(0.0), format!("[{}]", "-".repeat(WIDTH)));
        assert_eq!(bar(0.5), format!("[{0}{1}]", "#".repeat(15), "-".repeat(15)));
        assert_eq!(bar(7.0), format!("[{}]", "#".repeat(WIDTH)));
        assert_eq!(bar(f64::NAN), bar(0.0));
    }
}
