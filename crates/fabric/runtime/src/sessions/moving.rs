//! Sessions that move: from a node that drains or has died, and to another id.

use super::SessionStore;
use crate::entropy;
use purlin_fabric::port::SessionRow;
use purlin_fabric::resume::{EventRing, Gap};
use purlin_fabric::session::{ResumeNote, SessionError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a session waits for the hints before it is let go without a way on: they come back within it when they are
/// slow, or when a connection of theirs was lost.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between one try and the next.
const PAUSE: Duration = Duration::from_millis(100);

/// A session that lives here now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// With its new id and generation.
    pub session: SessionRow,
    /// What the client has not got, or that some of it is gone: then it fetches everything anew, and goes on from
    /// [`Gap::newest`].
    pub events: Result<Vec<(u64, Vec<u8>)>, Gap>,
    /// What the former node said at [`SessionStore::hand_over`]; empty for one whose node has died.
    pub place: String,
}

/// What a token names, and its session's ring. The token is random, so that its text needs no escape in a pattern.
fn keys(token: &str) -> Option<(String, String)> {
    let good = token.len() == 32 && token.bytes().all(|octet| octet.is_ascii_hexdigit());
    good.then(|| (format!("resume:{token}:note"), format!("resume:{token}:ring")))
}

impl SessionStore {
    /// Lets a session of this node go: a one-time token for its client, good for `resume_ttl`. The session takes no event
    /// and no write here after that. `place` goes along with it, up to 200 octets without spaces.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] when it does not live here; [`SessionError::Away`] when nobody could find it for three
    /// seconds: it stays.
    pub async fn hand_over(&self, id: &str, place: &str) -> Result<String, SessionError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.try_to_hand_over(id, place).await {
                Err(SessionError::Away) if Instant::now() + PAUSE < until => sleep(PAUSE).await,
                outcome => return outcome,
            }
        }
    }

    async fn try_to_hand_over(&self, id: &str, place: &str) -> Result<String, SessionError> {
        let token = format!("{:032x}", entropy::token());
        let (note_key, ring_key) = keys(&token).expect("made as it is read");
        self.tell_again(id).await?;
        let (generation, resume_ttl) = {
            let sessions = self.sessions();
            (sessions.generation(id)?, sessions.settings().resume_ttl)
        };
        let note = ResumeNote {
            id: id.to_owned(),
            generation,
            from: self.0.node.as_str().to_owned(),
            place: place.to_owned(),
        };
        self.heard(self.0.hints.keep(&note_key, &note.encode(), resume_ttl).await)?;
        // The last look at the ring: an event that comes later finds no session.
        let ring = {
            let mut sessions = self.sessions();
            let ring = sessions.ring(id);
            sessions.lost(id);
            ring.ok_or_else(|| SessionError::Unknown { id: id.to_owned() })?
        };
        self.0.went.notify_waiters();
        // Without it the client is told of a gap.
        let _gap = self.heard(self.0.hints.keep(&ring_key, &ring, resume_ttl).await);
        Ok(token)
    }

    /// Takes the session that a token stands for, under a new id. `cursor` is the last event that the client has got.
    ///
    /// # Errors
    /// [`SessionError::TokenSpent`]; [`SessionError::Full`]; [`SessionError::Away`].
    pub async fn resume(&self, token: &str, cursor: u64) -> Result<Resumed, SessionError> {
        let (note_key, ring_key) = keys(token).ok_or(SessionError::TokenSpent)?;
        let note = self.heard(self.0.hints.recall(&note_key).await)?;
        let note = note.as_deref().and_then(ResumeNote::decode);
        let note = note.ok_or(SessionError::TokenSpent)?;
        let ring = self.heard(self.0.hints.recall(&ring_key).await)?;
        let limits = self.sessions().settings().ring;
        let ring = ring.and_then(|octets| EventRing::decode(limits, &octets));
        let resumed = self.take(&note, ring, cursor).await?;
        // Spent already, as its generation is no more.
        let _lapses = self.heard(self.0.hints.forget(&format!("resume:{token}:*")).await);
        Ok(resumed)
    }

    /// Takes a session whose node has died, under a new id; its events went with that node, and the client is told. The
    /// caller has made sure that the client is the session's user.
    ///
    /// # Errors
    /// [`SessionError::Unknown`]; [`SessionError::Moved`] when somebody else was faster; [`SessionError::Full`];
    /// [`SessionError::Away`].
    pub async fn adopt(&self, id: &str, cursor: u64) -> Result<Resumed, SessionError> {
        let row = self.heard(self.0.hints.session(id).await)?;
        let row = row.ok_or_else(|| SessionError::Unknown { id: id.to_owned() })?;
        let note = ResumeNote {
            id: row.id,
            generation: row.generation,
            from: row.node,
            place: String::new(),
        };
        let taken = self.take(&note, None, cursor).await;
        taken.map_err(|error| match error {
            SessionError::TokenSpent => SessionError::Moved { id: id.to_owned() },
            other => other,
        })
    }

    /// Gives a session of this node a new id, as is done now and then so that an id that leaked is worth little.
    ///
    /// # Errors
    /// [`SessionError::Unknown`], [`SessionError::Moved`], [`SessionError::Away`].
    pub async fn rotate(&self, id: &str) -> Result<SessionRow, SessionError> {
        self.tell_again(id).await?;
        let generation = self.sessions().generation(id)?;
        let new_id = Self::new_id();
        let moved = self
            .0
            .hints
            .move_session(id, generation, &self.0.node, &new_id, self.ttl());
        match self.heard(moved.await) {
            Ok(row) => {
                let now = self.now();
                self.sessions().rotated(now, id, &row)?;
                self.0.went.notify_waiters();
                Ok(row)
            }
            Err(SessionError::Away) => Err(SessionError::Away),
            Err(_) => {
                self.lose(id);
                Err(SessionError::Moved { id: id.to_owned() })
            }
        }
    }

    /// The registry hears of it once more: it may have forgotten it, and its cursor may be old.
    async fn tell_again(&self, id: &str) -> Result<(), SessionError> {
        self.sessions().untold(id);
        self.touch(id).await
    }

    async fn take(
        &self,
        note: &ResumeNote,
        ring: Option<EventRing>,
        cursor: u64,
    ) -> Result<Resumed, SessionError> {
        self.sessions().has_room()?;
        let new_id = Self::new_id();
        let moved = self
            .0
            .hints
            .move_session(&note.id, note.generation, &self.0.node, &new_id, self.ttl());
        let session = self.heard(moved.await)?;
        let now = self.now();
        let mut sessions = self.sessions();
        // A session that came back to the node that it had left in this very life.
        sessions.lost(&note.id);
        sessions.arrive(now, &session, ring)?;
        self.count_migration(&note.from);
        let events = match sessions.replay(&session.id, cursor) {
            Ok(events) => Ok(events),
            Err(SessionError::Gap(gap)) => Err(gap),
            Err(other) => return Err(other),
        };
        Ok(Resumed {
            session,
            events,
            place: note.place.clone(),
        })
    }
}
