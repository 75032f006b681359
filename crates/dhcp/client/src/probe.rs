//! One real exchange with a server: what was sent, what came back, how long each step took, and what it means.

mod explain;
mod report;
mod request;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use purlin_types::{ClientId, Mac};

use crate::line::{Line, LineError, some_xid};
use crate::message::{Answer, Kind};
pub use report::{ProbeLease, ProbeOption, ProbeProxy, ProbeReport, ProbeStep, ProbeVerdict, StepKind};
use request::Message;

/// The hardware address a probe has unless told otherwise: locally administered, then "PROBE".
pub const PROBE_MAC: Mac = Mac([0x02, b'P', b'R', b'O', b'B', b'E']);

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeVia {
    /// By unicast, as a relay would. Needs no privilege unless a low port is bound. Servers on port 67 answer to
    /// `giaddr:67`, so against them `bind` must be that; others answer to the source port.
    Relay {
        server: SocketAddrV4,
        giaddr: Ipv4Addr,
        bind: SocketAddrV4,
    },
    /// By broadcast on an interface, as a client would. Needs root or CAP_NET_RAW.
    Interface(String),
}

/// A probe to make. Everything optional is left out of the messages when `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub via: ProbeVia,
    pub mac: Mac,
    /// Option 61.
    pub client_id: Option<ClientId>,
    /// Option 12.
    pub host_name: Option<String>,
    /// Option 60.
    pub vendor_class: Option<String>,
    /// Option 77, one class (RFC 3004), or as iPXE sends it: the bare text.
    pub user_class: Option<String>,
    /// Option 93 (RFC 4578, section 2.1).
    pub architecture: Option<u16>,
    /// Option 82, sub-option 1.
    pub circuit_id: Option<Vec<u8>>,
    /// Option 82, sub-option 2.
    pub remote_id: Option<Vec<u8>>,
    /// Address to ask for in the DISCOVER (option 50).
    pub requested: Option<Ipv4Addr>,
    /// Options to ask for beyond the usual ones (option 55).
    pub parameters: Vec<u8>,
    /// Any further options, as code and octets.
    pub options: Vec<(u8, Vec<u8>)>,
    /// Ask for the two-message exchange (option 80, RFC 4039).
    pub rapid_commit: bool,
    /// Give the lease back at the end.
    pub release: bool,
    /// Wait for the first answer; doubles with each of `attempts`.
    pub timeout: Duration,
    /// How often each message is sent at most. At least 1.
    pub attempts: u8,
}

impl Probe {
    /// A plain client: 1 s, then 2 s, then 4 s for each answer.
    pub fn new(via: ProbeVia) -> Self {
        Self {
            via,
            mac: PROBE_MAC,
            client_id: None,
            host_name: None,
            vendor_class: None,
            user_class: None,
            architecture: None,
            circuit_id: None,
            remote_id: None,
            requested: None,
            parameters: Vec::new(),
            options: Vec::new(),
            rapid_commit: false,
            release: false,
            timeout: Duration::from_secs(1),
            attempts: 3,
        }
    }
}

/// Why a probe could not even be sent. A server that stays silent or refuses is no error but a report.
pub type ProbeError = LineError;

/// Does one DORA (two messages with rapid commit) and, if asked, the RELEASE.
///
/// # Errors
/// When this side cannot send: no such interface, address or permission.
pub fn probe(probe: &Probe) -> Result<ProbeReport, ProbeError> {
    let line = match &probe.via {
        ProbeVia::Relay { server, bind, .. } => Line::relay(*server, *bind)?,
        ProbeVia::Interface(name) => Line::segment(name)?,
    };
    let mut exchange = Exchange {
        probe,
        line,
        xid: some_xid(),
        began: Instant::now(),
        steps: Vec::new(),
        proxies: Vec::new(),
    };
    let end = exchange.dora()?;
    if let (End::Bound(_, answer), true) = (&end, probe.release) {
        exchange.release(answer)?;
    }
    Ok(exchange.report(&end))
}

/// How the exchange ended.
#[derive(Debug)]
pub(crate) enum End {
    NoOffer,
    NoAck,
    Refused(Vec<u8>),
    Bound(Vec<u8>, Answer),
}

struct Exchange<'a> {
    probe: &'a Probe,
    line: Line,
    xid: u32,
    began: Instant,
    steps: Vec<ProbeStep>,
    proxies: Vec<ProbeProxy>,
}

impl Exchange<'_> {
    fn dora(&mut self) -> Result<End, LineError> {
        let discover = Message::Discover.compose(self.probe, self.xid, self.line.is_segment());
        let awaited = [Kind::Offer, Kind::Ack];
        let Some((datagram, answer)) = self.ask(StepKind::Discover, &discover, &awaited)? else {
            return Ok(End::NoOffer);
        };
        if answer.kind == Kind::Ack {
            return Ok(End::Bound(datagram, answer));
        }
        let request = Message::Request {
            address: answer.yiaddr.into(),
            server_id: answer.server_id.into(),
        };
        let request = request.compose(self.probe, self.xid, self.line.is_segment());
        match self.ask(StepKind::Request, &request, &[Kind::Ack, Kind::Nak])? {
            None => Ok(End::NoAck),
            Some((datagram, answer)) if answer.kind == Kind::Nak => Ok(End::Refused(datagram)),
            Some((datagram, answer)) => Ok(End::Bound(datagram, answer)),
        }
    }

    /// Sends a message until an awaited answer comes or the attempts are used up. What a proxy says is noted, and the
    /// wait goes on: it gives no addresses.
    fn ask(
        &mut self,
        kind: StepKind,
        message: &[u8],
        awaited: &[Kind],
    ) -> Result<Option<(Vec<u8>, Answer)>, LineError> {
        let first = Instant::now();
        for attempt in 0..u32::from(self.probe.attempts.max(1)) {
            let sent = Instant::now();
            self.line.send(
                message,
                self.probe.mac,
                Ipv4Addr::UNSPECIFIED,
                Ipv4Addr::BROADCAST,
            )?;
            self.note(ProbeStep::sent(kind, sent - self.began, message.len()));
            let deadline = sent + self.probe.timeout * (1 << attempt.min(6));
            while let Some((datagram, source)) = self.line.receive(deadline)? {
                let Some(answer) = Answer::read(&datagram) else {
                    continue;
                };
                if answer.xid != self.xid || answer.mac != self.probe.mac {
                    continue;
                }
                let now = Instant::now();
                self.note(ProbeStep::received(
                    &answer,
                    now - self.began,
                    now - first,
                    source,
                    datagram.len(),
                ));
                if ProbeProxy::is_meant(&answer) {
                    self.note_proxy(ProbeProxy::read(&datagram, &answer, source));
                    continue;
                }
                if awaited.contains(&answer.kind) {
                    return Ok(Some((datagram, answer)));
                }
            }
        }
        let now = Instant::now();
        self.note(ProbeStep::silence(now - self.began, now - first));
        Ok(None)
    }

    fn release(&mut self, lease: &Answer) -> Result<(), LineError> {
        let (address, server_id) = (lease.yiaddr.into(), lease.server_id.into());
        let message =
            Message::Release { address, server_id }.compose(self.probe, self.xid, self.line.is_segment());
        self.line.send(&message, self.probe.mac, address, server_id)?;
        self.note(ProbeStep::sent(
            StepKind::Release,
            self.began.elapsed(),
            message.len(),
        ));
        Ok(())
    }

    fn note(&mut self, step: ProbeStep) {
        self.steps.push(step);
    }

    /// Each is noted once, however often it answers.
    fn note_proxy(&mut self, proxy: ProbeProxy) {
        let known = |told: &ProbeProxy| (told.server_id, told.from) == (proxy.server_id, proxy.from);
        if !self.proxies.iter().any(known) {
            self.proxies.push(proxy);
        }
    }

    fn report(self, end: &End) -> ProbeReport {
        let lease = match end {
            End::Bound(datagram, answer) => Some(ProbeLease::read(datagram, answer)),
            _ => None,
        };
        let (verdict, explanation) = explain::verdict(end, &self.steps, &self.proxies);
        ProbeReport {
            mac: self.probe.mac.to_string(),
            verdict,
            explanation,
            hints: explain::hints(verdict, self.probe, self.line.local(), &self.proxies),
            elapsed_ms: self.began.elapsed().as_secs_f64() * 1e3,
            steps: self.steps,
            proxies: self.proxies,
            lease,
        }
    }
}
