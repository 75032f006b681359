//! From the journal and back: replayed records in, checkpoints out, and leases of subnets that come and go.

mod orphans;
mod put;

pub(super) use orphans::Orphans;
pub(super) use put::put;
pub(crate) use put::{encode, encode_as_row};

use super::Engine;
use crate::hold::{Hold, Recovery};
use crate::lease::FLAG_INHERITED;
use crate::network::Network;
use crate::record::{self, Record};
use crate::table::Slot;
use crate::unclean::bound_of;
use purlin_types::Now;

/// What is written of a whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Whatever is not free.
    Leases,
    /// Free addresses too, of which there was a record.
    Everything,
    /// The same for a store that nodes share: what was inherited says so.
    Rows,
}

impl Engine {
    /// Takes what a replayed frame says of this thread's networks. Frames may come in any number of times; the
    /// newest version of each lease stays. True when the frame tells of a lease that is this thread's.
    pub fn restore(&mut self, frame: &[u8]) -> bool {
        let mut ours = false;
        for record in record::decode(frame) {
            ours |= self.restore_record(&record);
        }
        ours
    }

    /// True when it is a lease of this thread.
    fn restore_record(&mut self, record: &Record<'_>) -> bool {
        let address = match record {
            Record::Lease(lease) => {
                self.newest = self.newest.max(lease.last_seen);
                lease.address
            }
            Record::Window { first, end } => {
                let known = self.windows.entry(*first).or_default();
                *known = (*known).max(*end);
                *first
            }
            Record::UncleanStart(unclean) => {
                self.unclean.merge(*unclean);
                return false;
            }
            Record::Hold(hold) => {
                self.hold.merge(*hold);
                return false;
            }
        };
        let home = self
            .plan
            .routes
            .subnet_of(address)
            .map(|s| self.plan.subnets[usize::from(s)].network);
        let is_lease = matches!(record, Record::Lease(_));
        match home {
            None if self.shard == 0 || self.share.is_some() => self.orphans.keep(record),
            None => return false,
            Some(home) => match &mut self.networks[usize::from(home)] {
                Some(network) => put(network, record),
                None => return false,
            },
        }
        is_lease
    }

    /// After the replay and before its end: this data was restored from a backup. What the backup cannot know is held
    /// back from now on; a record of that goes to `records`. A restore that the records know already changes nothing.
    /// True when it was news: the start is then not an exact one.
    pub fn recover(&mut self, now: &Now, recovery: &Recovery, records: &mut Vec<u8>) -> bool {
        if self.hold.id == recovery.id {
            return false;
        }
        // A hold of the data that was backed up comes before this one, whatever the clock says.
        let former = self.hold.at.saturating_add(1);
        let newest = self.newest.max(former).max(recovery.taken.secs());
        let mut hold = Hold::begin(recovery, now.wall.secs(), newest);
        if recovery.hold.is_none() {
            hold.until = hold.until.max(self.hold.until);
        }
        self.hold = hold;
        Record::Hold(hold).encode(records);
        true
    }

    /// Ends the replay. `exact` says that nothing which was written can have been lost (the machine has not been
    /// down since). Otherwise the start is unclean: promises are assumed as far as the rules allowed them (R3, R4),
    /// and a record of that goes to `records`, because the duty must outlive the next, clean start.
    pub fn restored(&mut self, now: &Now, exact: bool, records: &mut Vec<u8>) {
        self.follow_clock(now);
        if !exact {
            self.unclean.begin(now.wall.secs(), self.newest);
            Record::UncleanStart(self.unclean).encode(records);
        }
        self.settle(now);
    }

    /// Marks what an unclean start left in doubt, and counts everything anew.
    fn settle(&mut self, now: &Now) {
        let mclt = self.plan.settings().mclt.as_secs() as u32;
        let (unclean, secs) = (self.unclean, now.wall.secs());
        if self.hold.cover(self.plan.settings().longest_lease(), secs) {
            self.clock_set = true;
        }
        let quarantine = unclean.quarantine_until(mclt, secs);
        for network in self.networks.iter_mut().flatten() {
            network.hold_back(self.hold);
            let slots: Vec<Slot> = network.table.occupied_from(0).collect();
            for slot in slots {
                if unclean.doubts(network.table.lease(slot).last_seen) {
                    network.table.update(slot, |l| {
                        l.flags |= FLAG_INHERITED;
                        l.pot = bound_of(l);
                    });
                }
            }
            for pool in network.pools.iter_mut().filter(|p| p.window.end != 0) {
                pool.window.quarantine_until = quarantine.unwrap_or(0);
            }
            network.recount(&self.plan);
        }
    }

    /// The windows of all pools and of those before them, as records.
    pub(super) fn windows(&self) -> Vec<u8> {
        let mut windows = self.windows.clone();
        let pools = self.networks.iter().flatten().flat_map(|n| &n.pools);
        for pool in pools.filter(|p| p.window.end != 0) {
            let known = windows.entry(pool.first).or_default();
            *known = (*known).max(pool.window.end);
        }
        let mut frame = Vec::new();
        for (first, end) in windows {
            Record::Window { first, end }.encode(&mut frame);
        }
        frame
    }

    /// Gives homes to leases of networks that a new plan does not have under their old name.
    /// `frames` holds those of subnets that have left their network, and the windows of all pools as they were.
    pub(super) fn rehome(
        &mut self,
        gone: impl Iterator<Item = Network>,
        mut frames: Vec<Vec<u8>>,
        now: &Now,
    ) {
        frames.extend(self.orphans.take());
        for network in gone {
            let mut frame = Vec::new();
            network
                .table
                .remembered_from(0)
                .for_each(|slot| encode(&network, slot, &mut frame));
            frames.push(frame);
        }
        for frame in &frames {
            self.restore(frame);
            self.inherit_moved(frame);
        }
        let pools = self.networks.iter_mut().flatten().flat_map(|n| &mut n.pools);
        pools.for_each(|pool| pool.doubt_window(now.wall));
        self.settle(now);
    }

    /// Appends up to `limit` records of the whole state to `out`, from `cursor` (0 at first) on. Gives the next
    /// cursor, or `None` when all is written.
    ///
    /// Free addresses are left out: what a journal said of them before is gone with its next checkpoint.
    pub fn checkpoint_chunk(&mut self, cursor: u64, limit: usize, out: &mut Vec<u8>) -> Option<u64> {
        self.chunk(Content::Leases, cursor, limit, out)
    }

    /// As [`Self::checkpoint_chunk`], for other engines that go on with these leases while the journals are still
    /// there: of free addresses they must know the version that those journals may say.
    pub fn handover_chunk(&mut self, cursor: u64, limit: usize, out: &mut Vec<u8>) -> Option<u64> {
        self.chunk(Content::Everything, cursor, limit, out)
    }

    /// As [`Self::handover_chunk`], for the rows of a store that nodes share: a lease that is in doubt here stays so there.
    pub fn rows_chunk(&mut self, cursor: u64, limit: usize, out: &mut Vec<u8>) -> Option<u64> {
        self.chunk(Content::Rows, cursor, limit, out)
    }

    /// Until when (Unix seconds) addresses without a record may be in use all the same, if that still is to come: after
    /// an unclean start, or a restore from a backup. Rows cannot say that.
    #[must_use]
    pub fn in_doubt_until(&self, now: &Now) -> Option<u32> {
        let secs = now.wall.secs();
        let pools = self.networks.iter().flatten().flat_map(|network| &network.pools);
        let windows = pools
            .filter(|pool| pool.window.end != 0)
            .map(|pool| pool.window.quarantine_until);
        let hold = self.hold(now).map(|hold| hold.until);
        windows.chain(hold).filter(|&until| until > secs).max()
    }

    fn chunk(&self, content: Content, cursor: u64, limit: usize, out: &mut Vec<u8>) -> Option<u64> {
        if cursor == 0 {
            self.encode_duties(out);
            self.orphans.encode(content, out);
            out.extend_from_slice(&self.windows());
        }
        let (mut index, mut from) = ((cursor >> 32) as usize, cursor as u32);
        let mut room = limit.max(1);
        while index < self.networks.len() {
            if let Some(network) = &self.networks[index] {
                let table = &network.table;
                let slots: &mut dyn Iterator<Item = Slot> = match content {
                    Content::Leases => &mut table.occupied_from(from),
                    Content::Everything | Content::Rows => &mut table.remembered_from(from),
                };
                for slot in slots {
                    let address = network.table.address(slot);
                    if room == 0 {
                        return Some((index as u64) << 32 | u64::from(address));
                    }
                    room -= 1;
                    match content {
                        Content::Rows => encode_as_row(network, slot, out),
                        Content::Leases | Content::Everything => encode(network, slot, out),
                    }
                }
            }
            index += 1;
            from = 0;
        }
        None
    }

    /// What unclean starts and restores have left to heed.
    fn encode_duties(&self, out: &mut Vec<u8>) {
        if self.unclean.happened() {
            Record::UncleanStart(self.unclean).encode(out);
        }
        if self.hold.id != 0 {
            Record::Hold(self.hold).encode(out);
        }
    }
}
