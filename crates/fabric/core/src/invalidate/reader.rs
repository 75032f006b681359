//! One node's reading of announcements and of the outbox.

use super::{Announcement, Cursor, News, TOPIC};

/// What a node has read so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    /// `None` before the first look at the outbox.
    cursor: Option<Cursor>,
    /// Something was missed, and has not been read yet.
    behind: bool,
    /// How often something was missed. An answer does not cover what was missed after its question.
    misses: u64,
}

/// A question to the outbox: what came after `cursor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub cursor: Cursor,
    misses: u64,
}

/// What an announcement is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is the next one: clear its patterns.
    Next,
    /// It is not: read the outbox. Its patterns may be cleared at once all the same.
    CatchUp,
}

/// What to clear after a look at the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleared {
    /// What these patterns name; with `more`, read on.
    Patterns {
        patterns: Vec<String>,
        more: bool,
    },
    Everything,
}

impl Reader {
    /// Starts behind `cursor`, with nothing cached.
    #[must_use]
    pub fn at(cursor: Cursor) -> Self {
        Self {
            cursor: Some(cursor),
            behind: false,
            misses: 0,
        }
    }

    /// What to ask the outbox now; `None` when it has not begun.
    #[must_use]
    pub fn ask(&self) -> Option<Asked> {
        let misses = self.misses;
        self.cursor.map(|cursor| Asked { cursor, misses })
    }

    /// Whether something was missed that has not been read yet.
    #[must_use]
    pub fn behind(&self) -> bool {
        self.behind || self.cursor.is_none()
    }

    /// An announcement came. One that seems known may be of another history, where numbers are given again: it is a
    /// reason to look, too.
    pub fn heard(&mut self, announcement: &Announcement) -> Heard {
        let Announcement {
            timeline,
            first,
            last,
            ..
        } = *announcement;
        let next = |cursor: &Cursor| {
            cursor.timeline == timeline && cursor.id.checked_add(1) == Some(first) && first <= last
        };
        match &mut self.cursor {
            Some(cursor) if !self.behind && next(cursor) => {
                cursor.id = last;
                Heard::Next
            }
            _ => {
                self.cut();
                Heard::CatchUp
            }
        }
    }

    /// The line was cut: announcements may have been missed.
    pub fn cut(&mut self) {
        self.behind = true;
        self.misses += 1;
    }

    /// The outbox answered a question for at most `limit` notes.
    pub fn read(&mut self, asked: Asked, limit: usize, news: News) -> Cleared {
        let covered = self.misses == asked.misses;
        match news {
            News::Missed { then } => {
                (self.cursor, self.behind) = (Some(then), !covered);
                Cleared::Everything
            }
            News::Notes { notes, then } => {
                let more = notes.len() >= limit;
                // Announcements may have moved the cursor on while the answer was under way.
                let overtaken = self
                    .cursor
                    .is_some_and(|cursor| cursor.timeline == then.timeline && cursor.id > then.id);
                if !overtaken {
                    self.cursor = Some(then);
                }
                self.behind &= more || !covered;
                let patterns = notes.into_iter().filter(|note| note.topic == TOPIC);
                let patterns = patterns.filter_map(|note| String::from_utf8(note.body).ok());
                Cleared::Patterns {
                    patterns: patterns.collect(),
                    more,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
