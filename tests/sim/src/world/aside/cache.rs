//! One node's cached values and the bus that invalidates them, glued as `fabric/runtime/src/cache` glues them.

use super::{Happens, Query, World};
use crate::clock::SECOND;
use crate::database::{Edit, pattern};
use crate::mutation::Mutation;
use purlin_fabric::invalidate::{
    Announcement, Asked, Cleared, Cursor, Fills, Freshness, Heard, Line, News, Reader, Ways,
};
use purlin_types::BootTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// Notes of one look.
pub(super) const NOTES: usize = 4;

/// While announcements arrive, the outbox is read so many times as rarely.
const RARELY: u8 = 5;

/// What a value is kept for in good times: longer than most runs.
const TTL: Duration = Duration::from_secs(300);

/// Beyond this, a node that hears nobody must give no value out: five seconds, and two looks to notice.
const UNHEARD: u64 = 8 * SECOND;

/// Values that are cached.
const KEYS: u8 = 3;

/// An announcement, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    announcement: Announcement,
    edit: Edit,
}

#[derive(Debug, Default)]
pub(crate) struct CacheDesk {
    reader: Reader,
    fills: Fills,
    /// With when each was loaded, by the boot clock and in real time.
    entries: BTreeMap<u8, (u64, BootTime, u64)>,
    subscribed: bool,
    answers: bool,
    freshness: Freshness,
    looking: bool,
    /// Looks that were left out.
    skipped: u8,
    /// Something was missed while the outbox was read: it is read again.
    again: bool,
    /// Notes of its own, by their places.
    own: BTreeMap<Cursor, u8>,
    /// For the invariant: the newest change carried out here, by key.
    seen: BTreeMap<u8, u64>,
    /// The database that was read to its end last, and when.
    read: Option<(usize, u64)>,
    /// When it was last in touch with anybody, in real time.
    in_touch: u64,
}

impl CacheDesk {
    fn clear(&mut self, key: u8) {
        self.fills.cleared(&[pattern(key)]);
        self.entries.remove(&key);
    }

    fn flush(&mut self) {
        self.fills.flushed();
        self.entries.clear();
    }

    fn judge(&mut self) {
        let ways = Ways {
            line: if self.subscribed { Line::Up } else { Line::Down },
            caught_up: !self.reader.behind(),
            outbox: self.answers,
        };
        self.freshness = ways.freshness();
    }
}

impl World {
    /// Is the line whole? Is it time to read the outbox?
    pub(super) fn look_at_line(&mut self, node: usize) {
        let line = self.has_line(node);
        let real = self.real;
        let it = &mut self.aside.desks[node].cache;
        if line {
            it.in_touch = real;
        }
        if line != it.subscribed {
            it.subscribed = line;
            it.reader.cut();
            it.judge();
        }
        it.skipped += 1;
        if it.reader.behind() || !line || it.skipped >= RARELY {
            self.read_outbox(node);
        }
    }

    fn read_outbox(&mut self, node: usize) {
        let it = &mut self.aside.desks[node].cache;
        if it.looking {
            it.again = true;
            return;
        }
        (it.looking, it.again, it.skipped) = (true, false, 0);
        let query = it.reader.ask().map_or(Query::Now, Query::Since);
        self.query(node, query);
    }

    /// Reads some values, and changes one now and then.
    pub(super) fn read_and_change(&mut self, node: usize) {
        for key in 0..KEYS {
            if self.aside.random.chance(400) {
                self.read_value(node, key);
            }
        }
        let most = if self.calm { 0 } else { 60 };
        if self.aside.random.chance(most) {
            let key = self.aside.random.below(u64::from(KEYS)) as u8;
            if self.mutation == Some(Mutation::HastyAnnouncement) {
                let database = self.nodes[node].machine.database;
                let end = self.databases[database].end_of_notes();
                let edit = Edit {
                    timeline: end.timeline,
                    id: end.id + 1,
                    key,
                    value: 0,
                };
                self.announce(node, edit);
            }
            self.query(node, Query::Change(key));
        }
    }

    fn read_value(&mut self, node: usize, key: u8) {
        let (version, kept) = {
            let now = self.nodes[node].machine.clock.boot(self.real);
            let it = &self.aside.desks[node].cache;
            let freshness = match self.mutation {
                Some(Mutation::TrustingCache) => Freshness::Live,
                _ => it.freshness,
            };
            let ttl = freshness.bound(TTL).as_nanos() as u64;
            let kept = it.entries.get(&key);
            let kept = kept.filter(|(_, filled, _)| now.0.saturating_sub(filled.0) < ttl);
            (it.fills.version(), kept.map(|(value, _, at)| (*value, *at)))
        };
        match kept {
            Some((value, at)) => self.is_fresh(node, key, value, at),
            None => self.query(node, Query::Load(key, version)),
        }
    }

    /// I9: nothing older than what the node knows to have been changed.
    fn is_fresh(&mut self, node: usize, key: u8, value: u64, loaded: u64) {
        let (primary, real) = (self.databases.len() - 1, self.real);
        let (newest, since) = self.databases[primary].books().value(key);
        let it = &self.aside.desks[node].cache;
        let seen = it.seen.get(&key).copied().unwrap_or(0);
        let read = it
            .read
            .filter(|&(database, at)| database == primary && at > since);
        let quiet = real - it.in_touch.max(loaded);
        // What a failover has lost was never changed, and an old primary that is alive tells what it has.
        let at_primary = it.read.is_some_and(|(database, _)| database == primary)
            && self.nodes[node].machine.database == primary;
        if value < seen && at_primary && self.databases[primary].books().has(key, seen) {
            self.check.fail(real, "I9", || {
                format!("node {node} gives value {value} of key {key} after it was told of {seen}")
            });
        } else if value != newest
            && let Some((_, at)) = read
        {
            self.check.fail(real, "I9", || {
                let late = (real - at) as f64 / 1e9;
                format!(
                    "node {node} gives value {value} of key {key}, which is {newest}, {late:.3} s after it has read all notes"
                )
            });
        } else if quiet > UNHEARD {
            self.check.fail(real, "I9", || {
                let quiet = quiet as f64 / 1e9;
                format!("node {node} gives value {value} of key {key} after {quiet:.3} s without a word from anybody")
            });
        }
    }

    /// What was asked for is here.
    pub(super) fn fill(&mut self, node: usize, key: u8, version: u64, value: u64) {
        let now = self.nodes[node].machine.clock.boot(self.real);
        let it = &mut self.aside.desks[node].cache;
        let any = self.mutation == Some(Mutation::OvertakenFill);
        if any || it.fills.may_keep(&pattern(key), version) {
            it.entries.insert(key, (value, now, self.real));
            let what = || format!("node {node} caches value {value} of key {key}");
            self.trace.say(self.real, what);
        }
    }

    /// A change of this node is committed: its own copies go, and others are told.
    pub(super) fn changed(&mut self, node: usize, edit: Edit) {
        let place = Cursor {
            timeline: edit.timeline,
            id: edit.id,
        };
        self.aside.desks[node].cache.own.insert(place, edit.key);
        if self.mutation != Some(Mutation::HastyAnnouncement) {
            self.announce(node, edit);
        }
        self.clear_own(node, edit.key);
        self.carried_out(node, edit);
    }

    pub(super) fn clear_own(&mut self, node: usize, key: u8) {
        self.aside.desks[node].cache.clear(key);
    }

    fn carried_out(&mut self, node: usize, edit: Edit) {
        let seen = self.aside.desks[node].cache.seen.entry(edit.key).or_default();
        *seen = edit.value.max(*seen);
    }

    /// Says so on the channel: it may get lost, doubled or late on its way to each of the others, and come again.
    fn announce(&mut self, by: usize, edit: Edit) {
        if !self.has_line(by) {
            return;
        }
        let word = Word {
            announcement: Announcement {
                timeline: edit.timeline,
                first: edit.id,
                last: edit.id,
                patterns: vec![pattern(edit.key)],
                from: self.nodes[by].me.id.as_str().to_owned(),
                life: by as u64,
                at: 0,
            },
            edit,
        };
        for node in self.living() {
            let carried = self.has_line(node) && self.redis.carries(self.real, by, node);
            if !carried || !self.aside.desks[node].cache.subscribed {
                continue;
            }
            let troubled = !self.calm;
            let lost = troubled && self.aside.random.chance(self.scene.loss);
            let twice = troubled && self.aside.random.chance(self.scene.doubles);
            for _ in 0..u8::from(!lost) + u8::from(twice) {
                let late = troubled && self.aside.random.chance(self.scene.lates);
                let most = if late { 2 * self.scene.pace } else { SECOND / 100 };
                let wait = self.aside.random.below(most);
                self.aside_later(wait, Happens::Hear(node, word.clone()));
            }
            if let Some(wait) = self
                .redis
                .echo(self.real, self.scene.pace, &mut self.aside.random)
            {
                self.aside_later(wait, Happens::Hear(node, word.clone()));
            }
        }
    }

    pub(super) fn hear_word(&mut self, node: usize, mut word: Word) {
        let mutation = self.mutation;
        let own = word.announcement.life == node as u64;
        let it = &mut self.aside.desks[node].cache;
        if mutation == Some(Mutation::DeafToGaps)
            && let Some(Asked { cursor, .. }) = it.reader.ask()
        {
            (word.announcement.timeline, word.announcement.first) = (cursor.timeline, cursor.id + 1);
        }
        if mutation == Some(Mutation::AnyNotes)
            && let Some(Asked { cursor, .. }) = it.reader.ask()
        {
            word.announcement.timeline = cursor.timeline;
        }
        let heard = it.reader.heard(&word.announcement);
        self.trace.say(self.real, || {
            format!("node {node} hears {:?}: {heard:?}", word.edit)
        });
        let it = &mut self.aside.desks[node].cache;
        if !own {
            it.clear(word.edit.key);
            // What is not the next one may be of a history that is no more: it is cleared, and proves nothing.
            if heard == Heard::Next && mutation != Some(Mutation::DeafToGaps) {
                self.carried_out(node, word.edit);
            }
        }
        if heard == Heard::CatchUp {
            self.aside.desks[node].cache.judge();
            self.read_outbox(node);
        }
    }

    /// The first look: from here on.
    pub(super) fn begin_reading(&mut self, node: usize, cursor: Cursor, read: (usize, u64)) {
        let it = &mut self.aside.desks[node].cache;
        it.reader = Reader::at(cursor);
        it.flush();
        it.read = Some(read);
        self.end_look(node, true);
    }

    pub(super) fn read_news(
        &mut self,
        node: usize,
        asked: Asked,
        mut news: News,
        edits: &[Edit],
        read: (usize, u64),
    ) {
        let deaf = self.mutation == Some(Mutation::DeafToMissed);
        let it = &mut self.aside.desks[node].cache;
        pass_over_own(&mut it.own, &mut news);
        match it.reader.read(asked, NOTES, news) {
            Cleared::Everything => {
                it.seen.clear();
                if !deaf {
                    it.flush();
                }
            }
            Cleared::Patterns { patterns, more } => {
                it.fills.cleared(&patterns);
                let named = |key: &u8| patterns.contains(&pattern(*key));
                it.entries.retain(|key, _| !named(key));
                edits.iter().for_each(|edit| self.carried_out(node, *edit));
                if more {
                    let it = &mut self.aside.desks[node].cache;
                    it.looking = false;
                    self.read_outbox(node);
                    return;
                }
            }
        }
        let it = &mut self.aside.desks[node].cache;
        it.read = Some(read);
        self.end_look(node, true);
    }

    pub(super) fn looked_in_vain(&mut self, node: usize) {
        self.end_look(node, false);
    }

    fn end_look(&mut self, node: usize, answers: bool) {
        let real = self.real;
        let it = &mut self.aside.desks[node].cache;
        let read = it.read;
        self.trace.say(real, || {
            format!("node {node} has looked for notes: {answers}, {read:?}")
        });
        (it.looking, it.answers) = (false, answers);
        if answers {
            it.in_touch = real;
        }
        it.judge();
        if std::mem::take(&mut it.again) && answers && it.reader.behind() {
            self.read_outbox(node);
        }
    }

    /// At the end: what it would give is what there is.
    pub(super) fn knows_the_newest(&mut self, node: usize) {
        let primary = self.databases.len() - 1;
        for key in 0..KEYS {
            let (newest, _) = self.databases[primary].books().value(key);
            let kept = self.aside.desks[node].cache.entries.get(&key);
            if let Some(&(value, ..)) = kept.filter(|(value, ..)| *value != newest) {
                self.check.fail(self.real, "I9", || {
                    format!("node {node} keeps value {value} of key {key}, which is {newest}, long after all was mended")
                });
            }
        }
    }
}

/// `fabric/runtime/src/cache/own.rs`: what it has published itself was carried out then.
fn pass_over_own(own: &mut BTreeMap<Cursor, u8>, news: &mut News) {
    match news {
        News::Missed { .. } => own.clear(),
        News::Notes { notes, then } => {
            for note in notes {
                let mine = own.remove(&Cursor { id: note.id, ..*then });
                if mine.is_some_and(|key| pattern(key).as_bytes() == note.body) {
                    note.topic.clear();
                }
            }
        }
    }
}
