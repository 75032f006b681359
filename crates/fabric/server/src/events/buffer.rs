//! The newest events of the cluster, by their numbers in the outbox.

use super::notice::Notice;
use purlin_api::events::{Batch, Event};
use purlin_fabric::invalidate::{Cursor, Note};
use std::collections::{HashSet, VecDeque};

/// Events kept.
const EVENTS_MAX: usize = 4096;
/// Keys by which doubled notes are known.
const KEYS_MAX: usize = 8192;

/// Positions of one history of the outbox: its number above, so that positions rise over failovers.
const HISTORY_SHIFT: u32 = 44;

#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// The position of the oldest event that could be told.
    oldest: u64,
    /// The position behind everything that was read.
    end: u64,
    events: VecDeque<Event>,
    keys: HashSet<String>,
    /// The same, oldest first.
    order: VecDeque<String>,
}

fn position(timeline: u32, id: u64) -> u64 {
    (u64::from(timeline) << HISTORY_SHIFT) + id
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    pub(super) fn oldest(&self) -> u64 {
        self.oldest
    }

    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn knows(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// Nothing is known before the note after `cursor`.
    pub(super) fn begin_at(&mut self, cursor: Cursor) {
        self.events.clear();
        self.oldest = position(cursor.timeline, cursor.id) + 1;
        self.end = self.oldest;
    }

    /// Keeps an event, unless it is known.
    pub(super) fn take(&mut self, timeline: u32, note: &Note) {
        let Some(notice) = Notice::decode(&note.body) else {
            return;
        };
        if !self.keys.insert(notice.key.clone()) {
            return;
        }
        self.order.push_back(notice.key);
        if self.order.len() > KEYS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        self.events.push_back(Event {
            lane: 0,
            seq: position(timeline, note.id),
            topic: notice.topic,
            at: notice.at,
            data: notice.data,
        });
        if self.events.len() > EVENTS_MAX
            && let Some(gone) = self.events.pop_front()
        {
            self.oldest = gone.seq + 1;
        }
    }

    /// Everything up to there has been read.
    pub(super) fn read_to(&mut self, cursor: Cursor) {
        self.end = self.end.max(position(cursor.timeline, cursor.id) + 1);
    }

    /// What a reader at `from` gets; `None` when it has to wait.
    pub(super) fn since(&self, from: u64, limit: usize) -> Option<Batch> {
        if self.end == 0 || from >= self.end {
            return None;
        }
        let missed = if from >= self.oldest {
            0
        } else if from >> HISTORY_SHIFT == self.oldest >> HISTORY_SHIFT {
            self.oldest - from
        } else {
            // Of another history nobody knows how many; one at least.
            1
        };
        let from = from.max(self.oldest);
        let first = self.events.partition_point(|event| event.seq < from);
        let events: Vec<Event> = self.events.iter().skip(first).take(limit).cloned().collect();
        let whole = first + events.len() == self.events.len();
        let next = match events.last() {
            Some(last) if !whole => last.seq + 1,
            _ => self.end,
        };
        Some(Batch {
            events,
            next: vec![next],
            missed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn note(id: u64, key: &str) -> Note {
        let notice = Notice {
            key: key.to_owned(),
            topic: "cluster.node".to_owned(),
            at: "2023-11-14T22:13:20.000Z".to_owned(),
            data: json!({ "id": id }),
        };
        Note {
            id,
            topic: "event".to_owned(),
            body: notice.encode(),
        }
    }

    fn cursor(timeline: u32, id: u64) -> Cursor {
        Cursor { timeline, id }
    }

    fn ids(batch: &Batch) -> Vec<u64> {
        let ids = batch.events.iter().map(|event| event.data["id"].as_u64());
        ids.map(|id| id.expect("a number")).collect()
    }

    #[test]
    fn a_note_that_was_left_twice_is_told_once() {
        let mut buffer = Buffer::default();
        buffer.begin_at(cursor(1, 0));
        for (id, key) in [(1, "a"), (2, "b"), (3, "a"), (5, "c")] {
            buffer.take(1, &note(id, key));
        }
        buffer.read_to(cursor(1, 6));
        let all = buffer.since(buffer.oldest(), 10).expect("there are some");
        assert_eq!((ids(&all), all.missed), (vec![1, 2, 5], 0));
        assert_eq!(buffer.since(all.next[0], 10), None);
        let part = buffer.since(buffer.oldest(), 2).expect("there are some");
        assert_eq!(ids(&part), [1, 2]);
        let rest = buffer.since(part.next[0], 2).expect("one more");
        assert_eq!((ids(&rest), rest.next), (vec![5], all.next));
    }

    #[test]
    fn a_reader_of_another_history_is_told_of_a_gap() {
        let mut buffer = Buffer::default();
        buffer.begin_at(cursor(1, 100));
        buffer.take(1, &note(101, "a"));
        buffer.read_to(cursor(1, 101));
        let place = buffer.end();
        buffer.begin_at(cursor(2, 90));
        buffer.take(2, &note(91, "b"));
        buffer.read_to(cursor(2, 91));
        let batch = buffer.since(place, 10).expect("it is behind");
        assert_eq!((ids(&batch), batch.missed), (vec![91], 1));
    }

    #[test]
    fn a_reader_from_a_node_that_is_ahead_waits() {
        let mut buffer = Buffer::default();
        buffer.begin_at(cursor(1, 10));
        buffer.read_to(cursor(1, 12));
        let ahead = buffer.end() + 2;
        assert_eq!(buffer.since(ahead, 10), None);
        for id in 13..=16 {
            buffer.take(1, &note(id, &id.to_string()));
        }
        buffer.read_to(cursor(1, 16));
        assert_eq!(ids(&buffer.since(ahead, 10).expect("caught up")), [15, 16]);
    }
}
