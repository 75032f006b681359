//! Packets that belong to no transfer.

use super::{Engine, error};
use crate::effect::Effects;
use crate::peer::Peer;
use crate::reasons;
use crate::record::BootRecord;
use crate::view::Readable;
use purlin_telemetry::Outcome;
use purlin_tftp_proto::ErrorCode;
use purlin_types::Now;

/// How a write request begins.
const WRQ: [u8; 2] = [0, 2];

impl<F: Readable> Engine<F> {
    /// An ACK or DATA of a client without a transfer here.
    ///
    /// RFC 1350, section 4: a packet from a wrong source is answered with an error and disturbs nothing. A client
    /// whose transfer has just ended is left alone: its copy of the last ACK must not kill its next request.
    pub(super) fn stray(&mut self, now: &Now, peer: &Peer, effects: &mut Effects) {
        let just_ended = self.shared.has_just_ended(now, self.table.hash(peer));
        if !just_ended && self.shared.may_answer_stray(now) {
            self.shared.counters.count(reasons::STRAY);
            error(
                *peer,
                None,
                ErrorCode::UnknownTransfer,
                "unknown transfer",
                effects,
            );
        } else {
            self.shared.counters.count(reasons::STRAY_SILENT);
        }
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
        self.shared.counters.count(reasons::MALFORMED);
        if !request || self.table.find(peer).is_some() || !self.shared.may_answer_stray(now) {
            return;
        }
        let (code, rest) = datagram.split_at(WRQ.len());
        let name = rest.split(|octet| *octet == 0).next().unwrap_or_default();
        let mut record = BootRecord::new(now.wall, peer.address.ip(), peer.address.port(), name);
        record.reason = reasons::MALFORMED;
        record.outcome = Outcome::Refused;
        record.write = code == WRQ;
        self.shared.ring.push(record);
        error(*peer, None, ErrorCode::Illegal, "malformed request", effects);
    }
}
