//! Sessions of clients: which live here, when the registry must hear of them, and how they move.
//!
//! The registry (hints) says where each session lives; this is what one node knows of its own. A session has a
//! generation that rises with every move: whoever has a lower one has lost it and accepts no more writes under it
//! (invariant I10). A move needs a one-time token that the leaving node hands to the client; it names the generation, so
//! that the compare-and-set of the registry lets it work once. The id changes with every move.

mod registry;
mod settings;

pub use registry::{Figures, Parting, Sessions};
pub use settings::SessionSettings;

use crate::resume::Gap;
use std::fmt;

/// WebSocket's "Service Restart": the client comes back, to another node (RFC 6455 registry, code 1012).
pub const CLOSE_RESTART: u16 = 1012;

/// What a resume token stands for: the registry keeps it under the token for a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumeNote {
    pub id: String,
    pub generation: u64,
    /// The node that let it go.
    pub from: String,
    /// Where the client's stream stood in what all nodes number alike; opaque here, without spaces.
    pub place: String,
}

impl ResumeNote {
    /// `GENERATION FROM PLACE ID`; a place without text is `-`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let place = if self.place.is_empty() { "-" } else { &self.place };
        format!("{} {} {place} {}", self.generation, self.from, self.id).into_bytes()
    }

    /// What [`Self::encode`] made; `None` for anything else.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let mut parts = str::from_utf8(octets).ok()?.splitn(4, ' ');
        let generation = parts.next()?.parse().ok()?;
        let from = parts.next()?.to_owned();
        let place = parts.next()?;
        let place = if place == "-" { "" } else { place }.to_owned();
        let id = parts.next()?.to_owned();
        Some(Self {
            id,
            generation,
            from,
            place,
        })
    }
}

/// What is wrong with a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionError {
    /// Nobody knows it: it has lapsed, has ended, or never was.
    Unknown { id: String },
    /// It lives elsewhere now, or its id was replaced.
    Moved { id: String },
    /// This id is in use.
    Taken { id: String },
    /// The resume token was used, has lapsed, or never was.
    TokenSpent,
    /// Events are missing; the session itself goes on.
    Gap(Gap),
    /// This node has as many as it may.
    Full { max: usize },
    /// The registry cannot be asked now.
    Away,
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { id } => write!(f, "there is no session {id:?}"),
            Self::Moved { id } => write!(f, "session {id:?} has moved on"),
            Self::Taken { id } => write!(f, "session {id:?} exists already"),
            Self::TokenSpent => f.write_str("the resume token is not, or no longer, good"),
            Self::Gap(gap) => gap.fmt(f),
            Self::Full { max } => write!(f, "this node has {max} sessions, which is its limit"),
            Self::Away => f.write_str("the session registry is not reachable"),
        }
    }
}

impl std::error::Error for SessionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_from_its_octets() {
        for place in ["", "1.77"] {
            let note = ResumeNote {
                id: "a b".into(),
                generation: u64::MAX,
                from: "node-1".into(),
                place: place.into(),
            };
            assert_eq!(ResumeNote::decode(&note.encode()), Some(note));
        }
        for bad in ["", "1", "1 a", "1 a b", "x y z w", "-1 a - b"] {
            assert_eq!(ResumeNote::decode(bad.as_bytes()), None, "{bad}");
        }
    }
}
