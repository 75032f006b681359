//! By which ways invalidations reach a node, and how far its copies may be trusted for it.

use super::Freshness;

/// How the line of announcements stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// Nodes have none in common: the outbox is read all the time.
    None,
    /// Not there yet, cut, or not known to be whole again.
    #[default]
    Down,
    Up,
}

/// What a node knows of the two ways. Copies are trusted for as long as one of them is known to bring everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ways {
    pub line: Line,
    /// Nothing was missed that has not been read since.
    pub caught_up: bool,
    /// The outbox has answered the last question, and in time.
    pub outbox: bool,
}

impl Ways {
    /// What follows for copies.
    ///
    /// A line that is up needs no answers of the outbox as long as it has missed nothing. A line that was cut needs one
    /// before it is trusted again: what was announced meanwhile was not heard. Without a line, only answers count.
    #[must_use]
    pub fn freshness(self) -> Freshness {
        match (self.line, self.caught_up, self.outbox) {
            (Line::Up, true, _) | (Line::None, true, true) => Freshness::Live,
            (_, _, true) => Freshness::Polling,
            (_, _, false) => Freshness::Blind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: Line, caught_up: bool, outbox: bool, expected: Freshness) {
        let ways = Ways {
            line,
            caught_up,
            outbox,
        };
        assert_eq!(ways.freshness(), expected, "{ways:?}");
    }

    #[test]
    fn copies_are_trusted_while_a_way_is_known_to_bring_everything() {
        for outbox in [true, false] {
            check(Line::Up, true, outbox, Freshness::Live);
        }
        check(Line::None, true, true, Freshness::Live);
    }

    #[test]
    fn a_line_that_may_have_missed_something_is_not_trusted() {
        for line in [Line::Up, Line::Down, Line::None] {
            check(line, false, true, Freshness::Polling);
            check(line, false, false, Freshness::Blind);
        }
    }

    #[test]
    fn without_a_line_a_silent_outbox_leaves_nothing() {
        check(Line::Down, true, true, Freshness::Polling);
        check(Line::Down, true, false, Freshness::Blind);
        check(Line::None, true, false, Freshness::Blind);
    }
}
