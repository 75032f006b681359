//! Locks: one owner each, and those that wait in line.
//!
//! Source: RFC 7047, sections 4.1.8 to 4.1.10.

use super::SessionId;
use std::collections::{BTreeMap, VecDeque};

/// By name: the owner first, then those that wait.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<String, VecDeque<SessionId>>);

impl Locks {
    pub(super) fn owner(&self, lock: &str) -> Option<SessionId> {
        self.0.get(lock)?.front().copied()
    }

    /// Gets in line; whether it owns the lock now. `None` when it is in line already.
    pub(super) fn lock(&mut self, lock: &str, session: SessionId) -> Option<bool> {
        let line = self.0.entry(lock.to_owned()).or_default();
        if line.contains(&session) {
            return None;
        }
        line.push_back(session);
        Some(line.len() == 1)
    }

    /// Takes the lock; from whom. `None` when it is in line already.
    pub(super) fn steal(&mut self, lock: &str, session: SessionId) -> Option<Option<SessionId>> {
        let line = self.0.entry(lock.to_owned()).or_default();
        if line.contains(&session) {
            return None;
        }
        let victim = line.front().copied();
        line.push_front(session);
        Some(victim)
    }

    /// Leaves the line; the new owner, when there is one. `None` when it was not in line.
    pub(super) fn unlock(&mut self, lock: &str, session: SessionId) -> Option<Option<SessionId>> {
        let line = self.0.get_mut(lock)?;
        let at = line.iter().position(|waiting| *waiting == session)?;
        line.remove(at);
        let next = (at == 0).then(|| line.front().copied()).flatten();
        if line.is_empty() {
            self.0.remove(lock);
        }
        Some(next)
    }

    /// Leaves every line; the locks that have a new owner.
    pub(super) fn forget(&mut self, session: SessionId) -> Vec<(String, SessionId)> {
        let locks: Vec<String> = self.0.keys().cloned().collect();
        let left = locks.into_iter().filter_map(|lock| {
            let next = self.unlock(&lock, session)??;
            Some((lock, next))
        });
        left.collect()
    }
}
