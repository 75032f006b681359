//! Beside another DHCP server: that one gives addresses, this one tells boot clients what to boot (PXE 2.1, 2.2).
//!
//! ```text
//!   DISCOVER (PXEClient) ─► OFFER, no address: file ──────────────► most clients boot from here
//!                                  │ UEFI firmware (EDK2) asks again, from its own address, at port 4011:
//!                                  └─► REQUEST ─► ACK: file
//! ```
//!
//! Nothing is allocated, recorded or refused here. Whoever does not boot is not answered.

use super::reply::echo;
use super::turn::Turn;
use crate::boot::{Firmware, NO_DISCOVERY};
use crate::reasons;
use crate::step::{Destination, REPLY_MAX, Verdict};
use crate::template::Template;
use purlin_dhcp_proto::{Composer, MessageType, code, compose};
use purlin_telemetry::decision::LeftOut;
use purlin_telemetry::{Outcome, ReasonCode};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Where boot servers are asked (PXE 2.1, section 2.2.1).
pub(crate) const BOOT_PORT: u16 = 4011;
/// The user class of iPXE, which takes file and server out of the OFFER.
const IPXE: &[u8] = b"iPXE";

impl Turn<'_, '_> {
    /// Whether the packet is about booting alone.
    pub(super) fn is_beside(&self) -> bool {
        self.arrival.port == BOOT_PORT || self.plan.subnets[usize::from(self.subnet)].proxy
    }

    pub(super) fn beside(&mut self) -> Verdict {
        let firmware = Firmware::of(self.message);
        if firmware == Firmware::None {
            return self.not_for_us(reasons::PROXY_NOT_BOOTING, 0);
        }
        let asked = self.arrival.port == BOOT_PORT;
        match self.message.message_type() {
            Some(MessageType::Discover) => self.tell(MessageType::Offer, firmware),
            Some(MessageType::Request | MessageType::Inform) if asked => {
                self.tell(MessageType::Ack, firmware)
            }
            // By INFORM a client that has its address asks everybody (PXE 2.1, section 2.4.3).
            Some(MessageType::Inform) => self.tell(MessageType::Ack, firmware),
            Some(MessageType::Request) => {
                // What it asks of the other server tells what its address is going to be.
                let address = self.message.requested_address().map_or(0, u32::from);
                self.remember(address);
                self.not_for_us(reasons::PROXY_ADDRESS, address)
            }
            _ => self.not_for_us(reasons::PROXY_ADDRESS, 0),
        }
    }

    /// Nobody waits for an answer from here.
    fn not_for_us(&mut self, reason: ReasonCode, address: u32) -> Verdict {
        self.note(Outcome::Noted, reason, address);
        Verdict::Silent
    }

    fn tell(&mut self, kind: MessageType, firmware: Firmware) -> Verdict {
        let address = self.address_now();
        let terms = self.terms(address);
        if terms.file.is_empty() {
            let code = self.message.architectures().next().map_or(0, |arch| arch.0);
            self.decision.with.a = code.into();
            return self.silent(reasons::PROXY_NO_FILE, 0);
        }
        let reason = if kind == MessageType::Offer {
            reasons::PROXY_OFFERED
        } else {
            self.boots.note(address, self.message);
            reasons::PROXY_CONFIRMED
        };
        self.answered(kind, reason, address);
        self.decision.with.b = terms.words;
        self.compose_beside(kind, firmware, &terms);
        Verdict::Reply
    }

    /// The address that the client has already; 0 for none.
    fn address_now(&self) -> u32 {
        let said = self.message.ciaddr();
        let asks_from_it = self.arrival.port == BOOT_PORT && said.is_unspecified();
        let address = if asks_from_it {
            *self.arrival.source.ip()
        } else {
            said
        };
        address.into()
    }

    fn compose_beside(&mut self, kind: MessageType, firmware: Firmware, terms: &Arc<Template>) {
        let message = self.message;
        let offer = kind == MessageType::Offer;
        let asks_again = offer && self.asks_again(firmware);
        // UEFI firmware asks the server named here for the file, so it must be this one; the file's comes then.
        let elsewhere = asks_again && terms.siaddr != self.server_id;
        let siaddr = if elsewhere {
            self.own_address()
        } else {
            terms.siaddr
        };
        let file: &[u8] = if elsewhere { &[] } else { &terms.file };
        // Firmware that asks again must not see it in the OFFER: it would take that one for the whole answer.
        let no_discovery = firmware == Firmware::Pxe && !self.is_uefi();
        let limit = compose::payload_limit(message, REPLY_MAX);
        let mut out = Composer::reply(&mut self.reply.bytes, limit, message);
        out.siaddr(siaddr).echo_relay_agent_of(message);
        if offer {
            // Without an address in it, it cannot be sent to the client alone.
            out.set_broadcast();
        } else {
            out.ciaddr(message.ciaddr());
        }
        let in_header = out.file(file);
        let _ = out.sname(&terms.sname);
        out.message_type(kind);
        out.option_ip(code::SERVER_ID, self.server_id);
        out.option(code::VENDOR_CLASS, firmware.class());
        echo(&mut out, message, self.plan);
        if let Some(uuid) = message.whole(code::CLIENT_UUID) {
            out.option(code::CLIENT_UUID, uuid);
        }
        match &terms.vendor {
            Some(vendor) => {
                out.option(code::VENDOR_INFORMATION, vendor);
            }
            None if no_discovery => {
                out.option(code::VENDOR_INFORMATION, &NO_DISCOVERY);
            }
            None => {}
        }
        let wanted = |code| message.requests(code);
        if !file.is_empty() && (firmware == Firmware::Http || !in_header || wanted(code::BOOT_FILE_NAME)) {
            out.option(code::BOOT_FILE_NAME, file);
        }
        if !siaddr.is_unspecified() && wanted(code::TFTP_SERVER_NAME) {
            out.option(code::TFTP_SERVER_NAME, siaddr.to_string().as_bytes());
        }
        let composed = out.finish();
        self.reply.len = composed.len;
        self.decision.left_out = LeftOut::of(composed.missed.iter());
        self.reply.from = self.server_id;
        self.reply.to = self.beside_destination();
    }

    /// Whether the client is UEFI firmware, or a program that it started.
    fn is_uefi(&self) -> bool {
        let mut architectures = self.message.architectures();
        architectures.any(|arch| !arch.is_bios())
    }

    /// Whether the client takes an OFFER only for the place to ask at port 4011.
    fn asks_again(&self, firmware: Firmware) -> bool {
        firmware == Firmware::Pxe && self.is_uefi() && !self.message.user_classes().has(IPXE)
    }

    /// To the relay; to whom asked from an address of its own; else to everybody on the segment.
    fn beside_destination(&self) -> Destination {
        let source = self.arrival.source;
        if !self.message.giaddr().is_unspecified() && self.arrival.port != BOOT_PORT {
            return Destination::Udp(self.relay_address());
        }
        match self.arrival.interface {
            Some(interface) if *source.ip() == Ipv4Addr::UNSPECIFIED || self.arrival.broadcast => {
                Destination::Broadcast { interface }
            }
            _ => Destination::Udp(source),
        }
    }
}
