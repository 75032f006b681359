//! What happened, in words: only put together when somebody will read it.

use crate::clock::SECOND;
use std::collections::VecDeque;

/// Lines kept for a report.
const KEPT: usize = 60;

/// The story of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    level: Level,
    lines: VecDeque<String>,
    /// Of everything that happened: two runs of one seed must agree.
    digest: u64,
}

/// How much of the story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is put into words.
    Silent,
    /// The last lines are kept for the report.
    Last,
    /// Every line is kept.
    All,
    /// Every line is printed, the last are kept.
    Print,
}

impl Trace {
    pub(crate) const fn new(level: Level) -> Self {
        Self {
            level,
            lines: VecDeque::new(),
            digest: 0xcbf2_9ce4_8422_2325,
        }
    }

    pub(crate) fn say(&mut self, real: u64, line: impl FnOnce() -> String) {
        if self.level == Level::Silent {
            return;
        }
        let line = format!("{:>9.3} {}", real as f64 / SECOND as f64, line());
        if self.level == Level::Print {
            println!("{line}");
        }
        if self.lines.len() >= KEPT && self.level != Level::All {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Takes a number into the digest.
    pub(crate) const fn mark(&mut self, number: u64) {
        self.digest = (self.digest ^ number).wrapping_mul(0x100_0000_01b3);
    }

    pub(crate) const fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
