//! The way in: what is no request, loops, floods or belongs nowhere is told apart before anything is looked up.

use super::Engine;
use super::identify::Found;
use super::probe::Probed;
use super::turn::Turn;
use crate::malformed;
use crate::network::Client;
use crate::plan::Plan;
use crate::reasons;
use crate::relay::RelayPieces;
use crate::step::{Arrival, Log, Reply, Verdict};
use purlin_dhcp_proto::message::RelayAgent;
use purlin_dhcp_proto::{Message, MessageType, ParseError};
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::{Now, Tenure};
use std::net::Ipv4Addr;

/// RFC 1542, section 4.1.1: relays drop above this; so do we.
const HOPS_MAX: u8 = 16;

/// Why a packet gets no turn, with a number that says more.
struct Stop(Outcome, ReasonCode, u32);

/// What one decision is given from outside, and where its outcome goes.
pub(super) struct Call<'c, 'p> {
    pub(super) now: &'c Now,
    pub(super) tenure: &'c Tenure,
    pub(super) log: Log,
    pub(super) arrival: &'c Arrival<'p>,
    /// What a probe has just found of the address it was sent for.
    pub(super) probed: Option<Probed>,
    pub(super) reply: &'c mut Reply,
    pub(super) records: &'c mut Vec<u8>,
}

/// A request as it was read.
struct Request<'r, 'p> {
    message: &'r Message<'p>,
    relay: Option<RelayAgent<'r>>,
}

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
        let probed = None;
        self.decide(Call {
            now,
            tenure,
            log,
            arrival,
            probed,
            reply,
            records,
        })
    }

    pub(super) fn decide(&mut self, call: Call<'_, '_>) -> Verdict {
        let mut decision = Decision {
            at: call.now.wall,
            ..Decision::default()
        };
        let verdict = match Message::parse(call.arrival.payload) {
            Ok(message) => {
                let pieces = RelayPieces::of(&message);
                let request = Request {
                    message: &message,
                    relay: pieces.agent(&message),
                };
                self.admit(call, &request, &mut decision)
            }
            Err(error) => {
                self.counters.received[0] += u64::from(call.probed.is_none());
                refuse(&error, call.arrival, &mut decision);
                Verdict::Silent
            }
        };
        self.counters.count(decision.reason);
        self.ring.push(decision);
        verdict
    }

    fn admit(&mut self, call: Call<'_, '_>, request: &Request<'_, '_>, decision: &mut Decision) -> Verdict {
        let (message, arrival) = (request.message, call.arrival);
        decision.event = message.message_type().map_or(0, MessageType::octet);
        decision.xid = message.xid();
        decision.mac = mac_of(message);
        decision.with.via = via(request, arrival).into();
        if call.probed.is_none() {
            self.counters.received[usize::from(decision.event)] += 1;
        }
        let plan = std::sync::Arc::clone(&self.plan);
        let admitted = self.check(&call, request).and_then(|(network, subnet)| {
            decision.scope = subnet;
            let found = self.known_as(&plan, network, &call, request, decision)?;
            Ok((network, subnet, found))
        });
        match admitted {
            Ok((network, subnet, found)) => {
                self.turn(&plan, call, request, (network, subnet), found, decision)
            }
            Err(Stop(outcome, reason, a)) => {
                (decision.outcome, decision.reason, decision.with.a) = (outcome, reason, a);
                Verdict::Silent
            }
        }
    }

    /// Who the client is, and whether it is heard at all.
    fn known_as<'a>(
        &mut self,
        plan: &Plan,
        network: u16,
        call: &Call<'_, 'a>,
        request: &Request<'_, 'a>,
        decision: &mut Decision,
    ) -> Result<Found<'a>, Stop> {
        let (message, relay) = (request.message, request.relay.as_ref());
        let found = self
            .identify(plan, network, message, relay, call.arrival)
            .ok_or(Stop(Outcome::Dropped, reasons::NO_IDENTITY, 0))?;
        decision.key = found.key;
        // What another node forwards has been counted there.
        let counted_there = call.arrival.attempt != 0;
        if !counted_there && !self.client_limit.admit(found.key, call.now.boot) && call.probed.is_none() {
            let rate = self.client_limit.rate();
            return Err(Stop(Outcome::Silent, reasons::RATE_LIMITED_CLIENT, rate));
        }
        if found.drop {
            return Err(Stop(Outcome::Silent, reasons::CLASS_DROP, 0));
        }
        Ok(found)
    }

    fn turn(
        &mut self,
        plan: &Plan,
        call: Call<'_, '_>,
        request: &Request<'_, '_>,
        (network, subnet): (u16, u16),
        found: Found<'_>,
        decision: &mut Decision,
    ) -> Verdict {
        let Call {
            now,
            log,
            arrival,
            probed,
            reply,
            records,
            ..
        } = call;
        let (message, relay) = (request.message, request.relay);
        let overridden = relay.and_then(|r| r.server_id_override());
        let server_id = overridden.or(plan.settings().server_id).unwrap_or(arrival.local);
        let Some(state) = self.networks[usize::from(network)].as_mut() else {
            return Verdict::Silent;
        };
        state.frozen = log.copy.is_some_and(|copy| !copy.follows);
        let mut turn = Turn {
            plan,
            network: state,
            share: self.share.as_deref_mut(),
            subnet,
            now: *now,
            log,
            message,
            relay,
            arrival,
            client: Client {
                who: found.who,
                key: found.key,
                classes: found.classes,
                reservation: found.reservation,
                pinned: found.pinned,
            },
            server_id,
            reply,
            records,
            templates: &mut self.templates,
            declines: &mut self.declines,
            boots: &mut self.boots,
            decision,
            written: 0,
            probed,
            to_probe: None,
        };
        let verdict = turn.run();
        let (to_probe, written) = (turn.to_probe, turn.written);
        let (detail, left_out) = (turn.decision.detail, turn.decision.left_out);
        self.counters.records += written;
        if left_out.count > 0 {
            self.counters.count(reasons::REPLY_TOO_BIG);
        }
        if matches!(
            verdict,
            Verdict::Reply | Verdict::WriteThenReply | Verdict::CommitThenReply
        ) {
            self.counters.sent[usize::from(detail)] += 1;
        }
        match to_probe {
            Some(chosen) => self.start_probe(now, arrival, chosen, decision),
            None => verdict,
        }
    }

    /// Where the request belongs, or why it goes no further.
    fn check(&mut self, call: &Call<'_, '_>, request: &Request<'_, '_>) -> Result<(u16, u16), Stop> {
        let message = request.message;
        if message.op() != purlin_dhcp_proto::message::BOOTREQUEST {
            return Err(Stop(Outcome::Dropped, reasons::NOT_A_REQUEST, 0));
        }
        if message.hops() > HOPS_MAX {
            let hops = u32::from(message.hops());
            return Err(Stop(Outcome::Dropped, reasons::TOO_MANY_HOPS, hops));
        }
        let tenured = call.tenure.holds(call.now.boot);
        if let Some(share) = &mut self.share {
            share.set_tenured(tenured);
        } else if !tenured {
            return Err(Stop(Outcome::Silent, reasons::TENURE_ENDED, 0));
        }
        let relayed = !message.giaddr().is_unspecified();
        if relayed && !self.plan.can_relay(message.giaddr(), call.arrival) {
            let giaddr = message.giaddr().into();
            return Err(Stop(Outcome::Dropped, reasons::BAD_RELAY, giaddr));
        }
        let relay_key = u64::from(u32::from(message.giaddr())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let counted = call.probed.is_none() && call.arrival.attempt == 0;
        if relayed && counted && !self.relay_limit.admit(relay_key, call.now.boot) {
            let rate = self.relay_limit.rate();
            return Err(Stop(Outcome::Silent, reasons::RATE_LIMITED_RELAY, rate));
        }
        let Some(subnet) = self.plan.select(message, request.relay.as_ref(), call.arrival) else {
            let reason = if relayed {
                reasons::NO_SUBNET_FOR_RELAY
            } else {
                reasons::NO_SUBNET_FOR_LINK
            };
            return Err(Stop(Outcome::Silent, reason, 0));
        };
        if relayed && !self.plan.knows_relay(message.giaddr(), call.arrival) {
            let giaddr = message.giaddr().into();
            return Err(Stop(Outcome::Dropped, reasons::BAD_RELAY, giaddr));
        }
        Ok((self.plan.subnets[usize::from(subnet)].network, subnet))
    }
}

/// The address that decided where the request belongs, for people.
fn via(request: &Request<'_, '_>, arrival: &Arrival<'_>) -> Ipv4Addr {
    let message = request.message;
    let link = request
        .relay
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

/// Drops what is no message, under the name of whoever seems to have sent it, so that it is found by its address.
fn refuse(error: &ParseError, arrival: &Arrival<'_>, decision: &mut Decision) {
    (decision.outcome, decision.reason) = (Outcome::Dropped, reasons::MALFORMED);
    (decision.with.a, decision.with.b) = malformed::parameters(error);
    decision.with.via = arrival.local.into();
    let Some((xid, giaddr, mac)) = malformed::sender(arrival.payload) else {
        return;
    };
    (decision.xid, decision.mac) = (xid, mac);
    if giaddr != [0; 4] {
        decision.with.via = u32::from_be_bytes(giaddr);
    }
}
