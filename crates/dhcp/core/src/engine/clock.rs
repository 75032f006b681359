//! A wall clock that is set while leases run.
//!
//! Leases are counted in wall time, because they outlive the machine's uptime, but a client counts its lease by its
//! own clock. When the wall clock jumps against boot time, which nobody can set, the ends of all running leases,
//! offers and quarantines jump with it: a day forward gives nobody's address away, an hour back keeps none too long.

use super::Engine;
use crate::lease::{FLAG_INHERITED, Lease};
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_types::Now;

/// Smaller differences are the drift that the clock's discipline takes out slowly; in milliseconds.
const STEP_MIN: i64 = 30_000;

impl Engine {
    /// Compares the clocks; `true` when the wall clock was set since the last call and every lease has followed. The
    /// journal should then be written anew, as its records still say the former times.
    pub(super) fn follow_clock(&mut self, now: &Now) -> bool {
        let offset = now.wall.0 as i64 - (now.boot.0 / 1_000_000) as i64;
        let Some(former) = self.clock_offset else {
            self.clock_offset = Some(offset);
            return false;
        };
        let step = offset - former;
        if step.abs() < STEP_MIN {
            return false;
        }
        self.clock_offset = Some(offset);
        self.shift(step / 1000);
        true
    }

    fn shift(&mut self, secs: i64) {
        let unclean = self.unclean;
        self.orphans.change(|lease| {
            lease.expires = moved(lease.expires, secs);
            if unclean.doubts(lease.last_seen) {
                lease.pot = moved(lease.pot, secs);
            }
        });
        self.unclean.at = moved(self.unclean.at, secs);
        // Its `at` stays: it is compared with stamps, which stay as well.
        self.hold.began = moved(self.hold.began, secs);
        self.hold.until = moved(self.hold.until, secs);
        if let Some(share) = &mut self.share {
            share.shift(|at| moved(at, secs));
        }
        for network in self.networks.iter_mut().flatten() {
            network.hold_back(self.hold);
            let slots: Vec<Slot> = network.table.occupied_from(0).collect();
            for slot in slots {
                network.table.update(slot, |lease| shift(lease, secs));
            }
            for pool in &mut network.pools {
                let until = &mut pool.window.quarantine_until;
                *until = moved(*until, secs);
            }
        }
    }
}

fn shift(lease: &mut Lease, secs: i64) {
    if lease.state != LeaseState::Free {
        lease.expires = moved(lease.expires, secs);
    }
    // Where records may be missing, the recorded bound says when the address may change hands (rule R3). Elsewhere
    // it says what the journal knows, which has not moved.
    if lease.has(FLAG_INHERITED) {
        lease.pot = moved(lease.pot, secs);
    }
}

/// For ever and never stay what they are.
fn moved(at: u32, secs: i64) -> u32 {
    if at == u32::MAX || at == 0 {
        return at;
    }
    (i64::from(at) + secs).clamp(1, i64::from(u32::MAX) - 1) as u32
}
