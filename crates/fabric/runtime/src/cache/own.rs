//! What this node has published itself: it was carried out then, and must not take out what was cached since.

use super::bus::Shared;
use purlin_fabric::invalidate::{Cursor, News, TOPIC};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Notes that are remembered until they are read; one that is forgotten is carried out twice.
const NOTES_MAX: usize = 4096;

/// Patterns by the places of their notes.
#[derive(Debug, Default)]
pub(super) struct Own(Mutex<BTreeMap<Cursor, String>>);

impl Own {
    fn remember(&self, first: Cursor, patterns: &[String]) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = (first.id..).map(|id| Cursor { id, ..first });
        own.extend(places.zip(patterns.iter().cloned()));
        while own.len() > NOTES_MAX {
            own.pop_first();
        }
    }

    /// Empties the topics of this node's own notes, so that nobody takes them for news.
    fn pass_over(&self, news: &mut News) {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match news {
            // Of another history, perhaps: numbers say nothing any more.
            News::Missed { .. } => own.clear(),
            News::Notes { notes, then } => {
                for note in notes.iter_mut().filter(|note| note.topic == TOPIC) {
                    if own
                        .remove(&Cursor { id: note.id, ..*then })
                        .is_some_and(|pattern| pattern.as_bytes() == note.body)
                    {
                        note.topic.clear();
                    }
                }
            }
        }
    }
}

impl Shared {
    pub(super) fn remember_own(&self, first: Cursor, patterns: &[String]) {
        self.own.remember(first, patterns);
    }

    pub(super) fn pass_over_own(&self, news: &mut News) {
        self.own.pass_over(news);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_fabric::invalidate::Note;

    const FOURTH: Cursor = Cursor { timeline: 1, id: 4 };

    fn news(notes: &[(u64, &str)]) -> News {
        let note = |(id, pattern): &(u64, &str)| Note {
            id: *id,
            topic: TOPIC.to_owned(),
            body: pattern.as_bytes().to_vec(),
        };
        News::Notes {
            notes: notes.iter().map(note).collect(),
            then: Cursor { timeline: 1, id: 9 },
        }
    }

    fn left(news: &News) -> usize {
        match news {
            News::Notes { notes, .. } => notes.iter().filter(|note| note.topic == TOPIC).count(),
            News::Missed { .. } => 0,
        }
    }

    #[test]
    fn own_notes_are_passed_over_once_and_those_of_others_never() {
        let own = Own::default();
        own.remember(FOURTH, &["a:*".to_owned(), "b:*".to_owned()]);
        let mut first = news(&[(3, "a:*"), (4, "a:*"), (5, "b:*"), (6, "b:*")]);
        own.pass_over(&mut first);
        assert_eq!(left(&first), 2);
        let mut again = news(&[(4, "a:*")]);
        own.pass_over(&mut again);
        assert_eq!(left(&again), 1);
    }

    #[test]
    fn a_number_that_was_given_again_is_anothers() {
        let own = Own::default();
        own.remember(FOURTH, &["a:*".to_owned()]);
        let mut other = news(&[(4, "b:*")]);
        own.pass_over(&mut other);
        assert_eq!(left(&other), 1);
        let elsewhere = Cursor {
            timeline: 2,
            ..FOURTH
        };
        own.remember(elsewhere, &["a:*".to_owned()]);
        let mut here = news(&[(4, "a:*")]);
        own.pass_over(&mut here);
        assert_eq!(left(&here), 1);
        own.remember(FOURTH, &["a:*".to_owned()]);
        own.pass_over(&mut News::Missed {
            then: Cursor { timeline: 2, id: 3 },
        });
        let mut later = news(&[(4, "a:*")]);
        own.pass_over(&mut later);
        assert_eq!(left(&later), 1);
    }
}
