//! What everybody may know of a client's lock.

use purlin_fabric::glob;
use purlin_fabric::lock::Class;
use serde_json::{Value, json};
use std::time::Duration;

/// Kept in the hints for as long as the lock; never with its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// As the client is known to the API.
    pub owner: String,
    /// The node that gave it.
    pub node: String,
    pub class: Class,
    /// Milliseconds since the Unix epoch.
    pub since: u64,
    pub ttl: Duration,
    pub max_hold: Duration,
}

/// Where the card of a lock is kept.
pub(super) fn key(name: &str) -> String {
    format!("lock:{name}")
}

/// What finds that key and no other.
pub(super) fn pattern(name: &str) -> String {
    format!("lock:{}", glob::escape(name))
}

impl Card {
    pub(super) fn encode(&self) -> Vec<u8> {
        let card = json!({
            "owner": self.owner,
            "node": self.node,
            "fenced": self.class == Class::Fenced,
            "since": self.since,
            "ttl_ms": millis(self.ttl),
            "max_hold_ms": millis(self.max_hold),
        });
        card.to_string().into_bytes()
    }

    /// What [`Self::encode`] made; `None` for anything else.
    pub(super) fn decode(octets: &[u8]) -> Option<Self> {
        let card: Value = serde_json::from_slice(octets).ok()?;
        let text = |key: &str| Some(card[key].as_str()?.to_owned());
        let fenced = card["fenced"].as_bool()?;
        Some(Self {
            owner: text("owner")?,
            node: text("node")?,
            class: if fenced { Class::Fenced } else { Class::Advisory },
            since: card["since"].as_u64()?,
            ttl: Duration::from_millis(card["ttl_ms"].as_u64()?),
            max_hold: Duration::from_millis(card["max_hold_ms"].as_u64()?),
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_comes_back_from_its_octets() {
        let card = Card {
            owner: "night shift".into(),
            node: "n1".into(),
            class: Class::Fenced,
            since: 1_700_000_000_000,
            ttl: Duration::from_secs(30),
            max_hold: Duration::from_secs(3600),
        };
        assert_eq!(Card::decode(&card.encode()), Some(card));
        assert_eq!(Card::decode(b"{}"), None);
    }
}
