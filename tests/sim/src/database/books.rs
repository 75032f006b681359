//! What services other than DHCP keep in the database: values that nodes cache, with the notes of their changes
//! (`store/postgres/src/outbox.rs`), and what the autoscaler has done (`fabric/runtime/src/scaling/rows.rs`).

use super::{Database, Standby};
use purlin_fabric::invalidate::{Cursor, News, Note, TOPIC};
use purlin_types::{Epoch, WallTime};
use std::collections::{BTreeMap, VecDeque};

/// Notes that are kept; older ones are trimmed.
const KEPT: usize = 12;

/// A change of a value, and the note of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    pub(crate) timeline: u32,
    pub(crate) id: u64,
    pub(crate) key: u8,
    pub(crate) value: u64,
}

/// An action of the autoscaler.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deed {
    pub(crate) number: u64,
    pub(crate) epoch: Epoch,
    pub(crate) up: bool,
    pub(crate) to: u16,
    /// By the clock of the node that decided it.
    pub(crate) at: WallTime,
}

/// All of it, as one history has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    /// Of each key: all values that it has had, and since when each.
    values: BTreeMap<u8, Vec<(u64, u64)>>,
    edits: VecDeque<Edit>,
    last: u64,
    deeds: Vec<Deed>,
    /// The highest right to lead that ever acted.
    lead: Option<Epoch>,
    /// Counts what was written.
    version: u64,
    /// When this history began.
    since: u64,
}

impl Books {
    /// The value of a key, and since when that is so in this history.
    pub(crate) fn value(&self, key: u8) -> (u64, u64) {
        let last = self.values.get(&key).and_then(|values| values.last());
        let (value, since) = last.copied().unwrap_or_default();
        (value, since.max(self.since))
    }

    /// Whether a key ever had that value in this history.
    pub(crate) fn has(&self, key: u8, value: u64) -> bool {
        let values = self.values.get(&key).into_iter().flatten();
        values.into_iter().any(|(had, _)| *had == value)
    }

    /// The newest first.
    pub(crate) fn deeds(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.iter().rev()
    }
}

impl Database {
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    fn cursor(&self) -> Cursor {
        Cursor {
            timeline: self.shown_timeline(),
            id: self.books.last,
        }
    }

    /// Where a reader that keeps nothing yet starts.
    pub(crate) fn end_of_notes(&self) -> Cursor {
        self.cursor()
    }

    /// At most `limit` notes after `cursor`, and what they are about.
    pub(crate) fn notes(&self, cursor: Cursor, limit: usize) -> (News, Vec<Edit>) {
        let end = self.cursor();
        let trimmed = self
            .books
            .edits
            .front()
            .map_or(self.books.last, |edit| edit.id - 1);
        if cursor.timeline != end.timeline || !(trimmed..=end.id).contains(&cursor.id) {
            return (News::Missed { then: end }, Vec::new());
        }
        let after = self.books.edits.iter().filter(|edit| edit.id > cursor.id);
        let edits: Vec<Edit> = after.take(limit).copied().collect();
        let note = |edit: &Edit| Note {
            id: edit.id,
            topic: TOPIC.to_owned(),
            body: pattern(edit.key).into_bytes(),
        };
        let then = Cursor {
            id: edits.last().map_or(cursor.id, |edit| edit.id),
            ..end
        };
        let notes = edits.iter().map(note).collect();
        (News::Notes { notes, then }, edits)
    }

    /// Changes a value and leaves the note, in one transaction.
    pub(crate) fn edit(&mut self, real: u64, key: u8, value: u64) -> Edit {
        let timeline = self.shown_timeline();
        let books = &mut self.books;
        books.last += 1;
        let id = books.last;
        let edit = Edit {
            timeline,
            id,
            key,
            value,
        };
        books.values.entry(key).or_default().push((value, real));
        books.edits.push_back(edit);
        if books.edits.len() > KEPT {
            books.edits.pop_front();
        }
        self.noted();
        edit
    }

    /// Writes an action as the one after the newest, unless somebody acted by a higher right; its number.
    pub(crate) fn begin(&mut self, mut deed: Deed, heeds_right: bool) -> Option<Deed> {
        let books = &mut self.books;
        if heeds_right && books.lead.is_some_and(|lead| lead > deed.epoch) {
            return None;
        }
        deed.number = books.deeds.last().map_or(0, |newest| newest.number) + 1;
        books.lead = books.lead.max(Some(deed.epoch));
        books.deeds.push(deed);
        self.noted();
        Some(deed)
    }

    /// Whether commits do not wait for a standby, so that a failover may lose them.
    pub(crate) const fn may_forget(&self) -> bool {
        matches!(self.mode, Standby::Async)
    }

    fn noted(&mut self) {
        self.books.version += 1;
        if self.mode == Standby::Sync && self.cut_since.is_none() {
            self.copy_books();
        }
    }

    /// The standby has what there is.
    pub(super) fn copy_books(&mut self) {
        if self.copied.version != self.books.version {
            self.copied = self.books.clone();
        }
    }

    /// What the standby goes on with as a primary.
    pub(super) fn books_of_standby(&self, real: u64) -> Books {
        Books {
            since: real,
            ..self.copied.clone()
        }
    }
}

/// What names a key in a note.
pub(crate) fn pattern(key: u8) -> String {
    format!("value:{key}")
}
