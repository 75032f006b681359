//! May this node own, and what does it tell about that?

use super::life::Life;
use super::table::Mine;
use super::{Action, Coordinator};
use crate::event::Event;
use crate::holdings::Builder;
use crate::member::NotReady;
use crate::observe::after;
use crate::port::{Durability, NodeState, Probe};
use purlin_types::{BootTime, Now};
use std::mem::discriminant;
use std::sync::Arc;

impl Coordinator {
    /// Whether new slots may be taken.
    pub(super) fn may_own(&self, now: BootTime) -> bool {
        self.ready(now).is_ok()
    }

    /// Whether claims may be asked for at all, and be held once granted.
    pub(super) fn may_claim(&self, now: BootTime) -> bool {
        let enrolled = matches!(self.life.state(), Some(NodeState::Active | NodeState::Draining));
        enrolled && self.behind.is_none() && self.lease.holds(now)
    }

    fn ready(&self, now: BootTime) -> Result<(), NotReady> {
        match self.life {
            Life::Superseded => return Err(NotReady::Superseded),
            Life::Left => return Err(NotReady::Left),
            Life::Looking => return Err(NotReady::Starting),
            Life::Watching {
                other, renewed: true, ..
            } => return Err(NotReady::DuplicateId { live: other }),
            Life::Watching { other, .. } => return Err(NotReady::FormerLife { incarnation: other }),
            Life::Enrolled(_) => {}
        }
        if let Some((known, shown)) = self.behind {
            return Err(NotReady::TimelineBehind { known, shown });
        }
        if !self.lease.holds(now) {
            return Err(NotReady::Lapsed);
        }
        if let Some(off_ms) = self.skew {
            return Err(NotReady::WallClock { off_ms });
        }
        match self.life.state() {
            _ if self.draining => Err(NotReady::Draining),
            Some(NodeState::Active) => Ok(()),
            Some(NodeState::Draining) => Err(NotReady::Draining),
            _ => Err(NotReady::Starting),
        }
    }

    /// Compares the wall clocks: the store's must lie between those of sending and receipt, give or take the bound. A
    /// node that was refused has to come well within it.
    pub(super) fn compare_clocks(
        &mut self,
        asked: BootTime,
        now: &Now,
        probe: &Probe,
        out: &mut Vec<Action>,
    ) {
        let sent = now.wall.0.saturating_sub(now.boot.millis_since(asked));
        let ahead = i64::try_from(sent.saturating_sub(probe.wall.0)).unwrap_or(i64::MAX);
        let late = i64::try_from(probe.wall.0.saturating_sub(now.wall.0)).unwrap_or(i64::MAX);
        let off = if ahead > 0 { ahead } else { -late };
        let bound = i64::try_from(self.timing.wall_skew.as_millis()).unwrap_or(i64::MAX);
        let bound = if self.skew.is_some() { bound / 4 * 3 } else { bound };
        self.skew = (off.abs() > bound).then_some(off);
        if self.skew.is_none() {
            self.distance = Some(wall_less_boot(now));
        }
        if self.rate.heard(asked, now, (probe.timeline, probe.wall)) {
            let off_ppm = self.rate.off();
            Self::tell(out, Event::ClockRate { off_ppm });
        }
    }

    /// Tells what changed in this step.
    pub(super) fn publish(&mut self, now: BootTime, out: &mut Vec<Action>) {
        if self.table.changed {
            self.table.changed = false;
            self.publish_holdings(out);
        }
        let ready = self.ready(now);
        let kind = |told: Result<(), NotReady>| told.map_err(|reason| discriminant(&reason));
        if self.told.map(kind) != Some(kind(ready)) {
            Self::tell(out, ready.map_or_else(Event::NotReady, |()| Event::Ready));
        }
        self.told = Some(ready);
    }

    fn publish_holdings(&mut self, out: &mut Vec<Action>) {
        let mut builder = Builder::new(self.roster.homes(&self.me.id), self.distance);
        for (slot, cell) in self.table.iter() {
            match cell.mine {
                Mine::Held {
                    epoch,
                    suspect_until,
                    origin,
                    ..
                } => builder.hold(slot, epoch, suspect_until, origin),
                Mine::Leaving { epoch } => builder.leave(slot, epoch),
                Mine::Releasing { .. } | Mine::Not => {}
            }
            if let Some(home) = self.roster.home(cell) {
                builder.home(slot, home);
            }
        }
        let new = builder.finish();
        let (mut gained, mut lost) = (0, 0);
        for slot in purlin_types::Slot::all() {
            gained += u16::from(new.slots().contains(slot) && !self.holdings.slots().contains(slot));
            lost += u16::from(!new.slots().contains(slot) && self.holdings.slots().contains(slot));
        }
        self.holdings = Arc::new(new);
        out.push(Action::Holdings);
        if gained + lost > 0 {
            Self::tell(out, Event::SlotsMoved { gained, lost });
        }
    }

    /// What an answer tells of the store's history. False when it is an old primary's: nothing of it counts.
    pub(super) fn believe(&mut self, now: BootTime, probe: &Probe, out: &mut Vec<Action>) -> bool {
        let known = self.roster.timeline.unwrap_or(probe.timeline);
        if probe.timeline < known {
            if self.behind != Some((known, probe.timeline)) {
                Self::tell(
                    out,
                    Event::TimelineBehind {
                        known,
                        shown: probe.timeline,
                    },
                );
            }
            self.behind = Some((known, probe.timeline));
            return false;
        }
        self.behind = None;
        let lossy = [Some(probe.durability), self.durability]
            .into_iter()
            .flatten()
            .any(|durability| durability != Durability::Synced);
        if probe.timeline > known {
            Self::tell(
                out,
                Event::TimelineChanged {
                    from: known,
                    to: probe.timeline,
                },
            );
            self.failed_over(now, probe.timeline, lossy);
        } else if self.roster.timeline.is_none() {
            // What precedes this history may have had more than it shows, however safe commits are by now.
            self.lossy_below = probe.parted_below;
        } else if probe.durability != Durability::Synced && self.holds_before(probe.timeline) {
            // What was held over a failover that lost nothing counts only while a standby confirms every commit.
            self.failed_over(now, probe.timeline, true);
        }
        self.roster.timeline = Some(probe.timeline);
        self.durability = Some(probe.durability);
        true
    }

    /// Claims of the former history hold until the lease's present end and are claimed anew before.
    fn failed_over(&mut self, now: BootTime, timeline: u32, lossy: bool) {
        self.requests.view.hasten(now);
        if lossy {
            self.lossy_below = timeline;
            let end = self.lease.until();
            self.frozen = Some(self.frozen.map_or(end, |frozen| frozen.min(end)));
        }
    }

    /// Retry after a request that failed.
    pub(super) fn soon(&self, now: BootTime) -> BootTime {
        after(now, self.timing.renew / 3)
    }
}

/// In milliseconds.
fn wall_less_boot(now: &Now) -> i64 {
    let boot = i64::try_from(now.boot.0 / 1_000_000).unwrap_or(i64::MAX);
    i64::try_from(now.wall.0).unwrap_or(i64::MAX).saturating_sub(boot)
}
