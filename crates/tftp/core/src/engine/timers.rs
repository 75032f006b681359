//! Time: what was not answered goes again, and what was not answered for too long ends.

use super::end::End;
use super::negotiate::option_ack;
use super::shared::Limit;
use super::write::acknowledge;
use super::{Engine, reply, sender};
use crate::effect::{Effects, Small};
use crate::reasons;
use crate::transfer::{Side, Stage, Window};
use crate::view::Readable;
use purlin_telemetry::Outcome;
use purlin_tftp_proto::ErrorCode;
use purlin_types::{BootTime, Now};

/// Transfers looked at per call.
const RINGS_PER_TICK: usize = 4096;

impl<F: Readable> Engine<F> {
    /// Does what is due. When more is due than one call does, [`Self::deadline`] stays in the past.
    pub fn tick(&mut self, now: &Now, effects: &mut Effects) {
        for _ in 0..RINGS_PER_TICK {
            let Some(index) = self.shared.wheel.pop(now.boot) else {
                return;
            };
            self.ring(now, index, effects);
        }
    }

    fn ring(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        transfer.patience.rings = BootTime::MAX;
        let due = transfer.patience.due;
        if due > now.boot {
            return shared.schedule_at(now, transfer, due);
        }
        if let Some(end) = self.overdue(now, index) {
            return self.close(now, index, &end, effects);
        }
        let transfer = self.table.at(index);
        if transfer.patience.probe {
            self.probe(now, index, effects);
        } else {
            let long = self.shared.pace.first.min(transfer.patience.longest);
            let patience = &mut transfer.patience;
            patience.tries = patience.tries.saturating_add(1);
            let waited = now.boot.0.saturating_sub(patience.sent.0);
            patience.misses = patience.misses.saturating_add(u8::from(waited >= long));
            self.send_again(now, index, effects);
        }
    }

    /// Which limit the transfer has reached, if any.
    fn overdue(&mut self, now: &Now, index: u32) -> Option<End> {
        let pace = self.shared.pace;
        let transfer = self.table.at(index);
        let patience = &transfer.patience;
        let tries = u32::from(patience.tries);
        let silent = |reason| Some(End::silent(reason, Outcome::Noted).with(tries));
        let lifetime = || {
            let text = "the transfer took too long";
            Some(End::error(reasons::LIFETIME, ErrorCode::Undefined, text))
        };
        match transfer.stage {
            Stage::Dallying => return silent(reasons::STORED),
            _ if now.boot >= patience.ends => return lifetime(),
            // These wait for nothing but the shell.
            Stage::Opening | Stage::Waiting | Stage::Storing => {
                let text = "the server is busy, try again";
                return Some(End::error(reasons::BUSY, ErrorCode::Undefined, text));
            }
            Stage::Offered | Stage::Sending | Stage::Receiving => {}
        }
        if patience.misses >= pace.attempts {
            let no_block = matches!(&transfer.side, Side::Read(sender) if sender.acked == 0);
            return match (patience.answered, no_block) {
                (false, _) => silent(reasons::NEVER_ANSWERED),
                (true, true) => {
                    let blksize = transfer.terms.blksize.into();
                    Some(End::silent(reasons::NO_BLOCK, Outcome::Noted).with(blksize))
                }
                (true, false) => silent(reasons::NO_ANSWER),
            };
        }
        match self.shared.limit(transfer) {
            (at, _) if now.boot < at => None,
            (_, Limit::Lifetime) => lifetime(),
            (_, Limit::Answer) => silent(reasons::NEVER_ANSWERED),
            (_, Limit::Idle) => silent(reasons::IDLE),
        }
    }

    /// The last block of the window once more: when only it, or only the acknowledgement, was lost, that is all that
    /// was missing; when more was lost, the client says from where.
    fn probe(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        transfer.patience.probe = false;
        let window = sender(transfer).probe(now.boot);
        shared.send(now, transfer, window, true, effects);
        let wait = shared.wait(transfer);
        shared.schedule(now, transfer, wait);
    }

    /// Sends again what the client did not answer.
    pub(super) fn send_again(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        match transfer.stage {
            Stage::Offered => {
                transfer.again = transfer.again.saturating_add(1);
                let granted = transfer.granted;
                let bytes = Small::filled(|buffer| option_ack(&granted, buffer));
                reply(now, transfer, bytes, effects);
                let wait = shared.wait(transfer);
                shared.schedule(now, transfer, wait);
            }
            Stage::Sending => self.send_window_again(now, index, effects),
            Stage::Receiving => {
                transfer.again = transfer.again.saturating_add(1);
                acknowledge(now, shared, transfer, effects);
            }
            Stage::Opening | Stage::Waiting | Stage::Storing | Stage::Dallying => {}
        }
    }

    /// Everything since the last acknowledgement. While no block was ever acknowledged, nobody knows that the client
    /// exists and asked: after the first repetition only the first and the last block go, so that a forged request
    /// brings its victim little.
    fn send_window_again(&mut self, now: &Now, index: u32, effects: &mut Effects) {
        let (shared, transfer) = (&mut self.shared, self.table.at(index));
        let tries = transfer.patience.tries;
        let sender = sender(transfer);
        let unknown = sender.acked == 0 && tries > 1;
        let whole = sender.again(now.boot);
        if unknown && whole.count > 2 {
            let one = |first| Window { first, count: 1 };
            let last = whole.first + u64::from(whole.count) - 1;
            shared.send(now, transfer, one(whole.first), true, effects);
            shared.send(now, transfer, one(last), true, effects);
        } else {
            shared.send(now, transfer, whole, true, effects);
        }
        self.await_ack(now, index);
    }
}
