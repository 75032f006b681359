//! Composing OFFER, ACK and NAK, and where each goes (RFC 2131, sections 4.1 and 4.3, table 3).

use super::turn::Turn;
use crate::boot::{self, Firmware};
use crate::lease::FLAG_BOOTP;
use crate::plan::Plan;
use crate::reasons::reason;
use crate::step::{Destination, REPLY_MAX};
use crate::template::{Kind, Template};
use purlin_dhcp_proto::{Composer, Message, MessageType, code, compose};
use purlin_telemetry::ReasonCode;
use purlin_telemetry::decision::LeftOut;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;

impl Turn<'_, '_> {
    /// What a client of this kind is told about an address of this network.
    pub(super) fn terms(&mut self, address: u32) -> Arc<Template> {
        let subnet = self
            .plan
            .subnet_containing(self.network.index, address)
            .unwrap_or(self.subnet);
        let pool = self
            .network
            .pool_of(address)
            .filter(|p| p.subnet == subnet)
            .map_or(u16::MAX, |p| p.index);
        let mut kind = Kind {
            network: self.network.index,
            subnet,
            pool,
            reservation: self.client.reservation,
            classes: self.client.classes,
            firmware: Firmware::of(self.message),
            boot: None,
            server: Ipv4Addr::UNSPECIFIED,
        };
        if self.plan.boots {
            kind.boot = boot::choose(self.plan, &kind, self.message);
        }
        if kind.boot.is_some() {
            kind.server = self.own_address();
        }
        self.templates
            .get(self.plan, kind, self.message.parameter_requests())
    }

    /// Where this server itself is reached, whoever relays (RFC 5107 lets a relay stand for it in option 54 only).
    pub(super) fn own_address(&self) -> Ipv4Addr {
        self.plan.settings().server_id.unwrap_or(self.arrival.local)
    }

    /// The lease for this client: what it asked for within the bounds, else the default.
    pub(super) fn lease_secs(&self, terms: &Template) -> u32 {
        let (default, least, greatest) = terms.lease;
        self.message.lease_time().map_or(default, |wanted| {
            wanted.clamp(least.min(greatest), greatest.max(least))
        })
    }

    pub(super) fn compose_offer(&mut self, address: u32) {
        let terms = self.terms(address);
        let secs = self.lease_secs(&terms);
        self.compose(MessageType::Offer, address, Some(secs), &terms);
    }

    pub(super) fn compose_ack(&mut self, address: u32, secs: u32, terms: &Template) {
        self.compose(MessageType::Ack, address, Some(secs), terms);
    }

    pub(super) fn compose_inform(&mut self, terms: &Template) {
        self.compose(MessageType::Ack, 0, None, terms);
        self.reply.to = self.inform_destination();
    }

    fn compose(&mut self, kind: MessageType, address: u32, secs: Option<u32>, terms: &Template) {
        let message = self.message;
        self.decision.with.b = if terms.boots {
            terms.words
        } else {
            boot::none::remark(message)
        };
        if kind == MessageType::Ack {
            self.remember(address);
        }
        let limit = compose::payload_limit(message, REPLY_MAX);
        let mut out = Composer::reply(&mut self.reply.bytes, limit, message);
        out.yiaddr(address.into()).siaddr(terms.siaddr);
        if kind == MessageType::Ack {
            out.ciaddr(message.ciaddr());
        }
        out.echo_relay_agent_of(message);
        if informs_through_relay(message) {
            out.set_broadcast();
        }
        // What does not fit the header fields is in options 66 and 67 for clients that ask.
        let _ = (out.sname(&terms.sname), out.file(&terms.file));
        out.message_type(kind);
        out.option_ip(code::SERVER_ID, self.server_id);
        if let Some(secs) = secs {
            let (t1, t2) = timers(secs, terms);
            out.option_u32(code::LEASE_TIME, secs);
            out.option_u32(code::RENEWAL_TIME, t1);
            out.option_u32(code::REBINDING_TIME, t2);
        }
        echo(&mut out, message, self.plan);
        if message.rapid_commit()
            && kind == MessageType::Ack
            && message.message_type() == Some(MessageType::Discover)
        {
            out.option(code::RAPID_COMMIT, &[]);
        }
        if let Some(uuid) = message.whole(code::CLIENT_UUID) {
            out.option(code::CLIENT_UUID, uuid);
        }
        out.block(&terms.block);
        answer_fqdn(&mut out, message);
        let composed = out.finish();
        self.reply.len = composed.len;
        self.decision.left_out = LeftOut::of(composed.missed.iter());
        self.reply.from = self.server_id;
        self.reply.to = self.destination(address.into());
    }

    /// Keeps what a booting client says of itself, under the address that it has from now on.
    pub(super) fn remember(&mut self, address: u32) {
        let address = if address == 0 {
            self.message.ciaddr().into()
        } else {
            address
        };
        self.boots.note(address, self.message);
    }

    pub(super) fn compose_nak(&mut self, why: ReasonCode) {
        self.decision.detail = MessageType::Nak.octet();
        let message = self.message;
        let mut out = Composer::reply(&mut self.reply.bytes, compose::PAYLOAD_MIN, message);
        out.echo_relay_agent_of(message);
        // RFC 2131, 4.3.2: through a relay, a NAK must reach the client by broadcast.
        if !message.giaddr().is_unspecified() {
            out.set_broadcast();
        }
        out.message_type(MessageType::Nak);
        out.option_ip(code::SERVER_ID, self.server_id);
        echo(&mut out, message, self.plan);
        if let Some(reason) = reason(why) {
            out.option(code::MESSAGE, reason.render(self.decision.with).as_bytes());
        }
        self.reply.len = out.finish().len;
        self.reply.from = self.server_id;
        self.reply.to = self.nak_destination();
    }

    /// BOOTP knows no lease (RFC 1534, section 2) and 64 octets of vendor options, more when the client sent more
    /// (RFC 1542, section 2.1).
    pub(super) fn compose_bootp(&mut self, address: u32, terms: &Template) {
        debug_assert!(
            self.network
                .table
                .slot(address)
                .is_some_and(|s| self.network.table.lease(s).has(FLAG_BOOTP))
        );
        let message = self.message;
        self.decision.with.b = terms.words;
        let limit = self.arrival.payload.len().min(compose::PAYLOAD_MIN);
        let mut out = Composer::reply(&mut self.reply.bytes, limit, message);
        out.echo_relay_agent_of(message);
        out.without_overload().yiaddr(address.into()).siaddr(terms.siaddr);
        let _ = (out.sname(&terms.sname), out.file(&terms.file));
        if message.has_cookie() {
            out.block(&terms.block);
        }
        self.reply.len = out.finish().len;
        self.reply.from = self.server_id;
        self.reply.to = self.destination(address.into());
    }

    /// RFC 2131, section 4.1: relay, then the address the client has, then its hardware address or broadcast.
    fn destination(&self, address: Ipv4Addr) -> Destination {
        let message = self.message;
        if !message.giaddr().is_unspecified() {
            return Destination::Udp(self.relay_address());
        }
        // Outside of its network the address in ciaddr is somebody else's, who must not get replies for it.
        if self.plan.is_host_of(self.network.index, message.ciaddr()) {
            return Destination::Udp(self.client_address(message.ciaddr()));
        }
        let Some(interface) = self.arrival.interface else {
            return Destination::Udp(self.arrival.source);
        };
        match message.mac() {
            Some(mac) if !message.broadcast() && is_station(mac) => Destination::Raw {
                interface,
                mac: mac.0,
                address,
            },
            _ => Destination::Broadcast { interface },
        }
    }

    /// RFC 2131, 4.3.5: to ciaddr, past any relay. A client that left it empty is answered where it sent from.
    fn inform_destination(&self) -> Destination {
        let (message, source) = (self.message, *self.arrival.source.ip());
        if !message.ciaddr().is_unspecified() {
            return Destination::Udp(self.client_address(message.ciaddr()));
        }
        if !message.giaddr().is_unspecified() {
            return Destination::Udp(self.relay_address());
        }
        match self.arrival.interface {
            Some(interface) if source.is_unspecified() => Destination::Broadcast { interface },
            _ => Destination::Udp(self.client_address(source)),
        }
    }

    fn nak_destination(&self) -> Destination {
        if !self.message.giaddr().is_unspecified() {
            return Destination::Udp(self.relay_address());
        }
        match self.arrival.interface {
            Some(interface) => Destination::Broadcast { interface },
            None => Destination::Udp(self.arrival.source),
        }
    }

    /// The relay at the server port, or where it sent from: with RFC 8357, or when this server is not on port 67
    /// either (nobody could listen on 67 there).
    pub(super) fn relay_address(&self) -> SocketAddrV4 {
        let other_port = self.relay.is_some_and(|r| r.source_port());
        if self.arrival.port != SERVER_PORT {
            return self.arrival.source;
        }
        let port = if other_port {
            self.arrival.source.port()
        } else {
            SERVER_PORT
        };
        SocketAddrV4::new(self.message.giaddr(), port)
    }

    fn client_address(&self, ciaddr: Ipv4Addr) -> SocketAddrV4 {
        if self.arrival.port != SERVER_PORT {
            return self.arrival.source;
        }
        SocketAddrV4::new(ciaddr, CLIENT_PORT)
    }
}

/// What a reply owes the client whatever it asked for, and so comes before what may find no room: its identifier
/// (RFC 6842) and the subnet it selected (RFC 3011, section 2: without it the client must drop the reply).
pub(super) fn echo(out: &mut Composer<'_>, message: &Message<'_>, plan: &Plan) {
    if plan.settings().echo_client_id
        && let Some(id) = message.client_id()
    {
        out.option(code::CLIENT_ID, id);
    }
    if let Some(subnet) = message.whole(code::SUBNET_SELECTION) {
        out.option(code::SUBNET_SELECTION, subnet);
    }
}

/// An INFORM through a relay without ciaddr: the relay has no address to unicast to, so it is told to broadcast.
fn informs_through_relay(message: &Message<'_>) -> bool {
    message.message_type() == Some(MessageType::Inform)
        && message.ciaddr().is_unspecified()
        && !message.giaddr().is_unspecified()
}

/// Whether a hardware address is one station's: a frame to a group or to nobody is broadcast instead.
fn is_station(mac: purlin_types::Mac) -> bool {
    mac.0[0] & 1 == 0 && mac.0 != [0; 6]
}

/// T1 and T2, kept in order below the lease (RFC 2131, 4.4.5): 1/2 and 7/8 where nothing else is said.
fn timers(secs: u32, terms: &Template) -> (u32, u32) {
    if secs == u32::MAX {
        return (u32::MAX, u32::MAX);
    }
    let t2 = terms
        .t2
        .filter(|&t| t < secs)
        .unwrap_or((u64::from(secs) * 7 / 8) as u32);
    let t1 = terms.t1.filter(|&t| t < t2).unwrap_or((secs / 2).min(t2));
    (t1, t2)
}

/// RFC 4702, section 4: this server updates no DNS, so it says so (N) and overrides a client that asked it to (O).
fn answer_fqdn(out: &mut Composer<'_>, message: &Message<'_>) {
    const S: u8 = 1;
    const O: u8 = 2;
    const E: u8 = 4;
    const N: u8 = 8;
    let Some(value) = message.whole(code::CLIENT_FQDN) else {
        return;
    };
    let Some((&flags, rest)) = value.split_first() else {
        return;
    };
    let Some(name) = rest.get(2..) else { return };
    let mut answer = [0u8; 255];
    let len = 3 + name.len().min(252);
    answer[0] = flags & E | N | if flags & S != 0 { O } else { 0 };
    (answer[1], answer[2]) = (255, 255);
    answer[3..len].copy_from_slice(&name[..len - 3]);
    out.option(code::CLIENT_FQDN, &answer[..len]);
}
