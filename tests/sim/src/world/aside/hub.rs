//! Redis as sessions see it: rows and kept values, compared and set as the scripts of `fabric/redis/src/scripts` do. It
//! forgets, falls back to what a replica had, and splits in two of which one is thrown away.

use crate::clock::SECOND;
use purlin_fabric::port::SessionRow;
use std::collections::BTreeMap;

/// By how much a replica may be behind, about.
const LAG: u64 = 2 * SECOND;

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    Away,
    Conflict,
}

/// A session; one that has moved keeps its generation without a node.
#[derive(Debug, Clone)]
struct Row {
    node: Option<String>,
    user: String,
    generation: u64,
    cursor: u64,
}

#[derive(Debug, Clone, Default)]
struct Keys {
    rows: BTreeMap<String, Row>,
    kept: BTreeMap<String, Vec<u8>>,
}

/// Both of its servers.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    main: Keys,
    /// What a part of the nodes sees while it is split; what is written there is lost.
    other: Option<Keys>,
    split_until: u64,
    /// What the replica has, and when that was all there was.
    copy: Keys,
    copied: u64,
    /// Nothing was ever forgotten.
    forgot: bool,
}

impl Hub {
    pub(crate) fn flush(&mut self) {
        (self.main, self.copy) = (Keys::default(), Keys::default());
        self.other = self.other.is_some().then(Keys::default);
        self.forgot = true;
    }

    pub(crate) fn split(&mut self, real: u64, until: u64) {
        self.heal(real);
        self.other.get_or_insert_with(|| self.main.clone());
        self.split_until = self.split_until.max(until);
        self.forgot = true;
    }

    /// The replica leads now.
    pub(crate) fn fall_back(&mut self) {
        self.main = self.copy.clone();
        self.forgot = true;
    }

    /// It is one again.
    pub(crate) fn mend(&mut self, real: u64) {
        self.split_until = self.split_until.min(real);
        self.heal(real);
    }

    /// Whether it has been whole all the time.
    pub(crate) const fn is_whole(&self) -> bool {
        !self.forgot
    }

    fn heal(&mut self, real: u64) {
        if self.split_until <= real {
            self.other = None;
        }
    }

    /// As a node sees it.
    fn keys(&mut self, real: u64, node: usize) -> &mut Keys {
        self.heal(real);
        if real > self.copied + LAG {
            (self.copy, self.copied) = (self.main.clone(), real);
        }
        match &mut self.other {
            Some(other) if node % 2 == 1 => other,
            _ => &mut self.main,
        }
    }

    /// Registers or refreshes.
    pub(crate) fn put(&mut self, real: u64, node: usize, row: &SessionRow) -> Result<(), No> {
        let keys = self.keys(real, node);
        let held = keys.rows.get(&row.id);
        let ours = |held: &Row| held.node.as_ref() == Some(&row.node) && held.generation == row.generation;
        if held.is_some_and(|held| !ours(held)) {
            return Err(No::Conflict);
        }
        let new = Row {
            node: Some(row.node.clone()),
            user: row.user.clone(),
            generation: row.generation,
            cursor: row.cursor,
        };
        keys.rows.insert(row.id.clone(), new);
        Ok(())
    }

    /// The generation of a session that lives somewhere.
    pub(crate) fn find(&mut self, real: u64, node: usize, id: &str) -> Option<u64> {
        let row = self.keys(real, node).rows.get(id)?;
        row.node.is_some().then_some(row.generation)
    }

    /// Moves a session of the generation `seen` to a node, under a new id; without `compares`, whatever it is at.
    pub(crate) fn take(
        &mut self,
        real: u64,
        (node, name): (usize, &str),
        (id, seen): (&str, u64),
        new_id: &str,
        compares: bool,
    ) -> Result<SessionRow, No> {
        let keys = self.keys(real, node);
        let held = keys.rows.get(id).cloned();
        let as_seen = |held: &Row| held.node.is_some() && held.generation == seen;
        let held = held.filter(|held| !compares || as_seen(held));
        let held = held.ok_or(No::Conflict)?;
        let moved = Row {
            node: Some(name.to_owned()),
            generation: seen + 1,
            ..held.clone()
        };
        let gone = Row {
            node: None,
            generation: seen + 1,
            ..held
        };
        keys.rows.insert(id.to_owned(), gone);
        keys.rows.insert(new_id.to_owned(), moved.clone());
        Ok(SessionRow {
            id: new_id.to_owned(),
            node: name.to_owned(),
            user: moved.user,
            generation: moved.generation,
            cursor: moved.cursor,
            ttl: 0,
        })
    }

    pub(crate) fn keep(&mut self, real: u64, node: usize, key: String, value: Vec<u8>) {
        self.keys(real, node).kept.insert(key, value);
    }

    pub(crate) fn recall(&mut self, real: u64, node: usize, key: &str) -> Option<Vec<u8>> {
        self.keys(real, node).kept.get(key).cloned()
    }
}
