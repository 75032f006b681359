//! How transfers end: one record, one count, the place given back.

use super::{Engine, error};
use crate::effect::{Effect, Effects, Ended};
use crate::file_error::FileError;
use crate::peer::Slot;
use crate::reasons;
use crate::record::BootRecord;
use crate::template::MarkName;
use crate::transfer::{Stage, Transfer};
use crate::view::Readable;
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_tftp_proto::ErrorCode;
use purlin_types::Now;
use std::time::Duration;

/// Why a transfer ends, and what its client is told.
pub(super) struct End {
    reason: ReasonCode,
    outcome: Outcome,
    a: u32,
    mark: Option<MarkName>,
    told: Option<(ErrorCode, &'static str)>,
}

impl End {
    /// The client is told nothing: it knows, or is not there.
    pub(super) fn silent(reason: ReasonCode, outcome: Outcome) -> Self {
        Self {
            reason,
            outcome,
            a: 0,
            mark: None,
            told: None,
        }
    }

    pub(super) fn error(reason: ReasonCode, code: ErrorCode, text: &'static str) -> Self {
        Self {
            told: Some((code, text)),
            ..Self::silent(reason, Outcome::Refused)
        }
    }

    pub(super) fn of_file(fault: FileError) -> Self {
        let (code, text) = fault.answer();
        Self {
            mark: fault.mark(),
            ..Self::error(fault.reason(), code, text)
        }
    }

    pub(super) fn with(self, a: u32) -> Self {
        Self { a, ..self }
    }
}

impl<F: Readable> Engine<F> {
    /// An operator ends a transfer.
    pub fn end(&mut self, now: &Now, slot: Slot, effects: &mut Effects) {
        if self.table.holds(slot) {
            let end = End::error(reasons::CUT, ErrorCode::Undefined, "ended by the operator");
            self.close(now, slot.index, &end, effects);
        }
    }

    /// The client began something new from the port of this transfer.
    pub(super) fn supersede(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        self.close(
            now,
            index,
            &End::silent(reasons::SUPERSEDED, Outcome::Noted),
            effects,
        );
    }

    /// Ends a transfer; its slot is free afterwards.
    pub(super) fn close(&mut self, now: &Now, index: u32, end: &End, effects: &mut Effects) {
        // Whatever ends the wait for repeated last packets, the upload has ended well before.
        let stored = End::silent(reasons::STORED, Outcome::Answered);
        let dallies = self.table.at(index).stage == Stage::Dallying;
        let end = if dallies { &stored } else { end };
        self.tell(now, index, end);
        self.shared.wheel.clear(index);
        let Some(transfer) = self.table.remove(index) else {
            return;
        };
        let slot = transfer.slot;
        if let Some((code, text)) = end.told {
            error(transfer.peer, Some(slot), code, text, effects);
        }
        // What is on its way to being durable cannot be called back.
        if transfer.created && !matches!(transfer.stage, Stage::Storing | Stage::Dallying) {
            effects.push(Effect::Discard { slot });
        }
        self.shared.remember_ended(now, self.table.hash(&transfer.peer));
        let ended = Ended {
            peer: transfer.peer,
            octets: transfer.octets(),
            again: transfer.again,
            took: Duration::from_nanos(now.boot.0.saturating_sub(transfer.asked.0)),
            reason: end.reason,
            outcome: end.outcome,
        };
        effects.push(Effect::Ended { slot, ended });
    }

    /// Writes the record of a transfer and gives its place in the limits back, once.
    pub(super) fn tell(&mut self, now: &Now, index: u32, end: &End) {
        let transfer = self.table.at(index);
        if std::mem::replace(&mut transfer.told, true) {
            return;
        }
        let record = record(now, transfer, end);
        self.admission.give(transfer.ticket);
        self.shared.counters.count(end.reason);
        self.shared.ring.push(record);
    }
}

fn record<F>(now: &Now, transfer: &Transfer<F>, end: &End) -> BootRecord {
    let client = transfer.peer.address;
    let mut begun = BootRecord::new(now.wall, client.ip(), client.port(), transfer.name.as_bytes());
    if let Some(mark) = &end.mark {
        begun.mark(mark.as_str());
    }
    BootRecord {
        octets: transfer.octets(),
        size: transfer.size,
        opened_us: transfer.opened_us,
        first_us: transfer.first_us,
        took_us: now.boot.0.saturating_sub(transfer.asked.0) / 1000,
        again: transfer.again,
        a: end.a,
        blksize: transfer.terms.blksize,
        windowsize: transfer.terms.windowsize,
        reason: end.reason,
        outcome: end.outcome,
        write: transfer.write,
        netascii: transfer.netascii,
        ..begun
    }
}
