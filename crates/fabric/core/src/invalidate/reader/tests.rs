use super::super::Note;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn announced(first: u64, last: u64) -> Announcement {
    announced_on(1, first, last)
}

fn announced_on(timeline: u32, first: u64, last: u64) -> Announcement {
    Announcement {
        timeline,
        first,
        last,
        patterns: (first..=last).map(|n| n.to_string()).collect(),
        from: "a".into(),
        life: 0,
        at: 0,
    }
}

fn note(id: u64) -> Note {
    Note {
        id,
        topic: TOPIC.into(),
        body: id.to_string().into_bytes(),
    }
}

/// Asked and answered at once.
fn answered(reader: &mut Reader, limit: usize, news: News) -> Cleared {
    let asked = reader.ask().expect("begun");
    reader.read(asked, limit, news)
}

fn at(timeline: u32, id: u64) -> Cursor {
    Cursor { timeline, id }
}

#[test]
fn the_next_number_of_another_history_is_looked_up() {
    let mut reader = Reader::at(at(3, 65));
    // Of a server that has not heard of its successor, and of a version that does not say.
    for timeline in [2, 0, 4] {
        assert_eq!(reader.heard(&announced_on(timeline, 66, 66)), Heard::CatchUp);
        assert_eq!(reader.ask().map(|asked| asked.cursor), Some(at(3, 65)));
        let news = News::Notes {
            notes: Vec::new(),
            then: at(3, 65),
        };
        let _ = answered(&mut reader, 9, news);
    }
    assert_eq!(reader.heard(&announced_on(3, 66, 66)), Heard::Next);
}

#[test]
fn the_next_number_is_taken_and_any_other_is_looked_up() {
    let mut reader = Reader::at(at(1, 7));
    assert_eq!(reader.heard(&announced(8, 9)), Heard::Next);
    assert_eq!(reader.ask().map(|asked| asked.cursor), Some(at(1, 9)));
    for (first, last) in [(11, 11), (9, 10), (9, 9), (0, 0)] {
        let mut reader = reader.clone();
        assert_eq!(reader.heard(&announced(first, last)), Heard::CatchUp);
        assert!(reader.behind());
        assert_eq!(
            reader.heard(&announced(10, 10)),
            Heard::CatchUp,
            "until it has caught up"
        );
        let notes = vec![note(10), note(11)];
        let then = at(1, 11);
        let cleared = answered(&mut reader, 100, News::Notes { notes, then });
        assert_eq!(
            cleared,
            Cleared::Patterns {
                patterns: vec!["10".into(), "11".into()],
                more: false
            }
        );
        assert_eq!(reader.heard(&announced(12, 12)), Heard::Next);
    }
}

#[test]
fn what_cannot_be_told_clears_everything() {
    let mut reader = Reader::at(at(1, 7));
    reader.cut();
    let then = at(2, 5);
    assert_eq!(
        answered(&mut reader, 100, News::Missed { then }),
        Cleared::Everything
    );
    assert!(!reader.behind());
    assert_eq!(reader.heard(&announced_on(2, 6, 6)), Heard::Next);
}

#[test]
fn notes_of_other_topics_are_counted_only() {
    let mut reader = Reader::at(at(1, 0));
    let other = Note {
        topic: "revisions".into(),
        ..note(1)
    };
    let news = News::Notes {
        notes: vec![other, note(2)],
        then: at(1, 2),
    };
    let patterns = vec!["2".to_owned()];
    let more = true;
    assert_eq!(
        answered(&mut reader, 2, news),
        Cleared::Patterns { patterns, more }
    );
    assert_eq!(reader.ask().map(|asked| asked.cursor), Some(at(1, 2)));
}

#[test]
fn an_answer_does_not_cover_what_was_missed_after_its_question() {
    let mut reader = Reader::at(at(1, 7));
    reader.cut();
    let asked = reader.ask().expect("begun");
    reader.cut();
    let none = News::Notes {
        notes: vec![],
        then: at(1, 7),
    };
    reader.read(asked, 100, none.clone());
    assert!(reader.behind());
    answered(&mut reader, 100, none);
    assert!(!reader.behind());
}

#[derive(Debug, Clone)]
enum Act {
    /// Somebody changes something; heard, or lost with its line.
    Change {
        heard: bool,
    },
    Cut,
    /// The outbox answers; the answer arrives with `Arrive`.
    Look {
        limit: usize,
    },
    Arrive,
    Trim,
    /// To a history that has lost so many notes.
    FailOver {
        lost: u64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<bool>().prop_map(|heard| Act::Change { heard }),
        1 => Just(Act::Cut),
        3 => (1..5_usize).prop_map(|limit| Act::Look { limit }),
        3 => Just(Act::Arrive),
        1 => Just(Act::Trim),
        1 => (0..3_u64).prop_map(|lost| Act::FailOver { lost }),
    ]
}

/// One node that caches, and the outbox. Each change has a serial of its own as its pattern.
struct World {
    reader: Reader,
    timeline: u32,
    trimmed: u64,
    notes: Vec<Note>,
    last: u64,
    serial: u64,
    /// Changed, and not cleared.
    stale: BTreeSet<String>,
    answer: Option<(Asked, usize, News)>,
}

impl World {
    fn new() -> Self {
        Self {
            reader: Reader::at(at(1, 0)),
            timeline: 1,
            trimmed: 0,
            notes: Vec::new(),
            last: 0,
            serial: 0,
            stale: BTreeSet::new(),
            answer: None,
        }
    }

    fn change(&mut self, heard: bool) {
        self.serial += 1;
        self.last += 1;
        let pattern = self.serial.to_string();
        self.notes.push(Note {
            body: pattern.clone().into(),
            ..note(self.last)
        });
        self.stale.insert(pattern.clone());
        let announcement = Announcement {
            patterns: vec![pattern.clone()],
            ..announced_on(self.timeline, self.last, self.last)
        };
        if !heard {
            // A line does not lose messages without a word.
            self.reader.cut();
        } else if self.reader.heard(&announcement) == Heard::Next {
            self.stale.remove(&pattern);
        }
    }

    fn look(&mut self, limit: usize) {
        let asked = self.reader.ask().expect("begun");
        let Cursor { timeline, id } = asked.cursor;
        let here = |id| at(self.timeline, id);
        let news = if timeline != self.timeline || id < self.trimmed || id > self.last {
            News::Missed {
                then: here(self.last),
            }
        } else {
            let after = self.notes.iter().filter(|note| note.id > id);
            let notes: Vec<Note> = after.take(limit).cloned().collect();
            let then = here(notes.last().map_or(self.last, |note| note.id));
            News::Notes { notes, then }
        };
        self.answer = Some((asked, limit, news));
    }

    fn arrive(&mut self) {
        let Some((asked, limit, news)) = self.answer.take() else {
            return;
        };
        match self.reader.read(asked, limit, news) {
            Cleared::Everything => self.stale.clear(),
            Cleared::Patterns { patterns, .. } => {
                self.stale.retain(|pattern| !patterns.contains(pattern));
            }
        }
    }

    fn fail_over(&mut self, lost: u64) {
        self.timeline += 1;
        self.last -= lost.min(self.last - self.trimmed);
        let last = self.last;
        self.notes.retain(|note| note.id <= last);
        // Polls go on, and its subscribers may have been cut: both are reasons to look.
        self.reader.cut();
    }
}

proptest! {
    #[test]
    fn whoever_has_caught_up_keeps_nothing_old(acts in prop::collection::vec(act(), 0..60)) {
        let mut world = World::new();
        for act in acts {
            match act {
                Act::Change { heard } => world.change(heard),
                Act::Cut => world.reader.cut(),
                Act::Look { limit } => world.look(limit),
                Act::Arrive => world.arrive(),
                Act::Trim => {
                    world.trimmed = world.last;
                    world.notes.clear();
                }
                Act::FailOver { lost } => world.fail_over(lost),
            }
            if !world.reader.behind() {
                prop_assert!(world.stale.is_empty(), "kept {:?}", world.stale);
            }
        }
        world.reader.cut();
        while world.reader.behind() {
            world.look(3);
            world.arrive();
        }
        prop_assert!(world.stale.is_empty(), "kept {:?} after catching up", world.stale);
    }
}
