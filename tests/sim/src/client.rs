//! A DHCP client that believes what it was promised, counted from when it *sent* the request that was answered.
//!
//! ```text
//!   Idle ─► Selecting ─► Requesting ─► Bound ─► Renewing ─► Bound ...
//!             ▲  offers none, NAK, lease ended │      └─ reboot ─► Rebooting ─► Bound
//!             └────────────────────────────────┴──────── release, decline, memory lost
//! ```

use crate::clock::SECOND;
use crate::random::Random;
use crate::scene::{RELAY, SERVER, mac};
use purlin_dhcp_proto::{Composer, Message, MessageType, code};
use std::net::Ipv4Addr;

/// Between two requests of a client that wants to see when it is served.
pub(crate) const INSISTENCE: u64 = SECOND / 2;

/// What a client was told: the address is its own until then (real time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) address: Ipv4Addr,
    pub(crate) sent: u64,
    pub(crate) until: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Selecting,
    Requesting(Ipv4Addr),
    Bound,
    Renewing,
    Rebooting,
}

/// The request that an answer must belong to.
#[derive(Debug, Clone, Copy)]
struct Pending {
    xid: u32,
    sent: u64,
}

/// A client's packet on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) kind: MessageType,
    pub(crate) payload: Vec<u8>,
    /// Unicast to a server instead of through the relay.
    pub(crate) direct: bool,
    /// It arrives at once or not at all: packets that end a lease are never late, because nothing on the wire would tell
    /// that a later lease is not meant.
    pub(crate) prompt: bool,
}

/// What an answer did to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    Promised(Promise),
    /// Refused, with the promise that it had then.
    Refused(Option<Promise>),
}

/// What is a client's own way all its life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// About how long it waits for an answer.
    pub(crate) pace: u64,
    /// The client identifier that it gives, if it gives one.
    pub(crate) identifier: Option<u16>,
    /// Of a thousand times that it could renew: those at which another machine takes its place.
    pub(crate) turnover: u64,
    /// Asks again under the same transaction, and counts its lease from the first time that it asked.
    pub(crate) persistent: bool,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: u16,
    state: State,
    pub(crate) promise: Option<Promise>,
    pending: Option<Pending>,
    attempts: u8,
    /// Counts timers: an older one is not heeded.
    pub(crate) timer: u64,
    /// When it asks everybody to renew (T2).
    rebind: u64,
    /// Counts the machines that this one has been.
    generation: u8,
    pace: u64,
    habits: Habits,
    /// Asks for its own address again and again, to see when it is served.
    pub(crate) insistent: bool,
    /// When the newest request that was answered with an ACK was sent.
    pub(crate) served: u64,
    next_xid: u32,
}

impl Client {
    pub(crate) fn new(number: u16, habits: Habits) -> Self {
        Self {
            number,
            state: State::Idle,
            promise: None,
            pending: None,
            attempts: 0,
            timer: 0,
            rebind: 0,
            generation: 0,
            pace: habits.pace,
            habits,
            insistent: false,
            served: 0,
            next_xid: u32::from(number) << 16,
        }
    }

    /// Whether it relies on an address now.
    pub(crate) fn holds(&self, real: u64) -> Option<Promise> {
        self.promise.filter(|promise| promise.until > real)
    }

    /// Its time has come: what it sends, and when it wants to be called again.
    pub(crate) fn wake(&mut self, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        if self.holds(real).is_none()
            && matches!(self.state, State::Bound | State::Renewing | State::Rebooting)
        {
            (self.state, self.attempts) = (State::Idle, 0);
        }
        self.attempts = self.attempts.saturating_add(1);
        match self.state {
            State::Idle | State::Selecting => self.discover(real, random),
            State::Requesting(address) if self.attempts <= 3 => self.request(real, random, address),
            State::Requesting(_) => self.discover(real, random),
            State::Bound => self.live_on(real, random),
            State::Renewing => self.renew(real, random),
            State::Rebooting if self.attempts <= 3 => self.reboot(real, random),
            State::Rebooting => {
                self.state = State::Renewing;
                self.renew(real, random)
            }
        }
    }

    fn discover(&mut self, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        if self.state != State::Selecting {
            (self.state, self.attempts) = (State::Selecting, 1);
        }
        // A client that starts over has no address.
        self.promise = None;
        let payload = self.compose(real, MessageType::Discover, None, &[]);
        let wait = self.pace * u64::from(self.attempts.min(4)) / 2 + self.pace + random.below(self.pace);
        (Some(through_relay(MessageType::Discover, payload)), real + wait)
    }

    fn request(&mut self, real: u64, random: &mut Random, address: Ipv4Addr) -> (Option<Outgoing>, u64) {
        let options = [
            (code::REQUESTED_ADDRESS, address.octets()),
            (code::SERVER_ID, SERVER.octets()),
        ];
        let payload = self.compose(real, MessageType::Request, None, &options);
        let wait = 2 * self.pace + random.below(self.pace);
        (Some(through_relay(MessageType::Request, payload)), real + wait)
    }

    /// What a client does with an address when it need not renew yet.
    fn live_on(&mut self, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        let fate = if self.insistent { 500 } else { random.below(1000) };
        self.attempts = 1;
        if !self.insistent && random.chance(self.habits.turnover) {
            self.generation = self.generation.wrapping_add(1);
            (self.state, self.promise) = (State::Idle, None);
            return (None, real + random.below(4 * self.pace));
        }
        match fate {
            0..60 => self.let_go(MessageType::Release, real, random),
            60..80 => self.let_go(MessageType::Decline, real, random),
            80..160 => {
                self.state = State::Rebooting;
                self.reboot(real, random)
            }
            160..200 => {
                // It has forgotten everything.
                (self.state, self.promise) = (State::Idle, None);
                (None, real + self.pace + random.below(4 * self.pace))
            }
            // Switched off for a while; its promise stands.
            200..230 => (None, real + random.below(20 * self.pace) + self.pace),
            _ => {
                self.state = State::Renewing;
                self.renew(real, random)
            }
        }
    }

    fn let_go(&mut self, kind: MessageType, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        let Some(promise) = self.promise.take() else {
            return (None, real + self.pace);
        };
        let (address, server) = (promise.address.octets(), SERVER.octets());
        let payload = if kind == MessageType::Release {
            self.compose(real, kind, Some(promise.address), &[(code::SERVER_ID, server)])
        } else {
            let options = [(code::REQUESTED_ADDRESS, address), (code::SERVER_ID, server)];
            self.compose(real, kind, None, &options)
        };
        (self.state, self.pending) = (State::Idle, None);
        let outgoing = Outgoing {
            kind,
            payload,
            direct: false,
            prompt: true,
        };
        (Some(outgoing), real + 4 * self.pace + random.below(8 * self.pace))
    }

    fn renew(&mut self, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        let Some(promise) = self.promise else {
            return self.discover(real, random);
        };
        let relayed = real > self.rebind || self.insistent;
        let payload = self.compose_renewal(real, promise.address, relayed);
        let wait = match self.insistent {
            true => INSISTENCE,
            false => self.pace + random.below(self.pace),
        };
        let outgoing = Outgoing {
            kind: MessageType::Request,
            payload,
            direct: !relayed,
            prompt: false,
        };
        (Some(outgoing), real + wait)
    }

    fn reboot(&mut self, real: u64, random: &mut Random) -> (Option<Outgoing>, u64) {
        let Some(promise) = self.promise else {
            return self.discover(real, random);
        };
        let options = [(code::REQUESTED_ADDRESS, promise.address.octets())];
        let payload = self.compose(real, MessageType::Request, None, &options);
        (
            Some(through_relay(MessageType::Request, payload)),
            real + self.pace + random.below(self.pace),
        )
    }

    /// Takes an answer in, and says when it wants to be called next.
    pub(crate) fn hear(
        &mut self,
        real: u64,
        message: &Message<'_>,
        random: &mut Random,
    ) -> (Heard, Option<u64>) {
        let Some(pending) = self.pending.filter(|pending| pending.xid == message.xid()) else {
            return (Heard::Nothing, None);
        };
        match message.message_type() {
            Some(MessageType::Offer) if self.state == State::Selecting => {
                let address = message.yiaddr();
                if self.promise.is_some_and(|promise| promise.address != address) {
                    self.promise = None;
                }
                (self.state, self.attempts, self.pending) = (State::Requesting(address), 0, None);
                (Heard::Nothing, Some(real))
            }
            Some(MessageType::Ack) if self.state != State::Selecting => {
                let secs = u64::from(message.lease_time().unwrap_or(0));
                let promise = Promise {
                    address: message.yiaddr(),
                    sent: pending.sent,
                    until: pending.sent + secs * SECOND,
                };
                (self.state, self.promise, self.pending) = (State::Bound, Some(promise), None);
                self.served = pending.sent;
                let told = |code, share: u64| seconds(message, code).unwrap_or(share) * SECOND;
                let (half, late) = (
                    told(code::RENEWAL_TIME, secs / 2),
                    told(code::REBINDING_TIME, secs * 7 / 8),
                );
                self.rebind = pending.sent + late;
                let next = if self.insistent {
                    real + INSISTENCE
                } else {
                    promise.sent + half + random.below(half / 4 + 1)
                };
                (Heard::Promised(promise), Some(next.max(real)))
            }
            Some(MessageType::Nak) if self.state != State::Selecting => {
                let former = self.promise.take();
                (self.state, self.pending) = (State::Idle, None);
                (
                    Heard::Refused(former),
                    Some(real + self.pace + random.below(self.pace)),
                )
            }
            _ => (Heard::Nothing, None),
        }
    }

    /// Whether an answer to that transaction would be heeded.
    pub(crate) fn awaits(&self, xid: u32) -> bool {
        self.pending.is_some_and(|pending| pending.xid == xid)
    }

    /// From now on it asks for its address all the time.
    pub(crate) fn insist(&mut self) {
        self.insistent = true;
        if matches!(self.state, State::Bound | State::Rebooting) {
            self.state = State::Renewing;
        }
    }

    /// The server has ended what it had: somebody with the same identifier has said so.
    pub(crate) fn forget(&mut self) {
        (self.state, self.promise, self.pending) = (State::Idle, None, None);
    }

    fn begin(&mut self, real: u64) -> u32 {
        let again = self.habits.persistent && self.attempts > 1 && !self.insistent;
        if let Some(pending) = self.pending.filter(|_| again) {
            return pending.xid;
        }
        self.next_xid += 1;
        let xid = self.next_xid;
        self.pending = Some(Pending { xid, sent: real });
        xid
    }

    fn compose(
        &mut self,
        real: u64,
        kind: MessageType,
        ciaddr: Option<Ipv4Addr>,
        options: &[(u8, [u8; 4])],
    ) -> Vec<u8> {
        let xid = self.begin(real);
        self.packet(xid, kind, (ciaddr, true), options)
    }

    fn compose_renewal(&mut self, real: u64, address: Ipv4Addr, relayed: bool) -> Vec<u8> {
        let xid = self.begin(real);
        self.packet(xid, MessageType::Request, (Some(address), relayed), &[])
    }

    fn packet(
        &self,
        xid: u32,
        kind: MessageType,
        (ciaddr, relayed): (Option<Ipv4Addr>, bool),
        options: &[(u8, [u8; 4])],
    ) -> Vec<u8> {
        let mut buffer = [0; 576];
        let mut out = Composer::new(&mut buffer, 576);
        out.op(1).hardware(1, &mac(self.number, self.generation)).xid(xid);
        out.ciaddr(ciaddr.unwrap_or(Ipv4Addr::UNSPECIFIED));
        out.giaddr(if relayed { RELAY } else { Ipv4Addr::UNSPECIFIED });
        out.message_type(kind);
        if let Some(identifier) = self.habits.identifier {
            let [high, low] = identifier.to_be_bytes();
            out.option(code::CLIENT_ID, &[0, b'c', self.generation, high, low]);
        }
        for (code, value) in options {
            out.option(*code, value);
        }
        let length = out.finish().len;
        buffer[..length].to_vec()
    }
}

/// An option that is a number of seconds.
fn seconds(message: &Message<'_>, code: u8) -> Option<u64> {
    let octets: [u8; 4] = message.whole(code)?.try_into().ok()?;
    Some(u32::from_be_bytes(octets).into())
}

fn through_relay(kind: MessageType, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        kind,
        payload,
        direct: false,
        prompt: false,
    }
}
