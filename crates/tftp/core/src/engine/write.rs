//! Uploads: blocks come, are stored, and the last one is acknowledged once the file is durable and visible.

use super::end::End;
use super::negotiate::option_ack;
use super::shared::{Shared, later};
use super::{Engine, reply};
use crate::effect::{Effect, Effects, Small};
use crate::file_error::FileError;
use crate::peer::{Peer, Slot};
use crate::reasons;
use crate::record::Stray;
use crate::transfer::{Receiver, Side, Stage, Taken, Transfer};
use crate::view::Readable;
use purlin_telemetry::Outcome;
use purlin_tftp_proto::{ErrorCode, HEADER, compose};
use purlin_types::Now;

/// Octets that may wait for the disk before acknowledgements wait too.
const BEHIND_MAX: u64 = 4 << 20;
/// A client that repeats its last block is waited for again, but not longer than this many times.
const DALLIES_MAX: u64 = 10;

impl<F: Readable> Engine<F> {
    /// The upload that [`Effect::Create`] asked for can begin, or not.
    pub fn created(&mut self, now: &Now, slot: Slot, result: Result<(), FileError>, effects: &mut Effects) {
        if !self.table.holds(slot) {
            // The client is gone; what was created for it must go too.
            if result.is_ok() {
                effects.push(Effect::Discard { slot });
            }
            return;
        }
        if let Err(fault) = result {
            return self.close(now, slot.index, &End::of_file(fault), effects);
        }
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        if transfer.stage != Stage::Opening || !transfer.write {
            return;
        }
        transfer.created = true;
        transfer.opened_us = transfer.age_us(now);
        transfer.first_us = transfer.opened_us;
        transfer.stage = Stage::Receiving;
        shared
            .counters
            .first_block_time
            .record(u64::from(transfer.first_us) * 1000);
        acknowledge(now, shared, transfer, effects);
    }

    /// Octets of an upload are stored: so many of it in all.
    pub fn stored(&mut self, now: &Now, slot: Slot, result: Result<u64, FileError>, effects: &mut Effects) {
        if !self.table.holds(slot) {
            return;
        }
        let stored = match result {
            Ok(stored) => stored,
            Err(fault) => return self.close(now, slot.index, &End::of_file(fault), effects),
        };
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        let Side::Write(receiver) = &mut transfer.side else {
            return;
        };
        receiver.stored = receiver.stored.max(stored);
        if transfer.stage != Stage::Receiving {
            return;
        }
        if receiver.whole {
            commit(now, shared, transfer, effects);
        } else if receiver.owed && is_close(shared.write_behind, receiver) {
            acknowledge(now, shared, transfer, effects);
        }
    }

    /// The upload is durable and visible, or failed to become so.
    pub fn committed(&mut self, now: &Now, slot: Slot, result: Result<(), FileError>, effects: &mut Effects) {
        if !self.table.holds(slot) || self.table.at(slot.index).stage != Stage::Storing {
            return;
        }
        if let Err(fault) = result {
            return self.close(now, slot.index, &End::of_file(fault), effects);
        }
        let (shared, transfer) = (&mut self.shared, self.table.at(slot.index));
        transfer.stage = Stage::Dallying;
        let Side::Write(receiver) = &mut transfer.side else {
            return;
        };
        receiver.answer(now.boot);
        let last = compose::ack(receiver.wire());
        reply(now, transfer, Small::of(&last), effects);
        let took = now.boot.0.saturating_sub(transfer.asked.0);
        shared.counters.transfer_time.record(took);
        let dally = shared.pace.dally;
        transfer.patience.ends = later(now.boot, dally.saturating_mul(DALLIES_MAX));
        let due = later(now.boot, dally);
        self.tell(now, slot.index, &End::silent(reasons::STORED, Outcome::Answered));
        self.shared.schedule_at(now, self.table.at(slot.index), due);
    }

    pub(super) fn take_block(
        &mut self,
        now: &Now,
        peer: &Peer,
        block: u16,
        payload: &[u8],
        effects: &mut Effects,
    ) {
        let Some(index) = self.table.find(peer) else {
            return self.stray(now, peer, Stray::Data, effects);
        };
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let Side::Write(receiver) = &mut transfer.side else {
            return shared.counters.count(reasons::NOT_FOR_SERVERS);
        };
        if transfer.stage == Stage::Opening {
            return shared.counters.count(reasons::OLD_ACK);
        }
        if payload.len() > usize::from(transfer.terms.blksize) {
            let end = End::error(reasons::BLOCK_TOO_BIG, ErrorCode::Illegal, "the block is too big");
            return self.close(now, index, &end, effects);
        }
        transfer.patience.heard = now.boot;
        let first_of_window = receiver.received == receiver.acked;
        match receiver.take(now.boot, block, payload.len()) {
            Taken::Next { due, .. } => {
                if first_of_window && receiver.timed {
                    let sample = transfer.round.sample(receiver.answered, now.boot);
                    shared.round.take(sample);
                }
                transfer.patience.renew();
                self.store(now, index, payload, due, effects);
            }
            Taken::Repeated { answer } => {
                shared.counters.count(reasons::REPEATED_BLOCK);
                self.hear_copy(now, index, answer, effects);
            }
            Taken::Gap { answer } => {
                shared.counters.count(reasons::GAP_BLOCK);
                if answer && !receiver.owed {
                    acknowledge(now, shared, transfer, effects);
                }
            }
            Taken::Unknown => shared.counters.count(reasons::OLD_ACK),
        }
    }

    /// A block that came before: its acknowledgement was lost, or is late. While something of the upload waits for the
    /// disk, nothing is promised.
    fn hear_copy(&mut self, now: &Now, index: u32, answer: bool, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let Side::Write(receiver) = &transfer.side else {
            return;
        };
        let ready = match transfer.stage {
            Stage::Receiving => !receiver.owed && !receiver.whole,
            Stage::Dallying => {
                let due = later(now.boot, shared.pace.dally).min(transfer.patience.ends);
                shared.schedule_at(now, transfer, due);
                true
            }
            _ => false,
        };
        if ready && answer {
            answer_again(now, transfer, effects);
        }
    }

    /// A new block: its octets go to the shell, and it is acknowledged when that is due.
    fn store(&mut self, now: &Now, index: u32, payload: &[u8], due: bool, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let Side::Write(receiver) = &mut transfer.side else {
            return;
        };
        shared.counters.blocks_received += 1;
        let len = if transfer.netascii {
            shared.decode(transfer.slot, receiver, payload)
        } else {
            payload.len() as u64
        };
        receiver.octets += len;
        if receiver.octets > shared.size_max {
            let end = End::error(reasons::UPLOAD_GREW, ErrorCode::Full, "the file is too big");
            return self.close(now, index, &end, effects);
        }
        shared.counters.octets_received += len;
        if len > 0 {
            effects.push(Effect::Store {
                slot: transfer.slot,
                skip: HEADER as u16,
                len: payload.len() as u16,
            });
        }
        if receiver.whole {
            commit(now, shared, transfer, effects);
        } else if due && is_close(shared.write_behind, receiver) {
            acknowledge(now, shared, transfer, effects);
        } else {
            receiver.owed |= due;
            let wait = if receiver.owed {
                shared.pace.idle
            } else {
                shared.wait(transfer).max(4 * shared.pace.shortest)
            };
            shared.schedule(now, transfer, wait);
        }
    }
}

impl Shared {
    /// Leaves the text of a netascii block for the shell; returns its length.
    fn decode(&mut self, slot: Slot, receiver: &mut Receiver, payload: &[u8]) -> u64 {
        self.decoded.clear();
        self.decoded_for = Some(slot);
        let decoded = &mut self.decoded;
        receiver.decoder.decode(payload, |octet| decoded.push(octet));
        if receiver.whole {
            decoded.extend(receiver.decoder.finish());
        }
        decoded.len() as u64
    }
}

/// Whether the disk keeps up well enough to ask the client for more.
fn is_close(write_behind: bool, receiver: &Receiver) -> bool {
    let behind = receiver.octets.saturating_sub(receiver.stored);
    behind <= if write_behind { BEHIND_MAX } else { 0 }
}

/// Once everything is stored, the upload becomes durable; until then the shell's news are waited for.
fn commit<F>(now: &Now, shared: &mut Shared, transfer: &mut Transfer<F>, effects: &mut Effects) {
    let Side::Write(receiver) = &transfer.side else {
        return;
    };
    if receiver.stored >= receiver.octets {
        transfer.stage = Stage::Storing;
        effects.push(Effect::Commit { slot: transfer.slot });
    }
    let due = later(now.boot, shared.pace.idle).min(transfer.patience.ends);
    shared.schedule_at(now, transfer, due);
}

/// Acknowledges everything that has come: with the OACK when nothing has and options were granted.
pub(super) fn acknowledge<F>(
    now: &Now,
    shared: &mut Shared,
    transfer: &mut Transfer<F>,
    effects: &mut Effects,
) {
    answer_again(now, transfer, effects);
    let wait = shared.wait_for_data(transfer);
    shared.schedule(now, transfer, wait);
}

fn answer_again<F>(now: &Now, transfer: &mut Transfer<F>, effects: &mut Effects) {
    let granted = transfer.granted;
    let Side::Write(receiver) = &mut transfer.side else {
        return;
    };
    let bytes = if receiver.received == 0 && !granted.is_empty() {
        Small::filled(|buffer| option_ack(&granted, buffer))
    } else {
        Small::of(&compose::ack(receiver.wire()))
    };
    receiver.answer(now.boot);
    reply(now, transfer, bytes, effects);
}
