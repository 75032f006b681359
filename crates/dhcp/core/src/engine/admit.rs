//! The way in: what is no request, loops, floods or belongs nowhere is told apart before anything is looked up.

use super::Engine;
use super::turn::Turn;
use crate::network::Client;
use crate::reasons;
use crate::step::{Arrival, Log, Reply, Verdict};
use purlin_dhcp_proto::{Message, MessageType, ParseError};
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::{Now, Tenure};
use std::net::Ipv4Addr;

/// RFC 1542, section 4.1.1: relays drop above this; so do we.
const HOPS_MAX: u8 = 16;

/// Why a packet gets no turn, with a number that says more.
struct Stop(Outcome, ReasonCode, u32);

impl Engine {
    /// Decides about one datagram. The reply, if any, is in `reply`; `records` grows by what must be written.
    pub fn step(
        &mut self,
        now: &Now,
        tenure: &Tenure,
        log: Log,
        arrival: &Arrival<'_>,
        reply: &mut Reply,
        records: &mut Vec<u8>,
    ) -> Verdict {
        self.step_with(now, tenure, log, arrival, None, reply, records)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the public step plus what a probe found"
    )]
    pub(super) fn step_with(
        &mut self,
        now: &Now,
        tenure: &Tenure,
        log: Log,
        arrival: &Arrival<'_>,
        probed: Option<u32>,
        reply: &mut Reply,
        records: &mut Vec<u8>,
    ) -> Verdict {
        let mut decision = Decision {
            at: now.wall,
            ..Decision::default()
        };
        let verdict = match Message::parse(arrival.payload) {
            Ok(message) => self.admit(
                now,
                tenure,
                log,
                arrival,
                &message,
                probed,
                reply,
                records,
                &mut decision,
            ),
            Err(error) => {
                self.counters.received[0] += u64::from(probed.is_none());
                (decision.with.a, decision.with.b) = fault(&error);
                decision.outcome = Outcome::Dropped;
                decision.reason = reasons::MALFORMED;
                Verdict::Silent
            }
        };
        self.counters.count(decision.reason);
        self.ring.push(decision);
        verdict
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one packet's whole world, taken apart once"
    )]
    fn admit(
        &mut self,
        now: &Now,
        tenure: &Tenure,
        log: Log,
        arrival: &Arrival<'_>,
        message: &Message<'_>,
        probed: Option<u32>,
        reply: &mut Reply,
        records: &mut Vec<u8>,
        decision: &mut Decision,
    ) -> Verdict {
        let kind = message.message_type();
        decision.event = kind.map_or(0, MessageType::octet);
        decision.xid = message.xid();
        decision.mac = mac_of(message);
        decision.with.via = via(message, arrival).into();
        if probed.is_none() {
            self.counters.received[usize::from(decision.event)] += 1;
        }
        let admitted = self.check(now, tenure, message, arrival, probed.is_some());
        let (network, subnet) = match admitted {
            Ok(place) => place,
            Err(Stop(outcome, reason, a)) => {
                (decision.outcome, decision.reason, decision.with.a) = (outcome, reason, a);
                return Verdict::Silent;
            }
        };
        decision.scope = subnet;
        let plan = std::sync::Arc::clone(&self.plan);
        let Some(found) = self.identify(&plan, network, message, arrival) else {
            (decision.outcome, decision.reason) = (Outcome::Dropped, reasons::NO_IDENTITY);
            return Verdict::Silent;
        };
        decision.key = found.key;
        if !self.client_limit.admit(found.key, now.boot) && probed.is_none() {
            decision.with.a = self.client_limit.rate();
            (decision.outcome, decision.reason) = (Outcome::Silent, reasons::RATE_LIMITED_CLIENT);
            return Verdict::Silent;
        }
        if found.drop {
            (decision.outcome, decision.reason) = (Outcome::Silent, reasons::CLASS_DROP);
            return Verdict::Silent;
        }
        let relay = message.relay_agent();
        let overridden = relay.and_then(|r| r.server_id_override());
        let server_id = overridden.or(plan.settings().server_id).unwrap_or(arrival.local);
        let Some(state) = self.networks[usize::from(network)].as_mut() else {
            return Verdict::Silent;
        };
        let mut turn = Turn {
            plan: &plan,
            network: state,
            subnet,
            now: *now,
            log,
            message,
            arrival,
            client: Client {
                who: found.who,
                key: found.key,
                classes: found.classes,
                reservation: found.reservation,
            },
            server_id,
            reply,
            records,
            templates: &mut self.templates,
            decision,
            written: 0,
            short: false,
            probed,
            to_probe: None,
        };
        let verdict = turn.run(kind);
        let (to_probe, written, short, detail) =
            (turn.to_probe, turn.written, turn.short, turn.decision.detail);
        self.counters.records += written;
        if short {
            self.counters.count(reasons::REPLY_TOO_BIG);
        }
        if matches!(
            verdict,
            Verdict::Reply | Verdict::WriteThenReply | Verdict::CommitThenReply
        ) {
            self.counters.sent[usize::from(detail)] += 1;
        }
        match to_probe {
            Some(address) => self.start_probe(now, arrival, address, decision),
            None => verdict,
        }
    }

    /// Where the request belongs, or why it goes no further.
    fn check(
        &mut self,
        now: &Now,
        tenure: &Tenure,
        message: &Message<'_>,
        arrival: &Arrival<'_>,
        probed: bool,
    ) -> Result<(u16, u16), Stop> {
        if message.op() != purlin_dhcp_proto::message::BOOTREQUEST {
            return Err(Stop(Outcome::Dropped, reasons::NOT_A_REQUEST, 0));
        }
        if message.hops() > HOPS_MAX {
            return Err(Stop(
                Outcome::Dropped,
                reasons::TOO_MANY_HOPS,
                u32::from(message.hops()),
            ));
        }
        if !tenure.holds(now.boot) {
            return Err(Stop(Outcome::Silent, reasons::TENURE_ENDED, 0));
        }
        let giaddr = u32::from(message.giaddr());
        let relay_key = u64::from(giaddr).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if giaddr != 0 && !probed && !self.relay_limit.admit(relay_key, now.boot) {
            return Err(Stop(
                Outcome::Silent,
                reasons::RATE_LIMITED_RELAY,
                self.relay_limit.rate(),
            ));
        }
        let Some(subnet) = self.plan.select(message, arrival) else {
            let reason = if giaddr == 0 {
                reasons::NO_SUBNET_FOR_LINK
            } else {
                reasons::NO_SUBNET_FOR_RELAY
            };
            return Err(Stop(Outcome::Silent, reason, 0));
        };
        Ok((self.plan.subnets[usize::from(subnet)].network, subnet))
    }
}

impl Turn<'_, '_> {
    fn run(&mut self, kind: Option<MessageType>) -> Verdict {
        match kind {
            Some(MessageType::Discover) => self.discover(),
            Some(MessageType::Request) => self.request(),
            Some(MessageType::Release) => self.release(),
            Some(MessageType::Decline) => self.decline(),
            Some(MessageType::Inform) => self.inform(),
            Some(other) => {
                self.decision.with.a = u32::from(other.octet());
                self.silent(reasons::UNSUPPORTED_TYPE, 0)
            }
            None => self.bootp(),
        }
    }
}

/// The address that decided where the request belongs, for people.
fn via(message: &Message<'_>, arrival: &Arrival<'_>) -> Ipv4Addr {
    let relay = message.relay_agent();
    let link = relay
        .and_then(|r| r.link_selection())
        .or_else(|| message.subnet_selection());
    link.unwrap_or(if message.giaddr().is_unspecified() {
        arrival.local
    } else {
        message.giaddr()
    })
}

fn mac_of(message: &Message<'_>) -> [u8; 6] {
    let mut mac = [0; 6];
    let hardware = message.chaddr();
    let n = hardware.len().min(6);
    mac[..n].copy_from_slice(&hardware[..n]);
    mac
}

/// Code and place of a parse error, as a reason's parameters.
fn fault(error: &ParseError) -> (u32, u32) {
    match *error {
        ParseError::TooShort { len } | ParseError::TooLong { len } => (0, len as u32),
        ParseError::Op(op) => (u32::from(op), 0),
        ParseError::HardwareLength(len) => (u32::from(len), 2),
        ParseError::TruncatedOption { code, at, .. } => (u32::from(code), u32::from(at)),
        ParseError::TooManyOptions { at } => (0, u32::from(at)),
        ParseError::Overload { value } => (52, u32::from(value)),
    }
}
