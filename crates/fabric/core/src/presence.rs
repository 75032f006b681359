//! Who is around, by signs of life: for people and for routing, never for ownership.
//!
//! Every node looks at all signs of life every few seconds. A node whose sign has not *changed* for the timeout has
//! left; so has one that says so. Each life joins once and leaves once. While this node cannot look, nobody leaves: it
//! is this node that is blind.

use crate::observe::after;
use crate::port::Heartbeat;
use crate::ring::of_bytes;
use purlin_types::BootTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// Lives that have left and are remembered, so that a late sign does not bring them back.
const DEPARTED_MAX: usize = 1024;

/// The nodes that this one knows to be around.
#[derive(Debug, Clone)]
pub struct Presence {
    timeout: Duration,
    around: BTreeMap<String, Life>,
    /// Those that left, oldest first.
    departed: Vec<(String, u64)>,
    blind: bool,
}

#[derive(Debug, Clone)]
struct Life {
    incarnation: u64,
    /// Of the body, which changes with every sign.
    mark: u64,
    /// The newest change on this node's clock.
    changed: BootTime,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Joined {
        node: String,
        incarnation: u64,
    },
    /// `graceful`: it said so itself.
    Left {
        node: String,
        incarnation: u64,
        graceful: bool,
    },
}

impl Presence {
    /// Nobody is around yet. `timeout` defaults to 30 s in settings and is above the time between signs, 5 s.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            around: BTreeMap::new(),
            departed: Vec::new(),
            blind: false,
        }
    }

    /// A look that was answered at `now`. Every body differs from the one before it of the same life: it has a counter.
    pub fn looked(&mut self, now: BootTime, beats: &[Heartbeat], out: &mut Vec<Change>) {
        if self.blind {
            self.blind = false;
            for life in self.around.values_mut() {
                life.changed = now;
            }
        }
        for beat in beats {
            self.beat(now, beat, out);
        }
        let timeout = self.timeout;
        let silent = |life: &Life| now >= after(life.changed, timeout);
        let gone: Vec<String> = self
            .around
            .iter()
            .filter(|(_, life)| silent(life))
            .map(|(node, _)| node.clone())
            .collect();
        for node in gone {
            self.leave(&node, false, out);
        }
    }

    /// A look that was not answered.
    pub fn blind(&mut self) {
        self.blind = true;
    }

    /// This life has said that it leaves. One that came and went between two looks has come and gone all the same.
    pub fn hushed(&mut self, node: &str, incarnation: u64, out: &mut Vec<Change>) {
        if let Some(life) = self.around.get(node) {
            if life.incarnation == incarnation {
                self.leave(node, true, out);
            }
            return;
        }
        let key = (node.to_owned(), incarnation);
        if !self.departed.contains(&key) {
            let node = key.0.clone();
            out.push(Change::Joined { node, incarnation });
            self.depart(key, true, out);
        }
    }

    /// Nodes around, with their incarnations and the time since their last sign.
    pub fn around(&self, now: BootTime) -> impl Iterator<Item = (&str, u64, Duration)> {
        self.around.iter().map(move |(node, life)| {
            let silence = Duration::from_nanos(now.0.saturating_sub(life.changed.0));
            (node.as_str(), life.incarnation, silence)
        })
    }

    fn beat(&mut self, now: BootTime, beat: &Heartbeat, out: &mut Vec<Change>) {
        let mark = of_bytes(beat.body.as_bytes());
        let key = (beat.node.clone(), beat.incarnation);
        match self.around.get_mut(&beat.node) {
            Some(life) if life.incarnation == beat.incarnation => {
                if life.mark != mark {
                    (life.mark, life.changed) = (mark, now);
                }
                return;
            }
            _ if self.departed.contains(&key) => return,
            Some(_) => self.leave(&beat.node, false, out),
            None => {}
        }
        let life = Life {
            incarnation: beat.incarnation,
            mark,
            changed: now,
        };
        self.around.insert(beat.node.clone(), life);
        out.push(Change::Joined {
            node: key.0,
            incarnation: key.1,
        });
    }

    fn leave(&mut self, node: &str, graceful: bool, out: &mut Vec<Change>) {
        let Some(life) = self.around.remove(node) else {
            return;
        };
        self.depart((node.to_owned(), life.incarnation), graceful, out);
    }

    fn depart(&mut self, life: (String, u64), graceful: bool, out: &mut Vec<Change>) {
        if self.departed.len() == DEPARTED_MAX {
            self.departed.remove(0);
        }
        self.departed.push(life.clone());
        let (node, incarnation) = life;
        out.push(Change::Left {
            node,
            incarnation,
            graceful,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    fn secs(n: u64) -> BootTime {
        BootTime(n * 1_000_000_000)
    }

    fn beat(node: &str, incarnation: u64, count: u64) -> Heartbeat {
        Heartbeat {
            node: node.into(),
            incarnation,
            body: format!(r#"{{"beat":{count}}}"#),
        }
    }

    fn joined(node: &str, incarnation: u64) -> Change {
        Change::Joined {
            node: node.into(),
            incarnation,
        }
    }

    fn left(node: &str, incarnation: u64, graceful: bool) -> Change {
        Change::Left {
            node: node.into(),
            incarnation,
            graceful,
        }
    }

    fn look(presence: &mut Presence, at: u64, beats: &[Heartbeat]) -> Vec<Change> {
        let mut out = Vec::new();
        presence.looked(secs(at), beats, &mut out);
        out
    }

    #[test]
    fn a_silent_node_leaves_at_the_timeout_and_not_before() {
        let mut presence = Presence::new(TIMEOUT);
        assert_eq!(
            look(&mut presence, 0, &[beat("a", 1, 0), beat("b", 1, 0)]),
            [joined("a", 1), joined("b", 1)]
        );
        for at in 1..30 {
            // Its last sign may still be shown, or have been forgotten: both are silence.
            let mut beats = vec![beat("a", 1, at)];
            beats.extend((at < 20).then(|| beat("b", 1, 0)));
            assert_eq!(look(&mut presence, at, &beats), [], "at {at}");
        }
        assert_eq!(
            look(&mut presence, 30, &[beat("a", 1, 30)]),
            [left("b", 1, false)]
        );
        assert_eq!(look(&mut presence, 31, &[beat("a", 1, 31)]), [], "once");
    }

    #[test]
    fn a_graceful_leave_shows_at_once_and_once() {
        let mut presence = Presence::new(TIMEOUT);
        look(&mut presence, 0, &[beat("a", 1, 0)]);
        let mut out = Vec::new();
        presence.hushed("a", 9, &mut out);
        assert_eq!(out, [], "another life of it");
        presence.hushed("a", 1, &mut out);
        presence.hushed("a", 1, &mut out);
        assert_eq!(out, [left("a", 1, true)]);
        assert_eq!(look(&mut presence, 1, &[beat("a", 1, 1)]), [], "a late sign");
        assert_eq!(look(&mut presence, 2, &[beat("a", 2, 0)]), [joined("a", 2)]);
    }

    #[test]
    fn who_comes_and_goes_between_two_looks_is_told_of() {
        let mut presence = Presence::new(TIMEOUT);
        assert_eq!(look(&mut presence, 0, &[]), []);
        let mut out = Vec::new();
        presence.hushed("a", 1, &mut out);
        presence.hushed("a", 1, &mut out);
        assert_eq!(out, [joined("a", 1), left("a", 1, true)]);
        assert_eq!(look(&mut presence, 1, &[beat("a", 1, 0)]), [], "a late sign");
        assert_eq!(presence.around(secs(1)).count(), 0);
    }

    #[test]
    fn a_restarted_node_leaves_and_joins() {
        let mut presence = Presence::new(TIMEOUT);
        look(&mut presence, 0, &[beat("a", 1, 0)]);
        assert_eq!(
            look(&mut presence, 1, &[beat("a", 2, 0)]),
            [left("a", 1, false), joined("a", 2)]
        );
        assert_eq!(
            look(&mut presence, 2, &[beat("a", 1, 1)]),
            [],
            "the former life's echo"
        );
    }

    #[test]
    fn whoever_is_blind_sees_nobody_leave() {
        let mut presence = Presence::new(TIMEOUT);
        look(&mut presence, 0, &[beat("a", 1, 0), beat("b", 1, 0)]);
        presence.blind();
        assert_eq!(
            look(&mut presence, 100, &[]),
            [],
            "emptied while nobody could look"
        );
        assert_eq!(look(&mut presence, 110, &[beat("a", 1, 5)]), []);
        assert_eq!(
            look(&mut presence, 130, &[beat("a", 1, 6)]),
            [left("b", 1, false)]
        );
        let around: Vec<_> = presence.around(secs(131)).collect();
        assert_eq!(around, [("a", 1, Duration::from_secs(1))]);
    }
}
