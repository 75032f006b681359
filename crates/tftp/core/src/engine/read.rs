//! Reads: the file is open, acknowledgements come, the client gives up.

use super::end::End;
use super::negotiate::option_ack;
use super::{Engine, reply, sender};
use crate::effect::{Effects, Small};
use crate::file_error::FileError;
use crate::peer::{Peer, Slot};
use crate::reasons;
use crate::record::Stray;
use crate::transfer::{Heard, Sender, Side, Stage};
use crate::view::Readable;
use purlin_telemetry::Outcome;
use purlin_tftp_proto::ErrorCode;
use purlin_types::Now;

/// Nanoseconds that the rest of a window has at least after a part of it.
const AT_LEAST: u64 = 1_000_000;

impl<F: Readable> Engine<F> {
    /// The file that [`Effect::Open`](crate::Effect::Open) asked for is open, or is not there.
    pub fn opened(&mut self, now: &Now, slot: Slot, file: Result<F, FileError>, effects: &mut Effects) {
        if !self.table.holds(slot) {
            return;
        }
        let file = match file {
            Ok(file) => file,
            Err(fault) => return self.close(now, slot.index, &End::of_file(fault), effects),
        };
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        if transfer.stage != Stage::Opening || transfer.write {
            return;
        }
        transfer.opened_us = transfer.age_us(now);
        transfer.size = file.size();
        transfer.file = Some(file);
        let terms = transfer.terms;
        let sender = Sender::new(transfer.size, terms.blksize, terms.windowsize, terms.rollover);
        transfer.side = Side::Read(sender);
        shared
            .counters
            .first_block_time
            .record(u64::from(transfer.opened_us) * 1000);
        if transfer.granted.is_empty() {
            transfer.stage = Stage::Sending;
            return self.send_next(now, slot.index, effects);
        }
        transfer.stage = Stage::Offered;
        if transfer.granted.tsize.is_some() {
            transfer.granted.tsize = Some(transfer.size);
        }
        let granted = transfer.granted;
        reply(
            now,
            transfer,
            Small::filled(|buffer| option_ack(&granted, buffer)),
            effects,
        );
        let wait = shared.wait(transfer);
        shared.schedule(now, transfer, wait);
    }

    /// The blocks that were asked for last are not in memory: nothing of them was sent.
    pub fn stalled(&mut self, now: &Now, slot: Slot) {
        if !self.table.holds(slot) {
            return;
        }
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        if transfer.stage != Stage::Sending {
            return;
        }
        let blocks = u64::from(transfer.burst);
        shared.counters.blocks_sent = shared.counters.blocks_sent.saturating_sub(blocks);
        if transfer.burst_again {
            shared.counters.blocks_again = shared.counters.blocks_again.saturating_sub(blocks);
            transfer.again = transfer.again.saturating_sub(transfer.burst.into());
        }
        let nothing_sent = !transfer.burst_again && sender(transfer).acked == 0;
        if nothing_sent {
            transfer.first_us = 0;
        }
        transfer.burst = 0;
        transfer.stage = Stage::Waiting;
        let due = later_than_disk(now, shared.pace.idle).min(transfer.patience.ends);
        shared.schedule_at(now, transfer, due);
    }

    /// The content that a transfer waited for is in memory, or cannot be read.
    pub fn available(&mut self, now: &Now, slot: Slot, result: Result<(), FileError>, effects: &mut Effects) {
        if !self.table.holds(slot) || self.table.at(slot.index).stage != Stage::Waiting {
            return;
        }
        if let Err(fault) = result {
            let end = match fault {
                FileError::Io | FileError::NotFound => {
                    End::error(reasons::CHANGED, ErrorCode::Undefined, "the file changed")
                }
                other => End::of_file(other),
            };
            return self.close(now, slot.index, &end, effects);
        }
        let transfer = self.table.at(slot.index);
        transfer.stage = Stage::Sending;
        // The client had nothing to answer meanwhile.
        transfer.patience.heard = now.boot;
        let again = transfer.burst_again;
        let sender = sender(transfer);
        let window = if again {
            sender.again(now.boot)
        } else {
            sender.begin(now.boot)
        };
        self.shared.send(now, transfer, window, again, effects);
        self.await_ack(now, slot.index);
    }

    pub(super) fn hear_ack(&mut self, now: &Now, peer: &Peer, block: u16, effects: &mut Effects) {
        let Some(index) = self.table.find(peer) else {
            return self.stray(now, peer, Stray::Ack, effects);
        };
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        transfer.patience.heard = now.boot;
        match (&mut transfer.side, transfer.stage) {
            (Side::Read(_), Stage::Sending | Stage::Waiting) => self.advance(now, index, block, effects),
            (Side::Read(_), Stage::Offered) if block == 0 => {
                if transfer.patience.tries == 0 {
                    let sample = transfer.round.sample(transfer.patience.sent, now.boot);
                    shared.round.take(sample);
                }
                transfer.patience.answered = true;
                transfer.stage = Stage::Sending;
                self.send_next(now, index, effects);
            }
            (Side::Read(_), _) => shared.counters.count(reasons::OLD_ACK),
            (Side::Write(_), _) => shared.counters.count(reasons::NOT_FOR_SERVERS),
        }
    }

    /// An acknowledgement for a read under way.
    fn advance(&mut self, now: &Now, index: u32, block: u16, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let before = transfer.octets();
        let Side::Read(sender) = &mut transfer.side else {
            unreachable!("only reads are sent");
        };
        let (heard, sample) = sender.hear(now.boot, block, &mut transfer.round);
        if let Some(sample) = sample {
            shared.round.take(sample);
        }
        let (window, again) = match heard {
            Heard::Unknown => return shared.counters.count(reasons::OLD_ACK),
            Heard::Repeated => return self.hear_repeated(now, index, effects),
            Heard::Part(window) => (window, false),
            Heard::Next(window) => (Some(window), false),
            Heard::Gap(window) => {
                shared.counters.count(reasons::GAP_ACK);
                (Some(window), true)
            }
            Heard::Done => {
                transfer.patience.answered = true;
                shared.counters.octets_sent += transfer.octets() - before;
                let took = now.boot.0.saturating_sub(transfer.asked.0);
                shared.counters.transfer_time.record(took);
                return self.close(
                    now,
                    index,
                    &End::silent(reasons::SENT, Outcome::Answered),
                    effects,
                );
            }
        };
        transfer.patience.renew();
        shared.counters.octets_sent += transfer.octets() - before;
        if let Some(window) = window {
            transfer.stage = Stage::Sending;
            shared.send(now, transfer, window, again, effects);
        }
        match (heard, transfer.stage) {
            (Heard::Part(_), Stage::Sending) => self.await_rest(now, index),
            (_, Stage::Sending) => self.await_ack(now, index),
            _ => {}
        }
    }

    /// Part of a window was acknowledged, perhaps because the rest was lost: unless more follows within the time that an
    /// answer needs, it goes again.
    fn await_rest(&mut self, now: &Now, index: u32) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        transfer.patience.probe = false;
        let since = now.boot.0.saturating_sub(transfer.patience.sent.0);
        let wait = shared.wait(transfer).saturating_sub(since);
        shared.schedule(now, transfer, wait.max(AT_LEAST));
    }

    /// A repeated acknowledgement sends nothing; but when the wait has been doubled meanwhile, it shows that the client
    /// is back, and what is missing goes again as if the first wait were over.
    fn hear_repeated(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        shared.counters.count(reasons::REPEATED_ACK);
        let silent = now.boot.0.saturating_sub(transfer.patience.sent.0);
        let tries = std::mem::take(&mut transfer.patience.tries);
        let overdue = silent >= shared.wait(transfer);
        transfer.patience.tries = tries;
        if tries > 0 && overdue && transfer.stage == Stage::Sending {
            self.send_again(now, index, effects);
        }
    }

    /// The window after all that is acknowledged.
    fn send_next(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let transfer = self.table.at(index);
        let window = sender(transfer).begin(now.boot);
        (transfer.patience.tries, transfer.patience.misses) = (0, 0);
        self.shared.send(now, transfer, window, false, effects);
        self.await_ack(now, index);
    }

    /// When to look again after a window was sent: soon, to probe for a lost tail, or when an answer is overdue.
    pub(super) fn await_ack(&mut self, now: &Now, index: u32) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let window = sender(transfer).is_window();
        transfer.patience.probe = window && transfer.patience.tries == 0;
        let wait = if transfer.patience.probe {
            shared.probe_wait(transfer)
        } else {
            shared.wait(transfer)
        };
        shared.schedule(now, transfer, wait);
    }

    /// The client ends its transfer.
    pub(super) fn hear_error(&mut self, now: &Now, peer: &Peer, code: ErrorCode, effects: &mut Effects) {
        let Some(index) = self.table.find(peer) else {
            return self.stray_error(now, peer);
        };
        let transfer = self.table.at(index);
        let probing = transfer.asked_for.tsize.is_some();
        let end = match transfer.stage {
            Stage::Offered if probing => End::silent(reasons::SIZE_PROBE, Outcome::Answered),
            Stage::Offered if code == ErrorCode::Option => {
                End::silent(reasons::CLIENT_REFUSED_OPTIONS, Outcome::Noted)
            }
            _ if !transfer.patience.answered => End::silent(reasons::WITHDRAWN, Outcome::Noted),
            _ => End::silent(reasons::CLIENT_ERROR, Outcome::Noted),
        };
        self.close(now, index, &end.with(code.number().into()), effects);
    }
}

/// The disk has as long as a silent client has.
fn later_than_disk(now: &Now, idle: u64) -> purlin_types::BootTime {
    super::shared::later(now.boot, idle)
}
