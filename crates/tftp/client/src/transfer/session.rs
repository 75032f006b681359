//! What downloads and uploads share: the request, who answers, silence, errors.

mod outcome;
mod patience;
mod role;

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use purlin_tftp_proto::{Composer, ErrorCode, Options, Packet, Terms, Wishes};

use super::OnProgress;
use super::error::TransferError;
use super::options::{REQUEST_MAX, TransferOptions};
use super::report::{TransferProgress, TransferReport};
use super::rtt::RoundTrips;
use super::wire::{Inbox, Outbox};
pub(crate) use outcome::printable;
pub(super) use role::{Counts, Role, Stop, Turn};

const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// One transfer from its request to its end.
#[derive(Debug)]
pub(super) struct Session<'a> {
    options: &'a TransferOptions,
    name: &'a str,
    out: Outbox,
    counts: Counts,
    wishes: Wishes,
    terms: Option<Terms>,
    /// The server has answered: its port is settled.
    settled: bool,
    stranger: Option<SocketAddr>,
    began: Instant,
    first_answer: Option<Duration>,
    first_block: Option<Duration>,
    /// Sendings without an answer, and when the next is due.
    silent: u8,
    due: Instant,
    heard: Instant,
    trips: RoundTrips,
    /// What was said last has been said twice.
    repeated: bool,
}

impl<'a> Session<'a> {
    pub(super) fn open(options: &'a TransferOptions, name: &'a str) -> Result<Self, TransferError> {
        options.check(name)?;
        let server = options.server;
        let out =
            Outbox::open(server, options.local).map_err(|source| TransferError::Socket { server, source })?;
        let now = Instant::now();
        Ok(Self {
            options,
            name,
            out,
            counts: Counts::default(),
            wishes: Wishes::default(),
            terms: None,
            settled: false,
            stranger: None,
            began: now,
            first_answer: None,
            first_block: None,
            silent: 0,
            due: now,
            heard: now,
            trips: RoundTrips::default(),
            repeated: false,
        })
    }

    pub(super) fn run<R: Role>(
        &mut self,
        role: &mut R,
        progress: &mut OnProgress<'_>,
    ) -> Result<TransferReport, TransferError> {
        let upload = if R::WRITES { role.size() } else { None };
        self.wishes = self.options.wishes(upload);
        if R::WRITES && upload.is_none() {
            self.wishes.tsize = None;
        }
        let mut inbox = Inbox::new();
        self.began = Instant::now();
        self.request::<R>()?;
        let mut tell_at = self.began + PROGRESS_EVERY;
        let ended = loop {
            let received = inbox
                .wait(&self.out, self.due.min(tell_at))
                .map_err(|error| self.stopped(Stop::Sending(error)))?;
            if self.take_all(role, &inbox, received)? == Turn::Done {
                break Instant::now();
            }
            let now = Instant::now();
            if now >= tell_at {
                tell_at = now + PROGRESS_EVERY;
                self.tell(role, progress)?;
            }
            if now >= self.due {
                self.silence(role, now)?;
            }
        };
        let report = self.report(role, ended - self.began);
        self.dally(role, &mut inbox, ended);
        let whole = self.progress(role);
        let _ = progress(&whole);
        self.check_size(&report)?;
        Ok(report)
    }

    /// Answers the repeated last block for a while: its ACK may have been lost (RFC 1350, section 6).
    fn dally<R: Role>(&mut self, role: &mut R, inbox: &mut Inbox, ended: Instant) {
        let until = ended + self.options.dally;
        while !R::WRITES && Instant::now() < until {
            let received = inbox.wait(&self.out, until).unwrap_or(0);
            // Whatever comes now, the file is whole.
            let _ = self.take_all(role, inbox, received);
        }
    }

    fn take_all<R: Role>(
        &mut self,
        role: &mut R,
        inbox: &Inbox,
        received: usize,
    ) -> Result<Turn, TransferError> {
        for index in 0..received {
            let message = inbox.get(index);
            for datagram in message.datagrams() {
                if !self.is_server(message.source) {
                    continue;
                }
                if self.take(role, datagram)? == Turn::Done {
                    return Ok(Turn::Done);
                }
            }
        }
        Ok(Turn::Nothing)
    }

    /// The first answer settles the server's port. Others are told that they have no transfer here, which must not
    /// disturb the one going on (RFC 1350, section 4).
    fn is_server(&mut self, source: SocketAddr) -> bool {
        if self.settled {
            if source == self.out.peer {
                return true;
            }
        } else if source.ip() == self.options.server.ip() {
            self.out.peer = source;
            self.settled = true;
            return true;
        }
        self.counts.strangers += 1;
        self.stranger = Some(source);
        self.out
            .error(ErrorCode::UnknownTransfer, "unknown transfer ID", source);
        false
    }

    fn take<R: Role>(&mut self, role: &mut R, datagram: &[u8]) -> Result<Turn, TransferError> {
        // What is no packet was damaged on its way: the timers bring it again.
        let Ok(packet) = Packet::parse(datagram) else {
            self.counts.malformed += 1;
            return Ok(Turn::Nothing);
        };
        let now = Instant::now();
        self.first_answer.get_or_insert(now - self.began);
        // Taken before anything is said in answer.
        let spoke = self.out.take_spoke();
        let turn = match packet {
            Packet::Error { code, text } => return Err(self.refused(role, code, text)),
            Packet::OptionAck(options) => {
                let fresh = self.terms.is_none();
                let terms = self.terms(options)?;
                role.agreed(&terms, &self.out, &mut self.counts)
                    .map(|()| if fresh { Turn::Progress } else { Turn::Nothing })
            }
            Packet::Data { block, payload } => role.data(block, payload, &self.out, &mut self.counts),
            Packet::Ack { block } => role.ack(block, &self.out, &mut self.counts),
            Packet::Read(_) | Packet::Write(_) => Err(Stop::protocol(
                ErrorCode::Illegal,
                "a request came where an answer was due".to_owned(),
            )),
        };
        let turn = turn.map_err(|stop| self.stopped(stop))?;
        if role.blocks() > 0 {
            self.first_block.get_or_insert(now - self.began);
        }
        if turn == Turn::Nothing {
            self.out.keep_spoke(spoke);
        } else {
            self.progress_made(now, spoke);
        }
        Ok(turn)
    }

    fn terms(&mut self, options: Options<'_>) -> Result<Terms, TransferError> {
        if let Some(terms) = self.terms {
            return Ok(terms);
        }
        let agreed = Wishes::of(options).and_then(|answer| self.wishes.agree(&answer));
        let terms = agreed.map_err(|fault| {
            let what = format!("its OACK answers option {} with what was not asked for", fault.0);
            self.protocol(ErrorCode::Option, what)
        })?;
        self.terms = Some(terms);
        Ok(terms)
    }

    fn request<R: Role>(&mut self) -> Result<(), TransferError> {
        let mut buffer = [0; REQUEST_MAX];
        let (name, mode) = (self.name.as_bytes(), self.options.mode);
        let mut composer = if R::WRITES {
            Composer::write(&mut buffer, name, mode)
        } else {
            Composer::read(&mut buffer, name, mode)
        };
        for (option, value) in self.wishes.values() {
            composer = composer.option(option, value);
        }
        let length = composer
            .finish()
            .expect("checked: the name leaves room for every option");
        self.counts.requests += 1;
        self.repeated = self.counts.requests > 1;
        self.silent += 1;
        self.due = Instant::now() + self.wait();
        let server = self.options.server;
        self.out
            .send(&buffer[..length])
            .map_err(|source| TransferError::Send { server, source })
    }

    fn tell<R: Role>(&self, role: &R, progress: &mut OnProgress<'_>) -> Result<(), TransferError> {
        let octets = role.octets();
        if progress(&self.progress(role)) == ControlFlow::Break(()) {
            self.out
                .error(ErrorCode::Undefined, "stopped by the user", self.out.peer);
            return Err(TransferError::Stopped { octets });
        }
        match self.options.limit {
            Some(limit) if self.began.elapsed() >= limit => {
                self.out
                    .error(ErrorCode::Undefined, "took too long", self.out.peer);
                Err(TransferError::Limit { limit, octets })
            }
            _ => Ok(()),
        }
    }

    fn progress<R: Role>(&self, role: &R) -> TransferProgress {
        TransferProgress {
            octets: role.octets(),
            total: role.size().or(self.terms.and_then(|terms| terms.tsize)),
        }
    }
}
