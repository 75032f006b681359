//! One packet's turn: everything that deciding about it may look at or change.

use super::probe::Probed;
use crate::boot::Memory;
use crate::limit::Declines;
use crate::malformed;
use crate::network::{Client, Network};
use crate::plan::Plan;
use crate::reasons;
use crate::share::Share;
use crate::step::{Arrival, Log, Reply, Verdict};
use crate::template::Templates;
use crate::view::LeaseState;
use purlin_dhcp_proto::message::{OptionRef, RelayAgent};
use purlin_dhcp_proto::{Message, MessageType, code};
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::Now;
use std::net::Ipv4Addr;

pub(super) struct Turn<'t, 'p> {
    pub(super) plan: &'t Plan,
    pub(super) network: &'t mut Network,
    /// The slots that are held, when the addresses are shared with other nodes.
    pub(super) share: Option<&'t mut Share>,
    /// The subnet that the request's link selected.
    pub(super) subnet: u16,
    pub(super) now: Now,
    pub(super) log: Log,
    pub(super) message: &'t Message<'p>,
    /// Option 82, also when it came in pieces.
    pub(super) relay: Option<RelayAgent<'t>>,
    pub(super) arrival: &'t Arrival<'p>,
    pub(super) client: Client<'t>,
    /// What option 54 will say (RFC 5107 lets a relay decide it).
    pub(super) server_id: Ipv4Addr,
    pub(super) reply: &'t mut Reply,
    pub(super) records: &'t mut Vec<u8>,
    pub(super) templates: &'t mut Templates,
    pub(super) declines: &'t mut Declines,
    pub(super) boots: &'t mut Memory,
    pub(super) decision: &'t mut Decision,
    /// Records appended in this turn.
    pub(super) written: u64,
    /// What a probe has just found.
    pub(super) probed: Option<Probed>,
    /// An address that should be probed first, and why it was chosen; set by `discover`, read by the engine.
    pub(super) to_probe: Option<(u32, ReasonCode)>,
}

impl Turn<'_, '_> {
    /// Does what the kind of message asks for.
    pub(super) fn run(&mut self) -> Verdict {
        if self.is_beside() {
            return self.elsewhere_by_client().unwrap_or_else(|| self.beside());
        }
        match self.message.message_type() {
            Some(MessageType::Discover) => self.discover(),
            Some(MessageType::Request) => self.request(),
            Some(MessageType::Release) => self.release(),
            Some(MessageType::Decline) => self.decline(),
            Some(MessageType::Inform) => self.inform(),
            Some(other) => {
                self.decision.with.a = u32::from(other.octet());
                self.silent(reasons::UNSUPPORTED_TYPE, 0)
            }
            None if self.message.is_bootp() => self.bootp(),
            None => self.untyped(),
        }
    }

    /// The message type is none that is known, or no octet at all.
    fn untyped(&mut self) -> Verdict {
        let option = self.message.option(code::MESSAGE_TYPE);
        match option.as_ref().and_then(OptionRef::whole) {
            Some(&[octet]) => {
                self.decision.with.a = octet.into();
                self.silent(reasons::UNSUPPORTED_TYPE, 0)
            }
            _ => {
                let len = option.map_or(0, |option| option.len());
                (self.decision.with.a, self.decision.with.b) = malformed::type_length(len);
                self.note(Outcome::Dropped, reasons::MALFORMED, 0);
                Verdict::Silent
            }
        }
    }

    pub(super) fn secs(&self) -> u32 {
        self.now.wall.secs()
    }

    /// Notes how the turn ended.
    pub(super) fn note(&mut self, outcome: Outcome, reason: ReasonCode, address: u32) {
        self.decision.outcome = outcome;
        self.decision.reason = reason;
        self.decision.with.address = address;
    }

    pub(super) fn silent(&mut self, reason: ReasonCode, address: u32) -> Verdict {
        self.note(Outcome::Silent, reason, address);
        Verdict::Silent
    }

    /// A refusal. A server that is not the authority refuses only who turned to it or whose lease it knows; to
    /// others it stays silent, as another server may know them (RFC 2131, 4.3.2).
    pub(super) fn nak(&mut self, reason: ReasonCode, address: u32) -> Verdict {
        let concerned =
            self.plan.settings().authoritative || self.message.server_id().is_some() || self.holds_a_lease();
        if !concerned {
            return self.silent(reasons::UNKNOWN_CLIENT, address);
        }
        self.note(Outcome::Refused, reason, address);
        self.compose_nak(reason);
        Verdict::Reply
    }

    fn holds_a_lease(&self) -> bool {
        let table = &self.network.table;
        let slot = table.find(self.client.key, &self.client.who);
        slot.is_some_and(|s| table.lease(s).state == LeaseState::Bound)
    }

    /// Whether nothing can be promised now, noted with the reason.
    pub(super) fn unwritable(&mut self, address: u32) -> Option<Verdict> {
        (!self.log.writable).then(|| self.silent(reasons::STORE_UNWRITABLE, address))
    }

    /// The server that the client speaks to, when it is not us.
    pub(super) fn other_server(&self) -> Option<Ipv4Addr> {
        let named = self.message.server_id()?;
        let settings = self.plan.settings();
        let ours = named == self.server_id
            || named == self.arrival.local
            || settings.server_id == Some(named)
            || settings.listen.iter().any(|l| *l.ip() == named);
        (!ours).then_some(named)
    }

    pub(super) fn answered(&mut self, kind: MessageType, reason: ReasonCode, address: u32) {
        self.decision.detail = kind.octet();
        self.note(Outcome::Answered, reason, address);
    }
}
