//! A client of the API, and who has taken its writes.

use std::collections::{BTreeMap, BTreeSet};

/// A session somewhere, as its client knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) node: usize,
    pub(super) id: String,
    pub(super) generation: u64,
}

/// A client of the API: it has one session, and goes on with it wherever it can.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(super) number: usize,
    /// Counts its sessions, and the ids that they have had.
    pub(super) line: u64,
    pub(super) named: u64,
    /// Where it is connected.
    pub(super) seat: Option<Seat>,
    /// What it had when the connection broke.
    pub(super) former: Option<Seat>,
    pub(super) token: Option<String>,
    /// The node is silent.
    pub(super) unanswered: u8,
    /// The number of the last event it has got, and what that said.
    pub(super) cursor: u64,
    pub(super) body: u64,
    /// What was said last, and where the session was then.
    pub(super) said: u64,
    pub(super) home: Option<Seat>,
    /// Every place it ever had: a write that is late, or of another window of its, goes there.
    pub(super) trail: Vec<Seat>,
}

impl Guest {
    pub(crate) const fn new(number: usize) -> Self {
        Self {
            number,
            line: 0,
            named: 0,
            seat: None,
            former: None,
            token: None,
            unanswered: 0,
            cursor: 0,
            body: 0,
            said: 0,
            home: None,
            trail: Vec::new(),
        }
    }

    /// Its session, under any of its ids.
    pub(super) fn line(&self) -> (usize, u64) {
        (self.number, self.line)
    }

    pub(super) fn new_id(&mut self) -> String {
        self.named += 1;
        format!("{}-{}-{}", self.number, self.line, self.named)
    }

    pub(super) fn leave_seat(&mut self) {
        if let Some(seat) = self.seat.take() {
            self.former = Some(seat);
        }
        self.unanswered = 0;
    }

    /// Its session is over: the next one is another.
    pub(super) fn begin_anew(&mut self) {
        self.line += 1;
        (self.seat, self.former, self.token, self.home) = (None, None, None, None);
        (self.cursor, self.body, self.said) = (0, 0, 0);
    }
}

/// Who has accepted writes.
#[derive(Debug, Default)]
pub(crate) struct Visits {
    pub(super) by_id: BTreeMap<(String, u64), usize>,
    pub(super) by_line: BTreeMap<(usize, u64, u64), usize>,
    /// Nodes that the registry has told that a session lives elsewhere.
    pub(super) refused: BTreeSet<(usize, String)>,
}
