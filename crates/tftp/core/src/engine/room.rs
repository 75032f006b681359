//! Room for real clients while a flood of forged requests fills every place.

use super::Engine;
use super::end::End;
use crate::effect::Effects;
use crate::peer::Slot;
use crate::reasons;
use crate::transfer::{Patience, Stage, Transfer};
use crate::view::Readable;
use purlin_telemetry::Outcome;
use purlin_types::Now;

/// A client that left so many retransmissions of the first answer unanswered may lose its place.
const PATIENT_TRIES: u8 = 3;

impl<F: Readable> Engine<F> {
    /// Remembers a transfer that has just begun.
    pub(super) fn watch(&mut self, slot: Slot) {
        while let Some(oldest) = self.unanswered.front() {
            if self
                .table
                .get(*oldest)
                .is_some_and(|transfer| !transfer.patience.answered)
            {
                break;
            }
            self.unanswered.pop_front();
        }
        self.unanswered.push_back(slot);
    }

    /// Ends the oldest transfer of this thread whose client has never answered, when that took long enough.
    pub(super) fn make_room(&mut self, now: &Now, effects: &mut Effects) -> bool {
        while let Some(oldest) = self.unanswered.front().copied() {
            match self.table.get(oldest).map(chance) {
                Some(Chance::Lost) => {
                    self.unanswered.pop_front();
                    let end = End::silent(reasons::CROWDED_OUT, Outcome::Noted);
                    self.close(now, oldest.index, &end, effects);
                    return true;
                }
                Some(Chance::Open) => return false,
                Some(Chance::Taken) | None => {
                    self.unanswered.pop_front();
                }
            }
        }
        false
    }
}

/// Whether a client may still show that it is there.
enum Chance {
    Open,
    Taken,
    Lost,
}

fn chance<F>(transfer: &Transfer<F>) -> Chance {
    let Patience { answered, tries, .. } = transfer.patience;
    let asked = matches!(transfer.stage, Stage::Offered | Stage::Sending | Stage::Receiving);
    match (answered, asked && tries >= PATIENT_TRIES) {
        (true, _) => Chance::Taken,
        (false, true) => Chance::Lost,
        (false, false) => Chance::Open,
    }
}
