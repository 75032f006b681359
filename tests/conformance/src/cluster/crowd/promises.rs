//! What clients were promised, and the judge of it.
//!
//! A promise runs from the moment the client has the ACK to the lease time after it *sent* the request (RFC 2131,
//! section 4.4.1), on the clock of this program alone. Two clients whose promises for one address overlap are the one
//! thing that must never be seen.

use std::collections::HashMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Time since the crowd began.
pub type Moment = Duration;

/// Something that a client remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It was told that the address is its own until then.
    Promised {
        at: Moment,
        client: u32,
        address: Ipv4Addr,
        until: Moment,
    },
    /// It gave up what it had: a RELEASE, or a REQUEST for another address.
    Left { at: Moment, client: u32 },
    /// It was refused the address that it had been promised until then.
    Refused {
        at: Moment,
        client: u32,
        address: Ipv4Addr,
        until: Moment,
    },
    /// It forgot its address, asked anew and was offered another, though its own was promised until then.
    Moved {
        at: Moment,
        client: u32,
        address: Ipv4Addr,
        offered: Ipv4Addr,
    },
}

/// A time during which a client had an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    pub client: u32,
    pub address: Ipv4Addr,
    pub from: Moment,
    pub until: Moment,
}

/// Two clients with one address at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap(pub Stay, pub Stay);

impl Overlap {
    /// How long both had it.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.0.until.min(self.1.until) - self.1.from
    }
}

/// Every address that two clients had at once, with the two, the longest overlap first. Notes are in order of time.
/// O(n log n).
#[must_use]
pub fn overlaps(notes: &[Note]) -> Vec<Overlap> {
    let mut stays = stays(notes);
    stays.sort_by_key(|stay| (stay.address, stay.from));
    let mut found = Vec::new();
    // Of those who came before at this address, the two of different clients that stay longest.
    let mut before: Vec<Stay> = Vec::new();
    for stay in stays {
        if before.first().is_some_and(|one| one.address != stay.address) {
            before.clear();
        }
        let other = before
            .iter()
            .find(|one| one.client != stay.client && one.until > stay.from);
        found.extend(other.map(|other| Overlap(*other, stay)));
        keep_longest(&mut before, stay);
    }
    found.sort_by_key(|overlap| std::cmp::Reverse(overlap.length()));
    found
}

fn keep_longest(before: &mut Vec<Stay>, stay: Stay) {
    match before.iter_mut().find(|one| one.client == stay.client) {
        Some(own) if own.until < stay.until => *own = stay,
        Some(_) => {}
        None => before.push(stay),
    }
    before.sort_by_key(|one| std::cmp::Reverse(one.until));
    before.truncate(2);
}

/// Renewals joined to the stay they prolong.
#[must_use]
pub(super) fn stays(notes: &[Note]) -> Vec<Stay> {
    let mut open: HashMap<u32, Stay> = HashMap::new();
    let mut closed = Vec::new();
    for note in notes {
        match *note {
            Note::Promised {
                at,
                client,
                address,
                until,
            } => match open.get_mut(&client) {
                // The client obeys the newest ACK, even one that shortens.
                Some(stay) if stay.address == address && stay.until >= at => stay.until = until,
                _ => {
                    closed.extend(open.remove(&client).map(|stay| ended(stay, at)));
                    let from = at;
                    open.insert(
                        client,
                        Stay {
                            client,
                            address,
                            from,
                            until,
                        },
                    );
                }
            },
            Note::Left { at, client } | Note::Refused { at, client, .. } => {
                closed.extend(open.remove(&client).map(|stay| ended(stay, at)));
            }
            Note::Moved { .. } => {}
        }
    }
    closed.extend(open.into_values());
    closed
}

fn ended(stay: Stay, at: Moment) -> Stay {
    Stay {
        until: stay.until.min(at),
        ..stay
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from.as_secs_f64(), self.until.as_secs_f64());
        write!(f, "client {} from {from:.3} s to {until:.3} s", self.client)
    }
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, length) = (self.0.address, self.length().as_secs_f64());
        write!(
            f,
            "{address} had two clients for {length:.3} s: {}, {}",
            self.0, self.1
        )
    }
}

#[cfg(test)]
mod tests;
