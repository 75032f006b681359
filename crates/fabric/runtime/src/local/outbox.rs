//! Notes within one process.

use super::Unreachable;
use purlin_fabric::invalidate::{Cursor, News, Note, Outbox};
use purlin_fabric::port::{Fault, Later};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Notes kept at most; older ones are trimmed.
const NOTES_MAX: usize = 4096;

/// The outbox of one process.
#[derive(Debug)]
pub struct LocalOutbox(Mutex<Notes>);

#[derive(Debug)]
struct Notes {
    end: Cursor,
    trimmed: u64,
    notes: Vec<Note>,
    cut: bool,
}

impl Default for LocalOutbox {
    fn default() -> Self {
        let end = Cursor { timeline: 1, id: 0 };
        Self(Mutex::new(Notes {
            end,
            trimmed: 0,
            notes: Vec::new(),
            cut: false,
        }))
    }
}

impl LocalOutbox {
    /// Forgets all notes there are: whoever has not read them must be told so.
    pub fn trim(&self) {
        let mut notes = self.notes();
        notes.trimmed = notes.end.id;
        notes.notes.clear();
    }

    /// Fault: no call gets an answer until called with `false`.
    pub fn cut(&self, cut: bool) {
        self.notes().cut = cut;
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reached(&self) -> Result<MutexGuard<'_, Notes>, Fault> {
        let notes = self.notes();
        if notes.cut {
            return Err(Fault::Unknown(Box::new(Unreachable)));
        }
        Ok(notes)
    }
}

impl Outbox for LocalOutbox {
    fn leave<'a>(&'a self, left: &'a [(&'a str, &'a [u8])]) -> Later<'a, Result<Cursor, Fault>> {
        Box::pin(async move {
            let mut notes = self.reached()?;
            for (topic, body) in left {
                notes.end.id += 1;
                let id = notes.end.id;
                notes.notes.push(Note {
                    id,
                    topic: (*topic).to_owned(),
                    body: body.to_vec(),
                });
            }
            let surplus = notes.notes.len().saturating_sub(NOTES_MAX);
            let trimmed = notes.notes.drain(..surplus).next_back();
            if let Some(last) = trimmed {
                notes.trimmed = last.id;
            }
            Ok(notes.end)
        })
    }

    fn since(&self, cursor: Cursor, limit: usize) -> Later<'_, Result<News, Fault>> {
        Box::pin(async move {
            let notes = self.reached()?;
            let end = notes.end;
            if cursor.timeline != end.timeline || cursor.id < notes.trimmed || cursor.id > end.id {
                return Ok(News::Missed { then: end });
            }
            let after = notes.notes.iter().filter(|note| note.id > cursor.id);
            let told: Vec<Note> = after.take(limit).cloned().collect();
            let then = Cursor {
                id: told.last().map_or(cursor.id, |note| note.id),
                ..end
            };
            Ok(News::Notes { notes: told, then })
        })
    }

    fn now(&self) -> Later<'_, Result<Cursor, Fault>> {
        Box::pin(async { Ok(self.reached()?.end) })
    }
}
