//! Packets that belong to no transfer.

use super::{Engine, error};
use crate::effect::Effects;
use crate::peer::Peer;
use crate::reasons;
use crate::record::{BootRecord, Stray};
use crate::view::Readable;
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_tftp_proto::ErrorCode;
use purlin_types::Now;
use std::net::SocketAddr;

/// How a write request begins.
const WRQ: [u8; 2] = [0, 2];

impl<F: Readable> Engine<F> {
    /// An ACK or DATA of a client without a transfer here.
    ///
    /// RFC 1350, section 4: a packet from a wrong source is answered with an error and disturbs nothing. A client
    /// whose transfer has just ended is left alone: its copy of the last ACK must not kill its next request.
    pub(super) fn stray(&mut self, now: &Now, peer: &Peer, packet: Stray, effects: &mut Effects) {
        if self.shared.has_just_ended(now, self.table.hash(peer)) {
            // Ordinary, so it is not worth a record.
            self.shared.counters.count(reasons::STRAY_SILENT);
        } else if self.shared.may_answer_stray(now) {
            self.remark(now, peer, packet, reasons::STRAY, Outcome::Refused);
            error(
                *peer,
                None,
                ErrorCode::UnknownTransfer,
                "unknown transfer",
                effects,
            );
        } else {
            self.remark(now, peer, packet, reasons::STRAY_SILENT, Outcome::Silent);
        }
    }

    /// An ERROR of a client without a transfer here. It is never answered.
    pub(super) fn stray_error(&mut self, now: &Now, peer: &Peer) {
        if self.shared.has_just_ended(now, self.table.hash(peer)) {
            return self.shared.counters.count(reasons::STRAY_SILENT);
        }
        self.remark(now, peer, Stray::Error, reasons::STRAY_SILENT, Outcome::Silent);
    }

    /// What is no packet. `request`: it began like a request, so that its sender can be told.
    pub(super) fn malformed(
        &mut self,
        now: &Now,
        peer: &Peer,
        datagram: &[u8],
        request: bool,
        effects: &mut Effects,
    ) {
        if !request || self.table.find(peer).is_some() || !self.shared.may_answer_stray(now) {
            return self.remark(now, peer, Stray::Noise, reasons::MALFORMED, Outcome::Dropped);
        }
        self.shared.counters.count(reasons::MALFORMED);
        if self.may_remark(now, peer) {
            let (code, rest) = datagram.split_at(WRQ.len());
            let name = rest.split(|octet| *octet == 0).next().unwrap_or_default();
            let mut record = record(now, peer, name, reasons::MALFORMED, Outcome::Refused);
            record.write = code == WRQ;
            self.shared.ring.push(record);
        }
        error(*peer, None, ErrorCode::Illegal, "malformed request", effects);
    }

    /// Counts a packet outside of any request, and leaves a record of it if there is room for such.
    pub(super) fn remark(
        &mut self,
        now: &Now,
        peer: &Peer,
        packet: Stray,
        reason: ReasonCode,
        outcome: Outcome,
    ) {
        self.shared.counters.count(reason);
        if self.may_remark(now, peer) {
            let mut record = record(now, peer, b"", reason, outcome);
            record.stray = Some(packet);
            self.shared.ring.push(record);
        }
    }

    fn may_remark(&mut self, now: &Now, peer: &Peer) -> bool {
        // One machine may send from many ports.
        let machine = Peer {
            address: SocketAddr::new(peer.address.ip(), 0),
            port: 0,
            ..*peer
        };
        self.shared.remarks.may(now, self.table.hash(&machine))
    }
}

fn record(now: &Now, peer: &Peer, name: &[u8], reason: ReasonCode, outcome: Outcome) -> BootRecord {
    BootRecord {
        reason,
        outcome,
        ..BootRecord::new(now.wall, peer.address.ip(), peer.address.port(), name)
    }
}
