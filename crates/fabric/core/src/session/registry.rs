//! The sessions that live on this node.

use super::{SessionError, SessionSettings};
use crate::backoff::Jitter;
use crate::observe::after;
use crate::port::SessionRow;
use crate::resume::EventRing;
use purlin_types::{BootTime, NodeId};
use std::collections::BTreeMap;
use std::time::Duration;

/// All sessions of one node.
#[derive(Debug, Clone)]
pub struct Sessions {
    settings: SessionSettings,
    node: NodeId,
    live: BTreeMap<String, Live>,
    next_sweep: BootTime,
    figures: Figures,
}

#[derive(Debug, Clone)]
struct Live {
    user: String,
    generation: u64,
    ring: EventRing,
    /// Events were lost with the former node, and the client has not been told of it.
    gap: bool,
    confirmed: u64,
    touched: BootTime,
    /// When the registry last heard of it; `None` when it must hear at once.
    told: Option<BootTime>,
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    pub registered: u64,
    pub ended: u64,
    /// Sweeps made, and sessions found lapsed by them.
    pub sweeps: u64,
    pub swept: u64,
    /// Came from other nodes, and went to them.
    pub moved_in: u64,
    pub moved_out: u64,
    /// Resumed clients that were told of a gap.
    pub gaps: u64,
}

/// A session that a draining node closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parting {
    pub id: String,
    pub generation: u64,
    /// When to close it, counted from now.
    pub delay: Duration,
}

impl Sessions {
    #[must_use]
    pub fn new(settings: SessionSettings, node: NodeId, now: BootTime) -> Self {
        Self {
            next_sweep: after(now, settings.cleanup_interval),
            settings,
            node,
            live: BTreeMap::new(),
            figures: Figures::default(),
        }
    }

    /// A new session of `user`: the row that the registry must take.
    ///
    /// # Errors
    /// [`SessionError::Taken`], [`SessionError::Full`].
    pub fn register(&mut self, now: BootTime, id: &str, user: &str) -> Result<SessionRow, SessionError> {
        let ring = EventRing::new(self.settings.ring);
        let row = self.insert(now, (id, user, 1), ring)?;
        self.figures.registered += 1;
        Ok(row)
    }

    /// A session that the registry has moved here. `ring` is what its former node kept; without it, events that the client
    /// has not confirmed are lost, and it will be told.
    ///
    /// # Errors
    /// [`SessionError::Taken`], [`SessionError::Full`].
    pub fn arrive(
        &mut self,
        now: BootTime,
        row: &SessionRow,
        ring: Option<EventRing>,
    ) -> Result<(), SessionError> {
        let gap = ring.is_none();
        // Numbers that the former node has hardly reached. They prove nothing: a ring that is lost twice begins where it
        // began before, and a client may stand right there.
        let lost = || EventRing::after(self.settings.ring, row.cursor.saturating_add(1 << 32));
        let ring = ring.unwrap_or_else(lost);
        self.insert(now, (&row.id, &row.user, row.generation), ring)?;
        let live = self.live_mut(&row.id)?;
        (live.confirmed, live.gap) = (row.cursor, gap);
        self.figures.moved_in += 1;
        Ok(())
    }

    fn insert(
        &mut self,
        now: BootTime,
        (id, user, generation): (&str, &str, u64),
        ring: EventRing,
    ) -> Result<SessionRow, SessionError> {
        if self.live.contains_key(id) {
            return Err(SessionError::Taken { id: id.to_owned() });
        }
        self.has_room()?;
        let live = Live {
            user: user.to_owned(),
            generation,
            ring,
            gap: false,
            confirmed: 0,
            touched: now,
            told: Some(now),
        };
        let row = self.row(id, &live);
        self.live.insert(id.to_owned(), live);
        Ok(row)
    }

    /// The client was heard of. Gives the row when the registry is to hear of it too: at most once in a tenth of the ttl.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn touch(&mut self, now: BootTime, id: &str) -> Result<Option<SessionRow>, SessionError> {
        let refresh_after = self.settings.refresh_after();
        let live = self.live_mut(id)?;
        live.touched = now;
        let due = live.told.is_none_or(|told| now >= after(told, refresh_after));
        if !due {
            return Ok(None);
        }
        live.told = Some(now);
        Ok(self.live.get(id).map(|live| self.row(id, live)))
    }

    /// The registry could not be told, or may have forgotten: it hears at the next touch.
    pub fn untold(&mut self, id: &str) {
        if let Some(live) = self.live.get_mut(id) {
            live.told = None;
        }
    }

    /// The registry may have forgotten everything.
    pub fn all_untold(&mut self) {
        for live in self.live.values_mut() {
            live.told = None;
        }
    }

    /// Whether this node has the session in this generation: only then may a write under it be taken.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], [`SessionError::Moved`].
    pub fn check(&self, id: &str, generation: u64) -> Result<(), SessionError> {
        match self.live.get(id) {
            None => Err(SessionError::Unknown { id: id.to_owned() }),
            Some(live) if live.generation == generation => Ok(()),
            Some(_) => Err(SessionError::Moved { id: id.to_owned() }),
        }
    }

    /// The generation in which the session lives here.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not.
    pub fn generation(&self, id: &str) -> Result<u64, SessionError> {
        let unknown = || SessionError::Unknown { id: id.to_owned() };
        self.live.get(id).map(|live| live.generation).ok_or_else(unknown)
    }

    /// The session as the registry is told of it; `None` when it does not live here.
    #[must_use]
    pub fn here(&self, id: &str) -> Option<SessionRow> {
        self.live.get(id).map(|live| self.row(id, live))
    }

    /// Whether one more session may come.
    ///
    /// # Errors
    /// [`SessionError::Full`].
    pub fn has_room(&self) -> Result<(), SessionError> {
        let max = self.settings.sessions_max;
        if self.live.len() < max {
            Ok(())
        } else {
            Err(SessionError::Full { max })
        }
    }

    /// Keeps an event for the client; its number.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn event(&mut self, id: &str, body: Vec<u8>) -> Result<u64, SessionError> {
        Ok(self.live_mut(id)?.ring.push(body))
    }

    /// The client has every event up to `cursor`.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn confirm(&mut self, id: &str, cursor: u64) -> Result<(), SessionError> {
        let live = self.live_mut(id)?;
        if cursor <= live.ring.newest() {
            live.confirmed = live.confirmed.max(cursor);
            live.ring.confirm(cursor);
        }
        Ok(())
    }

    /// The events after `cursor` for a client that has come back.
    ///
    /// # Errors
    /// [`SessionError::Unknown`]; [`SessionError::Gap`], counted, when some are not kept any more, or were lost with the
    /// node that had the session before.
    pub fn replay(&mut self, id: &str, cursor: u64) -> Result<Vec<(u64, Vec<u8>)>, SessionError> {
        let live = self.live_mut(id)?;
        let events = match std::mem::take(&mut live.gap) {
            true => Err(live.ring.gap(cursor)),
            false => live.ring.since(cursor),
        };
        let events = events.map(|events| events.map(|(number, body)| (number, body.to_vec())).collect());
        events.map_err(|gap| {
            self.figures.gaps += 1;
            SessionError::Gap(gap)
        })
    }

    /// What the next node needs to replay: the ring as octets.
    #[must_use]
    pub fn ring(&self, id: &str) -> Option<Vec<u8>> {
        self.live.get(id).map(|live| live.ring.encode())
    }

    /// It ended; the generation that the registry is to end.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn end(&mut self, id: &str) -> Result<u64, SessionError> {
        let live = self.live.remove(id);
        let live = live.ok_or_else(|| SessionError::Unknown { id: id.to_owned() })?;
        self.figures.ended += 1;
        Ok(live.generation)
    }

    /// The registry says that it lives elsewhere: it is no longer this node's, whatever this node thought.
    pub fn lost(&mut self, id: &str) {
        if self.live.remove(id).is_some() {
            self.figures.moved_out += 1;
        }
    }

    /// The session has got a new id and the next generation on this node.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here.
    pub fn rotated(&mut self, now: BootTime, id: &str, row: &SessionRow) -> Result<(), SessionError> {
        let live = self.live.remove(id);
        let mut live = live.ok_or_else(|| SessionError::Unknown { id: id.to_owned() })?;
        live.generation = row.generation;
        live.told = Some(now);
        self.live.insert(row.id.clone(), live);
        Ok(())
    }

    /// Takes out those of which nothing was heard for the ttl, if a sweep is due: their ids and generations.
    pub fn sweep(&mut self, now: BootTime) -> Vec<(String, u64)> {
        if now < self.next_sweep {
            return Vec::new();
        }
        self.next_sweep = after(now, self.settings.cleanup_interval);
        let ttl = self.settings.ttl;
        let lapsed = self
            .live
            .extract_if(.., |_, live| now >= after(live.touched, ttl));
        let swept: Vec<_> = lapsed.map(|(id, live)| (id, live.generation)).collect();
        self.figures.sweeps += 1;
        self.figures.swept += swept.len() as u64;
        swept
    }

    /// When a sweep is due next.
    #[must_use]
    pub fn next_sweep(&self) -> BootTime {
        self.next_sweep
    }

    /// How to close all of them without sending all clients to the other nodes at the same moment.
    #[must_use]
    pub fn drain(&self, seed: u64) -> Vec<Parting> {
        let mut jitter = Jitter::new(seed);
        let parting = |(id, live): (&String, &Live)| Parting {
            id: id.clone(),
            generation: live.generation,
            delay: jitter.up_to(self.settings.close_spread),
        };
        self.live.iter().map(parting).collect()
    }

    /// All, and those of which something was heard within `recent`.
    #[must_use]
    pub fn count(&self, now: BootTime, recent: Duration) -> (usize, usize) {
        let active = |live: &&Live| now < after(live.touched, recent);
        (self.live.len(), self.live.values().filter(active).count())
    }

    #[must_use]
    pub fn figures(&self) -> Figures {
        self.figures
    }

    #[must_use]
    pub fn settings(&self) -> &SessionSettings {
        &self.settings
    }

    fn live_mut(&mut self, id: &str) -> Result<&mut Live, SessionError> {
        let unknown = || SessionError::Unknown { id: id.to_owned() };
        self.live.get_mut(id).ok_or_else(unknown)
    }

    fn row(&self, id: &str, live: &Live) -> SessionRow {
        SessionRow {
            id: id.to_owned(),
            node: self.node.as_str().to_owned(),
            user: live.user.clone(),
            generation: live.generation,
            cursor: live.confirmed,
            ttl: self.settings.ttl.as_secs(),
        }
    }
}

#[cfg(test)]
mod tests;
