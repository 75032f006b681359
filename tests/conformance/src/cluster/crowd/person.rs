//! One client: what it has, what it asks for, what it makes of an answer. Knows no socket and no clock.
//!
//! ```text
//!   Find ── OFFER ──► Take ── ACK ──► has an address: Renew, Reboot, gives it up, forgets it, keeps silent
//!     ▲                 │                 │
//!     └──── NAK ────────┴── the promise has run out, NAK
//! ```

use super::packet::{ACK, Answer, DISCOVER, Message, NAK, OFFER, RELEASE, REQUEST};
use super::promises::{Moment, Note};
use crate::cluster::dice::Dice;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long it waits for an answer. Shorter than real clients, so that an interruption is measured.
const PATIENCE: Duration = Duration::from_millis(500);
/// Transmissions whose answers are still taken.
const REMEMBERED: usize = 16;

/// To whom a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// Any node: it finds the one that may answer.
    One,
    /// As a relay does that lists them all.
    All,
}

/// What a client does now.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) send: Option<(Message, To)>,
    pub(super) notes: Vec<Note>,
    /// When it wants to be woken, if that changes.
    pub(super) wake: Option<Moment>,
    /// It asked at the first moment for an address that it has, and was answered only now.
    pub(super) served: Option<(Moment, Moment)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    address: Ipv4Addr,
    until: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Find,
    Take {
        address: Ipv4Addr,
        server: Option<Ipv4Addr>,
    },
    Renew,
    Reboot,
}

#[derive(Debug)]
struct Ask {
    goal: Goal,
    began: Moment,
    attempts: u32,
    sent: Vec<(u16, Moment)>,
}

/// A client.
#[derive(Debug)]
pub(super) struct Person {
    number: u16,
    relay: Ipv4Addr,
    /// Mean time between two of its wishes.
    pace: Duration,
    held: Option<Held>,
    server: Option<Ipv4Addr>,
    ask: Option<Ask>,
    count: u16,
    /// Asks for what it has, and for nothing new.
    last_round: bool,
}

impl Person {
    pub(super) fn new(number: u16, relay: Ipv4Addr, pace: Duration) -> Self {
        Self {
            number,
            relay,
            pace,
            held: None,
            server: None,
            ask: None,
            count: 0,
            last_round: false,
        }
    }

    /// Whether it believes that an address is its own.
    pub(super) fn is_owner(&self, now: Moment) -> bool {
        self.held.is_some_and(|held| held.until > now)
    }

    /// Since when it waits for an answer about an address that it has.
    pub(super) fn waits_since(&self) -> Option<Moment> {
        let ask = self.ask.as_ref()?;
        (self.held.is_some() && matches!(ask.goal, Goal::Renew | Goal::Reboot)).then_some(ask.began)
    }

    /// From now on it only makes sure that it still has what it was promised.
    pub(super) fn begin_last_round(&mut self, now: Moment) {
        self.last_round = true;
        self.ask = self.is_owner(now).then(|| Ask::new(Goal::Reboot, now));
    }

    /// Its time has come.
    pub(super) fn wake(&mut self, now: Moment, dice: &mut Dice) -> Step {
        if !self.is_owner(now) {
            self.held = None;
        }
        if self.held.is_none() && self.ask.as_ref().is_some_and(Ask::is_about_own) {
            self.ask = None;
        }
        if self.ask.is_some() {
            return self.say(now);
        }
        if self.last_round {
            return Step::default();
        }
        match (self.held, dice.below(100)) {
            (None, _) | (_, 0..3) => self.begin(Goal::Find, now),
            (Some(held), 3..8) => self.give_up(held, now, dice),
            // Switched off until its lease has ended, or for good while.
            (Some(held), 8..10) => Step::wake_at(held.until.min(now + self.pace * 8)),
            (_, 10..20) => self.begin(Goal::Reboot, now),
            _ => self.begin(Goal::Renew, now),
        }
    }

    fn begin(&mut self, goal: Goal, now: Moment) -> Step {
        self.ask = Some(Ask::new(goal, now));
        self.say(now)
    }

    fn give_up(&mut self, held: Held, now: Moment, dice: &mut Dice) -> Step {
        let mut message = self.message(RELEASE);
        message.ciaddr = held.address;
        message.server = self.server;
        self.held = None;
        Step {
            send: Some((message, To::One)),
            notes: vec![Note::Left {
                at: now,
                client: u32::from(self.number),
            }],
            ..Step::wake_at(now + self.rest(dice))
        }
    }

    /// Says, or says again, what it wants. After a few transmissions it starts over.
    fn say(&mut self, now: Moment) -> Step {
        let Some(mut ask) = self.ask.take() else {
            return Step::default();
        };
        if matches!(ask.goal, Goal::Take { .. }) && ask.attempts == 4 {
            ask = Ask::new(Goal::Find, now);
        }
        let mut message = self.message(REQUEST);
        let own = self.held.map_or(Ipv4Addr::UNSPECIFIED, |held| held.address);
        match ask.goal {
            Goal::Find => message.kind = DISCOVER,
            Goal::Take { address, server } => {
                message.requested = Some(address);
                message.server = server;
            }
            Goal::Renew => message.ciaddr = own,
            Goal::Reboot => message.requested = Some(own),
        }
        let to = if ask.attempts == 0 { To::One } else { To::All };
        ask.attempts += 1;
        ask.sent.push((self.count, now));
        let forgotten = ask.sent.len().saturating_sub(REMEMBERED);
        ask.sent.drain(..forgotten);
        self.ask = Some(ask);
        Step {
            send: Some((message, to)),
            ..Step::wake_at(now + PATIENCE)
        }
    }

    /// An answer that carries its hardware address.
    pub(super) fn hear(&mut self, answer: &Answer, now: Moment, dice: &mut Dice) -> Step {
        let Some(ask) = &self.ask else {
            return Step::default();
        };
        let count = answer.xid as u16;
        let Some(&(_, sent)) = ask.sent.iter().find(|(known, _)| *known == count) else {
            return Step::default();
        };
        match (answer.kind, ask.goal) {
            (OFFER, Goal::Find) => self.take(answer, now),
            (ACK, Goal::Take { .. } | Goal::Renew | Goal::Reboot) => self.bind(answer, sent, now, dice),
            (NAK, Goal::Take { .. } | Goal::Renew | Goal::Reboot) => self.refused(now),
            _ => Step::default(),
        }
    }

    fn take(&mut self, answer: &Answer, now: Moment) -> Step {
        let (address, client) = (answer.yiaddr, u32::from(self.number));
        let mut notes = Vec::new();
        if let Some(own) = self
            .held
            .filter(|held| held.address != address && held.until > now)
        {
            notes.push(Note::Moved {
                at: now,
                client,
                address: own.address,
                offered: address,
            });
            notes.push(Note::Left { at: now, client });
            self.held = None;
        }
        let server = answer.server;
        let mut step = self.begin(Goal::Take { address, server }, now);
        step.notes = notes;
        step
    }

    fn bind(&mut self, answer: &Answer, sent: Moment, now: Moment, dice: &mut Dice) -> Step {
        let (address, client) = (answer.yiaddr, u32::from(self.number));
        let until = sent + Duration::from_secs(u64::from(answer.lease_secs));
        let about_own = self.waits_since();
        self.ask = None;
        self.server = answer.server;
        self.held = Some(Held { address, until });
        Step {
            notes: vec![Note::Promised {
                at: now,
                client,
                address,
                until,
            }],
            wake: (!self.last_round).then(|| {
                now + self
                    .rest(dice)
                    .min(Duration::from_secs(u64::from(answer.lease_secs)) / 2)
            }),
            served: about_own.map(|began| (began, now)),
            ..Step::default()
        }
    }

    fn refused(&mut self, now: Moment) -> Step {
        let client = u32::from(self.number);
        self.ask = None;
        let held = self.held.take().filter(|held| held.until > now);
        Step {
            notes: held
                .map(|held| Note::Refused {
                    at: now,
                    client,
                    address: held.address,
                    until: held.until,
                })
                .into_iter()
                .collect(),
            ..Step::wake_at(now + Duration::from_millis(100))
        }
    }

    /// Half to one and a half of its pace.
    fn rest(&self, dice: &mut Dice) -> Duration {
        self.pace / 2 + self.pace * u32::try_from(dice.below(1000)).expect("below 1000") / 1000
    }

    fn message(&mut self, kind: u8) -> Message {
        self.count = self.count.wrapping_add(1);
        let [high, low] = self.number.to_be_bytes();
        Message {
            kind,
            xid: u32::from(self.number) << 16 | u32::from(self.count),
            mac: [2, 0x77, 0, 0, high, low],
            giaddr: self.relay,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            requested: None,
            server: None,
        }
    }
}

impl Ask {
    fn new(goal: Goal, now: Moment) -> Self {
        Self {
            goal,
            began: now,
            attempts: 0,
            sent: Vec::new(),
        }
    }

    fn is_about_own(&self) -> bool {
        matches!(self.goal, Goal::Renew | Goal::Reboot)
    }
}

impl Step {
    fn wake_at(wake: Moment) -> Self {
        Self {
            wake: Some(wake),
            ..Self::default()
        }
    }
}

/// The number of the client in an answer's hardware address and transaction id, when they agree.
pub(super) fn addressee(answer: &Answer) -> Option<u16> {
    let number = (answer.xid >> 16) as u16;
    let [high, low] = number.to_be_bytes();
    (answer.mac == [2, 0x77, 0, 0, high, low]).then_some(number)
}

#[cfg(test)]
mod tests;
