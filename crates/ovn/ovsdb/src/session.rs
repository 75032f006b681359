//! One connection's conversation, without a socket: bytes in, bytes out, time as an argument.
//!
//! ```text
//!   received bytes ─► Framer ─► Message ─► echo answered here, at once
//!                                      └─► Event: replies, updates, locks
//!   call(...)      ─► bytes to send        handle_timeout(now) ─► probe, or the end
//! ```
//!
//! JSON-RPC 1.0 goes both ways (RFC 7047, section 4): the server asks us whether we live, and drops us when we do not
//! answer. Nothing here waits, so the answer is ready before anyone reads what else came.

mod frame;
mod message;
pub mod methods;

pub use frame::{Framer, Limits};
pub use message::{Reply, Update};

use crate::uuid::Uuid;
use bytes::{Bytes, BytesMut};
use message::Message;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Time since a moment that the owner of the session chose.
pub type Moment = Duration;

/// Names a request until its reply comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u64);

/// Why a connection must be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More octets than a message may have.
    #[error("a message has more than {0} octets")]
    TooLong(usize),
    /// Arrays in arrays in arrays.
    #[error("a message nests deeper than {0}")]
    TooDeep(usize),
    /// Something between messages that is none.
    #[error("octet 0x{0:02x} where a JSON object should begin")]
    Garbage(u8),
    /// No JSON-RPC.
    #[error("no JSON-RPC message: {0}")]
    Malformed(String),
    /// A reply to a request that nobody sent.
    #[error("a reply to request {0}, which was never sent or is answered already")]
    UnknownReply(String),
    /// Nothing was heard, not even the answer to a probe.
    #[error("nothing heard for {0:?}")]
    Silent(Duration),
}

/// What a connection brings.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The answer to a request.
    Reply(RequestId, Reply),
    /// Rows of a monitor changed.
    Update(Update),
    /// The server gave up a monitor: its database went away or was converted.
    MonitorCanceled(String),
    /// A lock that we waited for is ours.
    Locked(String),
    /// A lock that was ours is someone else's.
    Stolen(String),
}

/// One connection's conversation.
#[derive(Debug)]
pub struct Session {
    framer: Framer,
    out: BytesMut,
    last_id: u64,
    pending: HashMap<u64, Pending>,
    events: VecDeque<Event>,
    probe: Duration,
    heard: Moment,
    probed: bool,
    ended: Option<Violation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pending {
    Call,
    Probe,
}

impl Session {
    /// A conversation that starts now. After `probe` without a sound the peer is asked whether it lives; after as
    /// long again it is taken for dead.
    #[must_use]
    pub fn new(now: Moment, probe: Duration, limits: Limits) -> Self {
        Self {
            framer: Framer::new(limits),
            out: BytesMut::new(),
            last_id: 0,
            pending: HashMap::new(),
            events: VecDeque::new(),
            probe,
            heard: now,
            probed: false,
            ended: None,
        }
    }

    /// Takes longer or shorter messages from here on, as a peer is better known.
    pub const fn allow(&mut self, message_max: usize) {
        self.framer.allow(message_max);
    }

    /// Sends a request; the reply comes as an event.
    pub fn call(&mut self, method: &str, params: &impl Serialize) -> RequestId {
        RequestId(self.send(method, params, Pending::Call))
    }

    fn send(&mut self, method: &str, params: &impl Serialize, pending: Pending) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        message::compose_request(&mut self.out, id, method, params);
        self.pending.insert(id, pending);
        id
    }

    /// Where received octets are to be put before [`Session::received`].
    pub const fn buffer(&mut self) -> &mut BytesMut {
        self.framer.buffer()
    }

    /// Takes octets out of a slice; the same as putting them into the buffer first.
    ///
    /// # Errors
    ///
    /// As [`Session::received`].
    pub fn receive(&mut self, now: Moment, octets: &[u8]) -> Result<(), Violation> {
        self.buffer().extend_from_slice(octets);
        self.received(now)
    }

    /// Reads what came into the buffer.
    ///
    /// # Errors
    ///
    /// What a peer must not send. The connection is to be closed; events that came before are still there.
    pub fn received(&mut self, now: Moment) -> Result<(), Violation> {
        self.heard = now;
        self.probed = false;
        self.going()?;
        loop {
            let step = match self.framer.take_frame() {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => Message::parse(&frame).and_then(|message| self.take(message)),
                Err(violation) => Err(violation),
            };
            if let Err(violation) = step {
                self.ended = Some(violation.clone());
                return Err(violation);
            }
        }
    }

    fn going(&self) -> Result<(), Violation> {
        self.ended.clone().map_or(Ok(()), Err)
    }

    fn take(&mut self, message: Message) -> Result<(), Violation> {
        match message {
            Message::Request { id, method, params } => {
                message::compose_answer(&mut self.out, &id, &method, &params);
            }
            Message::Reply { id, reply } => match self.pending.remove(&id) {
                Some(Pending::Call) => self.events.push_back(Event::Reply(RequestId(id), reply)),
                Some(Pending::Probe) => {}
                None => return Err(Violation::UnknownReply(id.to_string())),
            },
            Message::Update(update) => self.events.push_back(Event::Update(update)),
            Message::Canceled(monitor) => self.events.push_back(Event::MonitorCanceled(monitor)),
            Message::Locked(lock) => self.events.push_back(Event::Locked(lock)),
            Message::Stolen(lock) => self.events.push_back(Event::Stolen(lock)),
            // A notification of a later version: nobody waits for an answer.
            Message::Unknown => {}
        }
        Ok(())
    }

    /// The next event, oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What is to be sent now, if anything.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        (!self.out.is_empty()).then(|| self.out.split().freeze())
    }

    /// When to call [`Session::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Moment {
        self.heard + self.probe * if self.probed { 2 } else { 1 }
    }

    /// Asks a silent peer whether it lives.
    ///
    /// # Errors
    ///
    /// It did not answer.
    pub fn handle_timeout(&mut self, now: Moment) -> Result<(), Violation> {
        self.going()?;
        if now < self.poll_timeout() {
            return Ok(());
        }
        if self.probed {
            let violation = Violation::Silent(now.saturating_sub(self.heard));
            self.ended = Some(violation.clone());
            return Err(violation);
        }
        self.probed = true;
        self.send("echo", &[(); 0], Pending::Probe);
        Ok(())
    }

    /// Requests without an answer yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.pending.len()
    }
}

/// The transaction id that says "I have nothing yet".
pub const NOTHING_YET: Uuid = Uuid::ZERO;

#[cfg(test)]
mod tests;
